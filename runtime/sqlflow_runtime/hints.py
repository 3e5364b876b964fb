"""Hints that need a look into the database: names that are close to one that does not exist."""

from __future__ import annotations

import re

from sqlflow_runtime.databases.base import Database
from sqlflow_runtime.failures import RunError, did_you_mean

_MISSING = (
    re.compile(r'relation "(?P<name>[^"]+)" does not exist'),
    re.compile(r"no such table: (?P<name>\S+)"),
    re.compile(r"Table '(?P<name>[^']+)' doesn't exist"),
    re.compile(r"Table with name (?P<name>\S+) does not exist"),
)


def explained(database: Database, failure: RunError) -> RunError:
    """The same failure; where a table is missing, its hint names the table that may have been meant."""
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
