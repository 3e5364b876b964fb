"""Values of result rows as JSON, without loss; the scheme is documented in `sqlflow_codegen.contract`."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

CELL_LIMIT = 64 * 1024
"""Characters of text, or bytes of binary data, that one cell shows."""

_TAGGED_KINDS = frozenset({"decimal", "date", "time", "timestamp", "interval", "json"})


def encode_row(values: Sequence[Any], kinds: Sequence[str]) -> tuple[list[Any], list[int]]:
    """Cells of a row, and the positions (from 0) of those that were cut short.

    `kinds` are the columns' kinds (`databases.rows.Column.kind`), which give a text its meaning where the database
    hands out a value as text.
    """
    cells, cut = [], []
    for position, (value, kind) in enumerate(zip(values, kinds, strict=True)):
        shown = value
        if isinstance(value, str | bytes | memoryview | bytearray) and len(value) > CELL_LIMIT:
            shown = value[:CELL_LIMIT]
            cut.append(position)
        cells.append(encode_cell(shown, kind))
    return cells, cut


def encode_cell(value: Any, kind: str = "") -> Any:
    """One value as JSON."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else {"$float": repr(value)}
        case str():
            return {f"${kind}": value} if kind in _TAGGED_KINDS else value
        case Decimal():
            return {"$decimal": str(value)}
        case bytes() | bytearray() | memoryview():
            return {"$bytes": base64.b64encode(value).decode()}
        case dt.datetime():
            return {"$timestamp": value.isoformat(sep=" ")}
        case dt.date() | dt.time() | dt.timedelta():
            tag = {dt.date: "date", dt.time: "time"}.get(type(value), "interval")
            return {f"${tag}": str(value)}
        case list() | tuple() | dict():
            return {"$json": json.dumps(value, default=str, ensure_ascii=False)}
        case _:
            return str(value)


def show_cell(cell: Any) -> str:
    """An encoded cell as a person reads it. Null is the empty string."""
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).lower()
        case {"$bytes": str(data)}:
            return "\\x" + base64.b64decode(data).hex()
        case dict() if len(cell) == 1:
            return str(next(iter(cell.values())))
        case _:
            return str(cell)
