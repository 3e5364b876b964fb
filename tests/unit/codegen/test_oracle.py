"""The splitter against SQLite's own opinion of where a statement is complete."""

from __future__ import annotations

import sqlite3

import pytest
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import parse_program

from tests.support.examples import chance, scaled

WORDS = """
SELECT 1 a ; ; ; ' '' " "" ` `` [ ] /* */ -- , ( ) x'00' 'it''s' "a;b" [a;b] `a;b` /*;*/ --;
"""
TRIGGERS = [
    "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE 1 WHEN 2 THEN 3 END; DELETE FROM b; END",
    "CREATE TEMP TRIGGER t BEFORE UPDATE ON a WHEN CASE 1 WHEN 2 THEN 3 END BEGIN SELECT ';END;'; END",
    "CREATE TABLE t (a, b)",
]
PIECES = [*WORDS.split(), "\n", "\n"]
COUNT = scaled(2000)


def complete(text: str) -> bool:
    """Whether SQLite takes the text for whole statements."""
    return sqlite3.complete_statement(text)


@pytest.mark.random
def test_statements_are_those_that_sqlite_sees() -> None:
    choose = chance("sqlite")
    compared = 0
    for _ in range(COUNT):
        soup = " ".join(choose.choices(PIECES, k=choose.randrange(1, 14)))
        parts = choose.sample([*TRIGGERS, soup, "SELECT 1"], 3)
        text = "\n;".join(parts) + "\n;"
        try:
            statements = parse_program(text, "sqlite").statements
        except ProgramError:
            continue
        for statement in statements:
            if statement.text[:1] not in "SC(1a":
                continue  # not the first token of any statement: SQLite does not care either
            compared += 1
            assert complete(statement.text + "\n;"), text
            inner = [index for index, character in enumerate(statement.text) if character == ";"]
            assert not any(complete(statement.text[: index + 1]) for index in inner), text
    assert compared > COUNT // 4
