"""A SELECT's rows with computed columns beside those kept, as PostgreSQL's binary COPY takes them back.

The bytes of the kept columns go back as they came: every type survives, and no value becomes an object of Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import psycopg

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.arrow_bytes import PADDING, Positions, slices
from sqlflow_runtime.databases.postgres_copy import FIXED, HEADER, TRAILER, fetched, is_native, native, shown_as
from sqlflow_runtime.databases.rows import Column, Derivation

_SIGNATURE = b"PGCOPY\n\xff\r\n\0".ljust(HEADER, b"\0")
_NULL = b"\xff\xff\xff\xff"
_PLAIN = ("text", "bytea", "name")

Binary = Mapping[Any, bytes]
"""A value as Python has it -> as the binary COPY has it, its length in front."""


def is_plain(kind: str) -> bool:
    """True for a type whose binary form is that of a number, a text or bytes."""
    return kind in FIXED or kind in _PLAIN or kind.startswith("character")


class Rewriting:
    """Reads the rows of one select, and writes those of the new table.

    Attributes:
        before: what stands in front of the select in the statement that reads.
        types: of the columns that are written: `text` where a value travels as text.
        as_text: see `__init__`.
    """

    def __init__(
        self,
        select: str,
        columns: Sequence[Column],
        derivation: Derivation,
        values: Mapping[str, Binary],
        *,
        as_text: bool,
    ) -> None:
        """Lay the rows out.

        Args:
            select: as the user wrote it.
            columns: of the select.
            derivation: the columns of the new table.
            values: name of an added column whose type is neither a number nor text -> all of its values.
            as_text: such types travel as text, because one of them has no binary form.
        """
        self._derivation, self._columns, self._values = derivation, columns, values
        self.as_text = as_text
        kept = [columns.index(column) for column in derivation.keep]
        # The kept ones first, so that they are one piece of each row; after them what is computed from, where that
        # is another column or has to arrive as text.
        fields = [(at, as_text and not is_plain(columns[at].type)) for at in kept]
        ready = {at for at, shown in fields if shown or is_native(columns[at])}
        fields += [(at, True) for at in range(len(columns)) if at not in ready]
        self._fields = fields
        names = [f"c{number}" for number in range(len(columns))]
        shown = [shown_as(names[at], columns[at]) if text else names[at] for at, text in fields]
        self.before = f"COPY (SELECT {', '.join(shown)} FROM ("
        self.statement = f"{self.before}{select}\n) AS sqlflow ({', '.join(names)})) TO STDOUT (FORMAT binary)"
        written = [column.type for column in (*derivation.keep, *derivation.added)]
        self.types = [kind if not as_text or is_plain(kind) else "text" for kind in written]

    def run(self, connection: psycopg.Connection[Any], file: IO[bytes]) -> int:
        """Write the rows to a file; returns their number.

        Raises:
            psycopg.Error: the server's error.
            OSError: of the file.
        """
        file.write(_SIGNATURE)
        count, skipped, done = 0, HEADER, False
        with connection.cursor() as cursor, cursor.copy(self.statement.encode()):
            while not done:
                buffer, ends, done = connection.wait(fetched(connection.pgconn, skipped))
                skipped = 0
                if ends:
                    count += len(ends)
                    file.write(self._rewritten(buffer, np.array(ends)))
        file.write(TRAILER)
        return count

    def _rewritten(self, buffer: bytearray, ends: Positions) -> bytes:
        """The same rows for the new table."""
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
        arrays, kept_ends = self._parsed(buffer, starts, ends)
        names = [column.name for column in self._columns]
        added = self._derivation.compute(pa.RecordBatch.from_arrays(arrays, names=names))
        head = len(self.types).to_bytes(2, "big")
        size = int(ends[0])
        blocks = [self._block(array, at) for at, array in enumerate(added)]
        alike = (ends - starts == size).all() and (kept_ends - starts == kept_ends[0]).all()
        if alike and all(isinstance(block, np.ndarray) for block in blocks):
            rows: npt.NDArray[np.uint8] = np.frombuffer(buffer, np.uint8, size * len(ends)).reshape(-1, size)
            kept = rows[:, 2 : int(kept_ends[0])]
            heads = np.broadcast_to(np.frombuffer(head, np.uint8), (len(ends), 2))
            return np.concatenate([heads, kept, *blocks], axis=1).tobytes()
        pieces = memoryview(buffer)
        kept_rows = (pieces[a:b] for a, b in zip((starts + 2).tolist(), kept_ends.tolist(), strict=True))
        return b"".join(chain.from_iterable(zip(repeat(head), kept_rows, *map(_pieces, blocks))))

    def _parsed(self, buffer: bytearray, starts: Positions, ends: Positions) -> tuple[list[pa.Array], Positions]:
        """The select's columns, and where the kept ones of each row end."""
        size = len(buffer)
        padded = buffer + PADDING  # so that a value may be looked up where a row has none
        lengths: npt.NDArray[Any] = np.ndarray((size + 1,), ">i4", padded, 0, (1,))
        at, kept_ends = starts + 2, starts + 2
        found: dict[int, pa.Array] = {}
        for number, (position, shown) in enumerate(self._fields):
            width = native(lengths[at]).astype(np.int64)
            there, at = width >= 0, at + 4
            width = np.maximum(width, 0)
            column = self._columns[position]
            if shown or is_native(column):
                found[position] = _array(padded, size, at, width, there, column.type)
            at = at + width
            if number < len(self._derivation.keep):
                kept_ends = at
        assert np.array_equal(at, ends), "PostgreSQL sent a row in another layout"
        return [found[position] for position in range(len(self._columns))], kept_ends

    def _block(self, array: pa.Array, at: int) -> npt.NDArray[np.uint8] | list[bytes]:
        """One added column as it is written: rows x bytes where all rows have as many, else one piece for each row."""
        column = self._derivation.added[at]
        kind = self.types[len(self._derivation.keep) + at]
        if kind in FIXED and not array.null_count:
            layout, arrow = FIXED[kind]
            values = np.ascontiguousarray(array.cast(arrow).to_numpy(zero_copy_only=False).astype(layout))
            width = values.dtype.itemsize
            length = np.broadcast_to(np.frombuffer(width.to_bytes(4, "big"), np.uint8), (len(array), 4))
            return np.concatenate([length, values.view(np.uint8).reshape(-1, width)], axis=1)
        coded = array.dictionary_encode()
        binary = self._values.get(column.name)
        pieces = [_binary(value, kind) if binary is None else binary[value] for value in coded.dictionary.to_pylist()]
        pieces.append(_NULL)
        return [pieces[number] for number in coded.indices.fill_null(len(pieces) - 1).to_pylist()]


def _array(
    buffer: bytearray, size: int, at: Positions, width: Positions, there: npt.NDArray[np.bool_], kind: str
) -> pa.Array:
    """One field of all rows."""
    if kind in FIXED:
        layout, arrow = FIXED[kind]
        values: npt.NDArray[Any] = np.ndarray((size + 1,), layout, buffer, 0, (1,))
        return pa.array(native(values[at]), arrow, mask=~there)
    return slices(buffer, at, width, there, binary=kind == "bytea")


def _binary(value: Any, kind: str) -> bytes:
    """A number, text or bytes."""
    if kind in FIXED:
        data = np.array(value, FIXED[kind][0]).tobytes()
    else:
        data = value if isinstance(value, bytes) else str(value).encode()
    return len(data).to_bytes(4, "big") + data


def _pieces(block: npt.NDArray[np.uint8] | list[bytes]) -> list[Any]:
    if isinstance(block, list):
        return block
    data, width = memoryview(block.tobytes()), block.shape[1]
    return [data[at : at + width] for at in range(0, len(data), width)]
