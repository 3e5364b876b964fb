"""Connecting to PostgreSQL: with retries where the server is not up yet, without where it refuses."""

from __future__ import annotations

from collections.abc import Callable
from socket import gethostname
from typing import Any

import psycopg

from sqlflow_runtime.databases.backoff import ATTEMPT_SECONDS, UnreachedError, connect_with_backoff
from sqlflow_runtime.databases.postgres import APPLICATION_PREFIX, Postgres
from sqlflow_runtime.databases.postgres_errors import connection_failure
from sqlflow_runtime.databases.url import DatabaseUrl

_OPTIONS = {
    "connect_timeout": str(ATTEMPT_SECONDS),
    "application_name": f"{APPLICATION_PREFIX}{gethostname()}"[:63],
    "client_encoding": "utf8",
    # A connection that is silent while a model learns must not be forgotten by what lies between.
    "keepalives_idle": "60",
    "keepalives_interval": "10",
    "keepalives_count": "6",
}
"""libpq's connection parameters; the URL's own win."""


def open_postgres(url: DatabaseUrl, where: str, log: Callable[[str, str], None], timeout: float) -> Postgres:
    """Connect; see `open_database`."""

    def connect() -> psycopg.Connection[Any]:
        return connect_with_backoff(lambda: _connect(url, where), log, timeout)

    database = Postgres(connect(), connect)
    database.on_notice(log)
    return database


def _connect(url: DatabaseUrl, where: str) -> psycopg.Connection[Any]:
    parameters: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
    }
    options = _OPTIONS | url.query
    given = {key: value for key, value in parameters.items() if value}
    try:
        return psycopg.connect(autocommit=True, **(options | given))
    except psycopg.Error as error:
        failure, again = connection_failure(error, where)
        raise (UnreachedError(failure) if again else failure) from error
