"""What databases in this process (SQLite, DuckDB) share: running a statement through a DB-API cursor."""

from __future__ import annotations

import re
from typing import Any

from sqlflow_runtime.databases.base import Column, Preview, PreviewLimit, Result


def preview_of(cursor: Any, columns: tuple[Column, ...], limit: PreviewLimit) -> Result:
    """Fetch rows until the preview is full; the cursor computes no further."""
    preview = Preview(limit)
    count = 0
    while (row := cursor.fetchone()) is not None:
        count += 1
        if not preview.add(tuple(row)):
            return Result(columns, preview.rows, -1, truncated=True)
    return Result(columns, preview.rows, count)


def place_of(sql: str, word: str) -> int | None:
    """Where `word` stands in the text, if it stands there exactly once as a whole word."""
    found = [match.start() for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", sql, re.IGNORECASE)]
    return found[0] if len(found) == 1 else None


def first_word(sql: str) -> str:
    """The statement's first word, in upper case."""
    match = re.match(r"[\s(]*(\w*)", sql)
    return match[1].upper() if match else ""
