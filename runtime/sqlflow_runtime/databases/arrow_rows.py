"""Rows of Python values as Arrow record batches, each value's meaning kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.rows import Row

_WHOLE = 2**53
"""Up to here a float holds every integer."""

_TYPES = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "bytes": pa.binary()}
"""The Arrow type of a column without any value, by its kind; text for all others."""


def record_batch(names: Sequence[str], kinds: Sequence[str], rows: Sequence[Row]) -> pa.RecordBatch:
    """The rows, at least one, as a record batch; see `array_of`."""
    values = list(zip(*rows, strict=True))
    arrays = [array_of(column, kind) for column, kind in zip(values, kinds, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=list(names))


def array_of(values: Sequence[Any], kind: str = "") -> pa.Array:
    """One column as an Arrow array: booleans, integers, floats and bytes as they are, all others as their text.

    Integers and floats in one column are floats, unless an integer would lose digits: then they are text, as are
    integers beyond 64 bits and values of different types.
    """
    types = {type(value) for value in values} - {type(None)}
    if not types:
        return pa.nulls(len(values), _TYPES.get(kind, pa.string()))
    if types == {bool}:
        return pa.array(values, pa.bool_())
    if types <= {int, bool}:
        return _integers(values)
    if types <= {int, bool, float}:
        exact = all(type(value) is float or value is None or abs(value) <= _WHOLE for value in values)
        return pa.array(map(_float, values), pa.float64()) if exact else _texts(values)
    if types <= {bytes, bytearray, memoryview}:
        return pa.array([None if value is None else bytes(value) for value in values], pa.binary())
    return _texts(values)


def _integers(values: Sequence[Any]) -> pa.Array:
    numbers = [None if value is None else int(value) for value in values]
    for kind in (pa.int64(), pa.uint64()):
        try:
            return pa.array(numbers, kind)
        except (OverflowError, pa.ArrowInvalid):
            continue
    return _texts(values)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _texts(values: Sequence[Any]) -> pa.Array:
    words = [int(value) if isinstance(value, bool) else value for value in values]
    return pa.array([None if value is None else str(value) for value in words], pa.string())
