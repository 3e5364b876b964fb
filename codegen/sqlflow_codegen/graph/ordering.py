"""How strictly the order of a program's statements is kept, and the rules that the graph is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ordering(StrEnum):
    """Which statements wait for which; the values are those of `spec.ordering`.

    Attributes:
        CONSERVATIVE: what statements read and write decides, and a relation that this program did not create may
            be a view over any other such relation, or may have triggers that write to any of them.
        LINEAGE: names are trusted: every relation that existed before is taken for a plain table.
        SEQUENTIAL: the order of the program.
    """

    CONSERVATIVE = "Conservative"
    LINEAGE = "Lineage"
    SEQUENTIAL = "Sequential"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of the graph, each of which a test may take away to show that it is needed.

    Attributes:
        raw, war, waw: read-after-write, write-after-read and write-after-write.
        existing: a relation that the program did not create may be a view over any other such relation.
        views: whoever reads a view that the program created reads what its definition reads.
        relatives: tables tied by foreign keys, inheritance or a shared sequence change together.
        sequences: `nextval` writes.
        temporary: statements that share a temporary table share a session.
        transactions: statements of one transaction share a session.
        session: `USE` and `SET` reach the statements after them.
        barriers: what is not understood runs alone.
        files: whoever reads through a view or a table of another place reads the files that its definition names.
        trust: what is not understood may have given the names that it mentions another meaning.
        attached: two database files that are attached may be one.
        dropped: a relation that is dropped and created again is not new.
        routines: whoever calls a function that the program created reads what its body reads.
        drops: what existed before is dropped in the program's order, and after it was read.
    """

    raw: bool = True
    war: bool = True
    waw: bool = True
    existing: bool = True
    views: bool = True
    relatives: bool = True
    sequences: bool = True
    temporary: bool = True
    transactions: bool = True
    session: bool = True
    barriers: bool = True
    dropped: bool = True
    files: bool = True
    trust: bool = True
    attached: bool = True
    drops: bool = True
    routines: bool = True


ALL_RULES = Rules()
