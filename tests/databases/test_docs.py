"""The programs in docs/runtime.md run, in the order of the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlflow_codegen.language import parse_program
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import succeed

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "runtime.md").read_text(encoding="utf-8")


WOODCARVING = """
CREATE TABLE woodcarving (product VARCHAR(20), price INTEGER, materials_cost INTEGER, other_cost INTEGER,
  finishing INTEGER, carpentry INTEGER, max_num INTEGER);
INSERT INTO woodcarving VALUES ('soldier', 27, 10, 14, 2, 1, 40), ('train', 21, 9, 10, 1, 1, 10000);
"""


@pytest.mark.parametrize("kind", ["duckdb", pytest.param("postgres", marks=pytest.mark.database)])
def test_the_programs_of_the_page(request: pytest.FixtureRequest, kind: str) -> None:
    database: Database = request.getfixturevalue(kind)
    succeed(database, (ROOT / "examples" / "01-iris" / "load.sql").read_text(encoding="utf-8") + WOODCARVING)
    program = "\n".join(re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL))
    runnable = [one.number for one in parse_program(program, database.dialect) if one.kind != "run"]  # needs an image
    ran = succeed(database, program, statements=runnable)
    kinds = [record["kind"] for record in ran.of("statement_started")]
    assert kinds == ["train", "train", "train", "predict", "evaluate", "explain", "explain", "optimize"]
    (measured,) = ran.of("metrics", kinds.index("evaluate") + 1)
    assert measured["values"]["accuracy_score"] >= 0.93


def test_the_page_names_every_record_and_kind_of_error() -> None:
    from sqlflow_codegen import contract

    documented = set(re.findall(r"^\| `(\w+)` \|", contract.__doc__ or "", re.MULTILINE))
    assert len(documented) > 5
    assert not {name for name in documented if f"`{name}`" not in PAGE}
    kinds = ("database", "connection", "data", "model", "estimator", "memory", "usage", "stopped", "internal")
    assert not {kind for kind in kinds if f"`{kind}`" not in PAGE}
