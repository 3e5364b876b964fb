"""Names: case, qualification, the current schema, and which names may mean one relation."""

from __future__ import annotations

import pytest
from sqlflow_codegen.graph.data_objects import EXISTING

from tests.unit.graph.helpers import LINEAGE, before, graph, last, pairs

READS = [
    ("postgres", 'SELECT 1 FROM Foo, "Foo", foo, "foo"', "Foo foo"),
    ("postgres", 'SELECT 1 FROM S.Foo, "S".Foo', "S.foo s.foo"),
    ("snowflake", 'SELECT 1 FROM foo, "foo"', "FOO foo"),
    ("sqlite", 'SELECT 1 FROM Foo, "fOO"', "foo"),
    ("duckdb", "SELECT 1 FROM Foo, foo", "foo"),
    ("hive", "SELECT 1 FROM Foo, `FOO`", "foo"),
    ("trino", 'SELECT 1 FROM Foo, "FOO"', "foo"),
    ("mysql", "USE Db; SELECT 1 FROM Foo", "Db.Foo"),
    ("mysql", "USE `my db`; SELECT 1 FROM a, s.b", "my db.a s.b"),
    ("hive", "USE db; SELECT 1 FROM a", "db.a"),
    ("spark", "USE db; SELECT 1 FROM a", "db.a"),
    ("trino", "USE c.s; SELECT 1 FROM a", "s.a"),
    ("duckdb", "USE c.s; SELECT 1 FROM a", "s.a"),
    ("duckdb", "USE s; SELECT 1 FROM a", "a"),
    ("duckdb", "SET schema = 's'; SELECT 1 FROM a", "s.a"),
    ("snowflake", "USE SCHEMA s; SELECT 1 FROM a", "S.A"),
    ("snowflake", "USE DATABASE d; SELECT 1 FROM a", "A"),
    ("snowflake", "USE WAREHOUSE w; SELECT 1 FROM a", "A"),
    ("postgres", "SET search_path TO S; SELECT 1 FROM a", "s.a"),
    ("postgres", 'SET search_path = "S"; SELECT 1 FROM a', "S.a"),
    ("postgres", "SET search_path = s, public; SELECT 1 FROM a", "a"),
    ("postgres", "SET SCHEMA 's'; SELECT 1 FROM a", "s.a"),
    ("postgres", "SET search_path = s; RESET search_path; SELECT 1 FROM a", "a"),
    ("postgres", "SET search_path = s; SET search_path TO DEFAULT; SELECT 1 FROM a", "a"),
    ("postgres", "SET search_path = s; RESET ALL; SELECT 1 FROM a", "a"),
    ("postgres", "SET search_path = s; RESET statement_timeout; SELECT 1 FROM a", "s.a"),
    ("postgres", "BEGIN; SET search_path = s; ROLLBACK; SELECT 1 FROM a", "a"),
    ("postgres", "BEGIN; SET search_path = s; COMMIT; SELECT 1 FROM a", "s.a"),
    ("postgres", "BEGIN; SET LOCAL search_path = s; SELECT 1 FROM a", "s.a"),
    ("postgres", "BEGIN; SET LOCAL search_path = s; COMMIT; SELECT 1 FROM a", "a"),
    ("postgres", "SELECT 1 FROM " + "x" * 80, "x" * 63),
]


@pytest.mark.parametrize(("dialect", "text", "reads"), READS)
def test_shown_names(dialect: str, text: str, reads: str) -> None:
    assert " ".join(last(text, dialect).shown_reads) == reads


SAME = [
    ("postgres", "INSERT INTO t VALUES (1); SELECT 1 FROM public.t"),
    ("postgres", "INSERT INTO t VALUES (1); SELECT 1 FROM alice.t"),
    ("postgres", "SET search_path = a, b; INSERT INTO t VALUES (1); SELECT 1 FROM b.t"),
    ("postgres", "INSERT INTO t VALUES (1); SET search_path = a; SELECT 1 FROM t"),
    ("mysql", "INSERT INTO t VALUES (1); SELECT 1 FROM iris.t"),
    ("mysql", "USE iris; INSERT INTO t VALUES (1); SELECT 1 FROM iris.t"),
    ("mysql", "INSERT INTO T VALUES (1); SELECT 1 FROM t"),
    ("duckdb", "INSERT INTO a.t VALUES (1); SELECT 1 FROM a.main.t"),
    ("duckdb", "USE s; INSERT INTO t VALUES (1); SELECT 1 FROM s.t"),
    ("snowflake", "INSERT INTO d.s.t VALUES (1); SELECT 1 FROM s.t"),
    ("sqlite", "INSERT INTO t VALUES (1); SELECT 1 FROM main.T"),
]


@pytest.mark.parametrize(("dialect", "text"), SAME)
def test_names_that_may_mean_one_relation_keep_their_order(dialect: str, text: str) -> None:
    found = graph(text, dialect, LINEAGE)
    writer = next(n for n, each in enumerate(found.effects, 1) if each.writes)
    assert before(found, writer, len(found.effects))


OTHER = [
    ("postgres", "INSERT INTO a.t VALUES (1); SELECT 1 FROM b.t"),
    ("postgres", 'INSERT INTO t VALUES (1); SELECT 1 FROM "T"'),
    ("postgres", "SET search_path = a; INSERT INTO t VALUES (1); SELECT 1 FROM b.t"),
    ("mysql", "USE a; INSERT INTO t VALUES (1); USE b; SELECT 1 FROM t"),
]


@pytest.mark.parametrize(("dialect", "text"), OTHER)
def test_names_that_cannot_mean_one_relation_do_not_wait(dialect: str, text: str) -> None:
    assert pairs(graph(text, dialect, LINEAGE)) == []


@pytest.mark.parametrize(("own", "other"), [('"a.b".c', 'a."b.c"'), ('"a.b"', "a.b"), ('a."b"', '"a.b"')])
def test_a_dot_in_a_name_makes_no_other_relation_new(own: str, other: str) -> None:
    own_reads, other_reads = (
        last(f"CREATE TABLE {own} (x int); SELECT * FROM {name}", "postgres").reads for name in (own, other)
    )
    assert EXISTING not in own_reads
    assert EXISTING in other_reads
