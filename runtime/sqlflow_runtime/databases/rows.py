"""Rows and columns of results, as values that pass between databases and statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

Row = tuple[Any, ...]

TablePath = tuple[str, ...]
"""Name of a table: its last part, and before it those that qualify it; each as the database keeps it."""

NUMERIC_KINDS = ("bool", "int", "float", "decimal")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result.

    Attributes:
        name: as the database gives it.
        type: the database's own name of its type, ready for a CREATE TABLE; "" where it has none.
        kind: `bool`, `int`, `float`, `decimal`, `string`, `bytes`, `date`, `time`, `timestamp`, `interval`,
            `json`, `other`, or "" where each value has a type of its own (SQLite).
    """

    name: str
    type: str
    kind: str


@dataclass(frozen=True, slots=True)
class PreviewLimit:
    """The most of a result that is shown. `size` counts bytes of text and binary values."""

    rows: int = 100
    size: int = 256 * 1024


FURTHER_LIMIT = 10
"""Results after its first one that are kept of a statement."""


@dataclass(slots=True)
class StatementResult:
    """The result of a statement of the user.

    Attributes:
        columns: None if the statement returns no rows at all.
        rows: the preview.
        affected: rows returned or changed; -1 where unknown.
        truncated: there are more rows than the preview shows.
        further: results that the same statement gave after this one (a procedure's), at most `FURTHER_LIMIT`.
        omitted: number of results that came after those.
    """

    columns: tuple[Column, ...] | None = None
    rows: list[Row] = field(default_factory=list)
    affected: int = -1
    truncated: bool = False
    further: list[StatementResult] = field(default_factory=list)
    omitted: int = 0

    def add(self, later: StatementResult) -> None:
        """Add a further result of the same statement. One without rows is a procedure's report of its own end."""
        if later.columns is None:
            return
        self.affected += later.affected
        self.truncated |= later.truncated
        if len(self.further) < FURTHER_LIMIT:
            self.further.append(later)
        else:
            self.omitted += 1


@dataclass(frozen=True, slots=True)
class RowStream:
    """The rows of a select in batches, and its columns. Read it to the end or close the batches."""

    columns: tuple[Column, ...]
    batches: Iterator[list[Row]]


@dataclass(frozen=True, slots=True)
class ArrowStream:
    """The rows of a select in record batches, and its columns. Read it to the end or close the batches.

    Attributes:
        columns: of the select; `Column.kind` says what a column's values mean, whatever Arrow type carries them:
            exact numbers, dates and all types that Arrow lacks are text as the database writes it.
        batches: bounded in rows and size, their columns in the select's order. Where each value has a type of its own
            (SQLite), a column may have another Arrow type in each batch.
    """

    columns: tuple[Column, ...]
    batches: Iterator[pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class Derivation:
    """A new table's rows, computed from the rows of a select.

    Attributes:
        keep: the select's columns that go into the table, in order.
        added: the computed columns, after those kept.
        compute: for a record batch with the select's columns, the values of each added column.
        values: name of an added column -> all values that it can have, where that is known.
    """

    keep: tuple[Column, ...]
    added: tuple[Column, ...]
    compute: Callable[[pa.RecordBatch], list[pa.Array]]
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def preview(
    rows: Iterable[Row], columns: tuple[Column, ...], limit: PreviewLimit, stop: Callable[[], None] | None = None
) -> StatementResult:
    """Keep the first rows of a result.

    Args:
        rows: the cursor's.
        columns: of the result.
        limit: the most to keep.
        stop: ends the statement; called once the preview is full and one more row has come. Without it, the rows are
            read to their end and counted.
    """
    kept: list[Row] = []
    size = count = 0
    truncated = False
    for row in rows:
        count += 1
        truncated = truncated or len(kept) >= limit.rows or size >= limit.size
        if not truncated:
            size += sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
            kept.append(tuple(row))
        elif stop is not None:
            stop()
            return StatementResult(columns, kept, -1, truncated=True)
    return StatementResult(columns, kept, count, truncated)
