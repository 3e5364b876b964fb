"""The connection itself: its identity, its end by another connection, and its reset.

A step that is begun again ends the process of its earlier start in the database, if that still works there.
"""

from __future__ import annotations

import json
from contextlib import suppress

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import RunError

APPLICATION_PREFIX = "sqlflow "
"""The beginning of the name under which PostgreSQL lists a step's connection; the pod's name follows."""

_END_SECONDS = 5

_POSTGRES_IDENTITY = """
SELECT pid, extract(epoch FROM backend_start)::text, application_name,
       CASE WHEN current_setting('server_version_num')::int >= 140000
             AND current_setting('client_connection_check_interval', true) = '0'
            THEN set_config('client_connection_check_interval', '2s', false) END
  FROM pg_stat_activity WHERE pid = pg_backend_pid()"""
"""A server that looks for its client every two seconds stops a statement whose client was killed."""

_POSTGRES_OTHER = """
SELECT pid FROM pg_stat_activity
 WHERE pid = ? AND extract(epoch FROM backend_start)::text = ? AND application_name = ? AND pid <> pg_backend_pid()"""


def identify(database: Database) -> str:
    """The identity by which another connection finds this one; "" where the database has none (a file)."""
    match database.dialect:
        case "postgres":
            pid, start, name, _ = database.execute(_POSTGRES_IDENTITY)[0]
            return json.dumps([pid, start, name])
        case "mysql":
            return json.dumps([database.execute("SELECT CONNECTION_ID()")[0][0], _mysql_start(database)])
    return ""


def end_other(database: Database, identity: str) -> bool:
    """End the connection of that identity, so that the statement that it runs is rolled back.

    Returns:
        True if there was such a connection, and it is gone now.
    """
    if not identity:
        return False
    with suppress(RunError, ValueError):
        match database.dialect:
            case "postgres":
                return _end_postgres(database, *json.loads(identity))
            case "mysql":
                return _end_mysql(database, *json.loads(identity))
    return False


def _end_postgres(database: Database, pid: int, start: str, name: str) -> bool:
    # Behind a pooler a connection of the server serves many clients: the name says whose it is now.
    if not name.startswith(APPLICATION_PREFIX) or not database.execute(_POSTGRES_OTHER, (pid, start, name)):
        return False
    database.execute("SELECT pg_terminate_backend(?)", (pid,))
    return _gone(database, _POSTGRES_OTHER, (pid, start, name))


def _end_mysql(database: Database, number: int, start: int) -> bool:
    # Numbers of connections begin anew when a server starts.
    other = "SELECT id FROM information_schema.processlist WHERE id = ? AND id <> CONNECTION_ID()"
    if abs(_mysql_start(database) - start) > 2 or not database.execute(other, (number,)):
        return False
    database.execute(f"KILL {int(number)}")
    return _gone(database, other, (number,))


def _gone(database: Database, query: str, parameters: tuple[object, ...]) -> bool:
    """Wait until the query finds the connection no more: it takes as long as its rollback."""
    from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

    retrying = Retrying(
        retry=retry_if_result(bool),
        wait=wait_fixed(0.05),
        stop=stop_after_delay(_END_SECONDS),
        retry_error_callback=lambda _: True,
    )
    return not retrying(database.execute, query, parameters)


def _mysql_start(database: Database) -> int:
    """The server's start, in seconds since 1970, give or take one."""
    uptime = database.execute("SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1]
    return int(database.execute("SELECT UNIX_TIMESTAMP()")[0][0]) - int(uptime)


_RESET = {
    "postgres": ("RESET SESSION AUTHORIZATION", "RESET ALL"),
    "mysql": ("UNLOCK TABLES", "SET autocommit = 1", "SET SESSION TRANSACTION READ WRITE"),
}


def reset(database: Database) -> None:
    """Undo what the program did to the connection as far as it could keep us from writing: a transaction, a role.

    Raises:
        RunError: the connection is lost.
    """
    if database.dialect == "mysql" or database.in_transaction():
        database.execute("ROLLBACK")
    for statement in _RESET.get(database.dialect, ()):
        database.execute(statement)
