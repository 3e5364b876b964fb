"""Python source for plain data, laid out as `ruff format` would leave it. Text appears only as `repr` makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import combining, east_asian_width

YAML_IMPORT = """\
import re

import yaml\
"""

YAML_DUMP = '''\

class Dumper(yaml.CSafeDumper):
    """Writes every value where it stands, without anchors."""

    def ignore_aliases(self, data):
        return True


def represent_text(dumper, text):
    """Plain lines and words stay as they are; all else is quoted: no reader may see another text or type."""
    lines = text.split("\\n")
    plain = all(line.isprintable() and line == line.rstrip() for line in lines)
    if plain and len(lines) > 1 and text[0].strip():
        style = "|"
    elif re.fullmatch("[/-]*[A-Za-z][A-Za-z0-9._/:-]*[A-Za-z0-9]", text):
        style = None
    else:
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def print_yaml(*documents):
    """Print the documents in their order."""
    layout = {"sort_keys": False, "allow_unicode": True, "width": 2**31 - 1}
    print(yaml.dump_all(documents, Dumper=Dumper, **layout), end="")


Dumper.add_representer(str, represent_text)\
'''
"""The end of every generated program that prints YAML: no character is altered, no line folded."""

_WIDTH = 88
"""Columns of a line: what formatters take where nothing else is configured."""

_INDENT = "    "


def literal(value: Any, indent: int = 0, prefix: int = 0) -> str:
    """Source of that value: None, booleans, numbers, texts, and mappings and sequences of such.

    Args:
        value: plain data, as in JSON.
        indent: levels that the line on which it stands is indented.
        prefix: characters before it on that line.
    """
    line = _flat(value)
    if (
        columns(line) + prefix + indent * len(_INDENT) <= _WIDTH
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
    """What `repr` makes, in the quotes that need fewer escapes, double ones where it is equal."""
    source = str.__repr__(text)  # of an enumeration too
    body = source[1:-1].replace("\\'", "'") if source[0] == "'" else source[1:-1]
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + body.replace(quote, "\\" + quote) + quote


def columns(source: str) -> int:
    """How wide a line of source is shown; a wide character takes two columns, a combining one none."""
    if source.isascii():
        return len(source)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in source)


def call(function: str, *arguments: str, indent: int = 0) -> str:
    """Source of a call, as a statement, with a line for each argument where one line is too short for all.

    Args:
        function: the function's name.
        arguments: source of each, such as `"a"` or `after=["b"]`.
        indent: levels that the line is indented.
    """
    pad = _INDENT * indent
    line = f"{pad}{function}({', '.join(arguments)})"
    if columns(line) <= _WIDTH:
        return line
    return f"{pad}{function}(\n" + "".join(f"{pad}{_INDENT}{a},\n" for a in arguments) + f"{pad})"


def count(number: int, what: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def text_literal(text: str, prefix: int = len("PROGRAM = ")) -> str:
    """Source of a text of many lines for an assignment: on one line if it fits, else one literal a line.

    Lines are cut behind their line feeds only, so that joined they are the text, whatever else it holds.

    Args:
        text: the text.
        prefix: characters before it on its line.
    """
    whole = _text(text)
    width = columns(whole)
    if width + prefix <= _WIDTH:
        return whole
    lines = text.split("\n")
    pieces = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    if width + len(_INDENT) <= _WIDTH:
        pieces = [text]
    elif len(pieces) < 2:
        return whole
    return "(\n" + "".join(f"{_INDENT}{_text(piece)}\n" for piece in pieces) + ")"
