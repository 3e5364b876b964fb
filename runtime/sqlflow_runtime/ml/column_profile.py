"""The forms of a column's values, counted over all rows: numbers, lists of numbers, key:value pairs, text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.ml.arrays import is_text
from sqlflow_runtime.ml.features.arrays import (
    NUMBER,
    Integers,
    Mask,
    filled,
    is_list,
    is_number,
    plain,
    tokens,
    whole_numbers,
)
from sqlflow_runtime.ml.features.category import category_text

FORMS = ("number", "list", "pair", "text")

DISTINCT_LIMIT = 10_000
"""Different values of a column that are kept."""

_NUMBER = rf"^\s*{NUMBER}\s*$"
_PAIR = rf"^\s*\d+:{NUMBER}(\s+\d+:{NUMBER})*\s*$"
_CODE = r"^\s*0\d+\s*$"
_BLANK = r"^\s*$"


@dataclass(slots=True)
class Profile:
    """The values of one column that are not NULL.

    Attributes:
        column: its name.
        delimiter: between the numbers of a list; a blank stands for any white space.
        counts: for each of `FORMS` the number of values of that form.
        examples: for each form that occurs, one value.
        blanks: the number of texts that are empty; they are of form `text` too.
        codes: the number of numbers that are written with a leading zero, as codes are.
        lengths: least and greatest number of entries of a value that lists numbers or pairs.
        largest: the greatest whole number among numbers, entries of lists, and keys of pairs; -1 if there is none.
        whole: all of those are whole numbers from 0.
        values: the different values, as `category_text`; None if there are more than `DISTINCT_LIMIT`.
    """

    column: str
    delimiter: str = ","
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FORMS, 0))
    examples: dict[str, str] = field(default_factory=dict)
    blanks: int = 0
    codes: int = 0
    lengths: tuple[int, int] = (0, 0)
    largest: int = -1
    whole: bool = True
    values: dict[str, None] | None = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of values that are not NULL."""
        return sum(self.counts.values())

    def add(self, array: pa.Array) -> None:
        """Count the values of a batch."""
        array = plain(array).drop_null()
        if not len(array) or pa.types.is_null(array.type):
            return
        if is_list(array):
            self._found("list", len(array), array[0])
            self._measure(array, "list")
            return
        counted = pc.value_counts(array)
        different, counts = plain(counted.field("values")), counted.field("counts").to_numpy()
        self._remember(different)
        if is_number(different):
            self._found("number", len(array), different[0])
            self._measure(different, "number")
        elif is_text(different.type):
            self._add_texts(different, counts)
        else:
            self._found("text", len(array), different[0])

    def _add_texts(self, texts: pa.Array, counts: Integers) -> None:
        is_plain = _matches(texts, _NUMBER)
        is_pair = _matches(texts, _PAIR)
        is_a_list = _matches(texts, _list_pattern(self.delimiter)) & ~is_plain & ~is_pair
        self.codes += int(counts[_matches(texts, _CODE)].sum())
        self.blanks += int(counts[_matches(texts, _BLANK)].sum())
        of = {"number": is_plain, "list": is_a_list, "pair": is_pair, "text": ~(is_plain | is_a_list | is_pair)}
        for form, mask in of.items():
            if mask.any():
                some = texts.filter(pa.array(mask))
                self._found(form, int(counts[mask].sum()), some[0])
                if form != "text":
                    self._measure(some, form)

    def _found(self, form: str, count: int, example: pa.Scalar) -> None:
        self.counts[form] += count
        self.examples.setdefault(form, str(example.as_py()))

    def _measure(self, array: pa.Array, form: str) -> None:
        """Note the numbers of entries, and the entries that are whole numbers."""
        entries = array
        if form != "number":
            split = filled(tokens(array, " " if form == "pair" else self.delimiter))
            entries = split.values
            if form == "list":
                low, high = int(split.lengths.min()), int(split.lengths.max())
                self.lengths = (min(low, self.lengths[0] or low), max(high, self.lengths[1]))
        if form == "pair":
            entries = pc.list_element(pc.split_pattern(entries, ":", max_splits=1), 0)
        elif is_text(plain(entries).type):
            entries = pc.utf8_trim_whitespace(plain(entries))
        found, fits = whole_numbers(entries)
        self.whole = self.whole and bool(fits.all())
        self.largest = max(self.largest, int(np.max(found[fits], initial=-1)))

    def _remember(self, different: pa.Array) -> None:
        if self.values is None:
            return
        self.values.update(dict.fromkeys(map(category_text, different.slice(0, DISTINCT_LIMIT + 1).to_pylist())))
        if len(self.values) > DISTINCT_LIMIT:
            self.values = None


def sorted_values(values: Iterable[str]) -> tuple[str, ...]:
    """Categories in ascending order: as numbers if all of them are numbers."""
    found = list(values)
    try:
        return tuple(sorted(found, key=lambda value: (float(value), value)))
    except ValueError:
        return tuple(sorted(found))


def _list_pattern(delimiter: str) -> str:
    between = rf"\s*{re.escape(delimiter)}\s*" if delimiter.strip() else r"\s+"
    end = rf"\s*(?:{re.escape(delimiter)})?\s*" if delimiter.strip() else r"\s*"
    return rf"^[\s\[{{(]*{NUMBER}(?:{between}{NUMBER})+{end}[\])}}]*\s*$"


def _matches(texts: pa.Array, pattern: str) -> Mask:
    found: Any = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return np.asarray(found, dtype=bool)
