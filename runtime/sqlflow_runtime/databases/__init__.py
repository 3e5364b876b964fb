"""Databases: one module per kind, each imported only when a URL asks for it."""

from __future__ import annotations

from collections.abc import Callable

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.url import DatabaseUrl, parse_url
from sqlflow_runtime.errors import not_installed

Log = Callable[[str, str], None]
"""`log(level, message)`: takes the database's notices."""


def open_database(url: DatabaseUrl, where: str, log: Log, timeout: float = 20.0) -> Database:
    """Connect to the database of that URL.

    Args:
        url: of the database.
        where: the holder of the URL, for messages: `the environment variable SQLFLOW_DATABASE_URL`.
        log: receives notices, and a warning before retries.
        timeout: seconds of retries where a server is not reached yet; a refused password is never retried.

    Raises:
        RunError: kind `connection`.
    """
    try:
        match url.scheme:
            case "sqlite":
                from sqlflow_runtime.databases.sqlite import open_sqlite

                return open_sqlite(url, where)
            case "duckdb":
                from sqlflow_runtime.databases.duckdb import open_duckdb

                return open_duckdb(url, where)
            case "mysql":
                from sqlflow_runtime.databases.mysql_connect import open_mysql

                return open_mysql(url, where, log, timeout)
            case _:
                from sqlflow_runtime.databases.postgres_connect import open_postgres

                return open_postgres(url, where, log, timeout)
    except ModuleNotFoundError as error:
        raise not_installed(error) from error


__all__ = ["Database", "DatabaseUrl", "Log", "open_database", "parse_url"]
