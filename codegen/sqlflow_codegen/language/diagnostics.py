"""Diagnostics as a compiler shows them: the line of the program, a caret below the place, the hint."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.language.source import Source

_WIDTH = 100
"""Columns of the screen that a line of the program may take."""
_TAB = "    "
_WORD = re.compile(r"[\w.]+")
_CONTEXT = 40
"""Columns kept before the caret where a line is too long."""


def format_diagnostics(program_text: str, diagnostics: Iterable[Diagnostic]) -> str:
    """All diagnostics, a blank line between two; "" if there are none.

    Tabs become blanks, wide characters count as two columns, long lines are cut around the caret.
    """
    source = Source(program_text)
    return "\n".join(_format(source, one) for one in diagnostics)


def _format(source: Source, diagnostic: Diagnostic) -> str:
    statement = f"statement {diagnostic.statement}, " if diagnostic.statement else ""
    lines = [
        f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}",
        f" --> {statement}line {diagnostic.line}, column {diagnostic.column}",
    ]
    number = str(diagnostic.line)
    shown, caret = _excerpt(source.line_text(diagnostic.line), diagnostic.column - 1)
    pad = " " * len(number)
    lines += [f"{pad} |", f"{number} | {shown}".rstrip(), f"{pad} | {caret}"]
    if diagnostic.hint:
        lines.append(f"{pad} = hint: {diagnostic.hint}")
    return "\n".join(lines) + "\n"


def _excerpt(line: str, index: int) -> tuple[str, str]:
    """The part of the line around that character as it is shown, and the line with the caret below."""
    # Cut first: a line may have a million characters, of which the screen shows a hundred.
    first = max(index - _WIDTH, 0)
    cells = [_cell(character) for character in line[first : index + _WIDTH]]
    at = index - first
    before, marked, after = cells[:at], cells[at : at + 1], cells[at + 1 :]
    word = _WORD.match(line, index)
    length = max(min(word.end() - index, len(after) + 1), 1) if word else 1
    total = sum(width for _, width in cells)
    cut_left = first > 0
    if total > _WIDTH:
        while sum(width for _, width in before) > _CONTEXT:
            before.pop(0)
            cut_left = True
    left = "…" if cut_left else ""
    room = _WIDTH - len(left) - sum(width for _, width in before)
    kept, cut_right = _fitting([*marked, *after], room, index + _WIDTH < len(line))
    shown = left + "".join(text for text, _ in before) + "".join(text for text, _ in kept) + ("…" if cut_right else "")
    offset = len(left) + sum(width for _, width in before)
    under = sum(width for _, width in kept[:length]) or 1
    return shown, " " * offset + "^" + "~" * (under - 1)


def _fitting(cells: list[tuple[str, int]], room: int, more: bool) -> tuple[list[tuple[str, int]], bool]:
    used = 0
    for count, (_, width) in enumerate(cells):
        used += width
        if used > room - (1 if more else 0):
            return cells[:count], True
    return cells, more


def _cell(character: str) -> tuple[str, int]:
    """The character as it is shown, and the number of columns that it takes."""
    if character == "\t":
        return _TAB, len(_TAB)
    category = unicodedata.category(character)
    if category in ("Mn", "Me") or character in ("\u200d", "\ufe0f"):
        return character, 0
    if category[0] == "C" or category in ("Zl", "Zp"):
        return "\ufffd", 1
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1
