"""A SELECT's rows as Arrow record batches, out of the packets that MySQL's text protocol sends.

A packet holds one row: for each field its length, in one to nine bytes (251: NULL), and its text.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from pymysql.constants import FIELD_TYPE, FLAG

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.arrow_bytes import PADDING, Positions, slices
from sqlflow_runtime.databases.mysql_types import columns_of_cursor

BATCH_BYTES = 4 * 1024 * 1024
"""A batch is at least so large, unless it is the last one; it ends with the row that makes it so."""

_NULL, _LENGTHS = 251, {252: 2, 253: 3, 254: 8}
"""First bytes of a field: of NULL, and of those whose length follows in so many bytes."""


def record_batches(connection: Any, cursor: Any, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of an unbuffered cursor that has executed a select.

    Raises:
        pymysql.err.MySQLError: the server's error, also after batches.
    """
    result = cursor._result
    fields = list(zip(result.fields, columns_of_cursor(cursor), strict=True))
    while result.unbuffered_active:
        buffer, ends = _fetched(connection, result)
        if not ends:
            continue
        found = _columns(buffer, np.array([0, *ends[:-1]]), np.array(ends), len(fields))
        arrays = [_array(buffer, *one, field, column.kind) for one, (field, column) in zip(found, fields, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, names=list(names))


def _fetched(connection: Any, result: Any) -> tuple[bytearray, list[int]]:
    """Rows one after the other, and where each ends."""
    buffer, ends = bytearray(), []
    while len(buffer) < BATCH_BYTES:
        packet = connection._read_packet()
        if result._check_packet_is_eof(packet):
            result.unbuffered_active, result.connection = False, None
            break
        buffer += packet.get_all_data()
        ends.append(len(buffer))
    return buffer, ends


def _columns(
    buffer: bytearray, starts: Positions, ends: Positions, count: int
) -> list[tuple[Positions, Positions, npt.NDArray[Any]]]:
    """For each field: where its values begin, their lengths, and which are there."""
    size = len(buffer)
    buffer += PADDING
    data = np.frombuffer(buffer, np.uint8)
    at, found = starts, []
    for _ in range(count):
        first = data[at].astype(np.int64)
        at = at + 1
        width = np.where(first < _NULL, first, 0)
        for mark, bytes_ in _LENGTHS.items():
            long = np.flatnonzero(first == mark)
            for place in range(bytes_ if long.size else 0):
                width[long] |= data[at[long] + place].astype(np.int64) << (8 * place)
            at[long] += bytes_
        found.append((at, width, first != _NULL))
        at = at + width
    assert np.array_equal(at, ends), f"the server sent a row in another layout ({size} bytes)"
    return found


def _array(
    buffer: bytearray, at: Positions, width: Positions, there: npt.NDArray[Any], field: Any, kind: str
) -> pa.Array:
    """One column; what is neither a number nor binary stays text, as the server writes it."""
    found = slices(buffer, at, width, there, binary=kind == "bytes")
    if kind == "float":
        return found.cast(pa.float64())
    if kind != "int":
        return found
    if field.flags & FLAG.ZEROFILL:
        found = pc.replace_substring_regex(found, "^0+(.)", r"\1")
    wide = field.type_code == FIELD_TYPE.LONGLONG and field.flags & FLAG.UNSIGNED
    return found.cast(pa.uint64() if wide else pa.int64())
