"""PostgreSQL's errors, as `RunError`s: its own words, the place in the SQL text, and what to do."""

from __future__ import annotations

import re

import psycopg

from sqlflow_runtime.errors import FINAL_SQLSTATES, RunError

_UNREACHABLE = ("08", "57P01", "57P02", "57P03", "57P05", "53300", "28")
"""SQLSTATEs, or their first two characters, after which another attempt or another Secret may help."""

_HINTS = {
    "42P01": "Create the table first, or name its schema: schema.table.",
    "42703": "Check the column's name; names that are not all lower case need double quotes.",
    "42501": "Grant the missing right to the user of the database URL, or use another user; "
    "tables are created in the first schema of its search_path.",
    "42601": "The database does not understand this statement; check spec.dialect and the SQL near the place shown.",
    "53100": "The database's disk is full.",
    "40P01": "Two statements waited for each other; run it again.",
    "40001": "A concurrent change got in the way; run it again.",
    "57014": "A timeout of the database (statement_timeout) or its administrator stopped the statement.",
    "3F000": "Create the schema first: CREATE SCHEMA.",
    "25P02": "An earlier statement of this transaction failed.",
}

_HOST = "Check the host in the database URL; in a cluster it is SERVICE.NAMESPACE."
_LISTENS = "Nothing listens at that host and port; check them, and that the database runs."
_ANSWERS = "The host does not answer; check host, port and network policies."
_NO_PASSWORD = "The database URL holds no password; write postgresql://USER:PASSWORD@HOST/DATABASE."
_DATABASE = "Check the database's name, the last part of the URL, or create the database."
_CONNECTING: tuple[tuple[str, str, bool], ...] = (
    ("password authentication failed", "Check user and password in the database URL.", False),
    ("no password supplied", _NO_PASSWORD, False),
    ("no pg_hba.conf entry", "The server does not let this user in; check its pg_hba.conf, or sslmode.", False),
    ("database .* does not exist", _DATABASE, False),
    ("role .* does not exist|not permitted to log in", "Check the user in the database URL.", False),
    ("invalid .*(option|sslmode|port|integer)", "Check the options at the end of the database URL.", False),
    ("resolve|translate host name|name resolution|not known", _HOST, True),
    ("refused", _LISTENS, True),
    ("timeout|timed out|unreachable", _ANSWERS, True),
    ("starting up|shutting down|recovery", "The database is starting or stopping.", True),
    ("too many (connections|clients)", "The database has no connection to spare.", True),
    ("closed the connection|reset by peer", "The server ended the connection; see its log.", True),
)
"""Words of a failed connection -> what to do, and whether trying again soon can help. libpq gives no code here."""


def connection_failure(error: psycopg.Error, where: str) -> tuple[RunError, bool]:
    """The failure of a connection, and True if another attempt soon may help.

    `where` names the place that holds the database URL.
    """
    words = _one_line(str(error))
    for pattern, hint, again in _CONNECTING:
        if re.search(pattern, words, re.IGNORECASE):
            return RunError("connection", words, f"{hint} The URL is in {where}."), again
    return RunError("connection", words, f"Check the database URL in {where}."), False


def failure_of(error: psycopg.Error, sql: str | None, before: int = 0) -> RunError:
    """A statement's error. With `sql`, what the server got after `before` characters, its place is kept."""
    state = error.sqlstate or ""
    diagnostic = error.diag
    if diagnostic.message_primary is None:
        return _without_diagnostic(error, state)
    lost = state.startswith(_UNREACHABLE)
    words = [diagnostic.message_primary]
    if diagnostic.message_detail:
        words.append(diagnostic.message_detail)
    if diagnostic.context:
        words.append(diagnostic.context.splitlines()[0])
    hint = " ".join(filter(None, (diagnostic.message_hint, _HINTS.get(state))))
    position = None
    if sql is not None and diagnostic.statement_position:
        position = min(max(int(diagnostic.statement_position) - 1 - before, 0), max(len(sql) - 1, 0))
    kind, final = "connection" if lost else "database", not lost and state.startswith(FINAL_SQLSTATES)
    return RunError(kind, "\n".join(words), hint, position=position, sqlstate=state, final=final)


def _without_diagnostic(error: psycopg.Error, state: str) -> RunError:
    words = _one_line(str(error))
    if "COPY" in words and "use" in words:
        return RunError(
            "database",
            "COPY from or to the client cannot run in a program",
            "Use INSERT, or COPY from a file of the server.",
            final=True,
        )
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return RunError(
            "connection", f"the connection to the database is lost: {words}", "See the database's log.", sqlstate=state
        )
    return RunError("database", words, sqlstate=state)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
