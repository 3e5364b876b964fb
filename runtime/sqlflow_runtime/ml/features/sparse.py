"""Text that lists numbered entries of a long row of the matrix: `3,17` or `3:0.5 17:-1.5`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow.compute as pc
from scipy.sparse import csr_matrix

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.ml.arrays import Floats, is_text
from sqlflow_runtime.ml.features.arrays import (
    Integers,
    Mask,
    Tokens,
    distinct,
    filled,
    numbers,
    tokens,
    whole_numbers,
)
from sqlflow_runtime.ml.features.category import hashed
from sqlflow_runtime.ml.features.feature import OneColumn
from sqlflow_runtime.ml.features.findings import Findings, noted, shown


@dataclass(frozen=True, slots=True)
class Sparse(OneColumn):
    """Entries of a sparse row: indices, each of value 1, or pairs of index and value.

    An entry that occurs twice in a row has the sum of its values. An index from `size` on is left out.

    Attributes:
        size: the number of columns of the matrix.
        delimiter: between entries; a blank stands for any white space.
        pair: between index and value; "" where entries are indices only.
        hashed: entries are texts, their index is the hash of CATEGORY_HASH.
        weighted: values count; else every entry counts 1, as categories do.
    """

    form: ClassVar[str] = "sparse"
    size: int
    delimiter: str = ","
    pair: str = ""
    hashed: bool = False
    weighted: bool = True

    @property
    def width(self) -> int:
        """See `Feature`."""
        return self.size

    @property
    def sparse(self) -> bool:
        """See `Feature`."""
        return True

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Category`."""
        return tuple(map(str, range(self.size)))

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> csr_matrix:
        """See `Feature`."""
        with noted(findings) as found:
            entries = filled(tokens(arrays[0], self.delimiter))
            keys, weights = self._pairs(entries, found)
            positions, fits = self._positions(keys, found)
        shape = (len(entries.lengths), self.size)
        matrix = csr_matrix((weights[fits], (entries.rows[fits], positions[fits])), shape=shape)
        matrix.sum_duplicates()
        return matrix

    def _pairs(self, entries: Tokens, findings: Findings) -> tuple[pa.Array, Floats]:
        keys, ones = entries.values, np.ones(len(entries.values))
        if not self.pair or not is_text(keys.type):
            return keys, ones
        parts = pc.split_pattern(keys, self.pair, max_splits=1)
        keys = pc.utf8_trim_whitespace(pc.list_element(parts, 0)) if len(parts) else keys
        if not self.weighted:
            return keys, ones
        several = pc.list_value_length(parts).to_numpy(zero_copy_only=False) > 1
        given = pc.list_element(parts.filter(pa.array(several)), 1) if several.any() else keys.slice(0, 0)
        ones[several] = numbers(self.column, given, findings)
        return keys, ones

    def _positions(self, keys: pa.Array, findings: Findings) -> tuple[Integers, Mask]:
        if self.hashed:
            codes, values = distinct(keys)
            table = np.array([hashed(str(value), self.size) for value in values], dtype=np.int64)
            return table[codes] if len(table) else codes, codes >= 0
        positions, whole = whole_numbers(keys)
        note_indices(self.column, keys, positions, whole, self.size, findings)
        return positions, whole & (positions < self.size)


def note_indices(column: str, keys: pa.Array, positions: Integers, whole: Mask, size: int, findings: Findings) -> None:
    """Note keys that are no whole numbers as bad, and those from `size` on as left out."""
    if not whole.all():
        wrong = np.flatnonzero(~whole)
        what = f"{shown(keys[int(wrong[0])].as_py())} among its entries, which is no whole number from 0"
        hint = f"Write CATEGORY_HASH(SPARSE({column}, {size}), {size}) for texts."
        findings.bad(column, wrong.size, what, hint)
    beyond = np.flatnonzero(whole & (positions >= size))
    if beyond.size:
        what = f"index {positions[beyond[0]]}, beyond the last one, {size - 1}"
        findings.lost(column, beyond.size, what, "Make the size in COLUMN larger.")
