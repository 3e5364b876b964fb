"""Reads a SELECT into a matrix of features and a list of labels, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlflow_codegen.language.ir import Name

from sqlflow_runtime.databases.rows import Column, Row
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.hints import explained
from sqlflow_runtime.ml.column_clause import check_distinct, find_column, require_column
from sqlflow_runtime.ml.extremes import Extremes
from sqlflow_runtime.ml.features import Feature
from sqlflow_runtime.ml.labels import check_no_nulls
from sqlflow_runtime.step_context import StepContext

Matrix = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to learn from or to measure on.

    Attributes:
        matrix: rows x features; NaN where the database has NULL.
        labels: the label's values as the database returns them; empty without a label.
        columns: of the SELECT.
        label: the label's column; None without a label.
        features: of the matrix, in its order.
        rounded: columns with integers of which the estimator keeps fewer digits, to the number of rows.
    """

    matrix: Matrix
    labels: list[Any]
    columns: tuple[Column, ...]
    label: Column | None
    features: tuple[Feature, ...]
    rounded: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.matrix.shape[0])


class Encoder:
    """Turns rows of a SELECT into rows of the matrix."""

    def __init__(
        self,
        columns: Sequence[Column],
        features: Sequence[Feature],
        dtype: type[np.floating[Any]],
        keeps: type[np.floating[Any]] | None = None,
    ) -> None:
        """See `read_dataset` for the types."""
        self._features = features
        self._dtype = dtype
        self.extremes = Extremes(keeps or dtype)
        by_name = [find_column(columns, feature.column) for feature in features]
        missing = [feature.column for feature, column in zip(features, by_name, strict=True) if column is None]
        if missing:
            names = ", ".join(column.name for column in columns)
            raise RunError(
                "data",
                f"the SELECT lacks {', '.join(missing)}, which the model was trained with",
                f"The SELECT returns {names}. Select the same columns as the model's TRAIN statement.",
            )
        self._positions = [list(columns).index(column) for column in by_name if column is not None]

    def encode(self, rows: Sequence[Row]) -> Matrix:
        """The rows of the matrix; all widths side by side, in the features' order.

        Raises:
            RunError: kind `data`; one of these rows, or of those before, holds a number that no model takes.
        """
        matrix = self.collect(rows)
        self.extremes.check()
        return matrix

    def collect(self, rows: Sequence[Row]) -> Matrix:
        """The same without the check of numbers that are too large: `extremes.check` counts them in all rows so far."""
        matrix = np.empty((len(rows), sum(feature.width for feature in self._features)), dtype=self._dtype)
        at = 0
        self.extremes.begin(len(rows))
        for feature, position in zip(self._features, self._positions, strict=True):
            values = [row[position] for row in rows]
            numbers = feature.transform(values)
            self.extremes.note(feature.column, values, numbers)
            with np.errstate(over="ignore"):  # noted already, and refused by the check
                matrix[:, at : at + feature.width] = numbers
            at += feature.width
        return matrix


def read_dataset(
    context: StepContext,
    select: str,
    label: Name | None,
    plan: Callable[[tuple[Column, ...], Column | None], Sequence[Feature]],
    dtype: type[np.floating[Any]],
    keeps: type[np.floating[Any]] | None = None,
) -> Dataset:
    """Read all rows of a select.

    Args:
        context: of the step; it may be stopped between batches.
        select: the SELECT, as the user wrote it.
        label: the label's column; None without a label.
        plan: given the SELECT's columns and the label's, returns the features.
        dtype: of the matrix.
        keeps: the estimator's own type, if that is narrower than `dtype`.

    Raises:
        RunError: of the database, or kind `data`: no rows, no label, NULL in it, or a number that no model takes.
    """
    try:
        data = _read(context, select, label, plan, dtype, keeps or dtype)
    except RunError as failure:
        raise explained(context.database, failure) from failure
    if data.label is not None:
        check_no_nulls(data.label, data.labels)
    return data


def _read(
    context: StepContext,
    select: str,
    label: Name | None,
    plan: Callable[[tuple[Column, ...], Column | None], Sequence[Feature]],
    dtype: type[np.floating[Any]],
    keeps: type[np.floating[Any]],
) -> Dataset:
    parts: list[Matrix] = []
    labels: list[Any] = []
    with context.database.read(select) as stream:
        columns = stream.columns
        check_distinct(columns)
        column = require_column(columns, label.text, "the label", label.span) if label is not None else None
        features = tuple(plan(columns, column))
        encoder = Encoder(columns, features, dtype, keeps)
        for rows in stream.batches:
            context.check_stopped()
            parts.append(encoder.collect(rows))
            if column is not None:
                position = columns.index(column)
                labels.extend(row[position] for row in rows)
    if not parts:
        raise RunError("data", "the SELECT returns no rows", "Check its WHERE, and that the table is filled.")
    encoder.extremes.check()
    return Dataset(np.concatenate(parts), labels, columns, column, features, encoder.extremes.rounded)
