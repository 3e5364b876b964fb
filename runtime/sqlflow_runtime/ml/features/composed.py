"""Features made of categories: indicators, sequences, and embeddings, which neural networks learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix
from sqlflow_codegen.language.columns import DENSE_INDICATORS

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.ml.arrays import Floats
from sqlflow_runtime.ml.features.arrays import distinct, filled, tokens, whole_numbers
from sqlflow_runtime.ml.features.category import CategoryHash, CategoryId, Cross, Vocabulary, hashed
from sqlflow_runtime.ml.features.feature import Base, Block, OneColumn, single
from sqlflow_runtime.ml.features.findings import Findings, noted
from sqlflow_runtime.ml.features.numeric import Bucket
from sqlflow_runtime.ml.features.sparse import Sparse, note_indices

COMBINERS = ("sum", "mean", "sqrtn")


@dataclass(frozen=True, slots=True)
class SequenceIds(OneColumn):
    """Text that lists categories in an order that matters: the first `length` of them; NaN fills the rest.

    Attributes:
        size: the number of categories.
        length: the number of columns of the matrix.
        delimiter: between categories; a blank stands for any white space.
        hashed: categories are texts, numbered by the hash of CATEGORY_HASH.
    """

    form: ClassVar[str] = "seq_category_id"
    size: int
    length: int
    delimiter: str = ","
    hashed: bool = False

    @property
    def width(self) -> int:
        """See `Feature`."""
        return self.length

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Category`."""
        return tuple(map(str, range(self.size)))

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Floats:
        """See `Feature`."""
        split = filled(tokens(arrays[0], self.delimiter))
        starts = np.cumsum(np.maximum(split.lengths, 0)) - np.maximum(split.lengths, 0)
        at = np.arange(len(split.rows)) - starts[split.rows]
        matrix = np.full((len(split.lengths), self.length), np.nan)
        with noted(findings) as found:
            if self.hashed:
                codes, values = distinct(split.values)
                numbers = np.array([hashed(str(value), self.size) for value in values], dtype=np.int64)[codes]
                fits = np.ones(len(numbers), dtype=bool)
            else:
                numbers, whole = whole_numbers(split.values)
                note_indices(self.column, split.values, numbers, whole, self.size, found)
                fits = whole & (numbers < self.size)
            longer = int((split.lengths > self.length).sum())
            if longer:
                what = f"{split.lengths.max()} categories in a row where the model takes {self.length}"
                found.lost(self.column, longer, what, "Shorten them in the SELECT.")
        fits &= at < self.length
        matrix[split.rows[fits], at[fits]] = numbers[fits]
        return matrix


Categorical = CategoryId | CategoryHash | Vocabulary | Bucket | Cross | Sparse | SequenceIds


@dataclass(frozen=True, slots=True)
class Indicator(Base):
    """A category as `size` columns of which one is 1, or several of several; NULL gives zeros."""

    form: ClassVar[str] = "indicator"
    of: CategoryId | CategoryHash | Vocabulary | Bucket | Cross | Sparse

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Feature`."""
        return self.of.columns

    @property
    def width(self) -> int:
        """See `Feature`."""
        return self.of.size

    @property
    def sparse(self) -> bool:
        """See `Feature`."""
        return self.of.sparse or self.width > DENSE_INDICATORS

    @property
    def names(self) -> tuple[str, ...]:
        """See `Feature`."""
        name = " x ".join(self.columns)
        return tuple(f"{name}={label}" for label in self.of.labels)

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Block:
        """See `Feature`."""
        block = self.of.transform(arrays, findings)
        if isinstance(block, csr_matrix):
            block.data = np.ones_like(block.data)
            return block
        category = single(block)
        rows = np.flatnonzero(~np.isnan(category))
        columns = category[rows].astype(np.int64)
        valid = (columns >= 0) & (columns < self.width)  # the others are noted as bad already
        rows, columns = rows[valid], columns[valid]
        shape = (len(category), self.width)
        if self.sparse:
            return csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
        matrix = np.zeros(shape)
        matrix[rows, columns] = 1
        return matrix


@dataclass(frozen=True, slots=True)
class Embedding(Base):
    """A category whose vector of `dimension` numbers a neural network learns. The matrix holds the category.

    Attributes:
        of: the category: one column with its number (NaN: none), a sequence of numbers, or a sparse block of weights.
        dimension: of the vectors.
        combiner: of several categories' vectors: their weighted `sum`, `mean` or `sqrtn`.
        initializer: name of the vectors' initial values; "" for the usual.
    """

    form: ClassVar[str] = "embedding"
    of: Categorical
    dimension: int
    combiner: str = "sum"
    initializer: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Feature`."""
        return self.of.columns

    @property
    def width(self) -> int:
        """See `Feature`."""
        return self.of.width

    @property
    def sparse(self) -> bool:
        """See `Feature`."""
        return self.of.sparse

    @property
    def names(self) -> tuple[str, ...]:
        """See `Feature`."""
        return self.of.names

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Block:
        """See `Feature`."""
        return self.of.transform(arrays, findings)
