"""The references that a place may hold: a task knows its own parameters, a pipeline those and its tasks' results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fluid.errors import UnknownReferenceError, suggest

_TOKEN = re.compile(r'\.?(?P<name>[^.\[\]"]+)|\["(?P<quoted>[^"]+)"\]|\[(?P<index>\*|\d+)\]')
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_RUN_CONTEXT = ("name", "namespace", "uid")
_WORKSPACE_FIELDS = ("path", "bound", "claim", "volume")


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed expression: its names in order and, where it ends in one, its index (`*` or a number)."""

    names: tuple[str, ...]
    index: str = ""


def parse(expression: str) -> Path | None:
    """Return the parts of `params.files[*]`, or None where the text is no expression."""
    names: list[str] = []
    index = ""
    position = 0
    while position < len(expression):
        token = _TOKEN.match(expression, position)
        if token is None or index:
            return None
        index = token["index"] or ""
        if not index:
            names.append(token["name"] or token["quoted"])
        position = token.end()
    return Path(tuple(names), index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The things that a text in one place may refer to.

    Attributes:
        owner: the place's owner in messages, such as `Task 'build'`.
        params: the declared parameters' types by name.
        keys: the keys of those that are objects.
        results: names of the owner's own results (a task's).
        workspaces: names of the declared workspaces.
        steps: names of the task's steps.
        tasks: a pipeline's tasks with their results; None where the results are not known.
        in_task: True inside a task, False in a pipeline or a run.
        final: True in a `finally` task, which may ask for the status of others.
    """

    owner: str
    params: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    results: frozenset[str] = frozenset()
    workspaces: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    tasks: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    in_task: bool = False
    final: bool = False

    def check(self, expression: str, where: str, *, alone: bool, env: bool) -> None:
        """Check one reference; `alone` if it is its text's only content, `env` where `$(NAME)` is one.

        Raises:
            UnknownReferenceError: nothing here answers it.
        """
        path = parse(expression)
        if path is None or not path.names:
            raise UnknownReferenceError(f"{where}: {expression!r} is no reference. Was a reference changed as text?")
        if env and len(path.names) == 1 and not path.index and _ENV_NAME.fullmatch(path.names[0]):
            return
        if path.index == "*" and not alone:
            raise UnknownReferenceError(
                f"{where}: $({expression}) stands for several values; it must be a list element of its own."
            )
        if path.names[0] == "params":
            self._check_param(path, expression, where)
        elif not (self._known_in_task(path, where) if self.in_task else self._known_in_pipeline(path, where)):
            raise UnknownReferenceError(f"{where}: $({expression}) has no meaning in {self.owner}. {self._hint()}")

    def _check_param(self, path: Path, expression: str, where: str) -> None:
        name = path.names[1] if len(path.names) > 1 else ""
        self._require(name, self.params, "parameter", where)
        kind = self.params[name]
        key = path.names[2:]
        wrong = {
            "string": bool(key or path.index),
            "array": bool(key) or not path.index,
            "object": len(key) > 1 or (not key and path.index != "*"),
        }[kind]
        if wrong:
            use = {"string": "it as it is", "array": ".all or .at(index)", "object": ".key(name) or .all"}[kind]
            raise UnknownReferenceError(
                f"{where}: $({expression}) does not fit: parameter {name!r} of {self.owner} "
                f"is of type {kind}; use {use}."
            )
        if key:
            self._require(key[0], self.keys[name], f"key of parameter {name!r}:", where)

    def _known_in_task(self, path: Path, where: str) -> bool:
        match path.names:
            case ("results", name, "path"):
                return self._require(name, self.results, "result", where)
            case ("workspaces", name, attribute):
                return self._require(name, self.workspaces, "workspace", where) and attribute in _WORKSPACE_FIELDS
            case ("context", "taskRun", attribute):
                return attribute in _RUN_CONTEXT
            case ("context", "task", attribute):
                return attribute in ("name", "retry-count")
            case ("steps", step, "results", _, *_):
                return self._require(step, self.steps, "step", where)
            case ("steps", step, "exitCode", "path"):
                return self._require(step.removeprefix("step-"), self.steps, "step", where)
        return path.names == ("credentials", "path")

    def _known_in_pipeline(self, path: Path, where: str) -> bool:
        match path.names:
            case ("tasks", task, "results", name, *rest) if len(rest) <= 1:
                self._require(task, self.tasks, "task", where)
                results = self.tasks[task]
                return results is None or self._require(name, results, f"result of task {task!r}", where)
            case ("tasks", task, "status" | "reason") if self.final:
                return self._require(task, self.tasks, "task", where)
            case ("tasks", "status"):
                return self.final
            case ("workspaces", name, "bound"):
                return self._require(name, self.workspaces, "workspace", where)
            case ("context", "pipelineRun", attribute):
                return attribute in _RUN_CONTEXT
        return path.names in (("context", "pipeline", "name"), ("context", "pipelineTask", "retries"))

    def _require(self, name: str, known: Iterable[str], what: str, where: str) -> bool:
        names = tuple(known)
        if name not in names:
            raise UnknownReferenceError(f"{where}: {self.owner} declares no {what} {name!r}. {suggest(name, names)}")
        return True

    def _hint(self) -> str:
        if self.in_task:
            return (
                "Inside a task only its own parameters, results and workspaces are known: "
                "hand other values in as parameters."
            )
        if self.final:
            return "A finally task may use params, other tasks' results and status, and context."
        return "Outside a task only params, tasks' results and context are known; status only in finally tasks."
