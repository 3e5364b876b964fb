"""Small values that manifests share: durations, metadata, and JSON without what is not set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, TypedDict

from fluid.errors import FluidError
from fluid.valid_names import labels as checked_labels
from fluid.valid_names import object_name

Json = dict[str, Any]

Duration = int | float | timedelta | str
"""Seconds, a timedelta, or what Go calls a duration, such as `1h30m`. 0 means: without limit."""

_GO_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+|0")


def go_duration(value: Duration, what: str) -> str:
    """Return the duration as Go writes it; `what` names it in messages.

    Raises:
        FluidError: negative, or no duration.
    """
    if isinstance(value, str):
        if not _GO_DURATION.fullmatch(value):
            raise FluidError(f"{what} is {value!r}; write seconds as a number, a timedelta, or text such as '1h30m'.")
        return value
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < 0:
        raise FluidError(f"{what} is {seconds} seconds; it cannot be negative. 0 means without limit.")
    return f"{seconds:g}s" if seconds < 1e6 else f"{int(seconds)}s"


def duration_seconds(value: Duration, what: str) -> float:
    """Return the duration in seconds."""
    units = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
    text = go_duration(value, what)
    return sum(float(n) * units[unit] for n, unit in re.findall(r"([\d.]+)(ns|us|µs|ms|s|m|h)", text))


def camel_case(name: str) -> str:
    """Return the name of a Kubernetes field in Kubernetes' own spelling: `nodeSelector` for `node_selector`."""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def pruned(**fields: Any) -> Json:
    """Return the fields that are set, in the order given: neither None nor empty; False and 0 stay."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", {}, [], ())}


def plain(value: Any) -> Any:
    """Return JSON made of dicts and lists only, from any mappings and sequences."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return value


class ObjectFields(TypedDict, total=False):
    """Metadata that every object takes besides its name."""

    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class OwnedFields(ObjectFields, total=False):
    """Metadata of an object that may have an owner."""

    owner_references: Sequence[Mapping[str, Any]]


class RunFields(OwnedFields, total=False):
    """Metadata of a run: exactly one of `name` and `generate_name`."""

    name: str
    generate_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """An object's metadata. Exactly one of `name` and `generate_name` is set."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    owner_references: Sequence[Mapping[str, Any]] = ()

    def to_dict(self, what: str) -> Json:
        """The metadata as Kubernetes JSON; `what` names the object in messages.

        Raises:
            InvalidNameError: a name or label value that Kubernetes or Tekton refuses.
            FluidError: neither or both of `name` and `generate_name`.
        """
        if bool(self.name) == bool(self.generate_name):
            raise FluidError(f"{what}: give either name or generate_name.")
        object_name(self.name or self.generate_name + "x", what)
        checked_labels(self.labels, what)
        return pruned(**{camel_case(field.name): plain(getattr(self, field.name)) for field in fields(self)})
