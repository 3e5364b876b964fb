"""A statement as it is cut out of a program, and the problems where it cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlflow_codegen.language.source import Problem


@dataclass(slots=True)
class RawStatement:
    """One statement as cut: its text is [start, end).

    Attributes:
        verb: its first word in upper case, behind opening parentheses; "" if it has none.
        to: offset of the TO before one of `ACTIONS`, at parenthesis depth 0 of a query; -1 if none.
        query_end: end of the last token before that TO.
        other_to: offset of the first other TO at depth 0 of a query, which may be a misspelled one; -1 if none.
        hidden_to: offset of the first TO before one of `ACTIONS` inside parentheses; -1 if none.
        open_paren: offset of the parenthesis of a query that is never closed; -1 if none.
        variant: the dialect, or dialect under settings, by which it was cut (a key of `LEXICAL_RULES`).
        doubt: the reason why the lexical rules of the next statements are not known; "" if it does not.
        problems: its lexical errors.
    """

    start: int
    end: int = -1
    verb: str = ""
    to: int = -1
    query_end: int = -1
    other_to: int = -1
    hidden_to: int = -1
    open_paren: int = -1
    variant: str = ""
    doubt: str = ""
    problems: list[Problem] = field(default_factory=list)


def unterminated(opener: str, offset: int, suspect: int) -> Problem:
    """The problem of a quote or comment that never closes.

    `suspect` is the offset of an earlier quoted text that goes over a line end; -1 if there is none.
    """
    what = {"/*": "comment", "[": "bracket"}.get(opener, "dollar quote" if opener[0] == "$" else "quote")
    closer = {"/*": "*/", "[": "]"}.get(opener, opener)
    hint = f"Close it with {closer}."
    if suspect >= 0:
        hint = "The text opened at {related} goes over a line end: is its closing quote missing?"
    code = "unterminated-" + what.replace(" ", "-")
    return Problem(code, f"{what} {opener} is never closed", offset, hint, related=suspect)


def open_block(word: str, offset: int) -> Problem:
    """The problem of a routine's body without an end."""
    closer = ")" if word == "(" else "END"
    hint = f"Close the body with {closer} and a `;`."
    return Problem("unterminated-block", f"{word} has no {closer}", offset, hint)
