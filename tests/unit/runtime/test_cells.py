"""Cells of rows: JSON without loss."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from sqlflow_runtime.cells import encode_cell, encode_row, show_cell


@pytest.mark.parametrize(
    ("value", "kind", "cell", "shown"),
    [
        (None, "", None, ""),
        (True, "", True, "true"),
        (2**80, "", 2**80, str(2**80)),
        (0.1, "", 0.1, "0.1"),
        (1.0, "", 1.0, "1.0"),
        (float("nan"), "", {"$float": "nan"}, "nan"),
        (float("-inf"), "", {"$float": "-inf"}, "-inf"),
        ("x", "", "x", "x"),
        ("1.10", "decimal", {"$decimal": "1.10"}, "1.10"),
        ("1.10", "string", "1.10", "1.10"),
        (Decimal("1.10"), "", {"$decimal": "1.10"}, "1.10"),
        (b"\x00\xff", "", {"$bytes": "AP8="}, "\\x00ff"),
        (dt.date(2024, 2, 29), "", {"$date": "2024-02-29"}, "2024-02-29"),
        (dt.time(1, 2, 3), "", {"$time": "01:02:03"}, "01:02:03"),
        (dt.datetime(2024, 2, 29, 1), "", {"$timestamp": "2024-02-29 01:00:00"}, "2024-02-29 01:00:00"),
        (dt.timedelta(days=1), "", {"$interval": "1 day, 0:00:00"}, "1 day, 0:00:00"),
        ([1, {"a": None}], "json", {"$json": '[1, {"a": null}]'}, '[1, {"a": null}]'),
        ("10.0.0.1", "other", "10.0.0.1", "10.0.0.1"),
    ],
)  # fmt: skip
def test_cells(value: Any, kind: str, cell: Any, shown: str) -> None:
    encoded = encode_cell(value, kind)
    assert encoded == cell
    assert type(encoded) is type(cell)
    assert json.loads(json.dumps(encoded, allow_nan=False)) == cell
    assert show_cell(encoded) == shown


def test_what_is_cut_is_named() -> None:
    cells, cut = encode_row(["a", "x" * 70_000, b"y" * 70_000], ["string", "string", "bytes"])
    assert cut == [1, 2]
    assert cells[0] == "a"
    assert len(cells[1]) == 65_536
