"""Fusion: never later for any durations of what may take long, and as few steps as that allows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.graph.dependencies import reduced
from sqlflow_codegen.graph.fusion import fuse
from sqlflow_codegen.graph.units import Unit

from tests.unit.graph.helpers import CONSERVATIVE, LINEAGE, graph, groups, last


@st.composite
def units(draw: st.DrawFn, most: int) -> list[Unit]:
    """A random graph in topological order, reduced."""
    count = draw(st.integers(1, most))
    befores = [draw(st.sets(st.integers(0, max(n - 1, 0)), max_size=3)) if n else set() for n in range(count)]
    return [Unit((n,), after) for n, after in enumerate(reduced(befores))]


def critical_path(
    graph: Sequence[Unit], steps: Sequence[Sequence[int]], durations: Sequence[float], start: float
) -> float:
    """When the last step is done, if each starts when all before it are done; inf if they wait for each other."""
    step_of = {unit: n for n, step in enumerate(steps) for unit in step}
    after = [{step_of[b] for unit in step for b in graph[unit].after} - {n} for n, step in enumerate(steps)]
    done: dict[int, float] = {}
    while len(done) < len(steps):
        ready = [n for n in range(len(steps)) if n not in done and after[n] <= done.keys()]
        if not ready:
            return float("inf")
        for n in ready:
            begin = max((done[each] for each in after[n]), default=0.0)
            done[n] = begin + start + sum(durations[unit] for unit in steps[n])
    return max(done.values())


def groupings(items: list[int]) -> Iterator[list[list[int]]]:
    """All ways to put the items into groups."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for grouping in groupings(rest):
        yield [[first], *grouping]
        for n in range(len(grouping)):
            yield [*grouping[:n], [first, *grouping[n]], *grouping[n + 1 :]]


def latest(graph: Sequence[Unit], steps: Sequence[Sequence[int]], brief: Sequence[bool]) -> np.ndarray | None:
    """When the last step is done, for all choices of durations 0 and 1 at once; None if steps wait for each other.

    Brief units take no time.
    """
    durations = np.arange(1 << len(graph)) >> np.arange(len(graph))[:, None] & 1 & ~np.array(brief)[:, None]
    step_of = {unit: n for n, step in enumerate(steps) for unit in step}
    after = [{step_of[b] for unit in step for b in graph[unit].after} - {n} for n, step in enumerate(steps)]
    done: dict[int, np.ndarray] = {}
    while len(done) < len(steps):
        ready = [n for n in range(len(steps)) if n not in done and after[n] <= done.keys()]
        if not ready:
            return None
        for n in ready:
            begin = np.max([done[each] for each in after[n]], axis=0) if after[n] else 0
            done[n] = begin + durations[list(steps[n])].sum(axis=0)
    return np.max(list(done.values()), axis=0)


def never_later(graph: Sequence[Unit], steps: Sequence[Sequence[int]], brief: Sequence[bool]) -> bool:
    """Whether no choice of durations 0 and 1 makes the grouping later: that is enough (see `fusion`)."""
    alone, together = latest(graph, [[n] for n in range(len(graph))], brief), latest(graph, steps, brief)
    assert alone is not None
    return together is not None and bool((together <= alone).all())


def fewest(graph: Sequence[Unit], may_join: Sequence[bool], brief: Sequence[bool], most: int) -> int:
    """The least number of steps that is never later, by trying all groupings with at most so many steps."""
    found = most
    for steps in groupings(list(range(len(graph)))):
        if len(steps) < found and all(len(step) == 1 or all(may_join[unit] for unit in step) for step in steps):
            found = len(steps) if never_later(graph, steps, brief) else found
    return found


def some(data: st.DataObject, graph: Sequence[Unit]) -> list[bool]:
    """A choice of units."""
    return [data.draw(st.booleans()) for _ in graph]


@given(units(14), st.data())
def test_the_fused_graph_is_never_later(graph: list[Unit], data: st.DataObject) -> None:
    may_join, brief = some(data, graph), some(data, graph)
    brief = [each and may for each, may in zip(brief, may_join, strict=True)]
    durations = [0.0 if each else data.draw(st.floats(0, 1000)) for each in brief]
    start = data.draw(st.floats(0, 30))
    alone = critical_path(graph, [[n] for n in range(len(graph))], durations, start)
    assert critical_path(graph, fuse(graph, may_join, brief), durations, start) <= alone * (1 + 1e-9) + start


@given(units(8), st.data())
def test_there_is_no_grouping_with_fewer_steps_that_is_never_later(graph: list[Unit], data: st.DataObject) -> None:
    """By trying all groupings of small graphs: not close to the optimum, but the optimum."""
    may_join, brief = some(data, graph), [False] * len(graph)
    found = fuse(graph, may_join)
    assert never_later(graph, found, brief)
    assert fewest(graph, may_join, brief, len(found)) == len(found)


@given(units(8), st.data())
def test_nor_with_brief_statements_in_it(graph: list[Unit], data: st.DataObject) -> None:
    """Which join others as long as no two that may take long come into a new order."""
    may_join = some(data, graph)
    brief = [each and may for each, may in zip(some(data, graph), may_join, strict=True)]
    found = fuse(graph, may_join, brief)
    assert never_later(graph, found, brief)
    assert fewest(graph, may_join, brief, len(found)) == len(found)


@pytest.mark.parametrize("seed", range(5))
def test_nor_is_a_large_graph_later(seed: int) -> None:
    """Where there are too many pairs of steps to try them."""
    count, choose = 600, random.Random(seed)
    befores = [
        set(choose.choices(range(max(0, n - 40), n), k=choose.choice([1, 1, 2, 3]))) if n else set()
        for n in range(count)
    ]
    graph = [Unit((n,), after) for n, after in enumerate(reduced(befores))]
    brief = [choose.random() < 0.6 for _ in range(count)]
    durations = [0.0 if each else choose.uniform(0, 1000) for each in brief]
    alone = critical_path(graph, [[n] for n in range(count)], durations, 0)
    found = fuse(graph, [True] * count, brief)
    assert critical_path(graph, found, durations, 0) <= alone * (1 + 1e-9)
    assert len(found) < count / 2


@given(units(14), st.data())
def test_steps_come_in_an_order_in_which_they_may_run(graph: list[Unit], data: st.DataObject) -> None:
    done: set[int] = set()
    for step in fuse(graph, [True] * len(graph), some(data, graph)):
        for unit in step:
            assert set(graph[unit].after) <= done | set(step)
            done.add(unit)


def test_a_chain_of_plain_sql_is_one_step() -> None:
    text = "CREATE TABLE a (x int); INSERT INTO a VALUES (1); UPDATE a SET x = 2"
    assert groups(graph(text)) == [(1, 2, 3)]
    assert groups(graph(text, fusion=False)) == [(1,), (2,), (3,)]


def test_a_branch_is_not_fused_into_either_side() -> None:
    text = "CREATE TABLE a AS SELECT 1; CREATE TABLE b AS SELECT * FROM a; CREATE TABLE c AS SELECT * FROM a"
    assert groups(graph(text)) == [(1,), (2,), (3,)]


BRIEF = [
    ("postgres", "DROP TABLE a"),
    ("postgres", "CREATE TABLE a (x int)"),
    ("postgres", "CREATE VIEW v AS SELECT * FROM e"),
    ("postgres", "CREATE SEQUENCE s"),
    ("postgres", "TRUNCATE a"),
    ("postgres", "ALTER TABLE a RENAME TO b"),
    ("postgres", "COMMENT ON TABLE a IS 'x'"),
    ("postgres", "GRANT SELECT ON a TO u"),
    ("postgres", "BEGIN"),
    ("postgres", "INSERT INTO a VALUES (1, 'x'), (-2, NULL)"),
    ("mysql", "RENAME TABLE a TO b"),
]
LONG = [
    ("postgres", "CREATE TABLE a AS SELECT * FROM e"),
    ("postgres", "CREATE MATERIALIZED VIEW v AS SELECT * FROM e"),
    ("postgres", "CREATE INDEX i ON a (x)"),
    ("postgres", "INSERT INTO a SELECT * FROM e"),
    ("postgres", "INSERT INTO a VALUES ((SELECT max(x) FROM e))"),
    ("postgres", "INSERT INTO a VALUES " + ", ".join(["(1)"] * 101)),
    ("postgres", "SELECT pg_sleep(60)"),
    ("postgres", "ALTER TABLE a ADD COLUMN x int"),
    ("postgres", "CREATE TYPE x AS (y int)"),
    ("postgres", "VACUUM"),
    ("postgres", "DELETE FROM a"),
]


@pytest.mark.parametrize(("dialect", "statement"), BRIEF)
def test_what_only_changes_definitions_is_brief(dialect: str, statement: str) -> None:
    assert last(statement, dialect).brief


@pytest.mark.parametrize(("dialect", "statement"), LONG)
def test_what_may_take_long_is_not(dialect: str, statement: str) -> None:
    assert not last(statement, dialect).brief


def test_no_pod_is_started_for_a_drop() -> None:
    text = """DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS b; CREATE TABLE a AS SELECT * FROM e;
    CREATE TABLE b AS SELECT * FROM f; CREATE VIEW v AS SELECT * FROM a, b; CREATE TABLE c AS SELECT * FROM v;
    COMMENT ON VIEW v IS 'both'"""
    for ordering in (CONSERVATIVE, LINEAGE):
        assert groups(graph(text, ordering=ordering)) == [(1, 2), (3,), (4,), (5, 6, 7)]


def test_a_model_statement_has_its_own_step() -> None:
    text = "CREATE TABLE a (x int); SELECT * FROM a TO TRAIN e.E LABEL x INTO m; TRUNCATE a; UPDATE a SET x = 1"
    assert groups(graph(text)) == [(1,), (2,), (3, 4)]
