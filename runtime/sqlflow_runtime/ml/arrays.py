"""Arrow arrays of a database's values as numbers and as texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from sqlflow_runtime.arrow import pa

Floats = npt.NDArray[np.float64]


class NotNumericError(ValueError):
    """A value is not a number; `value` is it."""

    def __init__(self, value: Any) -> None:
        super().__init__(f"{str(value)[:80]!r} is not a number")
        self.value = value


def numbers(array: pa.Array) -> Floats:
    """The values as numbers, in 32 bits where the database keeps 32; NULL becomes NaN.

    Exact numbers and texts become the nearest number.

    Raises:
        NotNumericError: one of them is not a number.
    """
    kind = array.type
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        found: npt.NDArray[Any] = array.to_numpy(zero_copy_only=False)  # NULLs become NaN
        return found if found.dtype.kind == "f" else found.astype(np.float64)
    if pa.types.is_boolean(kind):
        return numbers(array.cast(pa.int8()))
    if pa.types.is_decimal(kind):  # by its digits: Arrow's own cast may be off in the last place
        array = array.cast(pa.string())
    if is_text(array.type):
        return _parsed(array)
    raise NotNumericError(_first(array))


def is_text(kind: pa.DataType) -> bool:
    """True for arrays of text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _parsed(array: pa.Array) -> Floats:
    trimmed = pc.utf8_trim_whitespace(array)
    try:
        return numbers(trimmed.cast(pa.float64()))
    except pa.ArrowInvalid:  # Python reads a few spellings that Arrow does not: +1, 1_000
        return np.array([_number(value) for value in trimmed.to_pylist()], dtype=np.float64)


def _number(value: str | None) -> float:
    try:
        return np.nan if value is None else float(value)
    except ValueError:
        raise NotNumericError(value) from None


def _first(array: pa.Array) -> Any:
    return next((value for value in array.to_pylist() if value is not None), None)


def texts(array: pa.Array) -> pa.DictionaryArray:
    """The values as texts, as Python writes them (`1`, `1.0`, `True`), each different one once.

    Of a 32-bit float it is the shortest text that means it.
    """
    if pa.types.is_null(array.type):
        array = array.cast(pa.string())
    found = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    if not is_text(found.type.value_type):
        words = pa.array([None if value is None else str(value) for value in python_values(found.dictionary)])
        found = pa.DictionaryArray.from_arrays(found.indices, words.cast(pa.string()))
    return found


def python_values(array: pa.Array) -> Sequence[Any]:
    """The values as Python's; 32-bit floats keep their shortest text."""
    if pa.types.is_float32(array.type):
        return [None if value is None else float(str(np.float32(value))) for value in array.to_pylist()]
    return list(array.to_pylist())
