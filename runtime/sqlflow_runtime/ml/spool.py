"""Rows of a query on local disk: the source is asked once, and its rows are read as often as needed."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.disk import disk


class Spool:
    """Record batches in Arrow IPC files without a name, in the folder that TMPDIR names.

    The system removes such a file with the process, however that ends. Memory does not grow with the rows.

    Attributes:
        columns: of the select that the rows come from.
    """

    def __init__(self, columns: Sequence[Column] = ()) -> None:
        self.columns = tuple(columns)
        self._parts: list[_Part] = []
        self._rows = 0

    def __len__(self) -> int:
        """The number of rows."""
        return self._rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Add rows. Not after `batches` was called.

        Raises:
            RunError: kind `memory`; the disk is full, or cannot be written.
        """
        with disk():
            if not self._parts or self._parts[-1].schema != batch.schema:
                if self._parts:
                    self._parts[-1].finish()
                self._parts.append(_Part(batch.schema))
            self._parts[-1].add(batch)
        self._rows += batch.num_rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The batches in the order in which they were added; repeatable."""
        for part in self._parts:
            with disk():
                part.finish()
            yield from part.batches()

    def column(self, position: int) -> list[pa.Array]:
        """One column: an array for each batch."""
        return [batch.column(position) for batch in self.batches()]

    def close(self) -> None:
        """Give the disk space back. Arrays that were handed out stay valid."""
        for part in self._parts:
            part.close()
        self._parts.clear()


class _Part:
    """Batches of one schema, in one file."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._descriptor, path = tempfile.mkstemp(prefix="sqlflow-")
        self._end = weakref.finalize(self, os.close, self._descriptor)
        try:
            self._file = pa.OSFile(path, "wb")
        finally:
            Path(path).unlink()
        self._writer: pa.RecordBatchFileWriter | None = pa.ipc.new_file(self._file, schema)

    def add(self, batch: pa.RecordBatch) -> None:
        assert self._writer is not None, "rows are added before they are read"
        self._writer.write_batch(batch)

    def finish(self) -> None:
        """Write what is left to write; then the batches can be read."""
        if self._writer is not None:
            self._writer.close()
            self._file.close()
            self._writer = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        mapped = mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ)  # unmapped with the last array
        reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped)))
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)
            if hasattr(mmap, "MADV_DONTNEED"):  # the pages read so far count as this process's memory no longer
                mapped.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        self._end()
