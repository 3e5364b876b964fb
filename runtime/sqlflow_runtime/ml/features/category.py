"""Features of categories: one column with the number of the category that a value is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.ml.arrays import Floats
from sqlflow_runtime.ml.features.arrays import distinct, looked_up, numbers
from sqlflow_runtime.ml.features.feature import Base, Feature, OneColumn, single
from sqlflow_runtime.ml.features.findings import Findings, noted, shown

_BETWEEN_KEYS = "\x1f"
"""Stands between the values that CROSS hashes together: no text has it."""


@dataclass(frozen=True, slots=True)
class CategoryId(OneColumn):
    """A category that is a number from 0 to `size` - 1 already."""

    form: ClassVar[str] = "category_id"
    size: int

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Category`."""
        return tuple(map(str, range(self.size)))

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Floats:
        """See `Feature`."""
        with noted(findings) as found:
            column = numbers(self.column, arrays[0], found)
            with np.errstate(invalid="ignore"):
                wrong = (column < 0) | (column >= self.size) | (column != np.floor(column)) & ~np.isnan(column)
            bad = column[wrong]
            if bad.size:
                hint = f"Make the size in CATEGORY_ID larger, or write CATEGORY_HASH({self.column}, {self.size})."
                what = f"{bad[0]:g}, which is no category from 0 to {self.size - 1}"
                found.bad(self.column, bad.size, what, hint)
        return column[:, np.newaxis]


@dataclass(frozen=True, slots=True)
class CategoryHash(OneColumn):
    """A category by the hash of its text: the SHA-1 number of it, modulo `size`."""

    form: ClassVar[str] = "category_hash"
    size: int

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Category`."""
        return tuple(f"hash {number}" for number in range(self.size))

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Floats:
        """See `Feature`."""
        codes, values = distinct(arrays[0])
        return looked_up(codes, [hashed(str(value), self.size) for value in values])[:, np.newaxis]


@dataclass(frozen=True, slots=True)
class Vocabulary(OneColumn):
    """A category by its position among the values of the training rows; another value is missing.

    `values` are texts, see `category_text`.
    """

    form: ClassVar[str] = "vocabulary"
    values: tuple[str, ...]

    @property
    def size(self) -> int:
        """The number of categories."""
        return len(self.values)

    @property
    def categorical(self) -> bool:
        """See `Feature`."""
        return True

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Category`."""
        return self.values

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Floats:
        """See `Feature`."""
        positions = {value: float(position) for position, value in enumerate(self.values)}
        codes, values = distinct(arrays[0])
        table = [positions.get(category_text(value), np.nan) for value in values]
        unseen = [code for code, number in enumerate(table) if np.isnan(number)]
        if unseen:
            count = int(np.isin(codes, unseen).sum())
            what = f"{shown(values[unseen[0]])}, which no training row has"
            hint = "Make the size in COLUMN larger, or write CATEGORY_HASH."
            with noted(findings) as found:
                found.lost(self.column, count, what, hint)
        return looked_up(codes, table)[:, np.newaxis]


@dataclass(frozen=True, slots=True)
class Cross(Base):
    """The combination of several keys' values as one category: hashed, modulo `size`. NULL in a key is NULL."""

    form: ClassVar[str] = "cross"
    keys: tuple[Feature, ...]
    size: int

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Feature`."""
        return tuple(column for key in self.keys for column in key.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """See `Feature`."""
        return (" x ".join(self.columns),)

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Category`."""
        return tuple(f"hash {number}" for number in range(self.size))

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Floats:
        """See `Feature`."""
        combined = np.zeros(len(arrays[0]), dtype=np.int64)
        missing = np.zeros(len(arrays[0]), dtype=bool)
        texts: list[str] = [""]
        for key, array in zip(self.keys, arrays, strict=True):
            codes, values = _key_values(key, array, findings)
            missing |= codes < 0
            pairs = combined * max(1, len(values)) + np.maximum(codes, 0)
            found, combined = np.unique(pairs, return_inverse=True)
            texts = [
                texts[pair // max(1, len(values))] + _BETWEEN_KEYS + (values[pair % len(values)] if values else "")
                for pair in found.tolist()
            ]
        numbers_ = looked_up(combined, [hashed(text, self.size) for text in texts])
        numbers_[missing] = np.nan
        return numbers_[:, np.newaxis]


def _key_values(key: Feature, array: pa.Array, findings: Findings | None) -> tuple[Any, list[str]]:
    """For each row the position of the key's value among its different values, -1 for NULL; and those, as text."""
    if isinstance(key, Vocabulary | CategoryHash):
        raise TypeError(f"{key.form} is no key of CROSS")
    if isinstance(key, PlainKey):
        codes, values = distinct(array)
        return codes, [category_text(value) for value in values]
    block = single(key.transform([array], findings))
    found, codes = np.unique(block, return_inverse=True)
    codes[np.isnan(block)] = -1
    return codes, [category_text(value) for value in found.tolist()]


@dataclass(frozen=True, slots=True)
class PlainKey(OneColumn):
    """A key of CROSS: the column's value itself, number or text. It stands in `Cross` only."""

    form: ClassVar[str] = "key"

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Floats:
        """Not used: `Cross` reads the values themselves."""
        raise TypeError("a key of CROSS is no feature of its own")


def hashed(text: str, size: int) -> float:
    """The number of a text's category: its SHA-1, modulo `size`."""
    return float(int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16) % size)


def category_text(value: Any) -> str:
    """The text by which a value is known as a category: a whole number has no decimals, whatever its type."""
    if isinstance(value, float | Decimal) and value == value // 1:
        return str(int(value))
    return str(value)
