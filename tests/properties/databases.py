"""Four real databases behind one small face: reset to the same beginning, sessions, and all that is in them."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb
import psycopg
import pymysql

from tests.properties import world
from tests.unit.runtime.server import Server

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


class _CursorSession:
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


class Postgres:
    name, dialect, threads = "postgres", "postgres", True

    def __init__(self, server: Server) -> None:
        self._server = server
        self._admin = self._connect()
        self._idle: list[psycopg.Connection] = []
        self._lock = threading.Lock()

    def reset(self) -> None:
        drop = "DROP SCHEMA IF EXISTS public, s2, s3 CASCADE;"
        self._admin.execute("SET search_path = public")
        self._admin.execute((drop + world.POSTGRES).encode())

    def session(self) -> Session:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        return _PostgresSession(connection or self._connect(), self._put_back)

    def _connect(self) -> psycopg.Connection:
        options = "-c client_min_messages=error -c lock_timeout=20s -c statement_timeout=20s -c deadlock_timeout=200ms"
        return psycopg.connect(
            host=str(self._server.folder),
            port=self._server.port,
            user="tester",
            dbname="postgres",
            autocommit=True,
            options=options,
            prepare_threshold=None,
        )

    def close(self) -> None:
        for connection in (self._admin, *self._idle):
            connection.close()

    def _put_back(self, connection: psycopg.Connection) -> None:
        """Keep a connection for a later session: as good as new, and made much faster."""
        connection.execute("ROLLBACK")
        connection.execute("DISCARD ALL")
        with self._lock:
            self._idle.append(connection)

    def dump(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        relations = self._admin.execute(
            "SELECT n.nspname, c.relname, c.relkind, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END, "
            "(SELECT string_agg(attname || ':' || atttypid, ',' ORDER BY attnum) FROM pg_attribute "
            "WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN ('public', 's2', 's3') ORDER BY 1, 2"
        ).fetchall()
        for schema, name, kind, definition, columns in relations:
            rows: object = None
            if kind in ("r", "v", "m", "S", "p"):
                what = "last_value, is_called" if kind == "S" else "*"
                try:
                    rows = shown(self._admin.execute(f'SELECT {what} FROM "{schema}"."{name}"'.encode()).fetchall())
                except psycopg.Error as error:
                    rows = str(error)  # a view over itself
            found[f"{schema}.{name}"] = (kind, definition, columns if kind != "i" else "", rows)
        return found


class _PostgresSession:
    def __init__(self, connection: psycopg.Connection, put_back: Callable[[psycopg.Connection], None]) -> None:
        self._connection = connection
        self._put_back = put_back

    def run(self, sql: str) -> Rows | None:
        try:
            cursor = self._connection.execute(sql.encode())
            return shown(cursor.fetchall()) if cursor.description else None
        except psycopg.Error as error:
            raise StatementError(f"{sql}: {error}") from error

    def close(self) -> None:
        self._put_back(self._connection)


class MariaDB:
    name, dialect, threads = "mariadb", "mysql", True

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._admin = self._connect(None)

    def _connect(self, database: str | None) -> Any:
        return pymysql.connect(
            unix_socket=self._socket, user="root", database=database, autocommit=True, ssl_disabled=True
        )

    def reset(self) -> None:
        with self._admin.cursor() as cursor:
            for schema in ("d1", "s2", "s3"):
                cursor.execute(f"DROP DATABASE IF EXISTS {schema}")
            for statement in world.MARIADB:
                cursor.execute(statement)

    def close(self) -> None:
        self._admin.close()

    def session(self) -> Session:
        return _CursorSession(self._connect("d1"), pymysql.err.Error)

    def dump(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        with self._admin.cursor() as cursor:
            cursor.execute(
                "SELECT table_schema, table_name, table_type, auto_increment FROM information_schema.tables "
                "WHERE table_schema IN ('d1', 's2', 's3') ORDER BY 1, 2"
            )
            for schema, name, kind, counter in cursor.fetchall():
                cursor.execute(f"SHOW CREATE TABLE `{schema}`.`{name}`")
                definition = cursor.fetchall()[0][1]
                try:
                    cursor.execute(f"SELECT * FROM `{schema}`.`{name}`")
                    rows: object = shown(cursor.fetchall())
                except pymysql.err.Error as error:
                    rows = str(error)  # a view over a table that is gone
                found[f"{schema}.{name}"] = (kind, counter, definition, rows)
        return found


class SQLite:
    name, dialect, threads = "sqlite", "sqlite", False

    def __init__(self, folder: Path) -> None:
        self.folder = folder

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
        return _CursorSession(self._connect(), sqlite3.Error)

    def close(self) -> None:
        """Nothing stays open."""

    def dump(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in ("main", "second"):
            connection = sqlite3.connect(self.folder / name)
            relations = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
            for kind, relation, definition in relations:
                rows: object = None
                if kind in ("table", "view"):
                    try:
                        rows = shown(connection.execute(f'SELECT * FROM "{relation}"').fetchall())
                    except sqlite3.Error as error:
                        rows = str(error)
                found[f"{name}.{relation}"] = (kind, definition, rows)
            connection.close()
        return found


class DuckDB:
    """One instance with a database in memory for every run: cheaper than an instance for each."""

    name, dialect, threads = "duckdb", "duckdb", True

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
