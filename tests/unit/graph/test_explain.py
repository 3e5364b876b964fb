"""What made a program sequential, and what would free it."""

from __future__ import annotations

import pytest
from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.graph import Ordering
from sqlflow_codegen.graph.explain import longest_chain, notes

from tests.unit.graph.helpers import CONSERVATIVE, LINEAGE, SEQUENTIAL, graph


def noted(text: str, dialect: str = "postgres", ordering: Ordering = CONSERVATIVE) -> list[Diagnostic]:
    """The notes about a program."""
    return list(notes(graph(text, dialect, ordering), ordering))


TWO = "CREATE TABLE x AS SELECT * FROM e; {0}; CREATE TABLE y AS SELECT * FROM f"
CASES = [
    ("postgres", TWO.format("DROP TABLE IF EXISTS t"), "DROP TABLE t", "may be a part of a table", "at the beginning"),
    ("postgres", TWO.format("INSERT INTO log SELECT 1"), "INSERT INTO log", "triggers", "Use `ordering: Lineage`"),
    ("postgres", TWO.format("TRUNCATE log"), "TRUNCATE TABLE log", "`log` may have existed", "Use `ordering: Lineage`"),
    (
        "postgres",
        TWO.format("CREATE TABLE IF NOT EXISTS t AS SELECT * FROM x"),
        "CREATE TABLE t",
        "IF NOT EXISTS keeps",
        "without IF NOT EXISTS",
    ),
    (
        "mysql",
        "DROP TABLE t; CREATE TABLE t AS SELECT * FROM e; CREATE TABLE y AS SELECT * FROM f",
        "CREATE TABLE t",
        "by its name",
        "Use `ordering: Lineage`",
    ),
]


@pytest.mark.parametrize(("dialect", "text", "title", "why", "remedy"), CASES)
def test_a_note_names_the_statement_the_reason_and_the_remedy(
    dialect: str, text: str, title: str, why: str, remedy: str
) -> None:
    (note,) = noted(text, dialect)
    assert note.severity == "note"
    assert note.message.startswith(title)
    assert why in note.message
    assert remedy in note.hint
    assert note.line == 1


def test_what_the_remedy_says_is_true() -> None:
    text = TWO.format("DROP TABLE IF EXISTS t")
    (note,) = noted(text)
    assert note.hint.endswith("is then 1 instead of 2")
    assert longest_chain(graph(text)) == 2
    assert longest_chain(graph(text, ordering=LINEAGE)) == 1
    first, second, third = text.split("; ")
    assert noted("; ".join([second, first, third])) == []


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO a SELECT * FROM e; INSERT INTO a SELECT * FROM f; SELECT * FROM a",
        "DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS b; INSERT INTO c VALUES (1); CREATE TABLE a AS SELECT * FROM e",
        "CREATE TABLE a AS SELECT * FROM e; CREATE TABLE b AS SELECT * FROM e",
        "SELECT 1 FROM a; CALL p(); SELECT 1 FROM b",
        "SELECT 1",
        "CREATE TABLE a AS SELECT 1; UPDATE a SET x = 2; UPDATE a SET x = 3; DELETE FROM a; TRUNCATE c; DELETE FROM b",
        "",
    ],
)
def test_nothing_is_said_where_nothing_is_lost(text: str) -> None:
    """Or where a warning says it."""
    assert noted(text) == []


def test_nothing_is_said_of_an_ordering_that_was_chosen() -> None:
    text = TWO.format("INSERT INTO log SELECT 1")
    assert noted(text, ordering=LINEAGE) == noted(text, ordering=SEQUENTIAL) == []


def test_statements_with_the_same_reason_share_a_note() -> None:
    text = "; ".join(f"DROP TABLE t{n}; CREATE TABLE t{n} AS SELECT * FROM e{n}" for n in range(12))
    (note,) = noted(text)
    assert note.message.endswith("; the same holds for statements 5, 7, 9, 11, 13, 15 and 4 more")


def test_a_drop_of_a_schema_at_the_beginning_is_no_warning() -> None:
    text = "DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; CREATE TABLE s.a AS SELECT * FROM e; {0} SELECT 1 FROM f"
    assert graph(text.format("")).warnings == ()
    (warning,) = graph(text.format("DROP SCHEMA t CASCADE;")).warnings
    assert warning.statement == 4
