"""Real databases behind one small face: reset to the same beginning, sessions, and all that is in them.

SQLite and DuckDB are here, the servers in `servers.py`.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb

from tests.properties import world

LONG = 2000
"""Ten thousands of instructions of SQLite's machine after which a session is given up."""

Row = tuple[str, ...]
Rows = list[Row]


class StatementError(Exception):
    """A database refused a statement."""


class Session(Protocol):
    """One connection."""

    def run(self, sql: str) -> Rows | None:
        """Run a statement; its rows, sorted, or None if it gives none."""

    def close(self) -> None:
        """End the session."""


class Database(Protocol):
    """A database that can be brought back to its beginning."""

    name: str
    dialect: str
    threads: bool
    """Whether sessions may run at the same time."""
    second: str
    """Another database's file that a session may attach; "" if there is none."""

    def reset(self) -> None:
        """Back to the beginning."""

    def session(self) -> Session:
        """A new session."""

    def dump(self) -> dict[str, Any]:
        """All that is in it."""

    def close(self) -> None:
        """End all connections."""


def shown(rows: Iterable[Sequence[Any]]) -> Rows:
    """Rows that can be compared: sorted, because a relation has no order."""
    return sorted(tuple(_cell(cell) for cell in row) for row in rows)


def _cell(cell: Any) -> str:
    text = str(cell)
    return text[:-2] if text.endswith(".0") else text


class CursorSession:
    """A session of a driver that follows Python's database interface."""

    def __init__(self, connection: Any, error: type[Exception]) -> None:
        self._connection = connection
        self._error = error

    def run(self, sql: str) -> Rows | None:
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql)
            return shown(cursor.fetchall()) if cursor.description else None
        except self._error as error:
            raise StatementError(f"{sql}: {error}") from error
        finally:
            cursor.close()

    def close(self) -> None:
        self._connection.close()


class SQLite:
    name, dialect, threads = "sqlite", "sqlite", False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.second = str(folder / "second")

    def reset(self) -> None:
        for name, script in (("main", world.SQLITE), ("second", world.SQLITE_SECOND)):
            file = self.folder / name
            for old in self.folder.glob(f"{name}*"):
                old.unlink()
            connection = sqlite3.connect(file)
            connection.executescript("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;" + script)
            connection.close()

    def _connect(self) -> Any:
        connection = sqlite3.connect(self.folder / "main", isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = OFF")
        work = iter(range(LONG))
        connection.set_progress_handler(lambda: next(work, None) is None, 10_000)  # joins that grow beyond measure
        return connection

    def session(self) -> Session:
        return CursorSession(self._connect(), sqlite3.Error)

    def close(self) -> None:
        """Nothing stays open."""

    def dump(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        connection = self._connect()
        connection.execute(f"ATTACH '{self.second}' AS s2")
        for schema in ("main", "s2"):
            sql = f"SELECT type, name, sql FROM {schema}.sqlite_master ORDER BY 1, 2"
            for kind, relation, definition in connection.execute(sql).fetchall():
                rows: object = None
                if kind in ("table", "view"):
                    try:
                        rows = shown(connection.execute(f'SELECT * FROM {schema}."{relation}"').fetchall())
                    except sqlite3.Error as error:
                        rows = str(error)  # a view over a table that is gone
                found[f"{schema}.{relation}"] = (kind, definition, rows)
        connection.close()
        return found


class DuckDB:
    """One instance with a database in memory for every run: cheaper than an instance for each."""

    name, dialect, threads, second = "duckdb", "duckdb", True, ""

    def __init__(self) -> None:
        self._root = duckdb.connect(":memory:", config={"threads": 1})
        self._number = 0

    def reset(self) -> None:
        self._root.execute("USE memory")
        self._root.execute(f"DETACH DATABASE IF EXISTS d{self._number}")
        self._number += 1
        self._root.execute(f"ATTACH ':memory:' AS d{self._number}")
        self._root.execute(f"USE d{self._number}")
        self._root.execute(world.DUCKDB)

    def close(self) -> None:
        self._root.close()

    def session(self) -> Session:
        connection = self._root.cursor()
        connection.execute(f"USE d{self._number}")
        return _DuckDBSession(connection)

    def dump(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        here = f"database_name = 'd{self._number}'"
        sql = (
            f"SELECT schema_name, table_name, 'table', sql FROM duckdb_tables() WHERE {here} UNION ALL "
            f"SELECT schema_name, view_name, 'view', sql FROM duckdb_views() WHERE NOT internal AND {here}"
        )
        for schema, name, kind, definition in sorted(self._root.execute(sql).fetchall()):
            try:
                rows: object = shown(self._root.execute(f'SELECT * FROM "{schema}"."{name}"').fetchall())
            except duckdb.Error as error:
                rows = type(error).__name__
            found[f"{schema}.{name}"] = (kind, definition, rows)
        sequences = f"SELECT schema_name, sequence_name, last_value FROM duckdb_sequences() WHERE {here}"
        indexes = f"SELECT schema_name, index_name, sql FROM duckdb_indexes() WHERE {here}"
        found["sequences"] = shown(self._root.execute(sequences).fetchall())
        found["indexes"] = shown(self._root.execute(indexes).fetchall())
        return found


class _DuckDBSession:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def run(self, sql: str) -> Rows | None:
        try:
            done = self._connection.execute(sql)
            rows = done.fetchall() if done.description else None
        except (duckdb.Error, RuntimeError) as error:
            raise StatementError(f"{sql}: {error}") from error
        return None if rows is None else shown(rows)

    def close(self) -> None:
        self._connection.close()


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for database files, in memory where there is such."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="sqlflow-lite-", dir=memory if memory.is_dir() else None)
