"""The program's text with the places in it: offsets to lines and columns, problems to diagnostics."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.language.span import Span

_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error at an offset of the program; becomes a `Diagnostic` once line and column are known.

    `{related}` in the hint becomes line and column of the offset `related`.
    """

    code: str
    message: str
    offset: int
    hint: str = ""
    severity: str = "error"
    related: int = -1


class ProblemError(Exception):
    """A problem that ends the parsing of a clause or statement."""

    def __init__(self, code: str, message: str, offset: int, hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(code, message, offset, hint)


class Source:
    """A program's text; knows line and column of every offset. LF, CRLF and a lone CR each end a line."""

    __slots__ = ("_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of the character at that offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        """The span of [start, end)."""
        return Span(start, end, *self.place(start))

    def line_text(self, line: int) -> str:
        """The text of a line, from 1, without its end."""
        start = self._starts[line - 1]
        stop = self._starts[line] if line < len(self._starts) else len(self.text)
        return self.text[start:stop].rstrip("\r\n")

    def at(self, offset: int) -> str:
        """`line:column` of that offset, for messages that name a second place."""
        line, column = self.place(offset)
        return f"{line}:{column}"

    def diagnostic(self, problem: Problem, statement: int) -> Diagnostic:
        """The diagnostic of a problem in a statement."""
        line, column = self.place(problem.offset)
        hint = problem.hint if problem.related < 0 else problem.hint.replace("{related}", self.at(problem.related))
        return Diagnostic(problem.code, problem.message, statement, line, column, hint, problem.severity)


def shortened(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis: at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
