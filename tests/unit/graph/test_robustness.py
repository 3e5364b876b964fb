"""Whatever the text: a graph, within bounded effort, or an error that a person caused."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import DIALECTS

from tests.unit.graph.helpers import graph, pairs

DEEP = {
    "parentheses": "SELECT " + "(" * 4000 + "1" + ")" * 4000,
    "subqueries": "SELECT * FROM " + "(SELECT * FROM " * 1500 + "t" + ") x" * 1500,
    "functions": "SELECT " + "f(" * 3000 + "1" + ")" * 3000,
    "cases": "SELECT " + "CASE WHEN " * 3000 + "1" + " THEN 1 END" * 3000,
    "negations": "SELECT " + "NOT " * 5000 + "1",
    "unions": "SELECT 1 " + "UNION SELECT 1 " * 3000,
    "conditions": "SELECT 1 FROM t WHERE " + "a = 1 AND " * 5000 + "b",
    "joins that no ON ends": "SELECT * FROM a " + "JOIN b " * 300,
    "values": "INSERT INTO t VALUES " + ", ".join(f"({n}, 'text')" for n in range(8000)),
    "names": "SELECT * FROM " + ", ".join(f"t{n}" for n in range(3000)),
}


@pytest.mark.parametrize("what", DEEP)
def test_no_text_is_too_deep_or_too_long(what: str) -> None:
    assert pairs(graph(f"INSERT INTO t VALUES (1); {DEEP[what]}; SELECT * FROM t")) != []


def test_the_same_text_gives_the_same_graph_however_deep_the_caller_is() -> None:
    text = "CREATE TABLE t (x int); SELECT " + "(" * 30 + "1" + ")" * 30 + "; INSERT INTO t VALUES (1)"

    def deeper(levels: int) -> list[tuple[int, int]]:
        return deeper(levels - 1) if levels else pairs(graph(text))

    assert deeper(0) == deeper(sys.getrecursionlimit() // 2)


WORDS = """SELECT INSERT INTO UPDATE DELETE FROM JOIN WHERE SET WITH AS CREATE TABLE VIEW TEMP DROP ALTER RENAME TO
BEGIN COMMIT ROLLBACK USE a b c.d "q" `r` 's' 1 ( ) , . ; * = @x @@y := $1 -- /* */ # :: CASE WHEN END UNION VALUES
MERGE USING ON LIKE REFERENCES INDEX SEQUENCE nextval f g.h IN EXISTS NOT NULL TRUNCATE COPY LOAD DATA PRAGMA RESET
SAVEPOINT RELEASE TRANSACTION SCHEMA DATABASE IF OR REPLACE CASCADE LOCK TABLES CALL DO GRANT search_path INTO [ ] { }
TRAIN PREDICT LABEL WITH RECURSIVE LATERAL OVER PIVOT INTERVAL CAST ARRAY""".split()  # noqa: SIM905


@given(st.lists(st.sampled_from(WORDS), max_size=25), st.sampled_from(DIALECTS))
@example(["SET"], "mysql")
@example(["RENAME", "TABLE"], "mysql")
@example(["USE"], "duckdb")
@example(["PRAGMA"], "sqlite")
@example(["REFRESH", "MATERIALIZED", "VIEW"], "postgres")
def test_any_words_give_a_graph_or_an_error_of_the_language(words: list[str], dialect: str) -> None:
    try:
        found = graph(" ".join(words), dialect)
    except ProgramError:
        return
    assert sorted(n for step in found.steps for n in step.statements) == [s.number for s in found.program]


@given(st.text(max_size=60), st.sampled_from(DIALECTS))
def test_any_text_gives_a_graph_or_an_error_of_the_language(text: str, dialect: str) -> None:
    try:
        graph(text, dialect)
    except ProgramError:
        return


def test_steps_of_random_programs_are_sound() -> None:
    """Every statement in one step; steps in an order in which they may run; names unique."""
    statements = [
        "CREATE TABLE t{n} AS SELECT * FROM t{m}",
        "INSERT INTO t{n} SELECT * FROM t{m}",
        "SELECT * FROM t{n} TO TRAIN a.B LABEL y INTO m{m}",
        "CREATE TEMP TABLE x{n} AS SELECT * FROM t{m}",
        "SELECT * FROM x{n}",
        "SET search_path = s{n}",
        "BEGIN; UPDATE t{n} SET v = 1; COMMIT",
        "CALL p()",
        "SELECT * FROM t{n} TO PREDICT t{m}.y USING m{n}",
    ]
    choose = random.Random(4)
    for _ in range(60):
        chosen = choose.choices(statements, weights=[8, 8, 4, 2, 3, 2, 2, 1, 3], k=choose.randint(1, 25))
        found = graph("; ".join(s.format(n=choose.randint(1, 4), m=choose.randint(1, 4)) for s in chosen))
        assert sorted(n for step in found.steps for n in step.statements) == [s.number for s in found.program]
        done: set[str] = set()
        for step in found.steps:
            assert set(step.after) <= done
            assert not set(step.session) & set(step.statements)
            done.add(step.name)
        assert len(done) == len(found.steps)
