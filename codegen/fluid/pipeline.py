"""Pipelines: tasks in an order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Unpack

from fluid.declarations import ParamType
from fluid.errors import FluidError
from fluid.json_fields import Json, pruned
from fluid.pipeline_task import PipelineTask, TaskUser
from fluid.scope import Scope
from fluid.task_order import check_order
from fluid.tekton_variables import expressions
from fluid.text import render
from fluid.valid_names import result_name, unique
from fluid.with_block import BlockFields


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """A result of a pipeline, made of results of its tasks."""

    name: str
    value: str
    description: str = ""
    type: ParamType | None = None

    def to_dict(self, owner: str, scope: Scope) -> Json:
        """The declaration as Tekton JSON."""
        where = f"{owner}, result {self.name!r}"
        result_name(self.name, f"{owner}: a result")
        if not expressions(self.value):
            raise FluidError(f"{where}: its value must refer to results of tasks.")
        return pruned(
            name=self.name,
            type=self.type,
            description=self.description,
            value=render(self.value, where, scope),
        )


class Pipeline(TaskUser):
    """A pipeline. Fill it in a `with` block, where calling a task adds it; then give it to a `PipelineRun`.

    Args:
        name: DNS label.
        **fields: `params` and `workspaces`, more of which may be added in its `with` block; `display_name`,
            `description`; `labels`, `annotations` and `namespace` of the Pipeline where it is an object of its own.
    """

    kind = "pipeline"

    def __init__(self, name: str, **fields: Unpack[BlockFields]) -> None:
        super().__init__(name, **fields)
        self._tasks: list[PipelineTask] = []
        self._finally: list[PipelineTask] = []
        self._results: list[PipelineResult] = []
        self._in_finally = False

    @property
    def tasks(self) -> tuple[PipelineTask, ...]:
        """Its tasks, in the order in which they were added, without the finally tasks."""
        return tuple(self._tasks)

    def add_task(self, task: PipelineTask) -> PipelineTask:
        """Add a task, to the finally tasks inside `finally_`."""
        self.ensure_open("a task")
        task.pipeline = self
        (self._finally if self._in_finally else self._tasks).append(task)
        return task

    def add_result(self, result: PipelineResult) -> PipelineResult:
        """Declare a result."""
        self.ensure_open("a result")
        self._results.append(result)
        return result

    @contextmanager
    def finally_(self) -> Iterator[None]:
        """Tasks used inside run when all others are done, whether they succeeded or not."""
        self._in_finally = True
        try:
            yield
        finally:
            self._in_finally = False

    def validate(self) -> None:
        """Check names, order, parameters, workspaces and every reference by rendering once."""
        if not self._tasks:
            raise FluidError(f"{self.owner} has no task.")
        self._metadata.to_dict(self.owner)
        unique((t.name for t in (*self._tasks, *self._finally)), f"{self.owner}: task")
        unique((r.name for r in self._results), f"{self.owner}: result")
        for task in self._finally:
            if task.run_after:
                raise FluidError(
                    f"{self.owner}: finally task {task.name!r} waits for {', '.join(task.run_after)}; "
                    "finally tasks all start together, after all others."
                )
        check_order({task.name: task.needs() for task in self._tasks}, self.owner)
        self._spec = self._render()

    def spec(self) -> Json:
        """The `spec` of the Pipeline, which is also what a run embeds."""
        self.close()
        return self._spec

    def _scope(self, *, final: bool = False) -> Scope:
        return Scope(
            owner=self.owner,
            params={p.name: p.kind for p in self._params},
            keys={p.name: frozenset(p.keys) for p in self._params},
            workspaces=frozenset(w.name for w in self._workspaces),
            tasks={t.name: t.task.result_names for t in self._tasks},
            final=final,
        )

    def _render(self) -> Json:
        scope, final = self._scope(), self._scope(final=True)
        workspaces = frozenset(w.name for w in self._workspaces)
        return pruned(
            **self._heading,
            params=[p.to_dict(self.owner) for p in self._params],
            workspaces=[w.to_dict(in_task=False) for w in self._workspaces],
            tasks=[t.to_dict(scope, workspaces) for t in self._tasks],
            results=[r.to_dict(self.owner, scope) for r in self._results],
            **pruned(**{"finally": [t.to_dict(final, workspaces) for t in self._finally]}),
        )
