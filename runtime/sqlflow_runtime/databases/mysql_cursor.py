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
        result = cursor._result
        if result is not None and result.unbuffered_active:
            if connection.open:
                cancel()
            else:  # nothing can be read to its end any more
                result.unbuffered_active, result.connection = False, None
        with suppress(MySQLError):
            cursor.close()
