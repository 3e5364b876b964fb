"""Edges against an oracle that compares all pairs of statements."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.graph.data_objects import EXISTING, MODEL, TABLE, DataObject, Effects
from sqlflow_codegen.graph.dependencies import Waits, by_effects, in_program_order, reduced

RESOURCES = [
    DataObject(TABLE, "", "a", "a"),
    DataObject(TABLE, "s", "a", "s.a"),
    DataObject(TABLE, "s", "b", "s.b"),
    DataObject(TABLE, "t", "b", "t.b"),
    DataObject(TABLE, "", "c", "c"),
    DataObject(MODEL, "", "a", "a"),
    EXISTING,
]


@st.composite
def effects(draw: st.DrawFn) -> Effects:
    kind = draw(st.integers(0, 11))
    if kind == 0:
        return Effects(setting=True)
    some = st.frozensets(st.sampled_from(RESOURCES), max_size=3)
    return Effects(reads=draw(some), writes=draw(some), barrier="it is one" if kind == 1 else "")


def may_be_same(one: DataObject, other: DataObject) -> bool:
    """Whether two names may mean one thing: an unknown schema may be any, if there is a doubt at all."""
    if (one.kind, one.name) != (other.kind, other.name):
        return False
    return one.schema == other.schema or "" in (one.schema, other.schema)


def must_wait(first: Effects, second: Effects) -> bool:
    if first.setting or second.setting:
        return False
    if first.barrier or second.barrier:
        return True
    clashes = [(first.writes, second.reads), (first.reads, second.writes), (first.writes, second.writes)]
    return any(may_be_same(one, other) for ones, others in clashes for one in ones for other in others)


def closure(count: int, edges: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    before: list[set[int]] = [set() for _ in range(count)]
    for start, end in sorted(edges, key=lambda edge: edge[1]):
        before[end] |= {start} | before[start]
    return {(start, end) for end in range(count) for start in before[end]}


def edges_of(waits: Waits) -> list[tuple[int, int]]:
    return [(before, after) for after, befores in enumerate(waits) for before in befores]


@given(st.lists(effects(), max_size=14))
def test_exactly_what_must_wait_waits(program: list[Effects]) -> None:
    count = len(program)
    wanted = {(i, j) for j in range(count) for i in range(j) if must_wait(program[i], program[j])}
    found = edges_of(by_effects(program))
    reached = closure(count, found)
    assert closure(count, wanted) <= reached
    ambiguous = any(each.name == "a" for one in program for each in (*one.reads, *one.writes))
    if not ambiguous:  # there, unlike schemas are not told apart once one is not known
        assert closure(count, wanted) == reached


@given(st.lists(effects(), max_size=14))
def test_no_edge_follows_from_others(program: list[Effects]) -> None:
    found = edges_of(by_effects(program))
    for edge in found:
        assert edge not in closure(len(program), [each for each in found if each != edge])


@given(st.lists(effects(), max_size=14))
def test_every_edge_tells_a_cause_that_holds(program: list[Effects]) -> None:
    for after, befores in enumerate(by_effects(program)):
        for before, causes in befores.items():
            assert causes
            for cause in causes:
                first, second = program[before], program[after]
                sides = {
                    "RAW": (first.writes, second.reads),
                    "WAR": (first.reads, second.writes),
                    "WAW": (first.writes, second.writes),
                }
                if cause.hazard == "BARRIER":
                    assert first.barrier or second.barrier
                else:
                    ones, others = sides[cause.hazard]
                    assert {each.name for each in ones} & {each.name for each in others}


@given(st.integers(0, 9), st.sets(st.integers(0, 8)))
def test_program_order_skips_settings(count: int, settings: set[int]) -> None:
    waits = in_program_order(count, settings)
    rest = [n for n in range(count) if n not in settings]
    assert edges_of(waits) == list(pairwise(rest))


@given(st.lists(st.sets(st.integers(0, 9)), max_size=9))
def test_reduction(waits: list[set[int]]) -> None:
    graph = [{each for each in befores if each < n} for n, befores in enumerate(waits)]
    found = reduced(graph)
    all_edges = {(before, after) for after, befores in enumerate(graph) for before in befores}
    kept = {(before, after) for after, befores in enumerate(found) for before in befores}
    assert closure(len(graph), kept) == closure(len(graph), all_edges)
    assert all(edge not in closure(len(graph), kept - {edge}) for edge in kept)


def test_many_readers_between_writers_cost_an_edge_each() -> None:
    write, read = Effects(writes=frozenset(RESOURCES[:1])), Effects(reads=frozenset(RESOURCES[:1]))
    program = [write, *[read] * 500, write, *[read] * 500, write]
    assert len(edges_of(by_effects(program))) == 2000


def test_the_names_that_edges_show_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from tests.unit.graph.helpers import graph; "
        "print(graph('SELECT 1 FROM t, public.t, s.u, u; INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)').edges)"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "0123"
    }
    assert len(shown) == 1
