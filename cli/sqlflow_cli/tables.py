"""Results on a page: a table where it fits, else one value a line. No value is dropped, no number is broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from sqlflow_runtime.cells import show_cell

from sqlflow_cli.screen import visible

_NUMERIC = re.compile(
    r"u?(?:tiny|small|medium|big|huge)?int(?!erval|\d*(?:multi)?range)|float|double|real|numeric|decimal|(?:small|big)?serial",
    re.IGNORECASE,
)
"""The beginning of the names of number types, in every database."""
_BETWEEN = 3
"""Columns between two cells of a table."""
_FOLDED = 40
"""Texts up to that length stay in one line; longer ones may be folded, but no narrower."""
_NULL = "NULL"


@dataclass(slots=True)
class Shown:
    """One result, from its records.

    Attributes:
        names, types: of its columns.
        rows: encoded cells.
        cut: for each row the positions of cells that were cut short.
    """

    names: list[str]
    types: list[str]
    rows: list[list[Any]] = field(default_factory=list)
    cut: list[tuple[int, ...]] = field(default_factory=list)

    def renderables(self, width: int) -> Iterator[RenderableType]:
        """The result for a page of that width: a table, or the rows one after the other."""
        names = [visible(name) for name in self.names]
        cells = [self._cells(number) for number in range(len(self.rows))]
        natural = [max([_width(row[n].plain) for row in cells] + [_width(name)]) for n, name in enumerate(names)]
        right = [_NUMERIC.match(kind) is not None for kind in self.types]
        least = [wide if number else min(wide, _FOLDED) for wide, number in zip(natural, right, strict=True)]
        if sum(least) + _BETWEEN * len(least) <= width:
            yield _table(names, cells, right, least)
        elif not cells:
            yield Text(f"columns {', '.join(names)}")
        else:
            yield from _expanded(names, cells)

    def _cells(self, number: int) -> list[Text]:
        return [_cell(cell, n in self.cut[number]) for n, cell in enumerate(self.rows[number])]


def _cell(cell: Any, cut: bool) -> Text:
    if cell is None:
        return Text(_NULL, style="dim")
    return Text(visible(show_cell(cell)) + ("…" if cut else ""))


def _width(text: str) -> int:
    return max((cell_len(line) for line in text.splitlines()), default=0)


def _table(names: list[str], cells: list[list[Text]], right: list[bool], least: list[int]) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for name, number, width in zip(names, right, least, strict=True):
        justify = "right" if number else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", no_wrap=number, min_width=width)  # type: ignore[arg-type]
    for row in cells:
        table.add_row(*row)
    return table


def _expanded(names: list[str], cells: list[list[Text]]) -> Iterator[Text]:
    r"""As psql's \\x: a line for each value, under a line for each row."""
    width = max(map(_width, names))
    for number, row in enumerate(cells, 1):
        yield Text(f"── row {number} ──", style="bold")
        for name, cell in zip(names, row, strict=True):
            first = " ".join(name.splitlines())
            before = Text(first + " " * (width - cell_len(first)) + " │ ")
            lines = cell.split("\n") or [Text("")]
            for line in lines:
                yield Text.assemble(before, line)
                before = Text(" " * width + " │ ")
