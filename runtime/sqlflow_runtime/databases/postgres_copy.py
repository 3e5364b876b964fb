"""A SELECT's rows as Arrow record batches, by COPY in PostgreSQL's binary format over the session's own connection.

The format's layout: https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4. A message holds one row:
the number of its fields, then for each its length (-1 for NULL) and its bytes, all integers in network order.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import generators
from psycopg.pq import ExecStatus
from psycopg.waiting import Ready, Wait

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.arrow_bytes import PADDING, Positions, slices
from sqlflow_runtime.databases.rows import Column

BATCH_BYTES = 4 * 1024 * 1024
"""A batch is at least so large, unless it is the last one; it ends with the row that makes it so."""

HEADER = 11 + 4 + 4
TRAILER = b"\xff\xff"

FIXED: dict[str, tuple[str, pa.DataType]] = {
    "smallint": (">i2", pa.int16()),
    "integer": (">i4", pa.int32()),
    "bigint": (">i8", pa.int64()),
    "oid": (">u4", pa.uint32()),
    "real": (">f4", pa.float32()),
    "double precision": (">f8", pa.float64()),
    "boolean": ("?", pa.bool_()),
}
"""Types whose values have one width: their layout and Arrow's type."""


def copy_statement(select: str, columns: Sequence[Column]) -> tuple[str, int]:
    """The COPY that returns a select's rows, and the number of characters in front of the select.

    What is neither a number, text nor binary is turned into text by PostgreSQL itself, so that nothing is lost.
    """
    names = [f"c{number}" for number in range(len(columns))]
    before, after = "COPY (", "\n) TO STDOUT (FORMAT binary)"
    if not all(map(is_native, columns)):
        shown = map(shown_as, names, columns)
        before = f"COPY (SELECT {', '.join(shown)} FROM ("
        after = f"\n) AS sqlflow ({', '.join(names)})) TO STDOUT (FORMAT binary)"
    return before + select + after, len(before)


def copied(connection: psycopg.Connection[Any], statement: str, columns: Sequence[Column]) -> Generator[pa.RecordBatch]:
    """The rows of such a statement. Closing the iterator cancels it in the server.

    Raises:
        psycopg.Error: the server's error, also after batches.
    """
    types = [column.type for column in columns]
    names = [column.name for column in columns]
    skipped, done = HEADER, False
    with connection.cursor() as cursor, cursor.copy(statement.encode()):
        while not done:
            buffer, ends, done = connection.wait(fetched(connection.pgconn, skipped))
            skipped = 0
            if ends:
                yield pa.RecordBatch.from_arrays(_arrays(buffer, np.array(ends), types), names=names)


def fetched(pgconn: Any, skipped: int) -> Generator[Wait, Ready | int, tuple[bytearray, list[int], bool]]:
    """Rows one after the other, where each ends, and whether they are the last.

    One call of psycopg's own reader for each row would take more time than all the rest.

    Args:
        pgconn: the connection to the server, which is sending.
        skipped: bytes of the first message that are not the row's.
    """
    buffer, ends, get = bytearray(), [], pgconn.get_copy_data
    while len(buffer) < BATCH_BYTES:
        size, data = get(1)
        if size > 0:
            data = data[skipped:] if skipped else data
            skipped = 0
            if len(data) == len(TRAILER) and data == TRAILER:
                continue
            buffer += data
            ends.append(len(buffer))
        elif size == 0:
            while not (yield Wait.R):
                pass
            pgconn.consume_input()
        else:
            yield from _finished(pgconn)
            return buffer, ends, True
    return buffer, ends, False


def _finished(pgconn: Any) -> Generator[Wait, Ready | int, None]:
    """Take the result of the COPY itself."""
    result = (yield from generators.fetch_many(pgconn))[-1]
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(result, encoding="utf-8")


def shown_as(name: str, column: Column) -> str:
    """The column as it is to arrive."""
    if is_native(column):
        return name
    if column.kind != "other":
        return f"{name}::text"
    # As PostgreSQL shows it: a type's own cast to text may give another text (that of inet does).
    return f"CASE WHEN num_nulls({name}) = 0 THEN format('%s', {name}) END"


def is_native(column: Column) -> bool:
    """True for a select's column whose values arrive as they are, not as text."""
    return column.type in FIXED or column.kind in ("string", "bytes")


def _arrays(buffer: bytearray, ends: Positions, types: Sequence[str]) -> list[pa.Array]:
    """The columns of those rows."""
    layouts = [FIXED.get(name) for name in types]
    widths = [np.dtype(layout[0]).itemsize for layout in layouts if layout is not None]
    length = 2 + sum(4 + width for width in widths)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    if len(widths) == len(types) and (ends - starts == length).all():  # a row with a NULL is shorter
        return _of_one_width(buffer, [layout for layout in layouts if layout is not None], length)
    return _of_any_width(buffer, starts, ends, types)


def _of_one_width(buffer: bytearray, layouts: Sequence[tuple[str, pa.DataType]], length: int) -> list[pa.Array]:
    """The columns where no value is missing and each has its type's width: rows of a table with gaps."""
    found, at = [], 2
    for layout, kind in layouts:
        values: npt.NDArray[Any] = np.ndarray((len(buffer) // length,), layout, buffer, at + 4, (length,))
        found.append(pa.array(native(values), kind))
        at += 4 + values.dtype.itemsize
    return found


def _of_any_width(buffer: bytearray, starts: Positions, ends: Positions, types: Sequence[str]) -> list[pa.Array]:
    """The columns of any rows: field by field, each for all rows at once."""
    size = len(buffer)
    buffer += PADDING
    lengths: npt.NDArray[Any] = np.ndarray((size + 1,), ">i4", buffer, 0, (1,))
    at, found = starts + 2, []
    for name in types:
        width = native(lengths[at]).astype(np.int64)
        there = width >= 0
        at = at + 4
        if name in FIXED:
            layout, kind = FIXED[name]
            values: npt.NDArray[Any] = np.ndarray((size + 1,), layout, buffer, 0, (1,))
            found.append(pa.array(native(values[at]), kind, mask=~there))
        else:
            found.append(slices(buffer, at, np.maximum(width, 0), there, binary=name == "bytea"))
        at = at + np.maximum(width, 0)
    assert np.array_equal(at, ends), "PostgreSQL sent a row in another layout"
    return found


def native(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy in the processor's own byte order."""
    return values.astype(values.dtype.newbyteorder("="))
