"""A bounded number of the rows of a matrix that comes in batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqlflow_runtime.ml.order import row_hashes


class RowSample:
    """At most `limit` rows: the first ones, or a random choice that is the same each time the rows come like this.

    Attributes:
        count: the number of rows seen.
    """

    def __init__(self, limit: int, *, first: bool = False) -> None:
        self._limit = limit
        self._first = first
        self._random = np.random.default_rng(0)
        self._keys = np.empty(0)
        self._rows: Any = None
        self.count = 0

    def add(self, matrix: Any) -> None:
        """Take the next batch of rows into account: an array, or a `scipy.sparse.csr_matrix`."""
        total = matrix.shape[0]
        keys = np.arange(self.count, self.count + total) if self._first else self._random.random(total)
        self.count += total
        if not self._limit:
            return
        worst = self._keys.max() if len(self._keys) >= self._limit else np.inf
        better = np.flatnonzero(keys < worst)
        keys = np.concatenate([self._keys, keys[better]])
        rows = _below(self._rows, matrix[better])
        kept = np.argsort(keys, kind="stable")[: self._limit]
        self._keys, self._rows = keys[kept], rows[kept]

    def rows(self) -> Any:
        """The rows: the first ones in their order, a choice in one that depends on the rows alone. None of none."""
        if self._first or self._rows is None:
            return self._rows
        return self._rows[np.argsort(row_hashes(self._rows, []), kind="stable")]


def _below(above: Any, rows: Any) -> Any:
    if above is None:
        return rows
    if isinstance(rows, np.ndarray):
        return np.concatenate([above, rows])
    from scipy.sparse import vstack

    return vstack([above, rows], format="csr")
