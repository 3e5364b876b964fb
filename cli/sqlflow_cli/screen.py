"""Output to a terminal: errors in one form, and no control characters."""

from __future__ import annotations

import re

import typer

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""All but tab and line feed."""

PIPE_WIDTH = 160
"""Columns of a page that is no terminal, unless COLUMNS says otherwise."""


def visible(text: str) -> str:
    """The text with control characters written out: data must not steer the terminal."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def complain(message: str, hint: str = "") -> None:
    """Print an error and a hint on standard error."""
    words = [f"error: {message}", *([f"  = hint: {hint}"] if hint else [])]
    typer.echo(visible("\n".join(words)), err=True)


def counted(number: int, what: str, zero: str = "no") -> str:
    """`1 error`, `2 errors`, `no errors`."""
    return f"{number or zero} {what}" + ("" if number == 1 else "s")
