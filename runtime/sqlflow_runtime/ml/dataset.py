"""Reads a SELECT into a matrix of features and a list of labels, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import Column, Row
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.column_clause import find_column
from sqlflow_runtime.ml.extremes import Extremes
from sqlflow_runtime.ml.features import Feature

Matrix = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to learn from or to measure on.

    Attributes:
        matrix: rows x features; NaN where the database has NULL.
        labels: the label's values as the database returns them; empty without a label.
        rounded: columns with integers of which the estimator keeps fewer digits, to the number of rows.
    """

    matrix: Matrix
    labels: list[Any]
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
    database: Database,
    select: str,
    plan: Callable[[tuple[Column, ...]], tuple[Sequence[Feature], Column | None]],
    dtype: type[np.floating[Any]],
    check: Callable[[], None] = lambda: None,
    keeps: type[np.floating[Any]] | None = None,
) -> Dataset:
    """Read all rows of a select.

    Args:
        database: where to read.
        select: the SELECT, as the user wrote it.
        plan: given the SELECT's columns, says the features and the label's column.
        dtype: of the matrix.
        check: called between batches; may raise.
        keeps: what the estimator makes of the matrix, if that is narrower than `dtype`.

    Raises:
        RunError: of the database, or kind `data`: no rows, or a number that no model takes.
    """
    parts: list[Matrix] = []
    labels: list[Any] = []
    with database.read(select) as reading:
        features, label = plan(reading.columns)
        encoder = Encoder(reading.columns, features, dtype, keeps)
        position = list(reading.columns).index(label) if label is not None else None
        for rows in reading.batches:
            check()
            parts.append(encoder.collect(rows))
            if position is not None:
                labels.extend(row[position] for row in rows)
    if not parts:
        raise RunError("data", "the SELECT returns no rows", "Check its WHERE, and that the table is filled.")
    encoder.extremes.check()
    return Dataset(np.concatenate(parts), labels, encoder.extremes.rounded)
