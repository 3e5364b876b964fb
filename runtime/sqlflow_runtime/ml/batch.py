"""Rows of the matrix with what belongs to them, in memory and as Arrow record batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.arrow import pa

Matrix = npt.NDArray[Any]

_DENSE, _INDICES, _VALUES = "row", "indices", "values"
_OTHERS = ("labels", "weights", "groups", "lower_bounds", "upper_bounds")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows.

    Attributes:
        matrix: rows x columns of the matrix: an array, or a `scipy.sparse.csr_matrix`.
        labels: of the label's kind; None without a label.
        weights: of the rows, as numbers; None unless the statement names a column for them.
        groups: the values that say which rows belong together; None unless the statement names a column for them.
        lower_bounds: of the labels, as numbers; None unless the statement names a column for them.
        upper_bounds: the same; infinite where the database has NULL.
    """

    matrix: Any
    labels: pa.Array | None = None
    weights: pa.Array | None = None
    groups: pa.Array | None = None
    lower_bounds: pa.Array | None = None
    upper_bounds: pa.Array | None = None

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    @property
    def others(self) -> dict[str, pa.Array]:
        """The columns besides the matrix, by their names here."""
        return {name: array for name in _OTHERS if (array := getattr(self, name)) is not None}


def to_arrow(batch: Batch) -> pa.RecordBatch:
    """The batch as a record batch, without a copy of the matrix."""
    matrix = batch.matrix
    if isinstance(matrix, np.ndarray):
        flat = pa.array(np.ascontiguousarray(matrix).reshape(-1))
        columns = {_DENSE: pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])}
    else:
        starts = pa.array(matrix.indptr.astype(np.int64))
        columns = {
            _INDICES: pa.LargeListArray.from_arrays(starts, pa.array(matrix.indices.astype(np.int32))),
            _VALUES: pa.LargeListArray.from_arrays(starts, pa.array(matrix.data)),
        }
    return pa.RecordBatch.from_pydict(columns | batch.others)


def from_arrow(rows: pa.RecordBatch, width: int) -> Batch:
    """The batch that `to_arrow` took, of a matrix with so many columns."""
    names = rows.schema.names
    others = {name: rows.column(name) for name in _OTHERS if name in names}
    if _DENSE in names:
        flat = rows.column(_DENSE).flatten().to_numpy(zero_copy_only=False)
        return Batch(flat.reshape(rows.num_rows, width), **others)
    from scipy.sparse import csr_matrix

    indices, values = rows.column(_INDICES), rows.column(_VALUES)
    starts = indices.offsets.to_numpy()
    parts = (values.flatten().to_numpy(), indices.flatten().to_numpy(), starts - starts[0])
    return Batch(csr_matrix(parts, shape=(rows.num_rows, width)), **others)
