"""SHAP values of rows, by selected column and output of the model, and the features that they belong to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.ml.features import Feature
from sqlflow_runtime.ml.trained_model import Matrix

Floats = npt.NDArray[np.float64]

_NUMBERS = 4_000_000
"""Numbers of one slice of contributions: 32 MB."""


@dataclass(frozen=True, slots=True)
class ShapValues:
    """SHAP values of some rows. `values` of a row and output add up to the output less its base value.

    Attributes:
        values: rows x names x outputs.
        base: rows x outputs: the output that the model expects without looking at the row.
    """

    values: Floats
    base: Floats


class Groups:
    """The columns of the matrix, grouped by the selected columns that they are made of.

    SHAP values add up, so the value of a selected column is the sum of those of its matrix columns. What CROSS makes of
    several columns belongs to none of them: it has a name of its own, `a x b`.

    Attributes:
        names: of the groups, in the order of the features.
        columns: for each group the selected columns that it is made of.
        index: for each column of the matrix the position of its group.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.columns: list[tuple[str, ...]] = list(dict.fromkeys(feature.columns for feature in features))
        self.names = [" x ".join(columns) for columns in self.columns]
        at = {columns: position for position, columns in enumerate(self.columns)}
        self.index = np.array([at[one.columns] for one in features for _ in range(one.width)], dtype=np.intp)
        self._single = len(self.names) == len(self.index)

    def sums(self, contributions: Floats) -> Floats:
        """Rows x outputs x matrix columns, as rows x names x outputs."""
        if self._single:
            return contributions.transpose(0, 2, 1)
        order = np.argsort(self.index, kind="stable")
        starts = np.searchsorted(self.index[order], np.arange(len(self.names)))
        return np.add.reduceat(contributions[:, :, order], starts, axis=2).transpose(0, 2, 1)

    def shown(self, matrix: Matrix) -> Floats:
        """Rows x names: the matrix column of each group that has one; NaN for the others."""
        found = np.full((matrix.shape[0], len(self.names)), np.nan)
        counts = np.bincount(self.index, minlength=len(self.names))
        for column, group in enumerate(self.index):
            if counts[group] == 1:
                found[:, group] = dense(matrix[:, [column]])[:, 0]
        return found


class Explainer(ABC):
    """Explains rows of one model.

    Attributes:
        name: as the language has it: `TreeExplainer`.
        outputs: the number of outputs that are explained: one for each class, or 1.
        unit: the outputs' unit in words: `log-odds`.
        picture_rows: the most rows that a picture shows.
    """

    name: str
    outputs: int
    unit: str
    picture_rows: ClassVar[int] = 2000

    @abstractmethod
    def explain(self, matrix: Matrix) -> ShapValues:
        """The SHAP values of the rows of a matrix.

        Raises:
            RunError: kind `data` or `estimator`; they cannot be explained.
        """


def slices(matrix: Matrix, width: int) -> Iterator[Matrix]:
    """The rows of a matrix in slices for each of which `width` numbers a row fit into memory."""
    step = max(1, _NUMBERS // max(width, 1))
    for start in range(0, matrix.shape[0], step):
        yield matrix[start : start + step]


def joined(parts: Sequence[ShapValues]) -> ShapValues:
    """The values of slices, one below the other."""
    if len(parts) == 1:
        return parts[0]
    return ShapValues(np.concatenate([one.values for one in parts]), np.concatenate([one.base for one in parts]))


def dense(matrix: Any) -> Matrix:
    """The matrix as an array, also where it is sparse."""
    found: Matrix = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
    return found
