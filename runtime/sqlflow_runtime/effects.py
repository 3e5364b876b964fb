"""What a statement leaves behind when its connection is gone: decides what a retried step must not repeat.

A statement whose only effect is the session's own state (SET, a temporary table and what is written to it) must be
repeated by a retry, since its session is new; every other writing statement must not.
"""

from __future__ import annotations

import re

from sqlflow_codegen.language.ir import SqlStatement, Statement

_SESSION_VERBS = frozenset(
    [
        "SET",
        "RESET",
        "USE",
        "PREPARE",
        "DEALLOCATE",
        "DECLARE",
        "LISTEN",
        "UNLISTEN",
        "DISCARD",
        "LOAD",
        "ATTACH",
        "DETACH",
        "PRAGMA",
    ]
)
_NAME = r"(?P<name>(?:\"[^\"]+\"|`[^`]+`|\w+)(?:\s*\.\s*(?:\"[^\"]+\"|`[^`]+`|\w+))*)"
_TEMPORARY = re.compile(
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:LOCAL\s+|GLOBAL\s+)?TEMP(?:ORARY)?\s+\w+\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}"
    rf"|SELECT\b.*?\bINTO\s+TEMP(?:ORARY)?\s+(?:TABLE\s+)?{_NAME.replace('name', 'into')}",
    re.IGNORECASE | re.DOTALL,
)
_TARGET = re.compile(
    r"(?:INSERT\s+INTO|REPLACE\s+INTO|MERGE\s+INTO|UPDATE(?:\s+ONLY)?|DELETE\s+FROM(?:\s+ONLY)?"
    r"|TRUNCATE(?:\s+TABLE)?|ALTER\s+TABLE(?:\s+IF\s+EXISTS)?|DROP\s+TABLE(?:\s+IF\s+EXISTS)?|ANALYZE|COPY"
    rf"|CREATE\s+(?:UNIQUE\s+)?INDEX\b.*?\bON)\s+{_NAME}",
    re.IGNORECASE | re.DOTALL,
)


class SessionState:
    """Follows a step's statements and tells which of them touch only the session."""

    def __init__(self) -> None:
        self._temporary: set[str] = set()

    def is_session_only(self, statement: Statement) -> bool:
        """Whether that statement, the next one of the step, leaves nothing behind but session state."""
        if not isinstance(statement, SqlStatement):
            return False
        if statement.verb in _SESSION_VERBS:
            return True
        if match := _TEMPORARY.match(statement.text):
            self._temporary.add(_plain(match["name"] or match["into"]))
            return True
        match = _TARGET.match(statement.text)
        return match is not None and _plain(match["name"]) in self._temporary


def _plain(name: str) -> str:
    """A name without quotes and without the schema of temporary tables."""
    return re.sub(r"[\"`\s]", "", name).casefold().removeprefix("pg_temp.").removeprefix("temp.")
