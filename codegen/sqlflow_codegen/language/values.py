"""Values of a WITH clause: numbers, booleans, strings, bare words and lists of them."""

from __future__ import annotations

import math

from sqlflow_codegen.language.ir import Value
from sqlflow_codegen.language.lexer import CURLY, Lexer, Token
from sqlflow_codegen.language.source import ProblemError

NESTING_LIMIT = 32
"""Levels of lists, functions or parentheses. Deeper programs are mistakes or attacks, and would exhaust the stack."""

_DIGITS = 64
_BOOLEANS = {"TRUE": True, "FALSE": False}


def too_deep(offset: int) -> ProblemError:
    """The problem of a text nested deeper than `NESTING_LIMIT`."""
    return ProblemError("nesting-too-deep", f"nested deeper than {NESTING_LIMIT} levels", offset, "Write it flatter.")


def number(token: Token, negative: bool = False) -> int | float:
    """The number that the token writes: an int without point and exponent, else a float.

    Raises:
        ProblemError: it has too many digits or no finite value.
    """
    text = token.text
    if len(text) > _DIGITS:
        raise ProblemError("number-out-of-range", f"number of more than {_DIGITS} characters", token.start)
    value: int | float = int(text) if text.isdecimal() else float(text)
    if math.isinf(value):
        raise ProblemError("number-out-of-range", f"`{text}` is out of the range of numbers", token.start)
    return -value if negative else value


def read_value(lexer: Lexer, what: str, depth: int = 0) -> Value:
    """One value. A bare word is a string; `true` and `false` in any case are booleans.

    Raises:
        ProblemError: no value, or arithmetic or a function call, which values cannot be.
    """
    token = lexer.peek()
    if token.kind == "punctuation" and token.text == "[":
        return _list(lexer, what, depth)
    lexer.next()
    if token.kind == "punctuation" and token.text in "+-" and lexer.peek().kind == "number":
        return number(lexer.next(), negative=token.text == "-")
    if token.kind == "number":
        return number(token)
    if token.kind == "string":
        return token.value
    if token.kind == "word":
        return _word(lexer, token, what)
    hint = "Values are numbers, true, false, words, quoted strings and lists [..]."
    hint = "Use straight quotes: ' or \"." if token.text in CURLY else hint
    raise ProblemError("syntax-error", f"expected a value for {what}, found {token.shown()}", token.start, hint)


def _word(lexer: Lexer, token: Token, what: str) -> Value:
    following = lexer.peek()
    if following.text == "(" and following.kind == "punctuation":
        hint = "Column functions belong in a COLUMN clause; put other text in quotes."
        raise ProblemError("syntax-error", f"{what} cannot be a function call", token.start, hint)
    return _BOOLEANS.get(token.keyword, token.text)


def _list(lexer: Lexer, what: str, depth: int) -> Value:
    opening = lexer.next()
    if depth >= NESTING_LIMIT:
        raise too_deep(opening.start)
    items: list[Value] = []
    while not lexer.take("]"):
        if items:
            where = f"between the items of {what}"
            lexer.expect(",", where, f"The list opened at {lexer.source.at(opening.start)}.")
            if lexer.take("]"):
                break
        items.append(read_value(lexer, what, depth + 1))
    return tuple(items)
