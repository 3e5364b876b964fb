"""Hints that need a look into the database: names that are close to one that does not exist."""

from __future__ import annotations

import re

from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import RunError

_MISSING = (
    re.compile(r'relation "(?P<name>[^"]+)" does not exist'),
    re.compile(r"no such table: (?P<name>\S+)"),
    re.compile(r"Table '(?P<name>[^']+)' doesn't exist"),
    re.compile(r"Table with name (?P<name>\S+) does not exist"),
)


_EXISTS = re.compile(r"already exists|; database exists\Z")
_NAME = r"(?:[\w$]+|\"[^\"]+\"|`[^`]+`|\[[^\]]+\])"
_MADE = re.compile(
    r"\s*CREATE\s+(?:(?:UNIQUE|TEMP|TEMPORARY|UNLOGGED)\s+)*"
    r"(?P<kind>MATERIALIZED\s+VIEW|TABLE|VIEW|INDEX|SCHEMA|DATABASE|SEQUENCE|TYPE|FUNCTION|PROCEDURE|TRIGGER|MACRO)\s+"
    rf"(?P<name>{_NAME}(?:\s*\.\s*{_NAME})*)",
    re.IGNORECASE,
)
_ANEW = {
    "postgres": ("VIEW", "FUNCTION", "PROCEDURE", "TRIGGER"),
    "mysql": ("VIEW",),
    "duckdb": ("TABLE", "VIEW", "FUNCTION", "MACRO"),
    "sqlite": (),
}
"""Kinds of objects that CREATE OR REPLACE makes anew in every version of that database."""
_KEPT = {
    "postgres": ("TABLE", "INDEX", "SEQUENCE", "SCHEMA", "MATERIALIZED VIEW"),
    "mysql": ("TABLE", "SCHEMA", "DATABASE"),
    "duckdb": ("TABLE", "INDEX", "SEQUENCE", "SCHEMA", "VIEW", "MACRO"),
    "sqlite": ("TABLE", "INDEX", "VIEW", "TRIGGER"),
}
"""Kinds of objects that CREATE .. IF NOT EXISTS leaves alone."""
_NOT_DROPPED = ("SCHEMA", "DATABASE", "INDEX")
"""Kinds of objects that nobody should drop for a hint, or that need more words."""
_ASKED = re.compile(r"\s*(?P<verb>SHOW|DESCRIBE|DESC)\b", re.IGNORECASE)
_CATALOGUES = {
    "postgres": "information_schema.tables and information_schema.columns",
    "sqlite": "sqlite_master and pragma_table_info('table')",
}
"""The catalogues of tables and columns where there is no SHOW TABLES and no DESCRIBE."""


def explained(database: Database, failure: RunError, sql: str = "") -> RunError:
    """The same failure; its hint names the table that may have been meant, or says how a program can be run again.

    Args:
        database: where it failed.
        failure: in the database's own words.
        sql: the statement.
    """
    if hint := _exists(database, failure, sql) or _other_catalogue(database, failure, sql):
        failure.hint = " ".join(filter(None, (hint, failure.hint)))
        return failure
    match = next((m for pattern in _MISSING if (m := pattern.search(failure.message))), None)
    if match is None or "Did you mean" in failure.message or database.in_transaction():
        return failure
    try:
        tables = database.tables()
    except RunError:  # the catalogue is out of reach: the database's own words must do
        return failure
    name = match["name"]
    others = [table for table in tables if table != name]
    guess = did_you_mean(name, others) or did_you_mean(name.rpartition(".")[2], others)
    if not guess:
        same = [t for t in tables if t.rpartition(".")[2] == name.rpartition(".")[2] and t != name]
        guess = f"There is {same[0]}." if same else ""
    failure.hint = " ".join(filter(None, (guess, failure.hint)))
    return failure


def _exists(database: Database, failure: RunError, sql: str) -> str:
    """The way out where a statement makes something that is there already, most often from the run before."""
    made = _MADE.match(sql)
    if made is None or not _EXISTS.search(failure.message):
        return ""
    kind = " ".join(made["kind"].upper().split())
    ways = []
    if kind in _ANEW[database.dialect]:
        ways.append(f"CREATE OR REPLACE {kind} makes it anew")
    elif kind not in _NOT_DROPPED:
        ways.append(f"DROP {kind} IF EXISTS {made['name']}; before it makes it anew")
    if kind in _KEPT[database.dialect]:
        ways.append(f"CREATE {kind} IF NOT EXISTS keeps it")
    return f"It is there already, perhaps from an earlier run: {'; '.join(ways)}." if ways else ""


def _other_catalogue(database: Database, failure: RunError, sql: str) -> str:
    """SHOW TABLES and DESCRIBE where the database has no such statements."""
    asked = _ASKED.match(sql)
    if asked is None or database.dialect not in _CATALOGUES:
        return ""
    if not re.search(r"unrecognized configuration parameter|syntax error", failure.message):
        return ""
    what = " ".join(sql.split()[:2]).upper() if asked["verb"].upper() == "SHOW" else asked["verb"].upper()
    return f"This database has no {what}: its tables and columns are in {_CATALOGUES[database.dialect]}."
