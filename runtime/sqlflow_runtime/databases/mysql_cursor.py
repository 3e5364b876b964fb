"""A cursor of PyMySQL whose rows stay in the server until they are fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pymysql.connections import Connection
from pymysql.cursors import SSCursor
from pymysql.err import MySQLError


@contextmanager
def unbuffered(connection: Connection[Any], select: str, cancel: Callable[[], None]) -> Iterator[Any]:
    """A cursor that has executed the select; if rows are left at the end, `cancel` is called, which ends it."""
    cursor: Any = connection.cursor(SSCursor)
    cursor.execute(select)
    try:
        yield cursor
    finally:
        if cursor._result is not None and cursor._result.unbuffered_active:
            cancel()
        with suppress(MySQLError):
            cursor.close()
