"""The rows of a SELECT as a solver needs them: keys, numbers and groups, in an order that depends on the keys alone."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlflow_codegen.language.ir import Name, Span, StringLiteral
from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import NUMERIC_KINDS, Column, Row
from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.column_clause import check_distinct, find_column

Numbers = npt.NDArray[np.float64]

LARGEST_INTEGER = 2**53
"""Whole numbers beyond it are not exact as 64-bit floating point numbers, in which a solver computes."""

_ORDERED = (int, float, str, bytes, Decimal, date, time, timedelta, UUID)


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a SELECT.

    Attributes:
        columns: of the SELECT.
        rows: sorted by their keys.
        keys: the columns that the variables have values for.
        place: where in the program `variables` stands.
    """

    columns: tuple[Column, ...]
    rows: list[Row]
    keys: tuple[Column, ...]
    place: int
    _numbers: dict[str, Numbers] = field(default_factory=dict)

    @classmethod
    def read(cls, database: Database, select: str, keys: Sequence[str], place: int) -> Self:
        """Read the SELECT, once.

        Raises:
            RunError: kind `data`; no rows, no such column, a key that is NULL or in two rows.
        """
        with database.read(select) as stream:
            check_distinct(stream.columns)
            columns = stream.columns
            found = tuple(_require(columns, name, place, "`variables` names a column") for name in keys)
            rows = [row for batch in stream.batches for row in batch]
        if not rows:
            raise RunError("data", "the SELECT returns no rows: there is nothing to choose", "Check its WHERE.")
        places = [columns.index(column) for column in found]
        keyed = [(tuple(_sortable(row[place]) for place in places), row) for row in rows]
        keyed.sort(key=lambda pair: pair[0])
        table = cls(columns, [row for _, row in keyed], found, place)
        table._check_keys([key for key, _ in keyed])
        return table

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str, span: Span, what: str = "the expression names a column") -> Column:
        """The column of that name, in any case if none has exactly that."""
        return _require(self.columns, name, span.start, what)

    def values(self, column: Column) -> list[Any]:
        """The values of a column, one for each row."""
        place = self.columns.index(column)
        return [row[place] for row in self.rows]

    def numbers(self, name: Name | StringLiteral) -> Numbers:
        """The numbers of a column.

        Raises:
            RunError: kind `data`; no such column, or values that are no numbers.
        """
        column = self.column(name.text if isinstance(name, Name) else name.value, name.span)
        if column.name not in self._numbers:
            self._numbers[column.name] = self._convert(column, name.span.start)
        return self._numbers[column.name]

    def describe(self, row: int) -> str:
        """A row in messages: its keys."""
        values = (self.rows[row][self.columns.index(key)] for key in self.keys)
        return ", ".join(f"{key.name} {value}" for key, value in zip(self.keys, values, strict=True))

    def groups(self, name: Name) -> tuple[npt.NDArray[np.intp], list[str]]:
        """For each row the number of its group, and for each group its value in words, in the order of the rows."""
        column = self.column(name.text, name.span, "GROUP BY names a column")
        numbers: dict[Hashable, int] = {}
        labels: list[str] = []
        owner = np.empty(len(self), dtype=np.intp)
        for row, value in enumerate(self.values(column)):
            key = None if value is None else _sortable(value)
            if key not in numbers:
                numbers[key] = len(labels)
                labels.append(f"{column.name} {'NULL' if value is None else value}")
            owner[row] = numbers[key]
        return owner, labels

    def _check_keys(self, keys: list[tuple[Any, ...]]) -> None:
        names = listed([key.name for key in self.keys])
        for row, key in enumerate(keys):
            if any(part[0] == "NoneType" for part in key):
                hint = "Leave such rows out: WHERE … IS NOT NULL."
                raise RunError("data", f"{names} is NULL in a row, which then has no name", hint, place=self.place)
            if row and key == keys[row - 1]:
                hint = "Each row has a value of its own: group the rows in the SELECT, or add columns to `variables`."
                message = f"two rows have the same {names}: {self.describe(row)}"
                raise RunError("data", message, hint, place=self.place)

    def _convert(self, column: Column, place: int) -> Numbers:
        if column.kind not in (*NUMERIC_KINDS, ""):
            hint = f"Convert it in the SELECT: CAST({column.name} AS …)." if column.kind == "string" else ""
            message = f"{column.name} is no number: its type is {column.type or column.kind}"
            raise RunError("data", message, hint or "Turn it into a number in the SELECT.", place=place)
        found = np.empty(len(self), dtype=np.float64)
        decimal = column.kind == "decimal"  # some drivers give its digits as text
        for row, given in enumerate(self.values(column)):
            value = Decimal(given) if decimal and isinstance(given, str) else given
            problem = _problem(value)
            if problem:
                message = f"{column.name} {problem[0]} in the row {self.describe(row)}"
                raise RunError("data", message, problem[1].format(column.name), place=place)
            found[row] = value
        return found


def _problem(value: Any) -> tuple[str, str] | None:
    """Words for a value that the solver cannot be given, and the remedy."""
    if value is None:
        return "is NULL", "Write COALESCE({0}, 0), or WHERE {0} IS NOT NULL."
    if not isinstance(value, int | float | Decimal):
        return f"is no number ({type(value).__name__})", "Convert it in the SELECT."
    if not math.isfinite(value):
        return f"is {value}", "Leave such rows out, or put a number in its place."
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return f"is {value}, beyond 2^53: its last digits would be lost", "Divide it in the SELECT."
    return None


def _require(columns: Sequence[Column], name: str, place: int, what: str) -> Column:
    column = find_column(columns, name)
    if column is None:
        names = [column.name for column in columns]
        hint = " ".join(filter(None, (did_you_mean(name, names), f"The SELECT returns {listed(names)}.")))
        raise RunError("data", f"{what} {name}, which the SELECT does not return", hint, place=place)
    return column


def _sortable(value: Any) -> tuple[str, Any]:
    """A value by which rows are ordered, whatever their types."""
    if isinstance(value, bool) or not isinstance(value, _ORDERED):
        return type(value).__name__, repr(value)
    return type(value).__name__, value
