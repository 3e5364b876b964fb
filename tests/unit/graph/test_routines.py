"""Functions and macros that the program defines: their callers read what the bodies read, and wait for nothing else."""

from __future__ import annotations

import pytest
from sqlflow_codegen.graph import Ordering

from tests.unit.graph.helpers import CONSERVATIVE, LINEAGE, before, graph, last, pairs

PURE = [
    ("postgres", "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x + 1'"),
    ("postgres", "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1 AS $$ SELECT 1; $$"),
    ("postgres", "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql STRICT RETURN x + 1"),
    (
        "postgres",
        "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT CASE WHEN x < 1 THEN 1 ELSE f(x - 1) END'",
    ),
    ("mysql", "CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC NO SQL COMMENT 'c' RETURN x + 1"),
    ("duckdb", "CREATE MACRO f(x) AS x + 1"),
    ("bigquery", "CREATE FUNCTION f(x INT64) AS (x + 1)"),
    ("snowflake", "CREATE FUNCTION f(x int) RETURNS int AS 'x + 1'"),
    ("spark", "CREATE FUNCTION f(x INT) RETURNS INT RETURN x + 1"),
    ("trino", "CREATE FUNCTION f(x int) RETURNS int RETURN x + 1"),
]
CALLS = "CREATE TABLE a AS SELECT f(v) AS v FROM e; CREATE TABLE b AS SELECT f(v) AS v FROM e"


@pytest.mark.parametrize("ordering", [CONSERVATIVE, LINEAGE])
@pytest.mark.parametrize(("dialect", "definition"), PURE)
def test_callers_of_a_function_that_only_computes_run_side_by_side(
    dialect: str, definition: str, ordering: Ordering
) -> None:
    found = graph(f"{definition}; {CALLS}", dialect, ordering)
    assert pairs(found) == [(1, 2), (1, 3)]
    assert found.warnings == ()


READING = [
    ("postgres", "CREATE FUNCTION f(x int) RETURNS int STABLE LANGUAGE sql AS 'SELECT max(v) FROM t'"),
    ("postgres", "CREATE FUNCTION f(x int DEFAULT 1) RETURNS SETOF t LANGUAGE sql AS $$ SELECT * FROM t $$"),
    ("mysql", "CREATE FUNCTION f(x INT) RETURNS INT READS SQL DATA RETURN (SELECT max(v) FROM t)"),
    ("duckdb", "CREATE MACRO f(x) AS x + (SELECT count(*) FROM t)"),
    ("duckdb", "CREATE OR REPLACE MACRO f(x) AS TABLE SELECT * FROM t"),
    ("bigquery", "CREATE FUNCTION f(x INT64) AS ((SELECT max(v) FROM t))"),
    ("spark", "CREATE FUNCTION f(x INT) RETURNS INT RETURN (SELECT max(v) FROM t)"),
]
USES = [
    "SELECT f(1) FROM e",
    "CREATE TABLE a AS SELECT f(1) AS v",
    "INSERT INTO n SELECT f(v) FROM e",
    "SELECT * FROM (SELECT * FROM e WHERE f(1) > 2) q",
]


@pytest.mark.parametrize("ordering", [CONSERVATIVE, LINEAGE])
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("dialect", "definition"), READING)
def test_callers_read_what_the_body_reads(dialect: str, definition: str, use: str, ordering: Ordering) -> None:
    text = f"CREATE TABLE t (v int); CREATE TABLE n (v int); {definition}; INSERT INTO t VALUES (1); {use}; TRUNCATE t"
    found = graph(text, dialect, ordering)
    assert before(found, 4, 5)
    assert before(found, 5, 6)
    assert not found.effects[4].barrier
    assert "t" in [name.lower() for name in found.effects[4].shown_reads]


THROUGH = [
    "CREATE VIEW w AS SELECT f(1) AS v; {0}; SELECT * FROM w",
    "CREATE TABLE d (v int DEFAULT f(1)); {0}; INSERT INTO d DEFAULT VALUES",
    "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT f(2)'; {0}; SELECT g()",
    "CREATE FUNCTION g(x int DEFAULT f(2)) RETURNS int LANGUAGE sql AS 'SELECT 1'; {0}; SELECT g()",
    "CREATE TABLE d (v int); {0}; ALTER TABLE d ALTER COLUMN v TYPE int USING f(v)",
    "CREATE TABLE d (v int); {0}; SELECT * FROM d TO TRAIN a.B WITH validation.select='SELECT f(1)' LABEL v INTO m",
]


@pytest.mark.parametrize("ordering", [CONSERVATIVE, LINEAGE])
@pytest.mark.parametrize("text", THROUGH)
def test_whoever_reads_through_a_definition_reads_what_its_functions_read(text: str, ordering: Ordering) -> None:
    start = f"CREATE TABLE t (v int); {READING[0][1]}; "
    assert before(graph(start + text.format("INSERT INTO t VALUES (1)"), ordering=ordering), 4, 5)


def test_the_body_names_what_the_caller_sees() -> None:
    """A body of PostgreSQL is read anew, with the caller's search path."""
    text = f"SET search_path = s; CREATE TABLE t (v int); {READING[0][1]}; SET search_path = u; "
    found = graph(text + "CREATE TABLE t AS SELECT 1 AS v; SELECT s.f(1)")
    assert before(found, 5, 6)


UNKNOWN = [
    ("postgres", "CREATE FUNCTION f(x int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'"),
    ("postgres", "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'DELETE FROM t; SELECT 1'"),
    ("postgres", "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING 1'"),
    (
        "postgres",
        "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'WITH d AS (DELETE FROM t RETURNING v) TABLE d'",
    ),
    ("postgres", "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql SET search_path = s AS 'SELECT max(v) FROM t'"),
    ("postgres", "CREATE FUNCTION f(x int) RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('s') $$"),
    ("postgres", "CREATE FUNCTION median(x int) RETURNS int LANGUAGE sql AS 'SELECT max(v) FROM t'"),
    ("mysql", "CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC BEGIN UPDATE t SET v = x; RETURN 1; END"),
    ("mysql", "CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC RETURN @v"),
    ("mysql", "CREATE FUNCTION IF NOT EXISTS f(x INT) RETURNS INT DETERMINISTIC RETURN 1"),
    ("bigquery", "CREATE FUNCTION f(x INT64) RETURNS INT64 LANGUAGE js AS 'return x'"),
    ("hive", "CREATE FUNCTION f AS 'org.example.F'"),
]


@pytest.mark.parametrize("ordering", [CONSERVATIVE, LINEAGE])
@pytest.mark.parametrize(("dialect", "definition"), UNKNOWN)
def test_a_body_that_does_more_than_read_or_is_not_understood_is_not_followed(
    dialect: str, definition: str, ordering: Ordering
) -> None:
    assert not last(definition, dialect, ordering).understood
    if "median" not in definition:  # sqlglot takes it for a function of the database
        assert last(f"{definition}; SELECT f(1)", dialect, ordering).barrier


def test_names_are_trusted_that_a_body_in_another_language_only_computes() -> None:
    definition = "CREATE FUNCTION f(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN x; END $$"
    assert pairs(graph(f"{definition}; {CALLS}", ordering=LINEAGE)) == [(1, 2), (1, 3)]
    assert pairs(graph(f"{definition}; {CALLS}")) == [(1, 2), (2, 3)]


def test_a_call_may_mean_a_function_of_another_schema() -> None:
    text = f"{PURE[0][1]}; SET search_path = s; SELECT f(1)"
    assert not last(text).understood
    assert last(text, ordering=LINEAGE).understood


def test_a_function_that_is_replaced_may_be_called_by_views_that_existed_before() -> None:
    text = "CREATE TABLE t (v int); CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT max(v) FROM t'; "
    found = graph(text + "INSERT INTO t VALUES (1); SELECT * FROM e")
    assert before(found, 3, 4)
    assert not before(graph(text.replace("OR REPLACE ", "") + "INSERT INTO t VALUES (1); SELECT * FROM e"), 3, 4)


def test_a_function_that_is_dropped_and_made_again() -> None:
    text = f"DROP FUNCTION IF EXISTS f; {PURE[0][1]}; {CALLS}"
    found = graph(text)
    assert pairs(found) == [(1, 2), (2, 3), (2, 4)]
    assert found.warnings == ()
    assert not last(f"{PURE[0][1]}; DROP FUNCTION f; SELECT f(1)").understood


def test_definitions_of_a_function_add_up() -> None:
    """A view may have been made with the first of them."""
    text = """CREATE TABLE t (v int); CREATE TABLE u (v int);
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT max(v) FROM t';
    CREATE VIEW w AS SELECT f() AS v; CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT max(v) FROM u';
    SELECT * FROM w"""
    assert last(text).shown_reads == ("f()", "t", "u", "w")
