"""The databases of the property tests that are servers: PostgreSQL and MariaDB."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pymysql

from tests.properties import world
from tests.properties.databases import CursorSession, Rows, Session, StatementError, shown
from tests.support.servers import MariaServer, Server

RENEW = 60
"""Resets of PostgreSQL after which the connections are new."""


class Postgres:
    name, dialect, threads, second = "postgres", "postgres", True, ""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._admin = self._connect()
        self._idle: list[psycopg.Connection] = []
        self._lock = threading.Lock()
        self._resets = 0

    def reset(self) -> None:
        self._resets += 1
        if self._resets % RENEW == 0:
            self._renew()
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
            host=str(self.server.folder),
            port=self.server.port,
            user="tester",
            dbname="postgres",
            autocommit=True,
            options=options,
            prepare_threshold=None,
        )

    def close(self) -> None:
        for connection in (self._admin, *self._idle):
            connection.close()

    def _renew(self) -> None:
        """Start with new connections: a server process keeps what it knows of every table that there ever was."""
        self.close()
        self._idle.clear()
        self._admin = self._connect()

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
    name, dialect, threads, second = "mariadb", "mysql", True, ""

    def __init__(self, server: MariaServer) -> None:
        self._server = server
        self._admin = self._connect(None)

    def _connect(self, database: str | None) -> Any:
        timeouts = "SET SESSION lock_wait_timeout = 20, innodb_lock_wait_timeout = 20"
        return self._server.connect(database=database, ssl_disabled=True, init_command=timeouts)

    def reset(self) -> None:
        with self._admin.cursor() as cursor:
            for schema in ("d1", "s2", "s3"):
                cursor.execute(f"DROP DATABASE IF EXISTS {schema}")
            for statement in world.MARIADB:
                cursor.execute(statement)

    def close(self) -> None:
        self._admin.close()

    def session(self) -> Session:
        return CursorSession(self._connect("d1"), pymysql.err.Error)

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
