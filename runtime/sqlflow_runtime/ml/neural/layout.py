"""The matrix as a network's inputs: numbers side by side, categories by their number, bags and sequences of them.

Each target of `COLUMN .. FOR` has inputs of its own: `dnn.numbers`, `dnn.category_2`. The number is the feature's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.features import Feature, matrix_columns

Matrix = npt.NDArray[Any]
Inputs = dict[str, Matrix]

TARGET = "feature_columns"
"""The target of a COLUMN clause without FOR."""

_MEASURES = ("numeric", "dense")
"""Forms whose numbers may be of any size: the network learns on them standardised."""


@dataclass(frozen=True, slots=True)
class Block:
    """The columns of the matrix that one feature fills, and the way in which a network reads them.

    Attributes:
        name: of the network's input.
        target: of the COLUMN clause.
        start: first column.
        stop: column after the last one.
        kind: `numbers`; `category` (one number of a category); `sequence` (several in order); `bag` (a weight for each
            category).
        size: number of categories.
        dimension: of their embedding; 0 without one.
        combiner: of the embedding of a bag: `sum`, `mean` or `sqrtn`.
        measure: the numbers are of any size.
    """

    name: str
    target: str
    start: int
    stop: int
    kind: str
    size: int = 0
    dimension: int = 0
    combiner: str = "sum"
    measure: bool = False


class Layout:
    """The inputs of a network for those features."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.names = matrix_columns(features)
        self.blocks: list[Block] = []
        start = 0
        for number, feature in enumerate(features):
            self.blocks.append(_block(number, feature, start))
            start += feature.width
        self.targets = tuple(dict.fromkeys(block.target for block in self.blocks))
        self._columns = {target: self._numbers(target) for target in self.targets}

    def of(self, target: str) -> list[Block]:
        """The blocks of one target that are no plain numbers."""
        return [block for block in self.blocks if block.target == target and block.kind != "numbers"]

    def columns(self, target: str) -> npt.NDArray[np.int64]:
        """The columns of the matrix that are the plain numbers of one target."""
        return self._columns[target]

    def measures(self, target: str) -> npt.NDArray[np.bool_]:
        """For each of `columns` True if its numbers are of any size."""
        flags = [
            block.measure
            for block in self.blocks
            if block.target == target and block.kind == "numbers"
            for _ in range(block.start, block.stop)
        ]
        return np.array(flags, dtype=bool)

    def inputs(self, matrix: Any) -> Inputs:
        """The network's inputs for some rows of the matrix.

        Raises:
            RunError: kind `data`; a number is NULL or NaN.
        """
        rows = matrix.toarray() if hasattr(matrix, "toarray") else matrix
        found: Inputs = {}
        for target in self.targets:
            columns = self._columns[target]
            if len(columns):
                whole = len(columns) == rows.shape[1]
                found[numbers_of(target)] = self._known(rows if whole else rows[:, columns], columns)
        for block in self.blocks:
            part = rows[:, block.start : block.stop]
            if block.kind in ("category", "sequence"):
                # 0 is the category that is missing, or that no training row had
                found[block.name] = np.where(np.isnan(part), 0, part + 1).astype(np.int32)
            elif block.kind == "bag":
                found[block.name] = np.nan_to_num(part).astype(np.float32)
        return found

    def _numbers(self, target: str) -> npt.NDArray[np.int64]:
        ranges = [
            np.arange(block.start, block.stop)
            for block in self.blocks
            if block.target == target and block.kind == "numbers"
        ]
        return np.concatenate(ranges) if ranges else np.empty(0, dtype=np.int64)

    def _known(self, numbers: Matrix, columns: npt.NDArray[np.int64]) -> Matrix:
        counts = np.isnan(numbers).sum(axis=0)
        if not counts.any():
            return np.asarray(numbers, dtype=np.float32)
        found = dict.fromkeys(f"{self.names[columns[i]]} ({counts[i]} rows)" for i in np.flatnonzero(counts).tolist())
        raise RunError(
            "data",
            f"a neural network takes no NULL or NaN, but there are some in {', '.join(list(found)[:10])}",
            "Write COALESCE(column, 0) in the SELECT, or WHERE column IS NOT NULL (for NaN: column <> 'NaN').",
        )


def numbers_of(target: str) -> str:
    """The name of the input with the plain numbers of one target."""
    return "numbers" if target == TARGET else f"{_short(target)}.numbers"


def _short(target: str) -> str:
    return target.removesuffix("_feature_columns")


def _block(number: int, feature: Any, start: int) -> Block:
    target = getattr(feature, "target", TARGET)
    stop, size = start + feature.width, int(getattr(feature, "size", 0) or feature.width)
    kind, dimension, combiner = "numbers", 0, "sum"
    inner = feature
    if feature.form == "embedding":
        dimension, combiner, inner = feature.dimension, feature.combiner, feature.of
        size = int(getattr(inner, "size", 0) or feature.width)
    if inner.form.startswith("seq"):
        kind = "sequence"
    elif feature.width == 1 and hasattr(inner, "size") and inner.form not in _MEASURES:
        kind = "category"
    elif feature.form == "embedding" or getattr(feature, "sparse", False):
        kind = "bag"
    prefix = "" if target == TARGET else f"{_short(target)}."
    return Block(
        f"{prefix}{kind}_{number}", target, start, stop, kind, size, dimension, combiner,
        kind == "numbers" and feature.form in _MEASURES,
    )  # fmt: skip
