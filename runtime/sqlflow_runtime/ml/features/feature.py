"""The fields and methods of every feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from scipy.sparse import csr_matrix
from sqlflow_codegen.language.columns import DEFAULT_TARGET

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.ml.arrays import Floats
from sqlflow_runtime.ml.features.findings import Findings

type Block = Floats | csr_matrix
"""Columns of the matrix, rows x width: dense with NaN for NULL, or sparse, where what is absent is 0 or missing."""


class Feature(Protocol):
    """One feature: selected columns, and how their values become columns of the matrix.

    Features are values: equal if they do the same. They are stored with the model as JSON, so that PREDICT and
    EVALUATE do with their rows what TRAIN did.
    """

    form: ClassVar[str]

    @property
    def target(self) -> str:
        """The input of the estimator that takes it: `COLUMN .. FOR target`."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The selected columns that it reads, in the order in which `transform` takes their arrays."""

    @property
    def width(self) -> int:
        """The number of columns of the matrix that it fills."""

    @property
    def sparse(self) -> bool:
        """True if `transform` returns a sparse block."""

    @property
    def categorical(self) -> bool:
        """True if its one column holds numbers of categories that have no order: text that stands for names."""

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each of its columns of the matrix, for people."""

    def transform(self, arrays: Sequence[pa.Array], findings: Findings | None = None) -> Block:
        """The columns of the matrix (rows x width) for the values of its selected columns.

        Args:
            arrays: one for each of `columns`, all of one length, of any Arrow type.
            findings: collects values that the feature cannot take or leaves out; the caller checks it.

        Raises:
            RunError: kind `data`; without `findings`, a value is not what the feature takes.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The usual answers: one dense column of numbers."""

    target: str = DEFAULT_TARGET

    @property
    def width(self) -> int:
        """See `Feature`."""
        return 1

    @property
    def sparse(self) -> bool:
        """See `Feature`."""
        return False

    @property
    def categorical(self) -> bool:
        """See `Feature`."""
        return False


@dataclass(frozen=True, slots=True)
class OneColumn(Base):
    """A feature of one selected column."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Feature`."""
        return (self.column,)

    @property
    def names(self) -> tuple[str, ...]:
        """See `Feature`."""
        if self.width == 1:
            return (self.column,)
        return tuple(f"{self.column}[{position}]" for position in range(self.width))


class Category(Feature, Protocol):
    """A feature whose one column holds the number of a category, from 0 to `size` - 1."""

    @property
    def size(self) -> int:
        """The number of categories."""

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each category, for people."""


def single(block: Block) -> Any:
    """The only column of a dense block, one-dimensional."""
    return block[:, 0]
