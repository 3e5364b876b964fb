"""What databases with a plain DB-API cursor share (SQLite, DuckDB, MySQL)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlflow_runtime.databases.rows import Column, Derivation, Preview, PreviewLimit, Row, StatementResult


def preview_of(cursor: Any, columns: tuple[Column, ...], limit: PreviewLimit) -> StatementResult:
    """Fetch rows until the preview is full; the cursor computes no further."""
    preview = Preview(limit)
    count = 0
    while (row := cursor.fetchone()) is not None:
        count += 1
        if not preview.add(tuple(row)):
            return StatementResult(columns, preview.rows, -1, truncated=True)
    return StatementResult(columns, preview.rows, count)


def compute_in_pages(
    page: Callable[[int, int], list[Row]], keep: Callable[[list[Row]], None], derivation: Derivation, size: int = 10_000
) -> int:
    """Compute the added columns of rows that are kept inside the database under ascending numbers; returns how many.

    Args:
        page: the next rows after a number, as many as its second argument says; each behind its own number.
        keep: stores computed rows, each behind its number.
        derivation: what to compute.
        size: rows of one page.
    """
    count, last = 0, -1
    while batch := page(last, size):
        added = derivation.compute([row[1:] for row in batch])
        keep([(row[0], *more) for row, more in zip(batch, added, strict=True)])
        count, last = count + len(batch), batch[-1][0]
    return count


def place_of(sql: str, word: str) -> int | None:
    """Where `word` stands in the text, if it stands there exactly once as a whole word."""
    found = [match.start() for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", sql, re.IGNORECASE)]
    return found[0] if len(found) == 1 else None


def first_word(sql: str) -> str:
    """The statement's first word, in upper case."""
    match = re.match(r"[\s(]*(\w*)", sql)
    return match[1].upper() if match else ""
