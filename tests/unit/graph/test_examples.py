"""SQLFlow's own example programs: the graph of each is that of its golden file, and nothing in them is a surprise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlflow_codegen.graph import Ordering, plan
from sqlflow_codegen.graph.explain import notes
from sqlflow_codegen.graph.pictures import to_json
from sqlflow_codegen.language import parse_program

from tests.unit.codegen.test_programs import PROGRAMS, dialect

GOLDEN = Path(__file__).parent / "golden"


def golden(path: Path) -> str:
    """The graph of a program, one statement, edge or step a line."""
    text = path.read_text(encoding="utf-8")
    found = plan(parse_program(text, dialect(text)))
    data = to_json(found, notes(found, Ordering.CONSERVATIVE))
    lists = (f' "{key}": [\n' + ",\n".join("  " + json.dumps(one) for one in data[key]) + "\n ]" for key in data)
    return "{\n" + ",\n".join(lists) + "\n}\n"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_golden_graph(path: Path) -> None:
    """Regenerate with `python tests/unit/graph/regenerate.py`."""
    assert golden(path) == (GOLDEN / f"{path.stem}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_only_runs_of_unknown_images_warn(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    program = parse_program(text, dialect(text))
    assert {program.statement(each.statement).kind for each in plan(program).warnings} <= {"run"}


def test_each_program_has_a_golden_file_and_no_other() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {path.stem for path in PROGRAMS}
