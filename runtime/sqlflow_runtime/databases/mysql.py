"""MySQL and MariaDB through PyMySQL: results are streamed, text is never rewritten."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pymysql.connections import Connection
from pymysql.constants import SERVER_STATUS
from pymysql.cursors import SSCursor
from pymysql.err import MySQLError

from sqlflow_runtime.databases.driver import BATCH_ROWS, Database, first_word, qualified
from sqlflow_runtime.databases.mysql_cursor import unbuffered
from sqlflow_runtime.databases.mysql_errors import READ_ONLY_TRANSACTION, code_and_words, failure_of
from sqlflow_runtime.databases.mysql_locks import NamedLocks
from sqlflow_runtime.databases.mysql_types import columns_of_cursor, kind_of
from sqlflow_runtime.databases.rows import (
    ArrowStream,
    Column,
    PreviewLimit,
    Row,
    RowStream,
    StatementResult,
    preview,
)
from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    from sqlflow_runtime.databases.result_writers import ResultTables

_RESET = ("ROLLBACK", "UNLOCK TABLES", "SET autocommit = 1", "SET SESSION TRANSACTION READ WRITE")
_START_PRECISION = 2
_READING = ("SELECT", "WITH", "VALUES", "TABLE")


class MySQL(Database):
    """MySQL or MariaDB. Autocommit, unless the program says BEGIN; DDL always commits, as it does there."""

    dialect = "mysql"
    types: ClassVar[Mapping[str, str]] = {
        "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN", "bytes": "LONGBLOB",
        "name": "VARCHAR(253) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "json": "JSON",
        "": "LONGTEXT CHARACTER SET utf8mb4",
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

    def _use(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._thread = int(connection.thread_id())  # type: ignore[no-untyped-call]
        self.locks = NamedLocks(self)
        self._tables_locked = False

    @cached_property
    def results(self) -> ResultTables:
        from sqlflow_runtime.databases.mysql_results import MySQLResults

        return MySQLResults(self)

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
        with self.failing(sql):
            result = self._stream(sql, limit, stop=False)
        verb = first_word(sql)
        self._tables_locked = verb == "LOCK" or (self._tables_locked and verb not in ("UNLOCK", "BEGIN", "START"))
        self.locks.release()  # COMMIT and ROLLBACK, and whatever commits, end what locks were for
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
                result.add(self._one_result(cursor, limit, stop=False))
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
        return bool(self._status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    def joins_transaction(self) -> bool:
        """See `Database.joins_transaction`. After SET autocommit = 0 every statement does."""
        return self.in_transaction() or not self._status & SERVER_STATUS.SERVER_STATUS_AUTOCOMMIT

    def is_open(self) -> bool:
        return bool(self._connection.open)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        with self.locks.held(), super().atomic():
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
        with self.failing(select):
            columns = self._described(select)
            with unbuffered(self._connection, select, self.cancel) as cursor:
                batches = iter(lambda: [tuple(row) for row in cursor.fetchmany(size)], [])
                yield RowStream(columns or columns_of_cursor(cursor), batches)

    @contextmanager
    def read_arrow(self, select: str) -> Iterator[ArrowStream]:
        from sqlflow_runtime.databases.mysql_arrow import record_batches

        with self.failing(select):
            columns = self._described(select)
            with unbuffered(self._connection, select, self.cancel) as cursor:
                columns = columns or columns_of_cursor(cursor)
                names = [column.name for column in columns]
                yield ArrowStream(columns, record_batches(self._connection, cursor, names))

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
        sql = "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?"
        return bool(self.execute(sql, (self.own_schema, name)))

    def create_own_table(self, name: str, definition: str) -> None:
        """See `Database.create_own_table`. The statement would commit even where the table is there."""
        if not self.has_own_table(name):
            super().create_own_table(name, definition)

    def lock(self, name: str) -> None:
        self.locks.take(f"sqlflow/{self.own_schema}/{name}", name)

    def reconnect(self) -> bool:
        with contextlib.suppress(MySQLError):
            self._connection.ping(reconnect=False)
            return False
        self.close()
        self._use(self._reconnect())
        return True

    def identity(self) -> str:
        return json.dumps([self.execute("SELECT CONNECTION_ID()")[0][0], self._server_start()])

    def _end(self, thread: int, start: int) -> bool:
        # Numbers of connections begin anew when a server starts.
        other = "SELECT id FROM information_schema.processlist WHERE id = ? AND id <> CONNECTION_ID()"
        if abs(self._server_start() - start) > _START_PRECISION or not self.execute(other, (thread,)):
            return False
        self.execute(f"KILL {int(thread)}")
        return self._is_gone(other, (thread,))

    def _server_start(self) -> int:
        """The server's start, in seconds since 1970, give or take one."""
        uptime = self.execute("SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1]
        return int(self.execute("SELECT UNIX_TIMESTAMP()")[0][0]) - int(uptime)

    def reset(self) -> None:
        """See `Database.reset`. Without autocommit a transaction may begin again at any statement."""
        for statement in _RESET:
            self.execute(statement)

    def cancel(self) -> None:
        """See `Database.cancel`. Over a connection of its own."""
        with contextlib.suppress(MySQLError), self._connect() as other, other.cursor() as cursor:
            cursor.execute(f"KILL QUERY {self._thread}")

    def close(self) -> None:
        """See `Database.close`. The server rolls an open transaction back."""
        with contextlib.suppress(MySQLError):
            self._connection.close()

    def failure(self, error: MySQLError, sql: str | None, before: int) -> RunError:
        return failure_of(error, sql)
