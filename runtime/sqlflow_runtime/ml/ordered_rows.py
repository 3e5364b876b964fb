"""Rows sorted by their hash, on disk: however many there are, a part of them is in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.ml.batch import Batch, from_arrow, to_arrow
from sqlflow_runtime.ml.order import row_hashes
from sqlflow_runtime.ml.spool import Spool

BUCKET_BYTES = 32 * 1024 * 1024
"""Rows of so many bytes are sorted, and read back, at once."""

_MOST_BUCKETS = 512
"""Each is an open file."""

_HASH = "hash"


class OrderedRows:
    """Rows in the order of their hashes, which is the same in whatever order they are added.

    A row goes into a bucket by the first bits of its hash; then each bucket is sorted by itself.
    """

    def __init__(self, width: int, expected_bytes: int) -> None:
        """Make the buckets.

        Args:
            width: of the matrix.
            expected_bytes: about the size of all rows together.
        """
        self._width = width
        wanted = min(max(expected_bytes // BUCKET_BYTES, 1), _MOST_BUCKETS)
        self._bits = int(wanted - 1).bit_length()
        self._buckets = [Spool() for _ in range(1 << self._bits)]
        self._sorted = Spool()
        self._rows = 0
        self._sum = 0

    def __len__(self) -> int:
        return self._rows

    def add(self, batch: Batch) -> None:
        """Put rows into their buckets."""
        hashes = row_hashes(batch.matrix, list(batch.others.values()))
        rows = to_arrow(batch).append_column(_HASH, pa.array(hashes))
        self._rows += len(batch)
        self._sum = (self._sum + int(hashes.sum(dtype=np.uint64))) % 2**64
        if not self._bits:
            self._buckets[0].add(rows)
            return
        numbers = (hashes >> np.uint64(64 - self._bits)).astype(np.uint16)
        order = np.argsort(numbers, kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=len(self._buckets)))
        rows = rows.take(pa.array(order))
        start = 0
        for bucket, end in zip(self._buckets, ends.tolist(), strict=True):
            if end > start:
                bucket.add(rows.slice(start, end - start))
            start = end

    @property
    def fingerprint(self) -> str:
        """The sum of all rows' hashes, in hexadecimal: the same for the same rows in any order."""
        return f"{self._sum:016x}"

    def finish(self) -> None:
        """Sort; after the last row was added."""
        for bucket in self._buckets:
            if len(bucket):
                rows = pa.concat_batches(list(bucket.batches()))
                bucket.close()
                self._sorted.add(_sorted(rows))
        self._buckets.clear()
        pa.default_memory_pool().release_unused()  # a model that learns for hours needs it more

    def batches(self) -> Iterator[Batch]:
        """All rows; repeatable."""
        for rows in self._sorted.batches():
            yield from_arrow(rows, self._width)


def _sorted(rows: pa.RecordBatch) -> Any:
    order = np.argsort(rows.column(_HASH).to_numpy(), kind="stable")
    return rows.drop_columns([_HASH]).take(pa.array(order))
