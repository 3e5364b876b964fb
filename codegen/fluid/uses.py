"""Tasks as a pipeline uses them: with a name there, values for their parameters, an order and conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fluid.blocks import Block, require_block
from fluid.declarations import Param, ParamValue, Workspace, param_type, param_value
from fluid.errors import FluidError, UnboundError, UnknownReferenceError, suggest
from fluid.names import dns_label
from fluid.references import Reference, When, expressions
from fluid.scope import Scope, parse
from fluid.text import Place, render
from fluid.values import Duration, Json, go_duration, pruned

if TYPE_CHECKING:
    from fluid.task import Task


@dataclass(frozen=True, slots=True)
class TaskRef:
    """A task that exists elsewhere: in the namespace by name, or behind one of Tekton's resolvers.

    Call it inside a pipeline, like a `Task`. What it declares is not known, so its results are not checked.
    """

    name: str = ""
    resolver: str = ""
    resolver_params: Mapping[str, ParamValue] = field(default_factory=dict)
    kind: str = ""
    api_version: str = ""

    def to_dict(self, where: str, scope: Scope) -> Json:
        """The `taskRef` as Tekton JSON."""
        if bool(self.name) == bool(self.resolver):
            raise FluidError(f"{where}: a TaskRef takes either a name or a resolver.")
        return pruned(
            apiVersion=self.api_version,
            kind=self.kind,
            name=render(self.name, f"{where}, taskRef", scope),
            resolver=self.resolver,
            params=_params(self.resolver_params, f"{where}, taskRef", scope),
        )

    def __call__(
        self, name: str = "", /, *, params: Mapping[str, ParamValue] | None = None, **options: Any
    ) -> PipelineTask:
        """Use the task in the pipeline whose block is open; arguments as in `Task`."""
        known = {"run_after", "when", "workspaces", "retries", "timeout", "on_error"}
        values = {key: value for key, value in options.items() if key not in known}
        settings = {key: value for key, value in options.items() if key in known}
        return use_task(
            PipelineTask(name=name or self.name, task=self, params={**(params or {}), **values}, **settings)
        )


class Results:
    """The results of a pipeline's task, as references: `build.results.digest`."""

    def __init__(self, task: str, known: frozenset[str] | None) -> None:
        self._task = task
        self._known = known

    def __getattr__(self, name: str) -> Reference:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Reference:
        known = self._known
        if known is not None and name not in known:
            dashed = name.replace("_", "-")
            if dashed not in known:
                raise UnknownReferenceError(f"Task {self._task!r} has no result {name!r}. {suggest(name, known)}")
            name = dashed
        return Reference(f"tasks.{self._task}.results.{name}")


class PipelineTask:
    """A task inside a pipeline. `a >> b` makes `b` wait for `a`; both sides may be lists."""

    def __init__(
        self,
        *,
        name: str,
        task: Task | TaskRef,
        params: Mapping[str, ParamValue],
        run_after: Sequence[PipelineTask | str] = (),
        when: Sequence[When] | When = (),
        workspaces: Mapping[str, Workspace | str] | None = None,
        retries: int = 0,
        timeout: Duration | None = None,
        on_error: str = "",
    ) -> None:
        self.name = name
        self.task = task
        self.pipeline: Block | None = None
        self.params = dict(params)
        self.when = (when,) if isinstance(when, When) else tuple(when)
        self.workspaces = dict(workspaces or {})
        self.retries = retries
        self.timeout = timeout
        self.on_error = on_error
        if isinstance(run_after, str):
            raise FluidError(f"Task {name!r}: run_after is one text; give a list.")
        self._after = [t if isinstance(t, str) else t.name for t in run_after]

    @property
    def result_names(self) -> frozenset[str] | None:
        """The names of its results; None where they are not known."""
        return None if isinstance(self.task, TaskRef) else frozenset(r.name for r in self.task.results)

    @property
    def results(self) -> Results:
        """References to its results, for the parameters and conditions of other tasks."""
        return Results(self.name, self.result_names)

    @property
    def status(self) -> Reference:
        """`Succeeded`, `Failed` or `None`; for finally tasks only."""
        return Reference(f"tasks.{self.name}.status")

    @property
    def run_after(self) -> tuple[str, ...]:
        """The names of the tasks that it was told to wait for, each once."""
        return tuple(dict.fromkeys(self._after))

    def after(self, *tasks: PipelineTask | str) -> PipelineTask:
        """Wait for these tasks too; returns itself."""
        if self.pipeline is not None:
            self.pipeline.ensure_open("an order")
        self._after.extend(t if isinstance(t, str) else t.name for t in tasks)
        return self

    def __rshift__(self, other: PipelineTask | Sequence[PipelineTask]) -> PipelineTask | Sequence[PipelineTask]:
        for task in (other,) if isinstance(other, PipelineTask) else other:
            task.after(self)
        return other

    def __rrshift__(self, others: Iterable[PipelineTask]) -> PipelineTask:
        return self.after(*others)

    def needs(self) -> tuple[str, ...]:
        """Every task that must be done before: by `run_after` and by the results that it uses."""
        texts = [text for value in self.params.values() for text in _texts(value)]
        texts += [text for condition in self.when for text in (condition.input, *condition.values)]
        used = (parse(expression) for text in texts for expression in expressions(text))
        by_results = (p.names[1] for p in used if p and p.names[:1] == ("tasks",) and p.names[2:3] == ("results",))
        return tuple(dict.fromkeys((*self._after, *by_results)))

    def to_dict(self, scope: Scope, workspaces: frozenset[str]) -> Json:
        """The task as Tekton JSON; `workspaces` are the pipeline's."""
        where = f"{scope.owner}, task {self.name!r}"
        dns_label(self.name, f"{scope.owner}: a task")
        if self.retries < 0:
            raise FluidError(f"{where}: retries is {self.retries}; it cannot be negative.")
        if self.on_error == "continue" and self.retries:
            raise FluidError(f"{where}: on_error 'continue' and retries exclude each other.")
        self._check_params(where)
        return pruned(
            name=self.name,
            **self._definition(where, scope),
            runAfter=list(self.run_after),
            params=_params(self.params, where, scope),
            when=[_when(condition, where, scope) for condition in self.when],
            workspaces=self._workspaces(where, workspaces),
            retries=self.retries or None,
            timeout=None if self.timeout is None else go_duration(self.timeout, f"{where}, timeout"),
            onError=self.on_error,
        )

    def _definition(self, where: str, scope: Scope) -> Json:
        if isinstance(self.task, TaskRef):
            return {"taskRef": self.task.to_dict(where, scope)}
        return {"taskSpec": self.task.embedded_spec()}

    def _check_params(self, where: str) -> None:
        if not isinstance(self.task, TaskRef):
            check_params(self.task.declared_params, self.params, where)

    def _workspaces(self, where: str, available: frozenset[str]) -> list[Json]:
        declared = {} if isinstance(self.task, TaskRef) else {w.name: w for w in self.task.workspaces}
        for name in self.workspaces:
            if declared and name not in declared:
                raise UnknownReferenceError(f"{where}: its task has no workspace {name!r}. {suggest(name, declared)}")
        wanted = {**{name: name for name in declared}, **{k: _name(v) for k, v in self.workspaces.items()}}
        bindings: list[Json] = []
        for name, given in wanted.items():
            if given in available:
                bindings.append(pruned(name=name, workspace=given))
            elif name in self.workspaces or not declared[name].optional:
                raise UnboundError(
                    f"{where} needs a workspace {given!r}, which the pipeline does not declare. "
                    f"{suggest(given, available)}"
                )
        return bindings


class TaskUser(Block):
    """What tasks can be used in: a pipeline."""

    def add_task(self, task: PipelineTask) -> PipelineTask:
        """Add a task and return it."""
        raise NotImplementedError


def use_task(task: PipelineTask) -> PipelineTask:
    """Add the task to the pipeline whose block is open."""
    return require_block(TaskUser, f"Using task {task.name!r}", "a pipeline's `with` block").add_task(task)


def check_params(declared: Sequence[Param], given: Mapping[str, ParamValue], where: str) -> None:
    """Check that every parameter given is declared, of its type, and every required one given."""
    by_name = {p.name: p for p in declared}
    for name, value in given.items():
        if name not in by_name:
            raise UnknownReferenceError(f"{where}: there is no parameter {name!r}. {suggest(name, by_name)}")
        kind, is_reference = param_type(value), isinstance(value, Reference)
        if kind != by_name[name].kind and not (is_reference and by_name[name].kind != "string"):
            raise FluidError(f"{where}: parameter {name!r} is of type {by_name[name].kind}; a {kind} is given.")
    missing = [p.name for p in declared if p.default is None and p.name not in given]
    if missing:
        raise UnboundError(f"{where}: give a value for {', '.join(missing)}.")


def _params(params: Mapping[str, ParamValue], where: str, scope: Scope) -> list[Json]:
    return [
        {"name": name, "value": param_value(value, f"{where}, parameter {name!r}", scope)}
        for name, value in params.items()
    ]


def _when(condition: When, where: str, scope: Scope) -> Json:
    if condition.cel:
        return {"cel": render(condition.cel, f"{where}, when", scope)}
    if not condition.values:
        raise FluidError(f"{where}: a condition compares with no value.")
    return {
        "input": render(condition.input, f"{where}, when", scope, Place.PARAM),
        "operator": condition.operator,
        "values": [render(value, f"{where}, when", scope, Place.PARAM) for value in condition.values],
    }


def _texts(value: ParamValue) -> list[str]:
    if isinstance(value, str):
        return [value]
    return list(value.values()) if isinstance(value, Mapping) else list(value)


def _name(workspace: Workspace | str) -> str:
    return workspace if isinstance(workspace, str) else workspace.name
