"""Text of the user reaches the database, and comes back, byte for byte."""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import succeed
from tests.hostile import HOSTILE_TEXTS, literal


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_a_literal_comes_back_byte_for_byte(database: Database, name: str) -> None:
    text = HOSTILE_TEXTS[name]
    # A backslash is a character like any other in standard SQL, and an escape in MySQL.
    quoted = literal(text.replace("\\", "\\\\") if database.dialect == "mysql" else text)
    ran = succeed(database, f"SELECT {quoted} AS t, 100 % 7 AS m; SELECT 1")
    assert ran.rows() == [[text, 2]]
    ran = succeed(database, f"CREATE TABLE kept AS SELECT {quoted} AS t; SELECT t FROM kept")
    assert ran.rows(2) == [[text]]


def test_names_of_columns_are_kept(database: Database) -> None:
    text = '%s :x {{y}} $(Z) "q" é'
    quoted = f"`{text}`" if database.dialect == "mysql" else '"' + text.replace('"', '""') + '"'
    ran = succeed(database, f"SELECT 1 AS {quoted}")
    assert ran.of("columns")[0]["names"] == [text]


def test_a_long_line_and_many_columns(database: Database) -> None:
    columns = ", ".join(f"{number} AS c{number}" for number in range(1, 201))
    assert succeed(database, f"SELECT {columns}").rows() == [list(range(1, 201))]
