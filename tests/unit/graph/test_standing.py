"""Relations that a program drops and makes again, and programs that are run again and again."""

from __future__ import annotations

import pytest
from sqlflow_codegen.graph import Ordering
from sqlflow_codegen.graph.build import Graph

from tests.support.nightly import NIGHTLY_BUILDS
from tests.unit.graph.helpers import CONSERVATIVE, LINEAGE, before, graph, groups, pairs


def longest_way(found: Graph) -> int:
    """Steps one after the other, at most."""
    depth: dict[str, int] = {}
    for step in found.steps:
        depth[step.name] = 1 + max((depth[each] for each in step.after), default=0)
    return max(depth.values())


@pytest.mark.parametrize(
    ("name", "ordering", "steps", "way"),
    [
        ("postgres_schema", CONSERVATIVE, 15, 5),
        ("postgres_tables", CONSERVATIVE, 15, 5),
        ("postgres_interleaved", CONSERVATIVE, 12, 6),
        ("mysql", CONSERVATIVE, 10, 5),
        ("duckdb", CONSERVATIVE, 6, 4),
        ("postgres_schema", LINEAGE, 15, 5),
        ("postgres_tables", LINEAGE, 15, 5),
        ("postgres_interleaved", LINEAGE, 15, 5),
        ("mysql", LINEAGE, 15, 5),
        ("duckdb", LINEAGE, 6, 4),
    ],
)
def test_a_build_that_can_be_run_again_is_no_chain(name: str, ordering: Ordering, steps: int, way: int) -> None:
    """`tests/properties/test_elt.py` runs them."""
    found = graph(NIGHTLY_BUILDS[name], name.partition("_")[0], ordering)
    assert (len(found.steps), longest_way(found)) == (steps, way)


AGAIN = "DROP TABLE IF EXISTS a; CREATE TABLE a AS SELECT 1 AS x; "


def waits(text: str, dialect: str) -> bool:
    """Whether the last statement waits for the one before it."""
    found = graph(AGAIN + text, dialect)
    return before(found, len(found.effects) - 1, len(found.effects))


@pytest.mark.parametrize(
    ("text", "postgres", "late"),
    [
        ("INSERT INTO a VALUES (1); SELECT * FROM e", False, True),  # e may be a view that reads a by its name
        ("SELECT * FROM e; INSERT INTO a VALUES (1)", False, True),
        ("SELECT * FROM a; SELECT * FROM e", False, False),
        ("SELECT * FROM a; INSERT INTO e VALUES (1)", True, True),  # a trigger on e may change a
        ("INSERT INTO a VALUES (1); INSERT INTO e VALUES (1)", True, True),
        ("INSERT INTO e VALUES (1); SELECT * FROM a", True, True),
        ("SELECT * FROM e; DROP TABLE b", True, True),  # b may be a part of e
        ("INSERT INTO e VALUES (1); DROP TABLE b", True, True),
        ("SELECT * FROM a; DROP TABLE b", False, False),
        ("SELECT * FROM e; DROP VIEW b", False, True),
        ("INSERT INTO e VALUES (1); DROP VIEW b", True, True),
    ],
)
def test_what_may_use_a_table_made_again(text: str, postgres: bool, late: bool) -> None:
    assert waits(text, "postgres") is postgres
    for dialect in ("mysql", "sqlite", "duckdb", "snowflake", "bigquery", "trino", "spark", "hive"):
        assert waits(text, dialect) is late, dialect


def test_two_tables_made_again_have_nothing_to_do_with_each_other() -> None:
    text = "DROP TABLE a; DROP TABLE b; CREATE TABLE a (x int); CREATE TABLE b (x int); "
    text += "INSERT INTO a VALUES (1); UPDATE b SET x = 2"
    for dialect in ("postgres", "mysql", "sqlite", "duckdb"):
        assert not before(graph(text, dialect), 5, 6), dialect


@pytest.mark.parametrize("ordering", [CONSERVATIVE, LINEAGE])
def test_what_existed_is_dropped_in_the_programs_order(ordering: Ordering) -> None:
    """A view has to go before the table that it reads; no time is lost by it."""
    found = graph("DROP VIEW IF EXISTS v; DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS u", ordering=ordering)
    assert pairs(found) == [(1, 2), (2, 3)]
    assert groups(found) == [(1, 2, 3)]


def test_what_the_program_made_is_dropped_when_it_was_used() -> None:
    text = "CREATE TABLE a (x int); CREATE TABLE b (x int); DROP TABLE b; DROP TABLE a"
    assert pairs(graph(text)) == [(1, 4), (2, 3)]


def test_cascade_is_followed_where_nothing_of_the_program_can_hang_on_it() -> None:
    text = "CREATE TABLE n (x int); DROP TABLE t CASCADE; CREATE TABLE t (x int); TRUNCATE t; SELECT * FROM e"
    found = graph(text)
    assert not found.effects[1].barrier
    assert not before(found, 4, 5)
    assert graph("CREATE VIEW v AS SELECT * FROM t; DROP TABLE t CASCADE").effects[1].barrier
    assert graph("CREATE TABLE n (x t); DO 'BEGIN END'; DROP TABLE t CASCADE").effects[2].barrier


def test_a_name_without_a_schema_may_mean_another_relation_after_a_drop() -> None:
    """SET search_path = s, public: after s.t is dropped, t is public.t, which may be a view."""
    text = (
        "SET search_path = s, public; CREATE TABLE t (x int); DROP TABLE t; INSERT INTO e VALUES (1); SELECT * FROM t"
    )
    assert before(graph(text), 4, 5)


def test_a_rollback_brings_back_what_was_dropped() -> None:
    text = "BEGIN; DROP TABLE t; CREATE TABLE t (x int); {0}; INSERT INTO t VALUES (1); SELECT * FROM e"
    assert before(graph(text.format("ROLLBACK")), 5, 6)
    assert not before(graph(text.format("COMMIT")), 5, 6)


def test_create_if_not_exists_creates_what_was_dropped_before() -> None:
    text = (
        "DROP TABLE IF EXISTS s.t; CREATE TABLE IF NOT EXISTS s.t (x int); INSERT INTO s.t VALUES (1); SELECT * FROM e"
    )
    assert not before(graph(text), 3, 4)
    assert before(graph(text.split("; ", 1)[1]), 2, 3)


def test_create_or_replace_is_a_drop_and_a_create() -> None:
    text = "CREATE OR REPLACE TABLE a AS SELECT 1 AS x; CREATE OR REPLACE TABLE b AS SELECT * FROM a; SELECT * FROM a"
    assert pairs(graph(text, "duckdb")) == [(1, 2), (1, 3)]
    assert before(graph(f"SELECT * FROM e; {text}", "duckdb"), 1, 2)


def test_an_index_waits_for_the_drops_that_may_give_up_its_name() -> None:
    text = "CREATE TABLE n AS SELECT 1 AS x; DROP TABLE t; CREATE INDEX {0} i ON n (x); DROP TABLE u"
    assert pairs(graph(text.format(""))) == [(1, 3), (2, 3), (2, 4)]
    assert pairs(graph(text.format("IF NOT EXISTS"))) == [(1, 3), (2, 3), (3, 4)]


def test_a_view_that_may_be_read_by_name_passes_on_what_it_reads() -> None:
    """MySQL: a view that existed before reads v, and so the new table under it."""
    text = "CREATE TABLE n (x int); DROP VIEW v; CREATE VIEW v AS SELECT * FROM n; TRUNCATE n; SELECT * FROM e"
    assert before(graph(text, "mysql"), 4, 5)
    assert not before(graph(text, "postgres"), 4, 5)
    replaced = (
        "CREATE TABLE n (x int); CREATE OR REPLACE VIEW v AS SELECT * FROM n; INSERT INTO n VALUES (1); SELECT * FROM e"
    )
    assert before(graph(replaced, "postgres"), 3, 4)  # what is over v stays when it is replaced


def test_a_result_table_that_the_program_dropped_is_its_own() -> None:
    text = """SELECT * FROM e TO TRAIN a.B LABEL y INTO m; SELECT * FROM e TO PREDICT r.y USING m;
    SELECT * FROM f"""
    assert before(graph(text), 2, 3)
    assert not before(graph(f"DROP TABLE IF EXISTS r; {text}"), 3, 4)
