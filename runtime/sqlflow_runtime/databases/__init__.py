"""Databases: one module per kind, each imported only when a URL asks for it."""

from __future__ import annotations

from collections.abc import Callable

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.url import DatabaseUrl, parse_url
from sqlflow_runtime.errors import not_installed

Log = Callable[[str, str], None]
"""`log(level, message)`: what a database says besides results."""


def open_database(url: DatabaseUrl, where: str, log: Log, patience: float = 20.0) -> Database:
    """Connect to the database of that URL.

    Args:
        url: which database.
        where: what holds the URL, for messages: `the environment variable SQLFLOW_DATABASE_URL`.
        log: receives notices and word of further attempts.
        patience: seconds for which a server that is not reached yet is tried again; refused passwords never are.

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

                return open_mysql(url, where, log, patience)
            case _:
                from sqlflow_runtime.databases.postgres_connect import open_postgres

                return open_postgres(url, where, log, patience)
    except ModuleNotFoundError as error:
        raise not_installed(error) from error


__all__ = ["Database", "DatabaseUrl", "Log", "open_database", "parse_url"]
