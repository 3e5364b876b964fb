"""docs/language.md: every example on it is run, and nothing of the language is missing from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlflow_codegen.catalogue import estimator_names
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import DIALECTS, normalize_dialect, parse_program
from sqlflow_codegen.language.columns import FUNCTIONS
from sqlflow_codegen.language.diagnostics import format_diagnostics
from sqlflow_codegen.language.grammar import CLAUSES, GRAMMARS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
TABLE = re.compile(r"<!-- run: (?P<template>.*) -->\n(?P<rows>(?:\|.*\n)+)")
CODE = re.compile(r"(?<!`)(`+)(?!`) ?(.+?) ?(?<!`)\1(?!`)")


def examples() -> Iterator[tuple[str, str, str]]:
    """Dialect, program, and the row's first cell, of each row of each table that is run."""
    for table in TABLE.finditer(PAGE):
        for row in table["rows"].splitlines()[2:]:
            first, code, *_ = (cell.strip() for cell in row.strip("|").split("|"))
            match = CODE.fullmatch(code)
            assert match, row
            dialect = first if first in DIALECTS else "postgres"
            yield dialect, table["template"].replace("{}", match[2]), first


EXAMPLES = list(examples())


@pytest.mark.parametrize(("dialect", "program", "form"), EXAMPLES, ids=[form for _, _, form in EXAMPLES])
def test_each_example_is_one_statement(dialect: str, program: str, form: str) -> None:
    (statement,) = parse_program(program, dialect)
    assert statement.text == program
    plain = form == "plain SQL" or form in DIALECTS
    assert (statement.kind == "sql") == plain
    if form.startswith("`TO "):
        assert statement.title.startswith(form.strip("`"))


@pytest.mark.parametrize("program", re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL))
def test_each_program_parses(program: str) -> None:
    assert len(parse_program(program)) > 0


def test_the_error_is_shown_as_it_is() -> None:
    program = "SELECT *\nFROM t TO TRAIN xgboost.gbtree\nWITH max_dept=3\nLABEL y INTO m"
    with pytest.raises(ProgramError) as caught:
        parse_program(program)
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert format_diagnostics(program, caught.value.diagnostics) == shown


def test_every_form_is_on_the_page() -> None:
    forms = {form.strip("`") for _, _, form in EXAMPLES}
    assert {f"TO {action}" for action in GRAMMARS} - forms == set()
    assert set(FUNCTIONS) - forms == set()
    programs = " ".join(program for _, program, _ in EXAMPLES)
    assert {clause for clause in CLAUSES if not re.search(rf"\b{clause}\b", programs)} == set()


def test_every_code_is_on_the_page() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "codegen" / "sqlflow_codegen" / "language").rglob("*.py")
    )
    codes = set(re.findall(r'Problem(?:Error)?\(\s*"([a-z]+(?:-[a-z]+)*)"', sources))
    assert len(codes) > 25
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


def test_every_dialect_and_alias_is_what_the_page_says() -> None:
    section = PAGE[PAGE.index("## Dialects") :]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", section, re.MULTILINE)
    assert {name for name, _ in rows if name in DIALECTS} == set(DIALECTS)
    for name, aliases in rows[: len(DIALECTS)]:
        assert {normalize_dialect(alias) for alias in re.findall(r"`(\w+)`", aliases)} <= {name}


def test_estimators_on_the_page_exist() -> None:
    section = PAGE[PAGE.index("## Estimators") : PAGE.index("## Dialects")]
    named = set(re.findall(r"`((?:xgboost|sklearn)\.[\w.]+)`", section)) - {"sklearn.RandomForestClassifier"}
    assert named <= set(estimator_names())
