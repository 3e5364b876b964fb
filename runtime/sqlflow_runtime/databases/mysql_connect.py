"""Connecting to MySQL or MariaDB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import FIELD_TYPE
from pymysql.converters import encoders, through
from pymysql.err import MySQLError

from sqlflow_runtime.databases.backoff import ATTEMPT_SECONDS, UnreachedError, connect_with_backoff
from sqlflow_runtime.databases.mysql import MySQL
from sqlflow_runtime.databases.mysql_errors import connection_failure
from sqlflow_runtime.databases.url import DatabaseUrl
from sqlflow_runtime.errors import RunError

_INTEGERS = (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.YEAR)
_CONVERTERS: dict[Any, Any] = {
    **encoders,
    **dict.fromkeys(_INTEGERS, int),
    FIELD_TYPE.FLOAT: float,
    FIELD_TYPE.DOUBLE: float,
    FIELD_TYPE.BIT: through,
}
"""Other types stay as the server writes them, so that nothing is lost: dates of the year 0, decimals of 65 digits."""

_OPTIONS = ("charset", "collation", "unix_socket", "ssl_ca", "ssl_cert", "ssl_key", "ssl_disabled", "ssl_verify_cert")


def open_mysql(url: DatabaseUrl, where: str, log: Callable[[str, str], None], timeout: float) -> MySQL:
    """Connect; see `open_database`."""
    unknown = [name for name in url.query if name not in _OPTIONS]
    if unknown:
        hint = f"A MySQL URL takes {', '.join(_OPTIONS)}. The URL is in {where}."
        raise RunError("usage", f"the database URL has an unknown option {unknown[0]}", hint)

    def connect() -> Connection[Any]:
        return _connect(url)

    def attempt() -> Connection[Any]:
        try:
            return connect()
        except MySQLError as error:
            failure, again = connection_failure(error, where)
            raise (UnreachedError(failure) if again else failure) from error

    def reconnect() -> Connection[Any]:
        return connect_with_backoff(attempt, log, timeout)

    return MySQL(reconnect(), connect, reconnect)


def _connect(url: DatabaseUrl) -> Connection[Any]:
    flags = ("ssl_disabled", "ssl_verify_cert")
    options: dict[str, Any] = {
        name: value.lower() in ("1", "true", "yes") if name in flags else value for name, value in url.query.items()
    }
    return pymysql.connect(
        host=url.host or None,
        port=int(url.port or 3306),
        user=url.username or None,
        password=url.password,
        database=url.database or None,
        autocommit=True,
        connect_timeout=ATTEMPT_SECONDS,
        conv=_CONVERTERS,
        program_name="sqlflow",
        **({"charset": "utf8mb4"} | options),
    )
