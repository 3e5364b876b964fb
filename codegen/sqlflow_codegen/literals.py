"""Python source for plain data, laid out as `ruff format` would leave it. Text appears only as `repr` makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import combining, east_asian_width

_WIDTH = 88
"""Columns of a line: what formatters take where nothing else is configured."""

_INDENT = "    "


def literal(value: Any, indent: int = 0, prefix: int = 0) -> str:
    """Return the source of a value: None, booleans, numbers, texts, and mappings and sequences of such.

    Args:
        value: plain data, as in JSON.
        indent: levels that the line on which it stands is indented.
        prefix: characters before it on that line.
    """
    line = _flat(value)
    if (
        _columns(line) + prefix + indent * len(_INDENT) <= _WIDTH
        or not isinstance(value, (Mapping, list, tuple))
        or not value
    ):
        return line
    pad, outer = _INDENT * (indent + 1), _INDENT * indent
    if isinstance(value, Mapping):
        lines = []
        for key, item in value.items():
            head = f"{_text(key)}: "
            lines.append(f"{pad}{head}{literal(item, indent + 1, len(head) + 1)},\n")
        return "{\n" + "".join(lines) + outer + "}"
    return "[\n" + "".join(f"{pad}{literal(item, indent + 1, 1)},\n" for item in value) + outer + "]"


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_flat(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_flat, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    raise TypeError(f"{type(value).__name__} is no plain data")


def _text(text: str) -> str:
    """Return what `repr` makes, in the quotes that need fewer escapes, double ones where it is equal."""
    source = str.__repr__(text)  # of an enumeration too
    body = source[1:-1].replace("\\'", "'") if source[0] == "'" else source[1:-1]
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + body.replace(quote, "\\" + quote) + quote


def _columns(source: str) -> int:
    """Return the columns that a line of source takes; a wide character takes two, a combining one none."""
    if source.isascii():
        return len(source)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in source)


def text_literal(text: str, prefix: int = 0) -> str:
    """Return the source of a text of many lines for an assignment: on one line if it fits, else one literal a line.

    Lines are cut behind their line feeds only, so that joined they are the text, whatever else it holds.

    Args:
        text: the text.
        prefix: characters before it on its line.
    """
    whole = _text(text)
    width = _columns(whole)
    if width + prefix <= _WIDTH:
        return whole
    lines = text.split("\n")
    pieces = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    if width + len(_INDENT) <= _WIDTH:
        pieces = [text]
    elif len(pieces) < 2:
        return whole
    return "(\n" + "".join(f"{_INDENT}{_text(piece)}\n" for piece in pieces) + ")"
