"""An order of rows that depends on the rows alone.

A database returns rows in any order it likes (a parallel scan in another one each time), and much of learning depends
on it: which rows a random half is, sums of floats, splits for cross-validation. So rows are sorted before a training,
by a hash: the same rows give the same model, and neighbours in the table are spread.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.ml.arrays import is_text

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)
_BLOCK = 8192
"""Rows that are hashed at once: as many as stay in the processor's cache."""

Hashes = npt.NDArray[np.uint64]


def row_hashes(matrix: Any, others: list[pa.Array]) -> Hashes:
    """A hash of each row. Rows that are equal, the other columns included, have the same.

    Args:
        matrix: rows x features, of `float32` or `float64`; an array, or sparse in rows.
        others: further columns of the rows, such as the label.
    """
    found = _dense(matrix) if isinstance(matrix, np.ndarray) else _sparse(matrix)
    with np.errstate(over="ignore"):
        for array in others:
            _mix(found, _bits_of(array))
    return found


def _dense(matrix: npt.NDArray[Any]) -> Hashes:
    bits = np.dtype(np.uint32 if matrix.dtype.itemsize == 4 else np.uint64)
    found = np.zeros(len(matrix), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for start in range(0, len(matrix), _BLOCK):
            for column in matrix[start : start + _BLOCK].T:
                _mix(found[start : start + _BLOCK], np.ascontiguousarray(column).view(bits))
    return found


def _sparse(matrix: Any) -> Hashes:
    """Of a matrix in compressed sparse rows: the sum of its entries' hashes, in whatever order they stand."""
    bits = np.dtype(np.uint32 if matrix.data.dtype.itemsize == 4 else np.uint64)
    entries = matrix.indices.astype(np.uint64)
    with np.errstate(over="ignore"):
        _mix(entries, matrix.data.view(bits))
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(entries, dtype=np.uint64)])
        found: Hashes = sums[matrix.indptr[1:]] - sums[matrix.indptr[:-1]]
    return found


def _bits_of(array: pa.Array) -> Hashes:
    """A number for each value, the same for equal ones; NULL has one of its own."""
    found = array if pa.types.is_dictionary(array.type) else None
    if found is None and not _is_plain(array.type):
        found = array.dictionary_encode()
    if found is None:
        array = array.cast(pa.uint8()) if pa.types.is_boolean(array.type) else array
        values = array.fill_null(0).to_numpy(zero_copy_only=False)
        numbers = values.view(f"u{values.dtype.itemsize}").astype(np.uint64)
        return (
            np.where(array.is_null().to_numpy(zero_copy_only=False), _PRIME, numbers) if array.null_count else numbers
        )
    words = found.dictionary.to_pylist()
    known: Hashes = np.array([_word(word) for word in words] + [int(_PRIME)], dtype=np.uint64)
    positions: npt.NDArray[np.int64] = found.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    return known[positions]


def _is_plain(kind: pa.DataType) -> bool:
    return not is_text(kind) and (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _word(value: Any) -> int:
    return int.from_bytes(hashlib.blake2b(str(value).encode(), digest_size=8).digest(), "little")


def _mix(found: Hashes, values: npt.NDArray[Any]) -> None:
    """Take one more column into the hashes."""
    found ^= values.astype(np.uint64) + _PRIME
    found *= _MIX
    found ^= found >> _SHIFT
