"""Tasks as a pipeline uses them: with a name there, values for their parameters, an order and conditions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fluid.declarations import Param, ParamValue, Workspace, param_type, param_value
from fluid.errors import FluidError, UnboundError, UnknownReferenceError, suggest
from fluid.json_fields import Duration, Json, go_duration, pruned
from fluid.scope import Scope, parse
from fluid.tekton_variables import Reference, When, expressions
from fluid.text import Place, render
from fluid.valid_names import dns_label
from fluid.with_block import Block, require_block


class UsableTask(ABC):
    """A task that pipelines can use. Call it inside a pipeline to use it there."""

    name: str

    @property
    @abstractmethod
    def result_names(self) -> frozenset[str] | None:
        """The names of its results; None where they are not known."""

    @property
    @abstractmethod
    def declared_params(self) -> tuple[Param, ...] | None:
        """The parameters that it takes; None where they are not known."""

    @property
    @abstractmethod
    def declared_workspaces(self) -> tuple[Workspace, ...]:
        """The workspaces that it is known to take."""

    @abstractmethod
    def close(self) -> None:
        """Validate, and refuse every change from now on."""

    @abstractmethod
    def definition(self, where: str, scope: Scope) -> Json:
        """Return `taskSpec` or `taskRef` as Tekton JSON."""

    def __call__(
        self,
        name: str = "",
        /,
        *,
        params: Mapping[str, ParamValue] | None = None,
        run_after: Sequence[PipelineTask | str] = (),
        when: Sequence[When] | When = (),
        workspaces: Mapping[str, Workspace | str] | None = None,
        retries: int = 0,
        timeout: Duration | None = None,
        on_error: str = "",
        **values: ParamValue,
    ) -> PipelineTask:
        """Use the task in the pipeline whose block is open.

        Args:
            name: name there; the task's own where not given.
            params: values of its parameters, where a name is no Python identifier.
            **values: values of its parameters by name.
            run_after: tasks, or their names, that must have succeeded before.
            when: conditions, all of which must hold, else the task is skipped.
            workspaces: the task's workspace name to the pipeline's; the same names need no entry.
            retries: the number of times that it is tried again.
            timeout: the time that one try may take.
            on_error: `continue` lets the pipeline go on although it failed.
        """
        self.close()
        name = name or self.name
        if isinstance(run_after, str):
            raise FluidError(f"Task {name!r}: run_after is one text; give a list.")
        task = PipelineTask(
            name=name,
            task=self,
            params={**(params or {}), **values},
            when=(when,) if isinstance(when, When) else when,
            workspaces=workspaces or {},
            retries=retries,
            timeout=timeout,
            on_error=on_error,
        )
        user = require_block(TaskUser, f"Using task {name!r}", "a pipeline's `with` block")
        return user.add_task(task.after(*run_after))


@dataclass(frozen=True, slots=True)
class TaskRef(UsableTask):
    """A task that exists elsewhere: in the namespace by name, or behind one of Tekton's resolvers.

    Its declarations are not known, so its results are not checked.
    """

    name: str = ""
    resolver: str = ""
    resolver_params: Mapping[str, ParamValue] = field(default_factory=dict)
    kind: str = ""
    api_version: str = ""

    def to_dict(self, where: str, scope: Scope) -> Json:
        """Return the value of `taskRef` as Tekton JSON."""
        if bool(self.name) == bool(self.resolver):
            raise FluidError(f"{where}: a TaskRef takes either a name or a resolver.")
        return pruned(
            apiVersion=self.api_version,
            kind=self.kind,
            name=render(self.name, f"{where}, taskRef", scope),
            resolver=self.resolver,
            params=_params(self.resolver_params, f"{where}, taskRef", scope),
        )

    def close(self) -> None:
        """Do nothing: such a task does not change."""

    result_names = None
    declared_params = None
    declared_workspaces = ()

    def definition(self, where: str, scope: Scope) -> Json:
        """Return the `taskRef` as Tekton JSON."""
        return {"taskRef": self.to_dict(where, scope)}


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


@dataclass(eq=False, kw_only=True)
class PipelineTask:
    """A task inside a pipeline. `a >> b` makes `b` wait for `a`; both sides may be lists."""

    name: str
    task: UsableTask
    params: Mapping[str, ParamValue]
    when: Sequence[When] = ()
    workspaces: Mapping[str, Workspace | str] = field(default_factory=dict)
    retries: int = 0
    timeout: Duration | None = None
    on_error: str = ""
    pipeline: Block | None = None
    _after: list[str] = field(default_factory=list)

    @property
    def results(self) -> Results:
        """References to its results, for the parameters and conditions of other tasks."""
        return Results(self.name, self.task.result_names)

    @property
    def status(self) -> Reference:
        """`Succeeded`, `Failed` or `None`; for finally tasks only."""
        return Reference(f"tasks.{self.name}.status")

    @property
    def run_after(self) -> tuple[str, ...]:
        """The names of the tasks of `run_after`, each once."""
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
        """The names of all tasks that must be done before: those of `run_after`, and those whose results it uses."""
        texts = [text for value in self.params.values() for text in _texts(value)]
        texts += [text for condition in self.when for text in (condition.input, *condition.values)]
        used = (parse(expression) for text in texts for expression in expressions(text))
        by_results = (p.names[1] for p in used if p and p.names[:1] == ("tasks",) and p.names[2:3] == ("results",))
        return tuple(dict.fromkeys((*self._after, *by_results)))

    def to_dict(self, scope: Scope, workspaces: frozenset[str]) -> Json:
        """Return the task as Tekton JSON; `workspaces` are the pipeline's."""
        where = f"{scope.owner}, task {self.name!r}"
        dns_label(self.name, f"{scope.owner}: a task")
        if self.retries < 0:
            raise FluidError(f"{where}: retries is {self.retries}; it cannot be negative.")
        if self.on_error == "continue" and self.retries:
            raise FluidError(f"{where}: on_error 'continue' and retries exclude each other.")
        if self.task.declared_params is not None:
            check_params(self.task.declared_params, self.params, where)
        return pruned(
            name=self.name,
            **self.task.definition(where, scope),
            runAfter=list(self.run_after),
            params=_params(self.params, where, scope),
            when=[_when(condition, where, scope) for condition in self.when],
            workspaces=self._workspaces(where, workspaces),
            retries=self.retries or None,
            timeout=None if self.timeout is None else go_duration(self.timeout, f"{where}, timeout"),
            onError=self.on_error,
        )

    def _workspaces(self, where: str, available: frozenset[str]) -> list[Json]:
        declared = {w.name: w for w in self.task.declared_workspaces}
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
    """A block in which tasks can be used: a pipeline."""

    def add_task(self, task: PipelineTask) -> PipelineTask:
        """Add a task and return it."""
        raise NotImplementedError


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
