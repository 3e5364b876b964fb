"""An order of rows that depends on the rows alone.

A database returns rows in any order it likes (a parallel scan in another one each time), and much of learning depends
on it: which rows a random half is, sums of floats, splits for cross-validation. So rows are sorted before a training,
by a hash: the same rows give the same model, and neighbours in the table are spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)
_BLOCK = 8192
"""Rows that are hashed at once: as many as stay in the processor's cache."""


def canonical_order(matrix: npt.NDArray[Any], labels: Sequence[Any]) -> npt.NDArray[np.intp]:
    """The positions of the rows in that order. Rows that are equal, label included, may stand either way.

    Args:
        matrix: rows x features, of `float32` or `float64`.
        labels: one for each row, of one type that has an order; empty without a label.
    """
    bits = np.dtype(np.uint32 if matrix.dtype.itemsize == 4 else np.uint64)
    found = np.zeros(len(matrix), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for start in range(0, len(matrix), _BLOCK):
            for column in matrix[start : start + _BLOCK].T:
                _mix(found[start : start + _BLOCK], np.ascontiguousarray(column).view(bits))
        if len(labels):
            numbers = {value: number for number, value in enumerate(sorted(set(labels)))}
            _mix(found, np.fromiter((numbers[value] for value in labels), np.uint64, len(labels)))
    return np.argsort(found, kind="stable")


def _mix(found: npt.NDArray[np.uint64], values: npt.NDArray[Any]) -> None:
    """Take one more column into the hashes."""
    found ^= values.astype(np.uint64) + _PRIME
    found *= _MIX
    found ^= found >> _SHIFT
