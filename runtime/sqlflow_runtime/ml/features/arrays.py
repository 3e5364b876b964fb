"""Arrow arrays of a column as numbers, as distinct values, and as lists of tokens: no Python for each cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.ml.arrays import Floats, NotNumericError, is_text, python_values
from sqlflow_runtime.ml.arrays import numbers as numbers_of
from sqlflow_runtime.ml.features.findings import Findings, shown

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
"""A number as text, for Arrow's regular expressions (RE2)."""
_BRACKETS = " \t\r\n[]{}()"
_DIGITS = r"^\d{1,18}$"


def plain(array: pa.Array) -> pa.Array:
    """The array without dictionary; text of any of Arrow's types as `large_string`."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.cast(pa.large_string()) if is_text(array.type) else array


def is_list(array: pa.Array) -> bool:
    """True if the array holds lists, as a database's array type gives them."""
    kind = array.type
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def is_number(array: pa.Array) -> bool:
    """True if the array holds numbers or booleans by its type."""
    kind = array.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(numeric or pa.types.is_boolean(kind))


def numbers(column: str, array: pa.Array, findings: Findings) -> Floats:
    """The values as numbers, one for each; NULL becomes NaN, and so does what is not a number, which is noted."""
    array = plain(array)
    try:
        return numbers_of(array)
    except NotNumericError:
        return _counted(column, array, findings)


def _counted(column: str, array: pa.Array, findings: Findings) -> Floats:
    """The numbers where some values are none."""
    codes, values = distinct(array)
    table = [_number(value) for value in values]
    wrong = [code for code, number in enumerate(table) if number is None]
    hint = f"Leave it out of the SELECT, or say what it means in COLUMN: CATEGORY_HASH({column}, 100)."
    count = int(np.isin(codes, wrong).sum())
    findings.bad(column, count, f"{shown(values[wrong[0]])}, which is not a number", hint)
    return looked_up(codes, [np.nan if number is None else number for number in table])


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def distinct(array: pa.Array) -> tuple[Integers, list[Any]]:
    """For each value the position of it in the list of different values, -1 for NULL; and that list."""
    if pa.types.is_null(array.type):
        return np.full(len(array), -1, dtype=np.int64), []
    found = array if pa.types.is_dictionary(array.type) else _dictionary(array)
    codes = found.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    return codes, list(python_values(found.dictionary))


def _dictionary(array: pa.Array) -> pa.DictionaryArray:
    try:
        return array.dictionary_encode()
    except pa.ArrowNotImplementedError:  # lists and structs: by their text
        return pa.array([None if value is None else str(value) for value in array.to_pylist()]).dictionary_encode()


def looked_up(codes: Integers, table: list[float]) -> Floats:
    """`table` at the codes of `distinct`; NaN for NULL."""
    found: Floats = np.array([*table, np.nan])[codes]
    return found


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a column's texts.

    Attributes:
        values: of all rows, one after the other.
        rows: for each token, its row.
        lengths: for each row, the number of its tokens; -1 for NULL.
    """

    values: pa.Array
    rows: Integers
    lengths: Integers

    def kept(self, mask: pa.BooleanArray) -> Tokens:
        """The tokens where the mask is true."""
        rows = self.rows[mask.to_numpy(zero_copy_only=False)]
        counts = np.bincount(rows, minlength=len(self.lengths))
        return Tokens(self.values.filter(mask), rows, np.where(self.lengths < 0, -1, counts))


def tokens(array: pa.Array, delimiter: str) -> Tokens:
    """The tokens of each value. A delimiter at the end, and brackets around all of it, are no tokens.

    Args:
        array: texts; or lists, whose elements are the tokens.
        delimiter: between tokens; a blank stands for any white space.
    """
    array = plain(array)
    lists = array if is_list(array) else _split(array, delimiter)
    if pa.types.is_fixed_size_list(lists.type):
        lists = lists.cast(pa.list_(lists.type.value_type))
    lengths = pc.list_value_length(lists).cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    values = plain(lists.flatten())
    if is_text(values.type):
        values = pc.utf8_trim_whitespace(values)
    return Tokens(values, np.repeat(np.arange(len(lists)), np.maximum(lengths, 0)), lengths)


def _split(array: pa.Array, delimiter: str) -> pa.Array:
    text = pc.utf8_trim(array if is_text(array.type) else array.cast(pa.large_string()), characters=_BRACKETS)
    if not delimiter.strip():
        return pc.utf8_split_whitespace(text)
    ends = pc.ends_with(text, delimiter)
    if pc.any(ends).as_py():
        text = pc.if_else(ends, pc.utf8_slice_codeunits(text, 0, -len(delimiter)), text)
    return pc.split_pattern(text, delimiter)


def filled(found: Tokens) -> Tokens:
    """The tokens without empty ones."""
    if not is_text(found.values.type):
        return found.kept(pc.is_valid(found.values))
    return found.kept(pc.fill_null(pc.not_equal(found.values, ""), False))


def whole_numbers(array: pa.Array) -> tuple[Integers, Mask]:
    """Tokens as whole numbers from 0, and for each whether it is one (0 stands where it is not)."""
    array = plain(array)
    if is_text(array.type):
        fits = pc.fill_null(pc.match_substring_regex(array, _DIGITS), False)
        found = pc.if_else(fits, array, "0").cast(pa.int64())
        return found.to_numpy(zero_copy_only=False), fits.to_numpy(zero_copy_only=False)
    values = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        whole = (values >= 0) & (values == np.floor(values)) & (values < 2.0**53)
    return np.where(whole, values, 0).astype(np.int64), whole
