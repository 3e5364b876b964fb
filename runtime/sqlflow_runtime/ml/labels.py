"""The label: its values as Arrow arrays, and the encoding of classes as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.arrays import NotNumericError, is_text, numbers, texts

CLASS_LIMIT = 100
"""An integer label with more different values is not taken for classes unless the statement says so."""

_WIDE = pa.decimal256(76, 0)
"""Integers beyond 64 bits."""


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

    def encode(self, values: pa.Array) -> npt.NDArray[np.int64]:
        """The classes' numbers; -1 for a value that is none of them. `values` are of this label's kind."""
        found = pc.index_in(values, value_set=_array(self.classes, values.type), skip_nulls=True)
        return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]

    def decode(self, numbers: npt.NDArray[Any]) -> list[Any]:
        """Values of the label, by their numbers."""
        return [self.classes[number] for number in numbers.astype(np.int64).tolist()]

    def numbers(self, values: pa.Array) -> npt.NDArray[np.float64]:
        """The values of a label of numbers, as floats."""
        return numbers(values).astype(np.float64, copy=False)

    def series(self, values: pa.Array) -> npt.NDArray[np.float64]:
        """The values of a label of texts that list numbers, `1.5,0,3`: rows x numbers.

        Raises:
            RunError: kind `data`; a text lists something else, or not as many numbers as the others.
        """
        lists = pc.split_pattern(values.cast(pa.string()), ",")
        lengths = pc.list_value_length(lists).unique().to_pylist()
        try:
            found = numbers(lists.flatten())
        except NotNumericError as error:
            message = f"the label {self.name} is text, and {error}, but this estimator learns numbers"
            raise RunError("data", message, "Use a classifier, or a label of numbers.") from error
        if len(lengths) > 1:
            message = f"the label {self.name} lists {min(lengths)} numbers in one row and {max(lengths)} in another"
            raise RunError("data", message, "Each row must list as many.")
        return found.astype(np.float64).reshape(len(values), -1)

    def values(self, raw: pa.Array) -> pa.Array:
        """Values as a database returns them, as values of this label's kind, comparable with `classes`.

        Raises:
            RunError: kind `data`; they are not of that kind.
        """
        converters = {"int": _integers, "float": _floats, "bool": _booleans, "string": _strings}
        try:
            return converters[self.kind](raw)
        except ValueError as error:  # Arrow's and ours
            raise RunError(
                "data",
                f"the label {self.name} is not of the type that the model was trained with ({self.kind}): {error}",
            ) from error


def label_kind(column: Column, types: Sequence[pa.DataType]) -> str:
    """The kind of a label: by its column's type, or by those of its arrays where the database has no types."""
    match column.kind:
        case "int" | "bool":
            return column.kind
        case "float" | "decimal":
            return "float"
        case "":
            known = [kind for kind in types if not pa.types.is_null(kind)]
            if all(map(pa.types.is_integer, known)):
                return "int"
            return "float" if all(pa.types.is_integer(one) or pa.types.is_floating(one) for one in known) else "string"
        case _:
            return "string"


class LabelChecks:
    """Counts labels from which nothing can be learned: NULL, and numbers that are NaN or infinite.

    The text 'NaN' is a text like any other.
    """

    def __init__(self, column: Column) -> None:
        self._column = column
        self._rows = self._nulls = self._nans = self._infinite = 0

    def note(self, values: pa.Array) -> None:
        """Look at the labels of a batch, as the database returned them."""
        self._rows += len(values)
        self._nulls += values.null_count
        exact = self._column.kind in ("float", "decimal")  # PostgreSQL's exact numbers arrive as text
        if not (pa.types.is_floating(values.type) or (exact and is_text(values.type))):
            return
        try:
            found = numbers(values.drop_null())
        except NotNumericError:
            return
        self._nans += int(np.isnan(found).sum())
        self._infinite += int(np.isinf(found).sum())

    @property
    def failed(self) -> bool:
        """True if there is such a label."""
        return bool(self._nulls or self._nans or self._infinite)

    def check(self) -> None:
        """Refuse such labels.

        Raises:
            RunError: kind `data`; says which of them there are, in how many rows, and how to leave them out.
        """
        name, count = self._column.name, self._rows
        if self._nulls:
            hint = f"Add WHERE {name} IS NOT NULL to the SELECT."
            raise RunError("data", f"the label {name} is NULL in {self._nulls} of {count} rows", hint)
        if self._nans:  # not NULL to the database: IS NOT NULL would keep it
            hint = f"Add WHERE {name} <> 'NaN' to the SELECT."
            raise RunError("data", f"the label {name} is NaN (not a number) in {self._nans} of {count} rows", hint)
        if self._infinite:
            hint = f"Add WHERE abs({name}) < 1e308 to the SELECT."
            raise RunError("data", f"the label {name} is infinite in {self._infinite} of {count} rows", hint)


def different(values: pa.Array) -> list[Any]:
    """The different values, in ascending order, as Python's."""
    found = values.unique().to_pylist()
    return sorted(int(one) for one in found) if pa.types.is_decimal(values.type) else sorted(found)


def classes_of(label: Label, values: pa.Array, count: int | None = None) -> Label:
    """The label with its classes: those in the data, in ascending order.

    Args:
        label: name and kind.
        values: the training rows' labels, of that kind.
        count: how many classes the statement says there are (`num_class`). Integers from 0 to `count` - 1 keep their
            numbers then, even if some do not occur.

    Raises:
        RunError: there are fewer than two classes, or more than `count`.
    """
    found = different(values)
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


def _array(classes: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """The classes as an array of that type; one that the type cannot hold is no value of it, so NULL stands there."""
    try:
        return pa.array(classes, kind)
    except (OverflowError, ValueError, TypeError):
        return pa.array([one if _holds(kind, one) else None for one in classes], kind)


def _holds(kind: pa.DataType, value: Any) -> bool:
    try:
        pa.array([value], kind)
    except (OverflowError, ValueError, TypeError):
        return False
    return True


def _integers(raw: pa.Array) -> pa.Array:
    """Integers; their type depends on the column's alone, so that it is one in all batches."""
    if pa.types.is_floating(raw.type) or is_text(raw.type):
        wrong = next((value for value in raw.to_pylist() if value is not None and _fraction(value)), None)
        if wrong is not None:
            raise ValueError(f"{wrong} is not an integer")
        return pa.array([None if value is None else int(value) for value in raw.to_pylist()], _WIDE)
    if pa.types.is_decimal(raw.type):
        return raw.cast(_WIDE)
    return raw if pa.types.is_uint64(raw.type) else raw.cast(pa.int64())


def _fraction(value: float | str) -> bool:
    return not float(value).is_integer() if isinstance(value, float) else not value.strip().lstrip("+-").isdecimal()


def _floats(raw: pa.Array) -> pa.Array:
    return pa.array(numbers(raw).astype(np.float64) + 0.0, from_pandas=True)  # 0.0: -0.0 is the same number


def _booleans(raw: pa.Array) -> pa.Array:
    return raw if pa.types.is_boolean(raw.type) else pc.not_equal(pa.array(numbers(raw), from_pandas=True), 0.0)


def _strings(raw: pa.Array) -> pa.Array:
    return texts(raw).cast(pa.string())
