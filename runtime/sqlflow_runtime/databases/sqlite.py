"""SQLite, for programs on one computer: Python's own module, in autocommit mode."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlflow_codegen.language.names import quote

from sqlflow_runtime.databases.result_tables import ResultTables
from sqlflow_runtime.databases.rows import (
    Column,
    PreviewLimit,
    Row,
    RowStream,
    StatementResult,
)
from sqlflow_runtime.databases.rowwise import first_word, place_of, preview_of
from sqlflow_runtime.databases.sqlite_results import SqliteResults
from sqlflow_runtime.databases.url import DatabaseUrl
from sqlflow_runtime.errors import RunError

_AFFINITY = (
    ("INT", "int"),
    ("CHAR", "string"),
    ("CLOB", "string"),
    ("TEXT", "string"),
    ("REAL", "float"),
    ("FLOA", "float"),
    ("DOUB", "float"),
)
_FINAL = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_AUTH,
)
"""Codes that blame the program or its data; the others (busy, full, input and output) may pass."""
_WORD = re.compile(r"near \"(?P<near>.+)\": syntax error|no such (?:table|column|function): (?P<missing>\S+)")


def open_sqlite(url: DatabaseUrl, where: str) -> Sqlite:
    """Open the file, creating it if its folder exists; see `open_database`."""
    path = url.database or ":memory:"
    try:
        connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        hint = f"Check the file's name in {where}: sqlite:///relative.db, or sqlite:////absolute/file.db."
        raise RunError("connection", f"cannot open {Path(path).name}: {error}", hint) from error
    return Sqlite(connection)


class Sqlite:
    """See `Database`. Autocommit, unless the program says BEGIN."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.results: ResultTables = SqliteResults(self, connection)

    def run_reading(self, sql: str, limit: PreviewLimit) -> StatementResult | None:
        """See `Database.run_reading`. SQLite computes rows one by one; a preview costs no more than itself."""
        verb = first_word(sql)
        if verb not in ("SELECT", "VALUES", "WITH", "EXPLAIN"):
            return None
        self._connection.execute("PRAGMA query_only = 1")
        try:
            return self.run(sql, limit)
        except RunError as failure:
            if "readonly" in failure.message:
                return None
            raise
        finally:
            self._connection.execute("PRAGMA query_only = 0")

    def run(self, sql: str, limit: PreviewLimit) -> StatementResult:
        """See `Database.run`."""
        with self._failing(sql):
            cursor = self._connection.execute(sql)
            try:
                if cursor.description is None:
                    return StatementResult(affected=cursor.rowcount)
                return preview_of(cursor, _columns(cursor), limit)
            finally:
                cursor.close()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Execute a statement of our own."""
        with self._failing():
            return self._connection.execute(sql, parameters).fetchall()

    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def joins_transaction(self) -> bool:
        """As long as one is open."""
        return self.in_transaction()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """A write transaction from its start, so that two writers queue up; or a savepoint."""
        nested = self._connection.in_transaction
        with self._failing():
            self._connection.execute("SAVEPOINT sqlflow" if nested else "BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO sqlflow" if nested else "ROLLBACK")
            raise
        with self._failing():
            self._connection.execute("RELEASE sqlflow" if nested else "COMMIT")

    def needs_no_transaction(self, failure: RunError) -> bool:
        """VACUUM, ATTACH and some PRAGMAs."""
        return "within a transaction" in failure.message or "from within" in failure.message

    def describe(self, select: str) -> tuple[Column, ...]:
        """The select's columns, with the types that a table made of it would have."""
        with self._failing(select):
            cursor = self._connection.execute(select)
            names = [item[0] for item in cursor.description or ()]
            cursor.close()
        if not names:
            return ()
        with self.atomic():
            self.execute("DROP TABLE IF EXISTS temp.sqlflow_describe")
            self._connection.execute(f"CREATE TEMP TABLE sqlflow_describe AS SELECT * FROM ({select}\n) LIMIT 0")
            types = [row[2] for row in self._connection.execute("PRAGMA temp.table_info(sqlflow_describe)")]
            self._connection.execute("DROP TABLE temp.sqlflow_describe")
        return tuple(Column(name, kind, _kind(kind)) for name, kind in zip(names, types, strict=True))

    @contextmanager
    def read(self, select: str, size: int = 10_000) -> Iterator[RowStream]:
        """Stream a select."""
        columns = self.describe(select)
        with self._failing(select):
            cursor = self._connection.execute(select)
            try:
                yield RowStream(columns, iter(lambda: cursor.fetchmany(size), []))
            finally:
                cursor.close()

    def explain(self, select: str) -> None:
        """Compile a select without running it."""
        with self._failing(select):
            self._connection.execute(f"EXPLAIN {select}").close()

    def type_for(self, kind: str) -> str:
        """The type of a computed column."""
        return {"int": "INTEGER", "float": "REAL", "bool": "INTEGER", "bytes": "BLOB", "name": "VARCHAR(253)"}.get(
            kind, "TEXT"
        )

    def has_type(self, name: str) -> bool:
        """Any name will do."""
        return bool(name)

    def tables(self) -> list[str]:
        """Tables and views of the main and the attached databases."""
        rows = self.execute("SELECT schema, name FROM pragma_table_list WHERE name NOT LIKE 'sqlite%' LIMIT 500")
        return sorted(name if schema == "main" else f"{schema}.{name}" for schema, name in rows)

    def own_table(self, name: str) -> str:
        """In the main file."""
        return f"main.{_quoted(name)}"

    def has_own_table(self, name: str) -> bool:
        """Whether the table is there."""
        return bool(self.execute("SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def create_own_table(self, name: str, definition: str) -> None:
        """Create if absent; SQLite lets one writer in at a time."""
        self.execute(f"CREATE TABLE IF NOT EXISTS {self.own_table(name)} ({definition})")

    def lock(self, name: str) -> None:
        """A write transaction is the lock of the whole file already."""

    def revive(self) -> bool:
        """Nothing ends a connection within the process."""
        return False

    def cancel(self) -> None:
        """Interrupt the running statement."""
        self._connection.interrupt()

    def close(self) -> None:
        """Close; an open transaction is rolled back."""
        self._connection.close()

    @contextmanager
    def _failing(self, sql: str | None = None) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._failure(error, sql) from error

    def _failure(self, error: sqlite3.Error, sql: str | None) -> RunError:
        words = str(error)
        match = _WORD.search(words)
        position = None
        hint = ""
        if match and sql is not None:
            position = place_of(sql, match["near"] or match["missing"])
        if "no such table" in words and match and "." in (match["missing"] or ""):
            schema = match["missing"].partition(".")[0]
            hint = f"SQLite has no schemas: start the program with ATTACH DATABASE '{schema}.db' AS {schema};"
        elif "unknown database" in words:
            hint = "SQLite has no schemas: ATTACH DATABASE 'FILE' AS NAME; gives another file that name."
        elif "database is locked" in words:
            hint = "Another process writes to this file."
        # Python's own errors, such as two statements in one text, have no code of SQLite's.
        final = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _FINAL
        return RunError("database", words, hint, position=position, final=final)


def _columns(cursor: sqlite3.Cursor) -> tuple[Column, ...]:
    return tuple(Column(item[0], "", "") for item in cursor.description or ())


def _kind(affinity: str) -> str:
    """The kind of a column of that declared type; "" where any value may stand."""
    return next((kind for part, kind in _AFFINITY if part in affinity.upper()), "")


def _quoted(part: str) -> str:
    return quote(part, Sqlite.dialect)
