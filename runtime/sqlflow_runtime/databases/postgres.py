"""PostgreSQL through psycopg 3: results are streamed, tables are filled by COPY, text is never rewritten."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import generators
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.types.string import TextLoader
from sqlflow_codegen.language.names import quote

from sqlflow_runtime.databases.postgres_errors import failure_of
from sqlflow_runtime.databases.postgres_results import PostgresResults
from sqlflow_runtime.databases.result_tables import ResultTables
from sqlflow_runtime.databases.rows import (
    Column,
    Preview,
    PreviewLimit,
    Row,
    RowStream,
    StatementResult,
)
from sqlflow_runtime.errors import RunError

_KINDS = {
    16: "bool", 20: "int", 21: "int", 23: "int", 26: "int", 700: "float", 701: "float", 1700: "decimal",
    18: "string", 19: "string", 25: "string", 705: "string", 1042: "string", 1043: "string", 17: "bytes",
    1082: "date", 1083: "time", 1266: "time", 1114: "timestamp", 1184: "timestamp", 1186: "interval",
    114: "json", 3802: "json",
}  # fmt: skip
"""Types by their fixed object identifier (pg_type.dat)."""

_NATIVE = ("bool", "int", "float", "string", "bytes")
"""Kinds that arrive as Python values. The others stay as the database writes them, so nothing is lost: a date of
4713 BC, a numeric of a thousand digits, a type of an extension."""

_READING = ("SELECT", "WITH", "VALUES", "TABLE", "(")
_READ_ONLY_TRANSACTION = "25006"
_IN_TRANSACTION = "25001"
_CHUNK = 500
"""Rows that libpq hands over at once, where all are read."""


class Postgres:
    """See `Database`. Autocommit, unless the program says BEGIN."""

    dialect = "postgres"

    def __init__(
        self, connection: psycopg.Connection[Any], connect: Callable[[], psycopg.Connection[Any]] | None = None
    ) -> None:
        """Take a connection over; `connect` makes another one where this one is lost."""
        self._connection = connection
        self._connect = connect
        self._schema = self._own_schema()
        self._quiet = False
        self._handle_notice: Callable[[psycopg.errors.Diagnostic], None] | None = None
        self.results: ResultTables = PostgresResults(self)

    def run_reading(self, sql: str, limit: PreviewLimit) -> StatementResult | None:
        """See `Database.run_reading`.

        Whether a SELECT only reads cannot be told from its text (functions may write). So it runs in a read-only
        transaction, where stopping after the preview is safe, and where the server refuses whatever tries to write.
        """
        status = self._connection.info.transaction_status
        if not sql.lstrip().upper().startswith(_READING) or status == TransactionStatus.INERROR:
            return None
        with self._failing(sql):
            try:
                return self._run_reading(sql, limit, nested=status == TransactionStatus.INTRANS)
            except psycopg.errors.ReadOnlySqlTransaction:
                return None

    def _run_reading(self, sql: str, limit: PreviewLimit, *, nested: bool) -> StatementResult:
        # In a transaction of the program, a savepoint keeps the rest of it safe from the stop.
        end = "RELEASE SAVEPOINT sqlflow_preview" if nested else "COMMIT"
        undo = "ROLLBACK TO SAVEPOINT sqlflow_preview" if nested else "ROLLBACK"
        self._connection.execute("SAVEPOINT sqlflow_preview" if nested else "BEGIN READ ONLY")
        try:
            if nested:
                self._connection.execute("SET LOCAL transaction_read_only = on")
            result = self._stream(sql, self._describe(sql), limit, stop=True)
        except psycopg.Error:
            if not self._connection.closed:
                self._connection.execute(undo.encode())
            raise
        stopped = self._connection.info.transaction_status == TransactionStatus.INERROR
        self._connection.execute((undo if stopped else end).encode())
        return result

    def run(self, sql: str, limit: PreviewLimit) -> StatementResult:
        """See `Database.run`."""
        with self._failing(sql):
            return self._run_fully(sql, limit)

    def _run_fully(self, sql: str, limit: PreviewLimit) -> StatementResult:
        columns = self._describe(sql)
        if columns:
            return self._stream(sql, columns, limit, stop=False)
        cursor = self._connection.execute(sql.encode())
        return StatementResult(affected=cursor.rowcount)

    def _stream(self, sql: str, columns: tuple[Column, ...], limit: PreviewLimit, *, stop: bool) -> StatementResult:
        """Stream the rows; with `stop`, cancel the statement once the preview is full."""
        if not columns:
            return StatementResult(affected=self._connection.execute(sql.encode()).rowcount)
        preview, count = Preview(limit), 0
        with self._connection.cursor() as cursor:
            rows = cursor.stream(sql.encode(), size=1 if stop else _CHUNK)
            for row in rows:
                count += 1
                if not preview.add(row) and stop:
                    rows.close()  # type: ignore[attr-defined]  # a generator; closing it cancels the statement
                    break
        stopped = stop and preview.truncated
        return StatementResult(columns, preview.rows, -1 if stopped else count, preview.truncated)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Execute a statement of our own."""
        with self._failing():
            text = sql.replace("?", "%s") if parameters else sql
            cursor = self._connection.execute(text.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def in_transaction(self) -> bool:
        """Whether a transaction is open, sound or failed."""
        return self._connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def joins_transaction(self) -> bool:
        """As long as one is open."""
        return self.in_transaction()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """A transaction, or a savepoint inside the program's own."""
        with self._failing(), self._connection.transaction():
            yield

    def needs_no_transaction(self, failure: RunError) -> bool:
        """VACUUM and its like, and procedures that commit, say so before they do anything."""
        return failure.sqlstate in (_IN_TRANSACTION, "2D000")

    def describe(self, select: str) -> tuple[Column, ...]:
        """The select's columns."""
        with self._failing(select):
            return self._describe(select)

    def _describe(self, sql: str) -> tuple[Column, ...]:
        try:
            return self._described(sql)
        except psycopg.errors.InvalidSqlStatementName:
            if self.in_transaction():
                raise
        # A connection pooler sent the two messages to two servers; inside a transaction it cannot.
        with self._connection.transaction(force_rollback=True):
            return self._described(sql)

    def _described(self, sql: str) -> tuple[Column, ...]:
        connection = self._connection.pgconn
        connection.send_prepare(b"", sql.encode())
        self._pq_result()
        connection.send_describe_prepared(b"")
        result = self._pq_result()
        numbers = range(result.nfields)
        oids = [result.ftype(i) for i in numbers]
        kinds = [_KINDS.get(oid, "other") for oid in oids]
        for oid, kind in zip(oids, kinds, strict=True):
            if kind not in _NATIVE:
                self._connection.adapters.register_loader(oid, TextLoader)
        types = self._type_names([(oid, result.fmod(i)) for i, oid in enumerate(oids)])
        names = [(result.fname(i) or b"").decode() for i in numbers]
        return tuple(map(Column, names, types, kinds))

    def _pq_result(self) -> Any:
        results = self._connection.wait(generators.execute(self._connection.pgconn))
        if results[-1].status != ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(results[-1], encoding="utf-8")
        return results[-1]

    def _type_names(self, types: list[tuple[int, int]]) -> list[str]:
        if not types:
            return []
        sql = (
            "SELECT format_type(t.oid, NULLIF(t.mod, -1)) "
            "FROM unnest(%s::oid[], %s::int[]) WITH ORDINALITY t (oid, mod, n) ORDER BY n"
        )
        oids, modifiers = [oid for oid, _ in types], [modifier for _, modifier in types]
        return [name for (name,) in self._connection.execute(sql, (oids, modifiers))]

    @contextmanager
    def read(self, select: str, size: int = 10_000) -> Iterator[RowStream]:
        """Stream a select in single-row mode: its plan may be parallel, and nothing is held on either side."""
        with self._failing(select), self._connection.cursor() as cursor:
            columns = self._describe(select)
            rows = cursor.stream(select.encode(), size=_CHUNK)
            try:
                yield RowStream(columns, _batches(rows, size))
            finally:
                rows.close()  # type: ignore[attr-defined]

    def explained(self, explain: str, select: str) -> Any:
        """The plan of a select, by that EXPLAIN."""
        with self._failing(select, len(explain)):
            row = self._connection.execute((explain + select).encode()).fetchone()
        return row[0] if row else None

    @contextmanager
    def cursor_over(self, select: str) -> Iterator[tuple[tuple[Column, ...], Iterator[list[Row]]]]:
        """The select's columns and rows, by a cursor inside the server; in a transaction."""
        columns = self.describe(select)
        name = f"sqlflow_{secrets.token_hex(4)}"
        with self._connection.cursor(name=name) as cursor:
            with self._failing(select, before=len(f'DECLARE "{name}" CURSOR FOR ')):
                cursor.execute(select.encode())
            with self._failing():
                yield columns, iter(lambda: cursor.fetchmany(10_000), [])

    def copy(self, name: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Add rows to a table, by COPY; `name` is quoted."""
        listed = ", ".join(_quoted(column.name) for column in columns)
        with (
            self._failing(),
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {name} ({listed}) FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def type_for(self, kind: str) -> str:
        """The type of a computed column."""
        return {
            "int": "bigint",
            "float": "double precision",
            "bool": "boolean",
            "bytes": "bytea",
            "name": "VARCHAR(253)",
        }.get(kind, "text")

    def has_type(self, name: str) -> bool:
        """Whether there is such a type: those that people make may be gone."""
        return bool(self.execute("SELECT to_regtype(?) IS NOT NULL", (name,))[0][0])

    def tables(self) -> list[str]:
        """Tables and views that this user may see."""
        sql = """SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
                  ORDER BY 1 LIMIT 500"""
        return [str(name) for (name,) in self.execute(sql)]

    def own_table(self, name: str) -> str:
        """In the schema that was the session's first before the program could change it."""
        return f"{_quoted(self._schema)}.{_quoted(name)}"

    def has_own_table(self, name: str) -> bool:
        """Whether the table is there."""
        return bool(self.execute("SELECT to_regclass(?) IS NOT NULL", (self.own_table(name),))[0][0])

    def create_own_table(self, name: str, definition: str) -> None:
        """Create under a lock: CREATE TABLE IF NOT EXISTS alone fails when two sessions do it at once."""
        if self.has_own_table(name):
            return
        with self.atomic(), self.quietly():
            self.lock(self.own_table(name))
            self.execute(f"CREATE TABLE IF NOT EXISTS {self.own_table(name)} ({definition})")

    def lock(self, name: str) -> None:
        """An advisory lock, in a number space of our own."""
        self.execute("SELECT pg_advisory_xact_lock(hashtext('sqlflow'), hashtext(?))", (name,))

    def revive(self) -> bool:
        """See `Database.revive`."""
        with suppress(psycopg.Error):
            self._connection.execute("SELECT 1")
        if not self._connection.closed or self._connect is None:
            return False
        self._connection = self._connect()
        self._listen()
        return True

    def cancel(self) -> None:
        """Ask the server, over a connection of its own, to stop what this one is executing."""
        with suppress(psycopg.Error):  # the statement, or the server, is gone: nothing is left to stop
            self._connection.cancel_safe(timeout=5)

    def close(self) -> None:
        """Close; an open transaction is rolled back by the server."""
        self._connection.close()

    def on_notice(self, show: Callable[[str, str], None]) -> None:
        """Pass what the server says besides results (NOTICE, WARNING) to `show(level, message)`."""

        def handle(diagnostic: psycopg.errors.Diagnostic) -> None:
            if self._quiet:
                return
            level = "warning" if diagnostic.severity_nonlocalized == "WARNING" else "info"
            show(level, f"{diagnostic.severity}: {diagnostic.message_primary}")

        self._handle_notice = handle
        self._listen()

    def _listen(self) -> None:
        if self._handle_notice is not None:
            self._connection.add_notice_handler(self._handle_notice)

    def _own_schema(self) -> str:
        with self._failing():
            row = self._connection.execute("SELECT current_schema()").fetchone()
        return row[0] if row and row[0] else "public"

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Statements of our own inside: the server's remarks about them are not for the user."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    @contextmanager
    def _failing(self, sql: str | None = None, before: int = 0) -> Iterator[None]:
        """Map errors; `before` counts characters that were put in front of the user's text."""
        try:
            yield
        except psycopg.Error as error:
            raise failure_of(error, sql, before) from error


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _quoted(part: str) -> str:
    return quote(part, Postgres.dialect)
