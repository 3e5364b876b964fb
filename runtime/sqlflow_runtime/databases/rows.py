"""What every kind of database offers to the statements, and the values that pass between the two.

A driver is a small class over a database's own Python library. It executes the user's SQL exactly as written,
streams big results, and turns the library's exceptions into `RunError`s with the database's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    from sqlflow_runtime.databases.result_tables import ResultTables

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
            `json`, `other`, or "" where only the values tell (SQLite).
    """

    name: str
    type: str
    kind: str


@dataclass(frozen=True, slots=True)
class PreviewLimit:
    """How much of a result is shown. `size` counts bytes of text and binary values."""

    rows: int = 100
    size: int = 256 * 1024


FURTHER_LIMIT = 10
"""Results after its first one that are kept of a statement."""


@dataclass(slots=True)
class StatementResult:
    """What a statement of the user gave.

    Attributes:
        columns: None if the statement returns no rows at all.
        rows: the preview.
        affected: rows returned or changed; -1 where unknown.
        truncated: there are more rows than the preview shows.
        further: results that the same statement gave after this one (a procedure's), at most `FURTHER_LIMIT`.
        omitted: how many results came after those.
    """

    columns: tuple[Column, ...] | None = None
    rows: list[Row] = field(default_factory=list)
    affected: int = -1
    truncated: bool = False
    further: list[StatementResult] = field(default_factory=list)
    omitted: int = 0


class Preview:
    """Collects rows until a limit of rows or bytes is met."""

    def __init__(self, limit: PreviewLimit) -> None:
        self._limit = limit
        self._size = 0
        self.rows: list[Row] = []
        self.truncated = False

    def add(self, row: Row) -> bool:
        """Take a row; False means that it did not fit, and no later row will."""
        if self.truncated or len(self.rows) >= self._limit.rows or self._size >= self._limit.size:
            self.truncated = True
            return False
        self._size += sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
        self.rows.append(row)
        return True


@dataclass(frozen=True, slots=True)
class RowStream:
    """A select being read: its columns, and its rows in batches. Read it to the end or close the batches."""

    columns: tuple[Column, ...]
    batches: Iterator[list[Row]]


@dataclass(frozen=True, slots=True)
class Derivation:
    """How the rows of a new table come from the rows of a select.

    Attributes:
        keep: the select's columns that go into the table, in order.
        added: the computed columns, after those kept.
        compute: values of the added columns for a batch of the select's rows, one tuple per row.
    """

    keep: tuple[Column, ...]
    added: tuple[Column, ...]
    compute: Callable[[list[Row]], list[Row]]


class Database(Protocol):
    """A connection to a database. Not thread safe, except for `cancel`."""

    dialect: str
    results: ResultTables
    """What it does about result tables."""

    def run_reading(self, sql: str, limit: PreviewLimit) -> StatementResult | None:
        """Execute one statement of the user, byte for byte, if it only reads; None, with nothing done, if it writes.

        A result larger than the preview is neither fetched nor computed to its end.

        Raises:
            RunError: of kind `database` or `connection`.
        """

    def run(self, sql: str, limit: PreviewLimit) -> StatementResult:
        """Execute one statement of the user, byte for byte and to its end, and keep a bounded preview of its rows.

        Raises:
            RunError: of kind `database` or `connection`.
        """

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Execute a statement of our own, with `?` for each parameter, and return all its rows."""

    def in_transaction(self) -> bool:
        """Whether the program has opened a transaction."""

    def joins_transaction(self) -> bool:
        """Whether the program's next statement is part of a transaction of its own, be it the first one of it."""

    def atomic(self) -> AbstractContextManager[None]:
        """All or nothing: a transaction, or a part of the one that the program has opened."""

    def needs_no_transaction(self, failure: RunError) -> bool:
        """Whether that failure says that the statement cannot run inside a transaction."""

    def describe(self, select: str) -> tuple[Column, ...]:
        """The columns that a select would return, without running it."""

    def read(self, select: str, size: int = 10_000) -> AbstractContextManager[RowStream]:
        """Stream a select in batches of up to `size` rows; memory does not grow with the result."""

    def type_for(self, kind: str) -> str:
        """The database's name for a type of that kind (`int`, `float`, `string`, `bool`, `bytes`).

        `name` is for keys: of limited length, and case counts in them.
        """

    def has_type(self, name: str) -> bool:
        """Whether the database knows a type, as `Column.type` names it."""

    def tables(self) -> list[str]:
        """Names of tables and views, as a program would write them; at most a few hundred."""

    def own_table(self, name: str) -> str:
        """The quoted, schema-qualified name of one of our own tables, such as `sqlflow_models`."""

    def has_own_table(self, name: str) -> bool:
        """Whether that table exists and is visible."""

    def create_own_table(self, name: str, definition: str) -> None:
        """Create one of our own tables unless it is there. Safe when several sessions do it at once."""

    def lock(self, name: str) -> None:
        """Wait until no other session holds the lock of that name, then hold it to the transaction's end."""

    def revive(self) -> bool:
        """Connect again if the server has ended the connection; whether it had. What the session held is gone then.

        Raises:
            RunError: kind `connection`; it cannot be reached.
        """

    def cancel(self) -> None:
        """Stop the statement that is running, from any thread. Does nothing where none is."""

    def close(self) -> None:
        """Give the connection up. Never raises."""
