"""MySQL and MariaDB through PyMySQL: results are streamed, text is never rewritten."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from pymysql.connections import Connection
from pymysql.constants import SERVER_STATUS
from pymysql.cursors import SSCursor
from pymysql.err import MySQLError

from sqlflow_runtime.databases.driver import BATCH_ROWS, Database, first_word, qualified
from sqlflow_runtime.databases.mysql_errors import READ_ONLY_TRANSACTION, code_and_words, failure_of
from sqlflow_runtime.databases.mysql_results import MySQLResults
from sqlflow_runtime.databases.mysql_types import columns_of_cursor, kind_of
from sqlflow_runtime.databases.rows import (
    FURTHER_LIMIT,
    Column,
    PreviewLimit,
    Row,
    RowStream,
    StatementResult,
    preview,
)
from sqlflow_runtime.errors import RunError

_READING = ("SELECT", "WITH", "VALUES", "TABLE")


class MySQL(Database):
    """MySQL or MariaDB. Autocommit, unless the program says BEGIN; DDL always commits, as it does there."""

    dialect = "mysql"
    types: ClassVar[Mapping[str, str]] = {
        "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN", "bytes": "LONGBLOB",
        "name": "VARCHAR(253) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "": "LONGTEXT CHARACTER SET utf8mb4",
    }  # fmt: skip
    errors = MySQLError

    def __init__(
        self,
        connection: Connection[Any],
        connect: Callable[[], Connection[Any]],
        reconnect: Callable[[], Connection[Any]],
    ) -> None:
        """Take a connection over.

        Args:
            connection: the first one.
            connect: makes another one, to cancel a statement with.
            reconnect: makes one where the first is lost; retries.
        """
        self._connect, self._reconnect = connect, reconnect
        self._use(connection)
        self.own_schema = self.current()
        self.results = MySQLResults(self)

    def _use(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._thread = int(connection.thread_id())  # type: ignore[no-untyped-call]
        self._locks: list[str] = []
        self._holders = 0
        self._tables_locked = False

    def run_reading(self, sql: str, limit: PreviewLimit) -> StatementResult | None:
        """See `Database.run_reading`. The server refuses what tries to write in a read-only transaction.

        Inside a transaction of the program there can be none, and beginning one ends LOCK TABLES: there the statement
        runs to its end.
        """
        if first_word(sql) not in _READING or self.in_transaction() or self._tables_locked:
            return None
        with self.failing(sql):
            self._connection.query("START TRANSACTION READ ONLY")
            try:
                return self._stream(sql, limit, stop=True)
            except MySQLError as error:
                if code_and_words(error)[0] == READ_ONLY_TRANSACTION:
                    return None
                raise
            finally:
                if self.is_open():
                    self._connection.query("ROLLBACK")

    def run(self, sql: str, limit: PreviewLimit) -> StatementResult:
        """See `Database.run`."""
        with self.failing(sql):
            result = self._stream(sql, limit, stop=False)
        verb = first_word(sql)
        self._tables_locked = verb == "LOCK" or (self._tables_locked and verb not in ("UNLOCK", "BEGIN", "START"))
        self._unlock()  # COMMIT and ROLLBACK, and whatever commits, end what locks were for
        return result

    def _stream(self, sql: str, limit: PreviewLimit, *, stop: bool) -> StatementResult:
        """Stream the rows; with `stop`, end the statement once the preview is full.

        A procedure may give several results: each is read to its end, since an error may come after it.
        """
        cursor = self._connection.cursor(SSCursor)
        try:
            cursor.execute(sql)
            result = self._one_result(cursor, limit, stop=stop)
            while not (stop and result.truncated) and cursor.nextset():
                _add(result, self._one_result(cursor, limit, stop=False))
        finally:
            # Closing reads what is still on its way; after a cancel that ends with an error, and shortly.
            with contextlib.suppress(MySQLError):
                cursor.close()
        return result

    def _one_result(self, cursor: SSCursor, limit: PreviewLimit, *, stop: bool) -> StatementResult:
        if not cursor.description:
            return StatementResult(affected=cursor.rowcount)
        rows = iter(cursor.fetchone, None)
        return preview(rows, columns_of_cursor(cursor), limit, self.cancel if stop else None)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """See `Database.execute`."""
        with self.failing(), self._connection.cursor() as cursor:
            cursor.execute(sql.replace("%", "%%").replace("?", "%s") if parameters else sql, parameters or None)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def execute_many(self, sql: str, rows: Sequence[Row]) -> None:
        """Execute a statement of our own, with `%s` for each parameter, once for each row of them."""
        with self.failing(), self._connection.cursor() as cursor:
            cursor.executemany(sql, rows)

    def execute_around(self, before: str, select: str, after: str) -> None:
        """Execute a statement of our own that holds a select of the user."""
        text = before + select + after
        try:
            with self.failing(text), self._connection.cursor() as cursor:
                cursor.execute(text)
        except RunError as failure:
            at = -1 if failure.position is None else failure.position - len(before)
            failure.position = min(at, max(len(select) - 1, 0)) if at >= 0 else None
            raise

    @property
    def _status(self) -> int:
        return int(self._connection.server_status)  # type: ignore[attr-defined]  # the stubs lack it

    def in_transaction(self) -> bool:
        """See `Database.in_transaction`."""
        return bool(self._status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    def joins_transaction(self) -> bool:
        """See `Database.joins_transaction`. After SET autocommit = 0 every statement does."""
        return self.in_transaction() or not self._status & SERVER_STATUS.SERVER_STATUS_AUTOCOMMIT

    def is_open(self) -> bool:
        """See `Database.is_open`."""
        return bool(self._connection.open)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """See `Database.atomic`."""
        with self.holding_locks(), super().atomic():
            yield

    def describe(self, select: str) -> tuple[Column, ...]:
        """See `Database.describe`. The types are those that a table made of the select would have."""
        name = f"sqlflow_describe_{secrets.token_hex(6)}"
        try:
            self.execute_around(f"CREATE TEMPORARY TABLE {name} AS SELECT * FROM (", select, "\n) q LIMIT 0")
            return tuple(column for column, _ in self.columns_of(name))
        finally:
            self.drop_temporary(name)

    @contextmanager
    def read(self, select: str, size: int = BATCH_ROWS) -> Iterator[RowStream]:
        """See `Database.read`."""
        with self.failing(select):
            columns = self._described(select)
            cursor = self._connection.cursor(SSCursor)
            cursor.execute(select)
            done = False

            def batches() -> Iterator[list[Row]]:
                nonlocal done
                while batch := cursor.fetchmany(size):
                    yield [tuple(row) for row in batch]
                done = True

            try:
                yield RowStream(columns or columns_of_cursor(cursor), batches())
            finally:
                if not done:
                    self.cancel()
                with contextlib.suppress(MySQLError):
                    cursor.close()

    def _described(self, select: str) -> tuple[Column, ...]:
        """The columns with their full types; none where that takes a right that is missing, or names occur twice."""
        with contextlib.suppress(RunError):
            return self.describe(select)
        return ()

    def columns_of(self, table: str) -> list[tuple[Column, str]]:
        """The columns of a table and their comments; `table` is quoted."""
        usual = self.execute("SELECT @@collation_database")[0][0]
        found: list[tuple[Column, str]] = []
        for name, kind, collation, _, _, _, extra, _, comment in self.execute(f"SHOW FULL COLUMNS FROM {table}"):
            full = f"{kind} COLLATE {collation}" if collation and collation != usual else str(kind)
            full += " GENERATED" if "GENERATED" in str(extra).upper() else ""
            found.append((Column(str(name), full, kind_of(full)), str(comment)))
        return found

    def is_temporary(self, table: str) -> bool:
        """True if a name means a temporary table of this session; `table` is quoted."""
        try:
            made = self.execute(f"SHOW CREATE TABLE {table}")
        except RunError:  # there is none, or it is out of reach: what uses it says so
            return False
        return str(made[0][1]).startswith("CREATE TEMPORARY")

    def drop_temporary(self, *names: str) -> None:
        """Drop temporary tables of our own, if they came about."""
        if self.is_open():
            self.execute(f"DROP TEMPORARY TABLE IF EXISTS {', '.join(names)}")

    def literal(self, text: str) -> str:
        """A text as a literal, by the session's rule for backslashes."""
        return str(self._connection.escape(text))

    def current(self) -> str:
        """The current database; "" if there is none."""
        return str(self.execute("SELECT DATABASE()")[0][0] or "")

    def tables(self) -> list[str]:
        """See `Database.tables`: those that this user may see."""
        rows = self.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN "
            "('mysql', 'sys', 'performance_schema', 'information_schema') ORDER BY 1, 2 LIMIT 500"
        )
        return qualified(rows, self.current())

    def own_table(self, name: str) -> str:
        """See `Database.own_table`: in the database of the URL."""
        if not self.own_schema:
            hint = "Name one at the end of the database URL: mysql://…/DATABASE."
            raise RunError("usage", f"there is no database to keep {name} in", hint)
        return super().own_table(name)

    def has_own_table(self, name: str) -> bool:
        """See `Database.has_own_table`."""
        sql = "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?"
        return bool(self.execute(sql, (self.own_schema, name)))

    def create_own_table(self, name: str, definition: str) -> None:
        """See `Database.create_own_table`. The statement would commit even where the table is there."""
        if not self.has_own_table(name):
            super().create_own_table(name, definition)

    def lock(self, name: str) -> None:
        """See `Database.lock`. A lock of the session: released when no transaction is open and nothing holds it."""
        key = f"sqlflow/{self.own_schema}/{name}"
        (got,) = self.execute("SELECT GET_LOCK(SHA1(?), 3600)", (key,))[0]
        if not got:
            hint = "Look for a session that does not end, and run it again."
            raise RunError("database", f"another session held the lock of {name} for an hour", hint, final=False)
        self._locks.append(key)

    @contextmanager
    def holding_locks(self) -> Iterator[None]:
        """Locks taken inside are held to its end, or to the end of the transaction that is open then."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            self._unlock()

    def _unlock(self) -> None:
        """Give the locks back, unless what they guard may still be invisible to others."""
        if not self._locks or self._holders or not self.is_open() or self.in_transaction():
            return
        while self._locks:
            self.execute("DO RELEASE_LOCK(SHA1(?))", (self._locks.pop(),))

    def revive(self) -> bool:
        """See `Database.revive`."""
        with contextlib.suppress(MySQLError):
            self._connection.ping(reconnect=False)
            return False
        self.close()
        self._use(self._reconnect())
        return True

    def cancel(self) -> None:
        """See `Database.cancel`. Over a connection of its own."""
        with contextlib.suppress(MySQLError), self._connect() as other, other.cursor() as cursor:
            cursor.execute(f"KILL QUERY {self._thread}")

    def close(self) -> None:
        """See `Database.close`. The server rolls an open transaction back."""
        with contextlib.suppress(MySQLError):
            self._connection.close()

    def failure(self, error: MySQLError, sql: str | None, before: int) -> RunError:
        """See `Database.failure`."""
        return failure_of(error, sql)


def _add(result: StatementResult, later: StatementResult) -> None:
    """Keep a further result of the same statement. Word of the procedure's own end, without rows, is none."""
    if later.columns is None:
        return
    result.affected += later.affected
    result.truncated |= later.truncated
    if len(result.further) < FURTHER_LIMIT:
        result.further.append(later)
    else:
        result.omitted += 1
