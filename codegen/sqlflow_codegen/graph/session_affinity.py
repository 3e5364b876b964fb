"""Session affinity: the reasons why statements run in one session, and so in one step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class AffinityKind(Enum):
    """The reason why statements run in one session."""

    TEMPORARY = auto()
    """They use a temporary relation."""
    MEMORY = auto()
    """They use a database in memory."""
    VARIABLE = auto()
    """They use a session variable."""
    LOCKS = auto()
    """They run while tables are locked."""
    TRANSACTION = auto()
    """They belong to a transaction."""
    NEXT = auto()
    """The first one acts on the statement after it."""
    REST = auto()
    """The first one acts on all statements after it."""
    PREVIOUS = auto()
    """The statement looks at what the one before it left in the session."""
    WRITERS = auto()
    """The statement looks at what any write before it left in the session."""


@dataclass(frozen=True, slots=True)
class SessionAffinity:
    """Statements that have an equal affinity run in one session.

    Attributes:
        kind: the reason.
        statement: number of the statement that it begins with; 0 for a variable.
        name: the temporary relation, the database in memory or the variable.
    """

    kind: AffinityKind
    statement: int = 0
    name: str = ""


def variable(name: str) -> SessionAffinity:
    """The affinity of the statements that use a session variable."""
    return SessionAffinity(AffinityKind.VARIABLE, name=name)
