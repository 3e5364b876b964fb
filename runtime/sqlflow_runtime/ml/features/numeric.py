"""Features of numbers: as they are, several out of one text, and the interval that one falls into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.ml.arrays import Floats
from sqlflow_runtime.ml.features.arrays import Integers, numbers, tokens
from sqlflow_runtime.ml.features.feature import OneColumn
from sqlflow_runtime.ml.features.findings import Findings, noted, shown


@dataclass(frozen=True, slots=True)
class Numeric(OneColumn):
    """The column's numbers as they are."""

    form: ClassVar[str] = "numeric"

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Floats:
        """See `Feature`."""
        with noted(findings) as found:
            return numbers(self.column, arrays[0], found)[:, np.newaxis]


@dataclass(frozen=True, slots=True)
class Dense(OneColumn):
    """Text, or a database's array, that lists a fixed number of numbers: `1.5,0,3`.

    `shape` is the tensor's, for neural networks; empty for a vector.
    """

    form: ClassVar[str] = "dense"
    size: int
    delimiter: str = ","
    shape: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """See `Feature`."""
        return self.size

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Floats:
        """See `Feature`."""
        split = tokens(arrays[0], self.delimiter)
        fits = split.lengths == self.size
        matrix = np.full((len(split.lengths), self.size), np.nan)
        with noted(findings) as found:
            self._note_lengths(arrays[0], split.lengths, found)
            values = split.values if fits.all() else split.values.filter(pa.array(fits[split.rows]))
            matrix[fits] = numbers(self.column, values, found).reshape(-1, self.size)
        return matrix

    def _note_lengths(self, array: pa.Array, lengths: Integers, to: Findings) -> None:
        wrong = np.flatnonzero((lengths >= 0) & (lengths != self.size))
        if wrong.size:
            first = int(wrong[0])
            what = f"{lengths[first]} numbers where DENSE says {self.size}: {shown(array[first].as_py())}"
            hint = "Every row must list as many numbers, or the shape in COLUMN must be another."
            to.bad(self.column, wrong.size, what, hint)


@dataclass(frozen=True, slots=True)
class Bucket(OneColumn):
    """The number of the interval that a value falls into; `boundaries` ascend, each begins an interval."""

    form: ClassVar[str] = "bucket"
    boundaries: tuple[float, ...]

    @property
    def size(self) -> int:
        """The number of intervals."""
        return len(self.boundaries) + 1

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Category`."""
        ends = [f"{end:g}" for end in self.boundaries]
        return (f"<{ends[0]}", *(f"{low}..{high}" for low, high in pairwise(ends)), f">={ends[-1]}")

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Floats:
        """See `Feature`."""
        with noted(findings) as found:
            column = numbers(self.column, arrays[0], found)
        intervals = np.searchsorted(np.asarray(self.boundaries), column, side="right").astype(np.float64)
        intervals[np.isnan(column)] = np.nan
        return intervals[:, np.newaxis]
