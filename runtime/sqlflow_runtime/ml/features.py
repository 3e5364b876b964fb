"""Features: the columns of a SELECT as numbers, by the COLUMN clause or by default.

A `Feature` belongs to one selected column and gives one or more columns of the matrix. Features are stored with the
model as JSON, so that PREDICT and EVALUATE do with their rows what TRAIN did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.arrays import Floats, NotNumericError, texts
from sqlflow_runtime.ml.arrays import numbers as numbers_of


class Feature(Protocol):
    """One feature: its `column`, and the way in which its values become numbers."""

    form: ClassVar[str]

    @property
    def column(self) -> str:
        """The selected column that it reads."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The selected columns whose arrays `transform` takes."""

    @property
    def sparse(self) -> bool:
        """True if its matrix columns are a `scipy.sparse.csr_matrix`."""

    @property
    def width(self) -> int:
        """The number of columns of the matrix that it fills."""

    def transform(self, arrays: Sequence[pa.Array]) -> Any:
        """The matrix columns (rows x width) for the arrays of its `columns`; NULL becomes NaN.

        Raises:
            RunError: kind `data`; a value is not what the feature takes.
        """


class _Single:
    """A feature of one selected column."""

    __slots__ = ()
    sparse = False

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Feature`."""
        return (self.column,)  # type: ignore[attr-defined]  # of every subclass


@dataclass(frozen=True, slots=True)
class _OneColumn(_Single):
    width = 1
    column: str


@dataclass(frozen=True, slots=True)
class _Category(_OneColumn):
    size: int


@dataclass(frozen=True, slots=True)
class Numeric(_OneColumn):
    """The column's numbers as they are."""

    form: ClassVar[str] = "numeric"

    def transform(self, arrays: Sequence[pa.Array]) -> Floats:
        """See `Feature`."""
        return numbers(self.column, arrays[0])[:, np.newaxis]


@dataclass(frozen=True, slots=True)
class Dense(_Single):
    """Text that lists a fixed number of numbers: `1.5,0,3`."""

    form: ClassVar[str] = "dense"
    column: str
    size: int
    delimiter: str = ","

    @property
    def width(self) -> int:
        """See `Feature`."""
        return self.size

    def transform(self, arrays: Sequence[pa.Array]) -> Floats:
        """See `Feature`."""
        matrix = np.full((len(arrays[0]), self.size), np.nan)
        for row, text in enumerate(arrays[0].to_pylist()):
            if text is None:
                continue
            parts = str(text).strip().removesuffix(self.delimiter).split(self.delimiter)
            if len(parts) != self.size:
                raise RunError(
                    "data",
                    f"column {self.column} holds {len(parts)} numbers where DENSE says {self.size}: {str(text)[:80]!r}",
                    "Every row must list as many numbers, or the shape in COLUMN must be another.",
                )
            matrix[row] = numbers(self.column, pa.array(parts))
        return matrix


@dataclass(frozen=True, slots=True)
class Bucket(_OneColumn):
    """The number of the interval that a value falls into; `boundaries` ascend, each begins an interval."""

    form: ClassVar[str] = "bucket"
    boundaries: tuple[float, ...]

    @property
    def size(self) -> int:
        """The number of intervals."""
        return len(self.boundaries) + 1

    def transform(self, arrays: Sequence[pa.Array]) -> Floats:
        """See `Feature`."""
        column = numbers(self.column, arrays[0])
        found = np.searchsorted(np.asarray(self.boundaries), column, side="right").astype(np.float64)
        found[np.isnan(column)] = np.nan
        return found[:, np.newaxis]


@dataclass(frozen=True, slots=True)
class CategoryId(_Category):
    """A category that is a number from 0 to `size` - 1 already."""

    form: ClassVar[str] = "category_id"

    def transform(self, arrays: Sequence[pa.Array]) -> Floats:
        """See `Feature`."""
        column = numbers(self.column, arrays[0])
        known = column[~np.isnan(column)]
        wrong = known[(known < 0) | (known >= self.size) | (known != np.floor(known))]
        if wrong.size:
            raise RunError(
                "data",
                f"column {self.column} holds {wrong[0]:g}, which is no category from 0 to {self.size - 1}",
                f"Make the size in CATEGORY_ID larger, or write CATEGORY_HASH({self.column}, {self.size}).",
            )
        return column[:, np.newaxis]


@dataclass(frozen=True, slots=True)
class CategoryHash(_Category):
    """A category by the hash of its text: the SHA-1 number of it, modulo `size`."""

    form: ClassVar[str] = "category_hash"

    def transform(self, arrays: Sequence[pa.Array]) -> Floats:
        """See `Feature`."""
        found = texts(arrays[0])
        known = np.array([float(self._number(text)) for text in found.dictionary.to_pylist()])
        column = np.full(len(found), np.nan)
        there = found.is_valid().to_numpy(zero_copy_only=False)
        column[there] = known[found.indices.drop_null().to_numpy()]
        return column[:, np.newaxis]

    def _number(self, text: str) -> int:
        return int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16) % self.size


@dataclass(frozen=True, slots=True)
class Indicator(_Single):
    """A category as `size` columns of which one is 1; NULL gives zeros."""

    form: ClassVar[str] = "indicator"
    of: CategoryId | CategoryHash | Bucket

    @property
    def column(self) -> str:
        """The category's column."""
        return self.of.column

    @property
    def width(self) -> int:
        """See `Feature`."""
        return self.of.size

    def transform(self, arrays: Sequence[pa.Array]) -> Floats:
        """See `Feature`."""
        category = self.of.transform(arrays)[:, 0]
        matrix = np.zeros((len(category), self.width))
        rows = np.flatnonzero(~np.isnan(category))
        matrix[rows, category[rows].astype(np.int64)] = 1
        return matrix


_FORMS: dict[str, type[Any]] = {
    kind.form: kind for kind in (Numeric, Dense, Bucket, CategoryId, CategoryHash, Indicator)
}


def matrix_columns(features: Sequence[Feature]) -> list[str]:
    """For each column of the matrix, the selected column that it comes from."""
    return [feature.column for feature in features for _ in range(feature.width)]


def dump_feature(feature: Feature) -> dict[str, Any]:
    """The feature as JSON."""
    if isinstance(feature, Indicator):
        return {"form": feature.form, "of": dump_feature(feature.of)}
    return {"form": feature.form, **asdict(feature)}  # type: ignore[call-overload]  # every feature is a dataclass


def load_feature(data: dict[str, Any]) -> Feature:
    """The feature that `dump_feature` wrote.

    Raises:
        KeyError, TypeError: it is not one.
    """
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data.items() if key != "form"
    }
    if "of" in fields:
        fields["of"] = load_feature(data["of"])
    feature: Feature = _FORMS[data["form"]](**fields)
    return feature


def numbers(column: str, array: pa.Array) -> Floats:
    """Values of a column as numbers; NULL becomes NaN.

    Raises:
        RunError: kind `data`; one of them is not a number.
    """
    try:
        return numbers_of(array)
    except NotNumericError as error:
        raise RunError(
            "data",
            f"column {column} holds {str(error.value)[:80]!r}, which is not a number",
            f"Leave it out of the SELECT, or say what it means in COLUMN: CATEGORY_HASH({column}, 100).",
        ) from None
