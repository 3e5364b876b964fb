"""Places in the program's text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the program: character offsets [start, end) and the place of its first character.

    `line` and `column` count from 1; a column counts Unicode characters. CRLF counts as one line end.
    """

    start: int
    end: int
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"
