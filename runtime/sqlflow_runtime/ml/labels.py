"""The label: its values, and the encoding of classes as numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError, listed

CLASS_LIMIT = 100
"""An integer label with more different values is not taken for classes unless the statement says so."""


@dataclass(frozen=True, slots=True)
class Label:
    """The label of a model.

    Attributes:
        name: the column's name.
        kind: `int`, `float`, `string` or `bool`.
        classes: the classes, by their number from 0; empty for a regression.
    """

    name: str
    kind: str
    classes: tuple[Any, ...] = ()

    def encode(self, values: Sequence[Any]) -> npt.NDArray[np.int64]:
        """The classes' numbers; -1 for a value that is none of them."""
        numbers = {value: number for number, value in enumerate(self.classes)}
        return np.array([numbers.get(value, -1) for value in values], dtype=np.int64)

    def decode(self, numbers: npt.NDArray[Any]) -> list[Any]:
        """Values of the label, by their numbers."""
        return [self.classes[number] for number in numbers.astype(np.int64).tolist()]

    def values(self, raw: Sequence[Any]) -> list[Any]:
        """Values as a database returns them, as values of this label's kind, comparable with `classes`."""
        converters: dict[str, Callable[[Any], Any]] = {"int": _to_int, "float": float, "bool": bool, "string": str}
        convert = converters[self.kind]
        try:
            return [convert(value) for value in raw]
        except (TypeError, ValueError) as error:
            raise RunError(
                "data",
                f"the label {self.name} is not of the type that the model was trained with ({self.kind}): {error}",
            ) from error


def label_kind(column: Column, values: Sequence[Any]) -> str:
    """The kind of a label: by its column's type, or by its values where the database has no types."""
    match column.kind:
        case "int" | "bool":
            return column.kind
        case "float" | "decimal":
            return "float"
        case "":
            if all(isinstance(value, int) for value in values):
                return "int"
            return "float" if all(isinstance(value, int | float) for value in values) else "string"
        case _:
            return "string"


def check_no_nulls(column: Column, values: Sequence[Any]) -> None:
    """Refuse labels from which nothing can be learned: NULL, and numbers that are NaN or infinite.

    The text 'NaN' is a text like any other.

    Raises:
        RunError: kind `data`; says which of them there are, in how many rows, and how to leave them out.
    """
    name, count = column.name, len(values)
    nulls = sum(value is None for value in values)
    if nulls:
        hint = f"Add WHERE {name} IS NOT NULL to the SELECT."
        raise RunError("data", f"the label {name} is NULL in {nulls} of {count} rows", hint)
    numbers = [float(value) for value in values if _is_float(column, value)]
    wrong = sum(map(math.isnan, numbers))
    if wrong:  # not NULL to the database: IS NOT NULL would keep it
        hint = f"Add WHERE {name} <> 'NaN' to the SELECT."
        raise RunError("data", f"the label {name} is NaN (not a number) in {wrong} of {count} rows", hint)
    infinite = sum(map(math.isinf, numbers))
    if infinite:
        hint = f"Add WHERE abs({name}) < 1e308 to the SELECT."
        raise RunError("data", f"the label {name} is infinite in {infinite} of {count} rows", hint)


def _is_float(column: Column, value: Any) -> bool:
    """True if a value is a number that can be NaN; PostgreSQL's exact numbers arrive as text."""
    return isinstance(value, float) or (column.kind in ("float", "decimal") and isinstance(value, str | Decimal))


def classes_of(label: Label, values: Sequence[Any], count: int | None = None) -> Label:
    """The label with its classes: those in the data, in ascending order.

    Args:
        label: name and kind.
        values: the training rows' labels, of that kind.
        count: how many classes the statement says there are (`num_class`). Integers from 0 to `count` - 1 keep their
            numbers then, even if some do not occur.

    Raises:
        RunError: there are fewer than two classes, or more than `count`.
    """
    found = sorted(set(values))
    if len(found) < 2:
        raise RunError(
            "data",
            f"the label {label.name} has the value {found[0]!r} in every row; a classifier needs two classes",
            "Check the WHERE and the LABEL of the statement.",
        )
    if count is not None and len(found) > count:
        raise RunError(
            "data",
            f"the label {label.name} has {len(found)} classes ({listed([repr(c) for c in found], 6)}), "
            f"but num_class is {count}",
            f"Write num_class={len(found)}, or leave it out.",
        )
    if count is not None and label.kind == "int" and found[0] >= 0 and found[-1] < count:
        found = list(range(count))
    return Label(label.name, label.kind, tuple(found))


def _to_int(value: Any) -> int:
    number = int(value)
    if isinstance(value, float) and number != value:
        raise ValueError(f"{value} is not an integer")
    return number
