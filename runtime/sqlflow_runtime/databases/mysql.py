"""MySQL and MariaDB through PyMySQL: results are streamed, text is never rewritten."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pymysql.connections import Connection
from pymysql.constants import FIELD_TYPE, SERVER_STATUS
from pymysql.cursors import SSCursor
from pymysql.err import MySQLError
from sqlflow_codegen.language.names import quote

from sqlflow_runtime.databases.mysql_errors import READ_ONLY_TRANSACTION, code_and_words, failure_of
from sqlflow_runtime.databases.mysql_results import MySQLResults
from sqlflow_runtime.databases.result_tables import ResultTables
from sqlflow_runtime.databases.rows import (
    FURTHER_LIMIT,
    Column,
    Preview,
    PreviewLimit,
    Row,
    RowStream,
    StatementResult,
)
from sqlflow_runtime.databases.rowwise import first_word
from sqlflow_runtime.errors import RunError

_READING = ("SELECT", "WITH", "VALUES", "TABLE")
_BINARY = 63
"""Number of the character set that binary columns have."""
_TYPES = {
    FIELD_TYPE.TINY: ("tinyint", "int"), FIELD_TYPE.SHORT: ("smallint", "int"), FIELD_TYPE.INT24: ("mediumint", "int"),
    FIELD_TYPE.LONG: ("int", "int"), FIELD_TYPE.LONGLONG: ("bigint", "int"), FIELD_TYPE.YEAR: ("year", "int"),
    FIELD_TYPE.FLOAT: ("float", "float"), FIELD_TYPE.DOUBLE: ("double", "float"),
    FIELD_TYPE.DECIMAL: ("decimal", "decimal"), FIELD_TYPE.NEWDECIMAL: ("decimal", "decimal"),
    FIELD_TYPE.DATE: ("date", "date"), FIELD_TYPE.NEWDATE: ("date", "date"), FIELD_TYPE.TIME: ("time", "time"),
    FIELD_TYPE.DATETIME: ("datetime", "timestamp"), FIELD_TYPE.TIMESTAMP: ("timestamp", "timestamp"),
    FIELD_TYPE.JSON: ("json", "json"), FIELD_TYPE.BIT: ("bit", "bytes"), FIELD_TYPE.GEOMETRY: ("geometry", "bytes"),
}  # fmt: skip
_KINDS = {
    "int": "int", "bigint": "int", "tinyint": "int", "smallint": "int", "mediumint": "int", "year": "int",
    "float": "float", "double": "float", "decimal": "decimal", "date": "date", "time": "time", "datetime": "timestamp",
    "timestamp": "timestamp", "json": "json", "bit": "bytes", "geometry": "bytes", "binary": "bytes",
    "varbinary": "bytes", "blob": "bytes", "tinyblob": "bytes", "mediumblob": "bytes", "longblob": "bytes",
    "point": "bytes", "polygon": "bytes", "linestring": "bytes",
}  # fmt: skip


class MySQL:
    """See `Database`. Autocommit, unless the program says BEGIN; DDL always commits, as it does there."""

    dialect = "mysql"

    def __init__(
        self,
        connection: Connection[Any],
        connect: Callable[[], Connection[Any]],
        connect_again: Callable[[], Connection[Any]] | None = None,
    ) -> None:
        """Take a connection over.

        Args:
            connection: the first one.
            connect: makes another one, to cancel a statement with.
            connect_again: makes one with patience, where the first is lost.
        """
        self._connect_again = connect_again or connect
        self._connection = connection
        self._connect = connect
        self._locks: list[str] = []
        self._holders = 0
        self.results: ResultTables = MySQLResults(self)
        self._tables_locked = False
        self._thread = int(connection.thread_id())  # type: ignore[no-untyped-call]
        self._schema = str(self.execute("SELECT DATABASE()")[0][0] or "")

    def run_reading(self, sql: str, limit: PreviewLimit) -> StatementResult | None:
        """See `Database.run_reading`. The server refuses what tries to write in a read-only transaction.

        Inside a transaction of the program there can be none, and beginning one ends LOCK TABLES: there the statement
        runs to its end.
        """
        if first_word(sql) not in _READING or self.in_transaction() or self._tables_locked:
            return None
        with self._failing(sql):
            self._connection.query("START TRANSACTION READ ONLY")
            try:
                return self._stream(sql, limit, stop=True)
            except MySQLError as error:
                if code_and_words(error)[0] == READ_ONLY_TRANSACTION:
                    return None
                raise
            finally:
                if self._connection.open:
                    self._connection.query("ROLLBACK")

    def run(self, sql: str, limit: PreviewLimit) -> StatementResult:
        """See `Database.run`."""
        with self._failing(sql):
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
        preview, count = Preview(limit), 0
        while (row := cursor.fetchone()) is not None:
            count += 1
            if not preview.add(tuple(row)) and stop:
                self.cancel()
                return StatementResult(_columns(cursor), preview.rows, -1, truncated=True)
        return StatementResult(_columns(cursor), preview.rows, count, preview.truncated)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Execute a statement of our own."""
        with self._failing(), self._connection.cursor() as cursor:
            cursor.execute(sql.replace("%", "%%").replace("?", "%s") if parameters else sql, parameters or None)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        status: int = self._connection.server_status  # type: ignore[attr-defined]  # the stubs lack it
        return bool(status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    def joins_transaction(self) -> bool:
        """As long as one is open, and after SET autocommit = 0 always."""
        status: int = self._connection.server_status  # type: ignore[attr-defined]  # the stubs lack it
        return self.in_transaction() or not status & SERVER_STATUS.SERVER_STATUS_AUTOCOMMIT

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """A transaction, or a savepoint inside the program's own."""
        nested = self.in_transaction()
        with self.holding_locks():
            name = f"sqlflow_{self._holders}"  # a second savepoint of one name would end the first
            self.execute(f"SAVEPOINT {name}" if nested else "BEGIN")
            try:
                yield
            except BaseException:
                if self._connection.open and self.in_transaction():
                    self.execute(f"ROLLBACK TO SAVEPOINT {name}" if nested else "ROLLBACK")
                raise
            if not nested:
                self.execute("COMMIT")
            elif self.in_transaction():  # DDL may have ended it
                self.execute(f"RELEASE SAVEPOINT {name}")

    def needs_no_transaction(self, failure: RunError) -> bool:
        """There are no such statements: those that cannot run in a transaction end it."""
        return False

    def describe(self, select: str) -> tuple[Column, ...]:
        """The select's columns, with the types that a table made of it would have."""
        name, before = f"sqlflow_describe_{secrets.token_hex(6)}", "AS SELECT * FROM ("
        create = f"CREATE TEMPORARY TABLE {name} {before}"
        try:
            self.run_own(f"{create}{select}\n) q LIMIT 0", select, len(create))
            return tuple(column for column, _ in self.columns_of(name))
        finally:
            self.drop_temporary(name)

    @contextmanager
    def read(self, select: str, size: int = 10_000) -> Iterator[RowStream]:
        """Stream a select."""
        with self._failing(select):
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
                yield RowStream(columns or _columns(cursor), batches())
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
            found.append((Column(str(name), full, _kind(full)), str(comment)))
        return found

    def is_temporary(self, table: str) -> bool:
        """Whether a name means a temporary table of this session; `table` is quoted."""
        try:
            made = self.execute(f"SHOW CREATE TABLE {table}")
        except RunError:  # there is none, or it is out of reach: what uses it says so
            return False
        return str(made[0][1]).startswith("CREATE TEMPORARY")

    def drop_temporary(self, *names: str) -> None:
        """Drop temporary tables of our own, if they came about."""
        if self._connection.open:
            self.execute(f"DROP TEMPORARY TABLE IF EXISTS {', '.join(names)}")

    def run_own(self, sql: str, select: str, before: int) -> None:
        """Execute a statement of our own around a select, which begins behind `before` characters of it."""
        try:
            with self._failing(sql), self._connection.cursor() as cursor:
                cursor.execute(sql)
        except RunError as failure:
            at = -1 if failure.position is None else failure.position - before
            failure.position = min(at, max(len(select) - 1, 0)) if at >= 0 else None
            raise

    def insert(self, name: str, rows: Sequence[Row]) -> None:
        """Add rows to a temporary table of our own."""
        if rows:
            marks = ", ".join(["%s"] * len(rows[0]))
            with self._failing(), self._connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)

    def literal(self, text: str) -> str:
        """A text as a literal, by the session's rule for backslashes."""
        return str(self._connection.escape(text))

    def current(self) -> str:
        """The current database; "" if there is none."""
        return str(self.execute("SELECT DATABASE()")[0][0] or "")

    def type_for(self, kind: str) -> str:
        """The type of a computed column; `name` is one for keys in which case counts."""
        names = {"int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN", "bytes": "LONGBLOB"}
        if kind == "name":
            return "VARCHAR(253) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        return names.get(kind, "LONGTEXT CHARACTER SET utf8mb4")

    def has_type(self, name: str) -> bool:
        """All types are the server's own."""
        return bool(name)

    def tables(self) -> list[str]:
        """Tables and views that this user may see."""
        rows = self.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN "
            "('mysql', 'sys', 'performance_schema', 'information_schema') ORDER BY 1, 2 LIMIT 500"
        )
        current = self.current()
        return [name if schema == current else f"{schema}.{name}" for schema, name in rows]

    def own_table(self, name: str) -> str:
        """In the database of the URL."""
        if not self._schema:
            raise RunError(
                "usage",
                f"there is no database to keep {name} in",
                "Name one at the end of the database URL: mysql://…/DATABASE.",
            )
        return f"{_quoted(self._schema)}.{_quoted(name)}"

    def has_own_table(self, name: str) -> bool:
        """Whether the table is there."""
        sql = "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?"
        return bool(self.execute(sql, (self._schema, name)))

    def create_own_table(self, name: str, definition: str) -> None:
        """Create if absent; the server lets one session do it at a time."""
        if not self.has_own_table(name):
            self.execute(f"CREATE TABLE IF NOT EXISTS {self.own_table(name)} ({definition})")

    def lock(self, name: str) -> None:
        """A lock of the session: given back when no transaction is open, and nothing that took it goes on."""
        key = f"sqlflow/{self._schema}/{name}"
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
        if not self._locks or self._holders or not self._connection.open or self.in_transaction():
            return
        while self._locks:
            self.execute("DO RELEASE_LOCK(SHA1(?))", (self._locks.pop(),))

    def revive(self) -> bool:
        """See `Database.revive`."""
        with contextlib.suppress(MySQLError):
            self._connection.ping(reconnect=False)
            return False
        self.close()
        self._connection = self._connect_again()
        self._thread = int(self._connection.thread_id())  # type: ignore[no-untyped-call]
        self._locks, self._holders, self._tables_locked = [], 0, False
        return True

    def cancel(self) -> None:
        """Tell the server, over a connection of its own, to stop what this one is executing."""
        with contextlib.suppress(MySQLError), self._connect() as other, other.cursor() as cursor:
            cursor.execute(f"KILL QUERY {self._thread}")

    def close(self) -> None:
        """Close; an open transaction is rolled back by the server."""
        with contextlib.suppress(MySQLError):
            self._connection.close()

    @contextmanager
    def _failing(self, sql: str | None = None) -> Iterator[None]:
        try:
            yield
        except MySQLError as error:
            raise failure_of(error, sql) from error


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


def _columns(cursor: Any) -> tuple[Column, ...]:
    return tuple(_column(field) for field in cursor._result.fields)


def _column(field: Any) -> Column:
    if field.type_code in _TYPES:
        name, kind = _TYPES[field.type_code]
        return Column(field.name, name, kind)
    return Column(field.name, "blob", "bytes") if field.charsetnr == _BINARY else Column(field.name, "text", "string")


def _kind(type_name: str) -> str:
    return _KINDS.get(type_name.partition("(")[0].partition(" ")[0].lower(), "string")


def _quoted(part: str) -> str:
    return quote(part, MySQL.dialect)
