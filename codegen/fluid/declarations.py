"""The declarations of a task or pipeline: parameters, results and workspaces, each with the references to itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from fluid.errors import FluidError, UnknownReferenceError, suggest
from fluid.json_fields import Json, pruned
from fluid.scope import Scope
from fluid.tekton_variables import Reference
from fluid.text import Place, render
from fluid.valid_names import param_name, result_name

ParamValue = str | Sequence[str] | Mapping[str, str]
"""A string, an array or an object, as Tekton calls them."""

ParamType = Literal["string", "array", "object"]

T = TypeVar("T")


def param_type(value: ParamValue) -> ParamType:
    """The type of parameter that a value fits."""
    if isinstance(value, Reference) and value.expression.endswith("[*]"):
        return "array"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def param_value(value: ParamValue, where: str, scope: Scope, place: Place = Place.PARAM) -> object:
    """A parameter's value as Tekton JSON, its references checked."""
    if isinstance(value, str):
        return render(value, where, scope, place)
    if isinstance(value, Mapping):
        return {key: render(item, f"{where}, key {key!r}", scope, place) for key, item in value.items()}
    return [render(item, f"{where}[{index}]", scope, place) for index, item in enumerate(value)]


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a task or pipeline.

    Attributes:
        name: letters, digits, `_`, `-` and `.`, beginning with a letter or `_`.
        default: its value where none is given; None makes it required.
        type: taken from `default` where not given, else string.
        properties: the keys of an object; taken from `default` where not given.
        enum: the values allowed; the cluster's Tekton must have `enable-param-enum`.
    """

    name: str
    default: ParamValue | None = None
    type: ParamType | None = None
    description: str = ""
    properties: Sequence[str] = ()
    enum: Sequence[str] = ()

    @property
    def kind(self) -> ParamType:
        """The type; where none is given, the one that follows from properties and default."""
        if self.type is not None:
            return self.type
        if self.properties:
            return "object"
        return "string" if self.default is None else param_type(self.default)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of an object."""
        return tuple(self.properties) or (tuple(self.default) if isinstance(self.default, Mapping) else ())

    @property
    def value(self) -> Reference:
        """The reference to it, `$(params.name)`."""
        return Reference(f'params["{self.name}"]' if "." in self.name else f"params.{self.name}")

    def to_dict(self, owner: str) -> Json:
        """The declaration as Tekton JSON."""
        what = f"{owner}: a parameter"
        param_name(self.name, what, keyed=self.kind == "object")
        if self.kind == "object" and not self.keys:
            raise FluidError(f"{owner}: parameter {self.name!r} is an object; give the names of its properties.")
        if self.default is not None and param_type(self.default) != self.kind:
            raise FluidError(f"{owner}: parameter {self.name!r} is of type {self.kind}, its default is not.")
        fields = pruned(
            name=self.name,
            type=self.kind,
            description=self.description,
            properties={param_name(key, what, keyed=True): {"type": "string"} for key in self.keys}
            if self.kind == "object"
            else None,
            enum=list(self.enum),
        )
        if self.default is not None:
            where = f"{owner}, parameter {self.name!r}, default"
            fields["default"] = param_value(self.default, where, Scope(owner=owner), Place.PLAIN)
        return fields


@dataclass(frozen=True, slots=True)
class Result:
    """A result that a task writes to the file `path`; Tekton keeps about 4 KiB of all results of a task together."""

    name: str
    description: str = ""
    type: ParamType = "string"
    properties: Sequence[str] = ()
    value: str = ""

    @property
    def path(self) -> Reference:
        """The file to write it to, `$(results.name.path)`."""
        return Reference(f"results.{self.name}.path")

    def to_dict(self, owner: str, scope: Scope) -> Json:
        """The declaration as Tekton JSON."""
        result_name(self.name, f"{owner}: a result")
        if "." in self.name:
            raise FluidError(f"{owner}: result {self.name!r} has a dot; Tekton could not refer to it.")
        return pruned(
            name=self.name,
            type=self.type,
            description=self.description,
            properties={key: {"type": "string"} for key in self.properties},
            value=render(self.value, f"{owner}, result {self.name!r}", scope),
        )


@dataclass(frozen=True, slots=True)
class Workspace:
    """A directory that a task or pipeline is given; the run names its source."""

    name: str
    description: str = ""
    mount_path: str = ""
    read_only: bool = False
    optional: bool = False

    @property
    def path(self) -> Reference:
        """The directory in which a task finds it, `$(workspaces.name.path)`."""
        return self._reference("path")

    @property
    def bound(self) -> Reference:
        """`true` if an optional workspace was given, else `false`."""
        return self._reference("bound")

    @property
    def claim(self) -> Reference:
        """The name of the PersistentVolumeClaim behind it, empty for others."""
        return self._reference("claim")

    def to_dict(self, *, in_task: bool) -> Json:
        """The declaration as Tekton JSON; a pipeline's has neither path nor mode."""
        task_only = {"mountPath": self.mount_path, "readOnly": self.read_only or None} if in_task else {}
        return pruned(name=self.name, description=self.description, **task_only, optional=self.optional or None)

    def _reference(self, attribute: str) -> Reference:
        return Reference(f"workspaces.{self.name}.{attribute}")


@dataclass(frozen=True, slots=True)
class Namespace(Generic[T]):
    """Things by name, as attributes or, where the name is no identifier, by index.

    `params.url`, `results["commit-id"]`; `-` may be written `_`.
    """

    _what: str
    _items: Mapping[str, T] = field(default_factory=dict)

    def __getattr__(self, name: str) -> T:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> T:
        for key in (name, name.replace("_", "-")):
            if key in self._items:
                return self._items[key]
        raise UnknownReferenceError(f"{self._what} {name!r} does not exist. {suggest(name, self._items)}")

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return name in self._items
