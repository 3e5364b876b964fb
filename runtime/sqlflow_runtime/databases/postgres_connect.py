"""Connecting to PostgreSQL: patient with a server that is not up yet, plain about a wrong password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from sqlflow_runtime.databases.postgres import Postgres
from sqlflow_runtime.databases.postgres_errors import connection_failure
from sqlflow_runtime.databases.url import DatabaseUrl
from sqlflow_runtime.failures import RunError

_OPTIONS = {
    "connect_timeout": "5",
    "application_name": "sqlflow",
    "client_encoding": "utf8",
    # A connection that is silent while a model learns must not be forgotten by what lies between.
    "keepalives_idle": "60",
    "keepalives_interval": "10",
    "keepalives_count": "6",
}
"""libpq's connection parameters; the URL's own win."""


class _UnreachedError(Exception):
    """The server could not be reached; another attempt may succeed."""

    def __init__(self, failure: RunError) -> None:
        super().__init__(failure.message)
        self.failure = failure


def open_postgres(url: DatabaseUrl, where: str, log: Callable[[str, str], None], patience: float) -> Postgres:
    """Connect; see `open_database`."""
    try:
        connection = _connect(url, where)
    except _UnreachedError as first:
        log("warning", f"{first.failure.message}; trying again for up to {patience:g} s")
        connection = _connect_again(url, where, patience, first)
    database = Postgres(connection)
    database.on_notice(log)
    return database


def _connect_again(url: DatabaseUrl, where: str, patience: float, first: _UnreachedError) -> psycopg.Connection[Any]:
    # Imported here: most steps connect at once.
    from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

    retrying = Retrying(
        retry=retry_if_exception_type(_UnreachedError),
        wait=wait_exponential_jitter(initial=0.2, max=2, jitter=0.2),
        stop=stop_after_delay(patience),
    )
    try:
        return retrying(_connect, url, where)
    except RetryError as error:
        last = error.last_attempt.exception()
        raise (last if isinstance(last, _UnreachedError) else first).failure from error


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
        raise (_UnreachedError(failure) if again else failure) from error
