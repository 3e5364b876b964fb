"""The base class of the databases: it executes the user's SQL as written, and turns a driver's errors into `RunError`s.

Each kind of database is a class over its own Python library, and holds only what differs from the others.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlflow_codegen.language.names import quote_name

from sqlflow_runtime.databases.rows import ArrowStream, Column, PreviewLimit, Row, RowStream, StatementResult
from sqlflow_runtime.databases.url import DatabaseUrl
from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    from sqlflow_runtime.databases.result_writers import ResultTables

BATCH_ROWS = 10_000

_END_SECONDS = 5


class Database(ABC):
    """A connection to a database. Not thread safe, except for `cancel`."""

    dialect: ClassVar[str]
    types: ClassVar[Mapping[str, str]]
    """The type of a column of ours, by its kind; under "" that of all other kinds."""
    errors: ClassVar[type[Exception]]
    """The base class of the library's exceptions."""
    begin: ClassVar[str] = "BEGIN"
    own_schema: str
    """The schema of our own tables; "" if there is none."""

    _depth = 0

    @abstractmethod
    def run_reading(self, sql: str, limit: PreviewLimit) -> StatementResult | None:
        """Execute one statement of the user, byte for byte, if it only reads; None, with nothing done, if it writes.

        A result larger than the preview is neither fetched nor computed to its end.

        Raises:
            RunError: of kind `database` or `connection`.
        """

    @abstractmethod
    def run(self, sql: str, limit: PreviewLimit) -> StatementResult:
        """Execute one statement of the user, byte for byte and to its end, and keep a bounded preview of its rows.

        Raises:
            RunError: of kind `database` or `connection`.
        """

    @abstractmethod
    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Execute a statement of our own, with `?` for each parameter, and return all its rows."""

    @abstractmethod
    def in_transaction(self) -> bool:
        """True if the program has opened a transaction."""

    def joins_transaction(self) -> bool:
        """True if the program's next statement is part of a transaction of its own, be it the first one of it."""
        return self.in_transaction()

    def is_open(self) -> bool:
        """True unless the client has given up the connection."""
        return True

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """All or nothing: a transaction, or a savepoint inside the one that the program has opened."""
        nested = self.in_transaction()
        savepoint = f"SAVEPOINT sqlflow_{self._depth}"  # in MySQL a second one of one name would end the first
        self._depth += 1
        try:
            self.execute(savepoint if nested else self.begin)
            try:
                yield
            except BaseException:
                if self.is_open() and self.in_transaction():
                    self.execute(f"ROLLBACK TO {savepoint}" if nested else "ROLLBACK")
                raise
            if not nested:
                self.execute("COMMIT")
            elif self.in_transaction():  # DDL of MySQL may have ended it
                self.execute(f"RELEASE {savepoint}")
        finally:
            self._depth -= 1

    def needs_no_transaction(self, failure: RunError) -> bool:
        """True if that failure says that the statement cannot run inside a transaction."""
        return False

    @abstractmethod
    def describe(self, select: str) -> tuple[Column, ...]:
        """The columns that a select would return, without running it."""

    @abstractmethod
    def read(self, select: str, size: int = BATCH_ROWS) -> AbstractContextManager[RowStream]:
        """Stream a select in batches of up to `size` rows; memory does not grow with the result."""

    @contextmanager
    def read_arrow(self, select: str) -> Iterator[ArrowStream]:
        """Stream a select in record batches, over this same connection: temporary tables and open transactions count.

        Here they are made of the driver's tuples; a database with a faster way overrides this.
        """
        from sqlflow_runtime.databases.arrow_rows import record_batch

        with self.read(select) as stream:
            kinds = [column.kind for column in stream.columns]
            names = [column.name for column in stream.columns]
            yield ArrowStream(stream.columns, (record_batch(names, kinds, rows) for rows in stream.batches))

    def type_for(self, kind: str) -> str:
        """The database's name for a type of that kind (`int`, `float`, `string`, `bool`, `bytes`, `json`, `name`).

        `name` is for keys: of limited length, and case counts in them.
        """
        return self.types.get(kind, self.types[""])

    def has_type(self, name: str) -> bool:
        """True if the database knows a type, as `Column.type` names it: only PostgreSQL's can be dropped."""
        return bool(name)

    @abstractmethod
    def tables(self) -> list[str]:
        """Names of tables and views, as a program would write them; at most a few hundred."""

    @property
    @abstractmethod
    def results(self) -> ResultTables:
        """The result tables of this kind of database. Imported for the first that is written: plain SQL needs none."""

    def own_table(self, name: str) -> str:
        """The quoted, schema-qualified name of one of our own tables, such as `sqlflow_models`."""
        return quote_name((self.own_schema, name), self.dialect)

    @abstractmethod
    def has_own_table(self, name: str) -> bool:
        """True if that table exists and is visible."""

    def create_own_table(self, name: str, definition: str) -> None:
        """Create one of our own tables unless it is there. Safe when several sessions do it at once."""
        self.execute(f"CREATE TABLE IF NOT EXISTS {self.own_table(name)} ({definition})")

    @abstractmethod
    def lock(self, name: str) -> None:
        """Wait until no other session holds the lock of that name, then hold it to the transaction's end."""

    @abstractmethod
    def reconnect(self) -> bool:
        """Connect again if the server has ended the connection; the session's state is gone then.

        Returns:
            True if it had.

        Raises:
            RunError: kind `connection`; it cannot be reached.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Stop the statement that is running, from any thread. Does nothing where none is."""

    @abstractmethod
    def close(self) -> None:
        """Give the connection up. Never raises."""

    def identity(self) -> str:
        """The identity by which another connection finds this one; "" where the database has none (a file)."""
        return ""

    def end_other(self, identity: str) -> bool:
        """End the connection of that identity, so that the statement that it runs is rolled back.

        Returns:
            True if there was such a connection, and it is gone now.
        """
        with suppress(RunError, ValueError):
            return bool(identity) and self._end(*json.loads(identity))
        return False

    def _end(self, *identity: Any) -> bool:
        return False

    def _is_gone(self, query: str, parameters: Sequence[Any]) -> bool:
        """Wait until the query finds another connection no more: it takes as long as its rollback."""
        from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

        retrying = Retrying(
            retry=retry_if_result(bool),
            wait=wait_fixed(0.05),
            stop=stop_after_delay(_END_SECONDS),
            retry_error_callback=lambda _: True,
        )
        return not retrying(self.execute, query, parameters)

    def reset(self) -> None:
        """Undo what the program did to the connection as far as it could keep us from writing: a transaction, a role.

        Raises:
            RunError: the connection is lost.
        """
        if self.in_transaction():
            self.execute("ROLLBACK")

    def days_ago(self, days: int) -> str:
        """SQL for a moment in the past."""
        return f"CURRENT_TIMESTAMP - INTERVAL '{days}' DAY"

    @abstractmethod
    def failure(self, error: Any, sql: str | None, before: int) -> RunError:
        """The `RunError` for an exception of the library; see `failing`."""

    @contextmanager
    def failing(self, sql: str | None = None, before: int = 0) -> Iterator[None]:
        """Raise a `RunError` for each exception of the library.

        Args:
            sql: the text of the user in which the error has its place; None if it has none.
            before: characters of our own that the database was given in front of it.
        """
        try:
            yield
        except self.errors as error:
            raise self.failure(error, sql, before) from error


class EmbeddedDatabase(Database):
    """A database inside this process, in a file that one process at a time writes."""

    own_schema = "main"
    _connection: Any

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with self.failing():
            cursor = self._connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def lock(self, name: str) -> None:
        """See `Database.lock`. A transaction that writes is the lock of the whole file."""

    def reconnect(self) -> bool:
        """See `Database.reconnect`. Nothing ends a connection within the process."""
        return False

    def cancel(self) -> None:
        self._connection.interrupt()

    def close(self) -> None:
        """See `Database.close`. An open transaction is rolled back."""
        self._connection.close()


def not_opened(url: DatabaseUrl, where: str, words: str) -> RunError:
    """The failure of a file that cannot be opened."""
    hint = f"Check the file's name in {where}: {url.scheme}:///relative.db, or {url.scheme}:////absolute/file.db."
    return RunError("connection", f"cannot open {Path(url.database or ':memory:').name}: {words}", hint)


def qualified(rows: Sequence[Row], current: str) -> list[str]:
    """Names of tables, each with its schema unless that is the current one; `rows` are pairs of both."""
    return [name if schema == current else f"{schema}.{name}" for schema, name in rows]


def first_word(sql: str) -> str:
    """The statement's first word, in upper case."""
    match = re.match(r"[\s(]*(\w*)", sql)
    return match[1].upper() if match else ""


def place_of(sql: str, word: str) -> int | None:
    """The position of `word` in the text, if it stands there exactly once as a whole word."""
    found = [match.start() for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", sql, re.IGNORECASE)]
    return found[0] if len(found) == 1 else None
