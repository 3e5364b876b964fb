"""Statements that change sessions that begin later, but not the one that they run in.

`ALTER ROLE me SET search_path = x` does nothing to the session of a program; a step that begins later would see it.
So all that comes after such a statement runs in its session.
"""

from __future__ import annotations

from sqlflow_codegen.graph.analysis import Analysis

HINT = "Take it out of the program, or put it last: then nothing has to share its step."

_TARGETS = {
    "postgres": ("ROLE", "USER", "DATABASE", "SYSTEM", "GROUP"),
    "mysql": ("USER", "ROLE"),
    "snowflake": ("USER", "ACCOUNT"),
    "bigquery": ("PROJECT", "ORGANIZATION"),
}
"""Words after ALTER, by dialect."""


def alters_later_sessions(first: tuple[str, ...], dialect: str) -> bool:
    """True if a statement that begins with those words changes the defaults of later sessions, or if they can begin."""
    if first[:2] == ("SET", "PASSWORD") or first[:3] == ("SET", "DEFAULT", "ROLE"):
        return dialect == "mysql"
    if first[:3] == ("CREATE", "EVENT", "TRIGGER"):  # it may fire at login
        return dialect == "postgres"
    return first[0] in ("ALTER", "RENAME") and first[1:2] != () and first[1] in _TARGETS.get(dialect, ())


def keep_from_later_sessions(what: str, analysis: Analysis) -> None:
    """Note such a statement: no session may begin between it and the end of the program."""
    analysis.run_alone(f"{what} changes sessions that begin later, so that all after it stays in its step", HINT)
    analysis.reaches_later = True
    analysis.session.stick()
