"""Reads a SELECT into a matrix of features and a list of labels, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.databases.base import Column, Database, Row
from sqlflow_runtime.failures import RunError
from sqlflow_runtime.ml.columns import find_column
from sqlflow_runtime.ml.features import Feature

Matrix = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to learn from or to measure on.

    Attributes:
        matrix: rows x features; NaN where the database has NULL.
        labels: the label's values as the database returns them; empty without a label.
    """

    matrix: Matrix
    labels: list[Any]

    def __len__(self) -> int:
        return int(self.matrix.shape[0])


class Encoder:
    """Turns rows of a SELECT into rows of the matrix."""

    def __init__(self, columns: Sequence[Column], features: Sequence[Feature], dtype: type[np.floating[Any]]) -> None:
        self._features = features
        self._dtype = dtype
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
        """The rows of the matrix; all widths side by side, in the features' order."""
        matrix = np.empty((len(rows), sum(feature.width for feature in self._features)), dtype=self._dtype)
        at = 0
        for feature, position in zip(self._features, self._positions, strict=True):
            matrix[:, at : at + feature.width] = feature.transform([row[position] for row in rows])
            at += feature.width
        return matrix


def read_dataset(
    database: Database,
    select: str,
    plan: Callable[[tuple[Column, ...]], tuple[Sequence[Feature], Column | None]],
    dtype: type[np.floating[Any]],
    check: Callable[[], None] = lambda: None,
) -> Dataset:
    """Read all rows of a select.

    Args:
        database: where to read.
        select: the SELECT, as the user wrote it.
        plan: given the SELECT's columns, says the features and the label's column.
        dtype: of the matrix.
        check: called between batches; may raise.
    """
    parts: list[Matrix] = []
    labels: list[Any] = []
    with database.read(select) as reading:
        features, label = plan(reading.columns)
        encoder = Encoder(reading.columns, features, dtype)
        position = list(reading.columns).index(label) if label is not None else None
        for rows in reading.batches:
            check()
            parts.append(encoder.encode(rows))
            if position is not None:
                labels.extend(row[position] for row in rows)
    if not parts:
        raise RunError("data", "the SELECT returns no rows", "Check its WHERE, and that the table is filled.")
    return Dataset(np.concatenate(parts), labels)
