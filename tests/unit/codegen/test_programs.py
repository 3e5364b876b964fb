"""SQLFlow's own example programs: each parses, and its statements are those of its golden file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlflow_codegen.language import parse_program

from tests.support.ir_json import to_json

HERE = Path(__file__).parent
PROGRAMS = sorted((HERE / "programs").glob("*.sql"))


def dialect(text: str) -> str:
    """The dialect that the first line names: `-- mysql: what the program is`."""
    return text.removeprefix("-- ").partition(":")[0]


def golden(path: Path) -> dict[str, Any]:
    """What the golden file of that program holds: all but the text, which stands in the program itself."""
    text = path.read_text(encoding="utf-8")
    data = to_json(parse_program(text, dialect(text)))
    del data["text"]
    return data


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_golden_statements(path: Path) -> None:
    """Regenerate with `python tests/unit/codegen/regenerate.py`."""
    expected = (HERE / "golden" / f"{path.stem}.json").read_text(encoding="utf-8")
    assert golden(path) == json.loads(expected)


def test_each_program_has_a_golden_file_and_no_other() -> None:
    files = {path.stem for path in (HERE / "golden").glob("*.json")}
    assert files == {path.stem for path in PROGRAMS}
