"""MySQL's and MariaDB's errors, as `RunError`s: their own words, the place in the SQL text, and what to do."""

from __future__ import annotations

import re

from pymysql.err import MySQLError

from sqlflow_runtime.databases.driver import place_of
from sqlflow_runtime.errors import FINAL_SQLSTATES, RunError

READ_ONLY_TRANSACTION = 1792
"""The statement tried to write where only reading is allowed."""

_CONNECTING: dict[int, tuple[str, bool]] = {
    1045: ("Check user and password in the database URL.", False),
    1698: ("Check user and password in the database URL.", False),
    1044: ("The user of the database URL may not use that database; check its name, or grant the right.", False),
    1049: ("Check the database's name, the last part of the URL, or create the database.", False),
    1130: ("The server lets nobody in from here; check its users' hosts.", False),
    2003: ("Nothing answers at that host and port; check them, and that the database runs.", True),
    2002: ("Nothing answers at that socket; check it, and that the database runs.", True),
    1040: ("The database has no connection to spare.", True),
    2013: ("The server ended the connection; see its log.", True),
    1053: ("The database is stopping.", True),
}
"""Code of a failed connection -> what to do, and whether trying again soon can help."""

_LOST = (2006, 2013, 2014, 1053, 1927, 0)
_HINTS = {
    1146: "Create the table first, or name its database: database.table.",
    1064: "The database does not understand this statement; check spec.dialect and the SQL near the place shown.",
    1142: "Grant the missing right to the user of the database URL, or use another user.",
    1044: "Grant the missing right to the user of the database URL, or use another user.",
    1021: "The database's disk is full.",
    1114: "The database's disk is full, or a limit of its tables' size is reached.",
    1046: "Name the database at the end of the database URL, or begin the program with USE.",
    1205: "Another transaction held a lock for too long; run it again.",
    1213: "Two statements waited for each other; run it again.",
    1317: "A timeout of the database or its administrator stopped the statement.",
}
_FINAL = (1007, 1008, 1111, 1193, 1238, 1292, 1347, 1356, 1364, 1366, 1411, 1418, 1442, 3730, 3780, 3819)
"""Codes that blame the program or its data although the server gives them no SQLSTATE of their own (HY000)."""
_MAY_PASS = (1203, 1226)
"""Codes for limits of a user's connections and queries, whose SQLSTATE blames the program all the same."""
_NEAR = re.compile(r"near '(?P<text>.*)' at line \d+\Z", re.DOTALL)
_NAMED = re.compile(r"(?:Table|Unknown column|FUNCTION) '?(?P<name>[^' ]+)'?")


def connection_failure(error: MySQLError, where: str) -> tuple[RunError, bool]:
    """The failure of a connection, and True if another attempt soon may help."""
    code, words = code_and_words(error)
    hint, again = _CONNECTING.get(code, ("Check the database URL.", False))
    return RunError("connection", words, f"{hint} The URL is in {where}."), again


def failure_of(error: MySQLError, sql: str | None) -> RunError:
    """A statement's error. With `sql`, the text that the server was given, its place is kept."""
    code, words = code_and_words(error)
    if code in _LOST:
        return RunError("connection", f"the connection to the database is lost: {words}", "See the database's log.")
    state = str(getattr(error, "sqlstate", None) or "")
    return RunError(
        "database",
        words,
        _HINTS.get(code, ""),
        position=_position(sql, words) if sql else None,
        sqlstate=str(code),
        final=code in _FINAL or (state.startswith(FINAL_SQLSTATES) and code not in _MAY_PASS),
    )


def code_and_words(error: MySQLError) -> tuple[int, str]:
    """The server's number of the error, and its words."""
    match error.args:
        case (int(code), words, *_):
            return code, str(words)
    return 0, str(error) or type(error).__name__


def _position(sql: str, words: str) -> int | None:
    """The server quotes the rest of the statement, or names what it does not know."""
    if match := _NEAR.search(words):
        found = sql.find(match["text"]) if match["text"] else len(sql) - 1
        return found if found >= 0 else None
    if match := _NAMED.search(words):
        return place_of(sql, match["name"]) or place_of(sql, match["name"].rpartition(".")[2])
    return None
