"""PostgreSQL through psycopg 3: results are streamed, tables are filled by COPY, text is never rewritten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar

import psycopg
from psycopg.pq import TransactionStatus

from sqlflow_runtime.databases.driver import BATCH_ROWS, Database, first_word
from sqlflow_runtime.databases.postgres_describe import changed, describe
from sqlflow_runtime.databases.postgres_errors import failure_of
from sqlflow_runtime.databases.rows import ArrowStream, Column, PreviewLimit, Row, RowStream, StatementResult, preview
from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    from sqlflow_runtime.databases.postgres_rewrite import Rewriting
    from sqlflow_runtime.databases.result_writers import ResultTables

APPLICATION_PREFIX = "sqlflow "
"""The beginning of the name under which PostgreSQL lists a step's connection; the pod's name follows."""

_IDENTITY = """
SELECT pid, extract(epoch FROM backend_start)::text, application_name,
       CASE WHEN current_setting('server_version_num')::int >= 140000
             AND current_setting('client_connection_check_interval', true) = '0'
            THEN set_config('client_connection_check_interval', '2s', false) END
  FROM pg_stat_activity WHERE pid = pg_backend_pid()"""
"""A server that looks for its client every two seconds stops a statement whose client was killed."""
_OTHER = """
SELECT pid FROM pg_stat_activity
 WHERE pid = ? AND extract(epoch FROM backend_start)::text = ? AND application_name = ? AND pid <> pg_backend_pid()"""

_READING = ("SELECT", "WITH", "VALUES", "TABLE", "(")
_CHANGING = ("INSERT", "UPDATE", "DELETE")
_IN_TRANSACTION = "25001"
_COMMITS = "2D000"
_CHUNK = 500
"""Rows that libpq hands over at once, where all are read."""
_BLOCK = 1024 * 1024
"""Bytes that are sent at once."""


class Postgres(Database):
    """PostgreSQL. Autocommit, unless the program says BEGIN."""

    dialect = "postgres"
    types: ClassVar[Mapping[str, str]] = {
        "int": "bigint", "float": "double precision", "bool": "boolean", "bytes": "bytea", "name": "VARCHAR(253)",
        "json": "json", "": "text",
    }  # fmt: skip
    errors = psycopg.Error

    def __init__(self, connection: psycopg.Connection[Any], reconnect: Callable[[], psycopg.Connection[Any]]) -> None:
        """Take a connection over; `reconnect` makes another one where this one is lost."""
        self._connection = connection
        self._reconnect = reconnect
        self.own_schema = str(self.execute("SELECT current_schema()")[0][0] or "public")
        self._quiet = False
        self._handle_notice: Callable[[psycopg.errors.Diagnostic], None] | None = None

    @cached_property
    def results(self) -> ResultTables:
        from sqlflow_runtime.databases.postgres_results import PostgresResults

        return PostgresResults(self)

    def run_reading(self, sql: str, limit: PreviewLimit) -> StatementResult | None:
        """See `Database.run_reading`.

        The text of a SELECT does not show if it only reads: functions may write. So it runs in a read-only
        transaction, where stopping after the preview is safe, and where the server refuses whatever tries to write.
        """
        status = self._connection.info.transaction_status
        if not sql.lstrip().upper().startswith(_READING) or status == TransactionStatus.INERROR:
            return None
        with self.failing(sql):
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
            result = self._stream(sql, describe(self._connection, sql), limit, stop=True)
        except psycopg.Error:
            if not self._connection.closed:
                self._connection.execute(undo.encode())
            raise
        stopped = self._connection.info.transaction_status == TransactionStatus.INERROR
        self._connection.execute((undo if stopped else end).encode())
        return result

    def run(self, sql: str, limit: PreviewLimit) -> StatementResult:
        with self.failing(sql):
            if first_word(sql) in _CHANGING and "RETURNING" not in sql.upper():
                # Rows come of RETURNING only; a rule's SELECT gives none.
                return StatementResult(affected=changed(self._connection, sql))
            return self._stream(sql, describe(self._connection, sql), limit, stop=False)

    def _stream(self, sql: str, columns: tuple[Column, ...], limit: PreviewLimit, *, stop: bool) -> StatementResult:
        """Stream the rows; with `stop`, cancel the statement once the preview is full."""
        if not columns:
            return StatementResult(affected=self._connection.execute(sql.encode()).rowcount)
        with self._connection.cursor() as cursor:
            rows: Any = cursor.stream(sql.encode(), size=1 if stop else _CHUNK)
            # A generator; closing it cancels the statement.
            return preview(rows, columns, limit, rows.close if stop else None)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with self.failing():
            text = sql.replace("?", "%s") if parameters else sql
            cursor = self._connection.execute(text.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def in_transaction(self) -> bool:
        """See `Database.in_transaction`. The transaction may be sound or failed."""
        return self._connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        with self.failing(), self._connection.transaction():
            yield

    def needs_no_transaction(self, failure: RunError) -> bool:
        """See `Database.needs_no_transaction`. VACUUM and procedures that commit fail before they do anything."""
        return failure.sqlstate in (_IN_TRANSACTION, _COMMITS)

    def describe(self, select: str) -> tuple[Column, ...]:
        with self.failing(select):
            return describe(self._connection, select)

    @contextmanager
    def read(self, select: str, size: int = BATCH_ROWS) -> Iterator[RowStream]:
        """See `Database.read`. In single-row mode its plan may be parallel, and nothing is held on either side."""
        with self.failing(select), self._connection.cursor() as cursor:
            columns = describe(self._connection, select)
            rows = cursor.stream(select.encode(), size=_CHUNK)
            try:
                yield RowStream(columns, _batches(rows, size))
            finally:
                rows.close()  # type: ignore[attr-defined]

    @contextmanager
    def read_arrow(self, select: str) -> Iterator[ArrowStream]:
        """See `Database.read_arrow`. By COPY: its plan may be parallel, and nothing is held on either side."""
        from sqlflow_runtime.databases.postgres_copy import copied, copy_statement

        columns = self.describe(select)
        statement, before = copy_statement(select, columns)
        with self.failing(select, before), closing(copied(self._connection, statement, columns)) as batches:
            yield ArrowStream(columns, batches)

    def explained(self, explain: str, select: str) -> Any:
        """The plan of a select, by that EXPLAIN."""
        with self.failing(select, len(explain)):
            row = self._connection.execute((explain + select).encode()).fetchone()
        return row[0] if row else None

    def rewrite(self, rewriting: Rewriting, select: str, file: IO[bytes]) -> int:
        """Write a select's rows to a file, rewritten; returns their number."""
        with self.failing(select, len(rewriting.before)):
            return rewriting.run(self._connection, file)

    def binary_values(self, kind: str, values: Sequence[Any]) -> dict[Any, bytes]:
        """Each of those values as binary COPY has one of that type, its length in front."""
        query = f"SELECT CAST(v AS {kind}) FROM unnest(%s::text[]) WITH ORDINALITY AS t (v, n) ORDER BY n"
        with self.failing(), self._connection.cursor(binary=True) as cursor:
            result = cursor.execute(query.encode(), ([str(value) for value in values],)).pgresult
            assert result is not None
            found = [result.get_value(row, 0) or b"" for row in range(len(values))]
        return {value: len(data).to_bytes(4, "big") + data for value, data in zip(values, found, strict=True)}

    def copy_binary(self, name: str, listed: str, file: IO[bytes]) -> None:
        """Add rows to a table, out of a file in the binary format; its name, and those of the columns, are quoted."""
        statement = f"COPY {name} ({listed}) FROM STDIN (FORMAT binary)".encode()
        with self.failing(), self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            while block := file.read(_BLOCK):
                copy.write(block)

    def copy(self, name: str, listed: str, rows: Sequence[Row]) -> None:
        """Add rows to a table, by COPY; its name, and those of the columns, are quoted."""
        with (
            self.failing(),
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {name} ({listed}) FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def has_type(self, name: str) -> bool:
        return bool(self.execute("SELECT to_regtype(?) IS NOT NULL", (name,))[0][0])

    def tables(self) -> list[str]:
        """See `Database.tables`: those that this user may see."""
        sql = """SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
                  ORDER BY 1 LIMIT 500"""
        return [str(name) for (name,) in self.execute(sql)]

    def has_own_table(self, name: str) -> bool:
        return bool(self.execute("SELECT to_regclass(?) IS NOT NULL", (self.own_table(name),))[0][0])

    def create_own_table(self, name: str, definition: str) -> None:
        """See `Database.create_own_table`. Under a lock: alone, CREATE fails when two sessions do it at once."""
        if self.has_own_table(name):
            return
        with self.atomic(), self.quietly():
            self.lock(self.own_table(name))
            super().create_own_table(name, definition)

    def lock(self, name: str) -> None:
        """See `Database.lock`. An advisory lock, in a number space of our own."""
        self.execute("SELECT pg_advisory_xact_lock(hashtext('sqlflow'), hashtext(?))", (name,))

    def reconnect(self) -> bool:
        with suppress(psycopg.Error):
            self._connection.execute("SELECT 1")
        if not self._connection.closed:
            return False
        self._connection = self._reconnect()
        self._listen()
        return True

    def identity(self) -> str:
        return json.dumps(self.execute(_IDENTITY)[0][:3])

    def _end(self, pid: int, start: str, name: str) -> bool:
        # Behind a pooler a connection of the server serves many clients: the name says whose it is now.
        if not name.startswith(APPLICATION_PREFIX) or not self.execute(_OTHER, (pid, start, name)):
            return False
        self.execute("SELECT pg_terminate_backend(?)", (pid,))
        return self._is_gone(_OTHER, (pid, start, name))

    def reset(self) -> None:
        super().reset()
        self.execute("RESET SESSION AUTHORIZATION")
        self.execute("RESET ALL")

    def cancel(self) -> None:
        """See `Database.cancel`. Over a connection of its own."""
        with suppress(psycopg.Error):  # the statement, or the server, is gone: nothing is left to stop
            self._connection.cancel_safe(timeout=5)

    def close(self) -> None:
        """See `Database.close`. The server rolls an open transaction back."""
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

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Drop the notices of the statements inside, which are our own."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def failure(self, error: psycopg.Error, sql: str | None, before: int) -> RunError:
        return failure_of(error, sql, before)


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
