"""From rows of a SELECT to rows of the matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.batch import Matrix
from sqlflow_runtime.ml.column_clause import find_column
from sqlflow_runtime.ml.extremes import Extremes
from sqlflow_runtime.ml.features import Feature, Findings

_OTHER_VALUES = (
    "The model was trained without such values in this column: correct them in the SELECT, leave these rows out, or "
    "train it again."
)


class Encoder:
    """Turns rows of a SELECT into rows of the matrix.

    Attributes:
        dtype: of the matrix.
        width: the number of its columns.
        extremes: numbers that no model takes, in all rows so far.
        findings: values that features cannot take or leave out, in all rows so far.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        features: Sequence[Feature],
        dtype: type[np.floating[Any]],
        keeps: type[np.floating[Any]] | None = None,
    ) -> None:
        """See `dataset.read_dataset` for the types."""
        self.dtype = dtype
        self.width = sum(feature.width for feature in features)
        self.extremes = Extremes(keeps or dtype)
        self.findings = Findings()
        self._features = features
        self._sparse = any(feature.sparse for feature in features)
        named = dict.fromkeys(name for feature in features for name in feature.columns)
        found = {name: find_column(columns, name) for name in named}
        missing = [name for name, column in found.items() if column is None]
        if missing:
            names = ", ".join(column.name for column in columns)
            raise RunError(
                "data",
                f"the SELECT lacks {', '.join(missing)}, which the model was trained with",
                f"The SELECT returns {names}. Select the same columns as the model's TRAIN statement.",
            )
        positions = {name: list(columns).index(column) for name, column in found.items() if column is not None}
        self._positions = [[positions[name] for name in feature.columns] for feature in features]

    def encode(self, rows: pa.RecordBatch) -> Any:
        """The rows of the matrix, all features side by side: an array, or a `scipy.sparse.csr_matrix`.

        Raises:
            RunError: kind `data`; one of these rows, or of those before, holds a value that the model cannot take.
        """
        matrix = self.collect(rows)
        self.check()
        return matrix

    @property
    def refused(self) -> bool:
        """True if `check` refuses one of the rows so far."""
        return self.findings.refused or self.extremes.found

    def check(self) -> None:
        """Refuse rows of which the model cannot take a value.

        Raises:
            RunError: kind `data`; names the first column, and the number of such values in all rows so far.
        """
        self.findings.check(hint=_OTHER_VALUES)
        self.extremes.check()

    def report(self, log: Callable[[str, str], None]) -> None:
        """Log the values that were left out of all rows, such as categories that no training row had."""
        for line in self.findings.lines:
            log("warning", line)

    def collect(self, rows: pa.RecordBatch) -> Any:
        """The same without a check: `findings` and `extremes` have counted what is wrong in all rows so far."""
        self.extremes.begin(rows.num_rows)
        return self._collect_sparse(rows) if self._sparse else self._collect_dense(rows)

    def _collect_dense(self, rows: pa.RecordBatch) -> Matrix:
        matrix = np.empty((rows.num_rows, self.width), dtype=self.dtype)
        at = 0
        for feature, positions in zip(self._features, self._positions, strict=True):
            arrays = [rows.column(position) for position in positions]
            numbers = feature.transform(arrays, self.findings)
            self.extremes.note(", ".join(feature.columns), arrays[0], numbers)
            with np.errstate(over="ignore"):  # noted already, and refused by the check
                matrix[:, at : at + feature.width] = numbers
            at += feature.width
        return matrix

    def _collect_sparse(self, rows: pa.RecordBatch) -> Any:
        from scipy.sparse import hstack

        blocks = []
        for feature, positions in zip(self._features, self._positions, strict=True):
            arrays = [rows.column(position) for position in positions]
            block = feature.transform(arrays, self.findings)
            numbers = block if isinstance(block, np.ndarray) else block.data.reshape(-1, 1)
            array = arrays[0] if isinstance(block, np.ndarray) else pa.array(block.data)
            self.extremes.note(", ".join(feature.columns), array, numbers)
            with np.errstate(over="ignore"):
                blocks.append((_stored(block) if isinstance(block, np.ndarray) else block).astype(self.dtype))
        matrix = hstack(blocks, format="csr")
        matrix.sort_indices()
        return matrix


def _stored(block: Matrix) -> Any:
    """The same in compressed sparse rows with every number stored: what is absent means missing to XGBoost, not 0."""
    from scipy.sparse import csr_matrix

    rows, width = block.shape
    indices = np.tile(np.arange(width, dtype=np.int32), rows)
    return csr_matrix((block.reshape(-1), indices, np.arange(rows + 1) * width), shape=block.shape)
