"""Dotted names as programs write them, and as standard SQL quotes them."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlflow_runtime.failures import RunError

_BARE = re.compile(r"[^\W\d][\w$]*")
_PART = re.compile(r"\s*(\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]|[^.\"`\[]+)\s*(\.|$)")


def name_parts(text: str, fold: Callable[[str], str] = str) -> list[str]:
    """The parts of a dotted name as a program writes it, unquoted; `fold` is applied to bare parts only.

    Raises:
        RunError: it cannot be read as a name.
    """
    parts: list[str] = []
    at = 0
    while at < len(text) or not parts:
        match = _PART.match(text, at)
        if match is None:
            raise RunError("usage", f"{text} is not a table name", "Write table or schema.table.")
        part, at = match[1].strip(), match.end()
        if part[0] in '"`[':
            close = {"[": "]"}.get(part[0], part[0])
            parts.append(part[1:-1].replace(close * 2, close))
        else:
            parts.append(fold(part) if _BARE.fullmatch(part) else part)
    return parts


def quote_name(text: str, fold: Callable[[str], str] = str) -> str:
    """A dotted name as a program writes it, every part quoted in standard SQL."""
    return ".".join(quote_part(part) for part in name_parts(text, fold))


def quote_part(part: str) -> str:
    """One identifier, quoted in standard SQL."""
    return '"' + part.replace('"', '""') + '"'
