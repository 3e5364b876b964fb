"""The orderings of a program's statements."""

from __future__ import annotations

from enum import StrEnum


class Ordering(StrEnum):
    """The rules by which statements wait for others; the values are those of `spec.ordering`.

    Attributes:
        CONSERVATIVE: what statements read and write decides, and a relation that this program did not create may
            be a view over any other such relation, or may have triggers that write to any of them.
        LINEAGE: names are trusted: every relation that existed before is taken for a plain table.
        SEQUENTIAL: the order of the program.
    """

    CONSERVATIVE = "Conservative"
    LINEAGE = "Lineage"
    SEQUENTIAL = "Sequential"
