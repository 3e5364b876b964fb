"""Tasks and pipelines from functions: the signature declares the parameters, the body runs once and fills the block.

An argument of type `str` is a string parameter, `list[str]` an array, `dict[str, str]` an object (with a default, whose
keys are its properties), `Workspace` a workspace. The body receives the references. `_` in names becomes `-`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_origin, get_type_hints, overload

from fluid.declarations import Param, ParamType, Workspace
from fluid.errors import FluidError
from fluid.pipeline import Pipeline
from fluid.task import Task
from fluid.tekton_variables import ArrayReference, ObjectReference, Reference
from fluid.with_block import Block

_B = TypeVar("_B", bound=Block)
Body = Callable[..., Any]


@overload
def task(function: Body, /) -> Task: ...
@overload
def task(*, name: str = "", **options: Any) -> Callable[[Body], Task]: ...
def task(function: Body | None = None, /, *, name: str = "", **options: Any) -> Task | Callable[[Body], Task]:
    """Make a `Task` from a function; options as in `Task`."""
    return _decorated(Task, function, name, options)


@overload
def pipeline(function: Body, /) -> Pipeline: ...
@overload
def pipeline(*, name: str = "", **options: Any) -> Callable[[Body], Pipeline]: ...
def pipeline(
    function: Body | None = None, /, *, name: str = "", **options: Any
) -> Pipeline | Callable[[Body], Pipeline]:
    """Make a `Pipeline` from a function; options as in `Pipeline`."""
    return _decorated(Pipeline, function, name, options)


def _decorated(
    kind: Callable[..., _B], function: Body | None, name: str, options: Mapping[str, Any]
) -> _B | Callable[[Body], _B]:
    def decorate(body: Body) -> _B:
        documentation = (inspect.getdoc(body) or "").partition("\n\n")[0].replace("\n", " ")
        made = kind(name or body.__name__.replace("_", "-"), **{"description": documentation, **options})
        with made:
            body(**_declare(made, body))
        return made

    return decorate if function is None else decorate(function)


def _declare(block: Block, body: Body) -> dict[str, Any]:
    """Declare the signature's parameters and workspaces; return the body's arguments."""
    hints = get_type_hints(body)
    arguments: dict[str, Any] = {}
    for parameter in inspect.signature(body).parameters.values():
        hint = hints.get(parameter.name, str)
        name = parameter.name.replace("_", "-")
        default = None if parameter.default is parameter.empty else parameter.default
        if hint is Workspace:
            arguments[parameter.name] = block.add_workspace(default or Workspace(name))
        else:
            kind = _param_type(hint, f"{block.owner}: argument {parameter.name!r}")
            param = Param(name, default, type=kind)
            arguments[parameter.name] = _argument(param, block.add_param(param))
    return arguments


def _argument(param: Param, reference: Reference) -> object:
    """Return the body's argument: a value of the type that the signature says, made of references."""
    if param.kind == "array":
        return ArrayReference(reference)
    if param.kind == "object":
        return ObjectReference(reference, param.keys)
    return reference


def _param_type(hint: Any, where: str) -> ParamType:
    if hint is str:
        return "string"
    origin = get_origin(hint) or hint
    if isinstance(origin, type):
        if issubclass(origin, Mapping):
            return "object"
        if issubclass(origin, Sequence):
            return "array"
    raise FluidError(f"{where} has the type {hint!r}; use str, list[str], dict[str, str] or fluid.Workspace.")
