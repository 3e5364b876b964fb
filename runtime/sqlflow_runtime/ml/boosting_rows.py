"""Rows as XGBoost and LightGBM take them: labels as numbers, rows of a group side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlflow_codegen.catalogue.boosting import GROUP, SAMPLE_WEIGHT

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.dataset import Dataset
from sqlflow_runtime.ml.extremes import LARGEST
from sqlflow_runtime.ml.labels import Label, different
from sqlflow_runtime.ml.trained_model import Matrix

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BoostingRows:
    """The rows of a dataset.

    Attributes:
        data: the rows themselves.
        order: of the rows below; None for that of the dataset.
        labels: numbers of classes, or numbers.
        weights: of the rows; None unless the statement names a column for them.
        sizes: rows of each group, which stand side by side; None unless the statement names a column for groups.
    """

    data: Dataset
    order: npt.NDArray[np.int64] | None
    labels: Matrix
    weights: Numbers | None
    sizes: npt.NDArray[np.int64] | None

    @property
    def matrix(self) -> Any:
        """Rows x columns of the matrix."""
        return self.data.matrix if self.order is None else self.data.matrix[self.order]

    def group_weights(self) -> Numbers | None:
        """The weights of the groups.

        Raises:
            RunError: kind `data`; rows of one group have different weights.
        """
        if self.weights is None or self.sizes is None:
            return self.weights
        starts = np.cumsum(self.sizes) - self.sizes
        least, most = (kind.reduceat(self.weights, starts) for kind in (np.minimum, np.maximum))
        mixed = int((least != most).sum())
        if mixed:
            message = f"{SAMPLE_WEIGHT}: rows of {mixed} of {len(least)} groups have different weights"
            raise RunError("data", message, f"XGBoost weighs groups: give all rows of one {GROUP} the same weight.")
        return least


def boosting_rows(data: Dataset, label: Label) -> BoostingRows:
    """The rows with their labels as numbers; those of a group side by side, groups in ascending order.

    Raises:
        RunError: kind `data`; a class that no training row has, or a number beyond single precision.
    """
    labels, weights = _label_numbers(data, label), data.weights
    if data.groups is None:
        return BoostingRows(data, None, labels, weights, None)
    codes = _group_numbers(data)
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes).astype(np.int64)
    return BoostingRows(data, order, labels[order], None if weights is None else weights[order], sizes)


def _group_numbers(data: Dataset) -> npt.NDArray[np.int64]:
    """For each row the number of its group, from 0."""
    assert data.groups is not None
    found = data.groups.dictionary_encode()
    values = found.dictionary
    known = {value: number for number, value in enumerate(different(values))}
    numbers = np.array([known[value] for value in values.to_pylist()], dtype=np.int64)
    return numbers[found.indices.to_numpy(zero_copy_only=False)]  # type: ignore[no-any-return]


def _label_numbers(data: Dataset, label: Label) -> Matrix:
    """For each row the number of its class, or the label's value."""
    if label.classes:
        return _class_numbers(data, label)
    numbers = label.numbers(data.labels)
    beyond = int((np.abs(numbers) > LARGEST).sum())
    if beyond:
        message = f"the label {label.name} is beyond ±{LARGEST:.2g} in {beyond} of {len(numbers)} rows"
        raise RunError("data", message, "Select it in a larger unit, such as its logarithm.")
    return numbers


def _class_numbers(data: Dataset, label: Label) -> Matrix:
    numbers: Matrix = label.encode(data.labels)
    unknown = np.flatnonzero(numbers < 0)
    if unknown.size:
        raise RunError(
            "data",
            f"validation.select has the label {data.labels[int(unknown[0])].as_py()!r}, which no training row has",
            "Select rows of the same classes.",
        )
    return numbers
