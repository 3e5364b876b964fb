"""SQLite, for programs on one computer: Python's own module, in autocommit mode."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from sqlflow_runtime.databases.driver import BATCH_ROWS, EmbeddedDatabase, first_word, not_opened, place_of, qualified
from sqlflow_runtime.databases.rows import Column, PreviewLimit, Row, RowStream, StatementResult, preview
from sqlflow_runtime.databases.url import DatabaseUrl
from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    from sqlflow_runtime.databases.result_writers import ResultTables

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
        with ExitStack() as stack:
            connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            stack.callback(connection.close)
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            stack.pop_all()
    except sqlite3.Error as error:
        raise not_opened(url, where, str(error)) from error
    return Sqlite(connection)


class Sqlite(EmbeddedDatabase):
    """SQLite. Autocommit, unless the program says BEGIN."""

    dialect = "sqlite"
    types: ClassVar[Mapping[str, str]] = {
        "int": "INTEGER", "float": "REAL", "bool": "INTEGER", "bytes": "BLOB", "name": "VARCHAR(253)", "": "TEXT",
    }  # fmt: skip
    errors = sqlite3.Error
    begin = "BEGIN IMMEDIATE"
    """A write transaction from its start, so that two writers queue up."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @cached_property
    def results(self) -> ResultTables:
        from sqlflow_runtime.databases.sqlite_results import SqliteResults

        return SqliteResults(self)

    def run_reading(self, sql: str, limit: PreviewLimit) -> StatementResult | None:
        """See `Database.run_reading`. SQLite computes rows one by one; a preview costs no more than itself."""
        if first_word(sql) not in ("SELECT", "VALUES", "WITH", "EXPLAIN"):
            return None
        self.execute("PRAGMA query_only = 1")
        try:
            return self.run(sql, limit)
        except RunError as failure:
            if "readonly" in failure.message:
                return None
            raise
        finally:
            self.execute("PRAGMA query_only = 0")

    def run(self, sql: str, limit: PreviewLimit) -> StatementResult:
        with self.failing(sql), closing(self._connection.execute(sql)) as cursor:
            if cursor.description is None:
                return StatementResult(affected=cursor.rowcount)
            columns = tuple(Column(item[0], "", "") for item in cursor.description)
            return preview(cursor, columns, limit, stop=cursor.close)

    def execute_many(self, sql: str, rows: Sequence[Row]) -> None:
        """Execute a statement of our own once for each row of parameters."""
        with self.failing():
            self._connection.executemany(sql, rows)

    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def needs_no_transaction(self, failure: RunError) -> bool:
        """VACUUM, ATTACH and some PRAGMAs."""
        return "within a transaction" in failure.message or "from within" in failure.message

    def describe(self, select: str) -> tuple[Column, ...]:
        """See `Database.describe`. The types are those that a table made of the select would have."""
        with self.failing(select), closing(self._connection.execute(select)) as cursor:
            names = [item[0] for item in cursor.description or ()]
        if not names:
            return ()
        with self.atomic():
            self.execute("DROP TABLE IF EXISTS temp.sqlflow_describe")
            self.execute(f"CREATE TEMP TABLE sqlflow_describe AS SELECT * FROM ({select}\n) LIMIT 0")
            types = [row[2] for row in self.execute("PRAGMA temp.table_info(sqlflow_describe)")]
            self.execute("DROP TABLE temp.sqlflow_describe")
        return tuple(Column(name, kind, _kind(kind)) for name, kind in zip(names, types, strict=True))

    @contextmanager
    def read(self, select: str, size: int = BATCH_ROWS) -> Iterator[RowStream]:
        columns = self.describe(select)
        with self.failing(select), closing(self._connection.execute(select)) as cursor:
            yield RowStream(columns, iter(lambda: cursor.fetchmany(size), []))

    def explain(self, select: str, authorizer: Callable[..., int]) -> None:
        """Compile a select without running it; `authorizer` is called for each column that it is going to read."""
        self._connection.set_authorizer(authorizer)
        try:
            with self.failing(select):
                self._connection.execute(f"EXPLAIN {select}").close()
        finally:
            self._connection.set_authorizer(None)

    def tables(self) -> list[str]:
        """See `Database.tables`: those of the main and the attached files."""
        rows = self.execute("SELECT schema, name FROM pragma_table_list WHERE name NOT LIKE 'sqlite%' LIMIT 500")
        return sorted(qualified(rows, self.own_schema))

    def has_own_table(self, name: str) -> bool:
        return bool(self.execute("SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def days_ago(self, days: int) -> str:
        return f"datetime('now', '-{days} days')"

    def failure(self, error: sqlite3.Error, sql: str | None, before: int) -> RunError:
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


def _kind(affinity: str) -> str:
    """The kind of a column of that declared type; "" where any value may stand."""
    return next((kind for part, kind in _AFFINITY if part in affinity.upper()), "")
