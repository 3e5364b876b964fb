"""The contract as readers of other languages have it: the JSON Schema of records, and the tables of the documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from sqlflow_codegen import contract
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.program import Statement

from tests.support.records import SCHEMA, TYPES, check_record

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "runtime.md").read_text(encoding="utf-8")


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_it_has_the_records_of_the_contract_and_their_fields() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", str(contract.__doc__), re.MULTILINE))
    assert set(TYPES) == set(rows)
    for kind, words in rows.items():
        fields = set(SCHEMA["$defs"][kind]["properties"]) - {"n", "type"}
        assert {name for name in fields if re.search(rf"\b{name}\b", words)} == fields, kind


def test_it_has_the_kinds_of_statements() -> None:
    kinds = SCHEMA["$defs"]["statement_started"]["properties"]["kind"]["enum"]
    found = {
        one.kind
        for one in vars(ir).values()
        if isinstance(one, type) and issubclass(one, Statement) and "kind" in vars(one)
    }
    assert set(kinds) == found


def test_it_has_the_kinds_of_errors() -> None:
    kinds = SCHEMA["$defs"]["error"]["properties"]["kind"]["enum"]
    source = Path(contract.__file__).read_text(encoding="utf-8")
    words = source.split("kind: str", 1)[1].split('"""')[1]
    assert set(kinds) == set(re.findall(r"`(\w+)`", words))


def test_the_page_has_every_exit_code() -> None:
    codes = {value for name, value in vars(contract).items() if name.startswith("EXIT_")}
    table = PAGE.split("| exit code |", 1)[1].split("\n\n", 1)[0]
    assert {int(code) for code in re.findall(r"^\| (\d+)", table, re.MULTILINE)} == codes - {
        contract.EXIT_INTERRUPTED, contract.EXIT_KILLED,
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", [value for name, value in vars(contract).items() if name.endswith("_ENV") and not name.startswith("STEP_")]
)
def test_the_page_has_every_variable_of_a_step(name: str) -> None:
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize(
    "record",
    [
        {"type": "row", "statement": 1, "values": [{"$float": "nan", "$date": "2024-01-01"}]},
        {"type": "row", "statement": 1, "values": [{"$unknown": "x"}]},
        {"type": "row", "statement": 0, "values": []},
        {"type": "row", "statement": 1, "values": [[1]]},
        {"type": "log", "statement": 1, "level": "fatal", "message": ""},
        {"type": "end", "more": 1},
        {"type": "nothing"},
    ],
)
def test_other_records_are_refused(record: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        check_record(record)
