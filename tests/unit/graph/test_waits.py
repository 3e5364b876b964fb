"""What a statement waits for and why, case by case: barriers, files, unknown schemas, the causes that people see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.graph.data_objects import (
    ANY_DROP,
    ANY_FILE,
    ANY_NAME,
    CODE,
    EXISTING,
    FILES,
    MODEL,
    TABLE,
    DataObject,
    Effects,
)
from sqlflow_codegen.graph.dependencies import Cause, by_effects, in_program_order

A, SA, TA = (DataObject(TABLE, schema, "a", f"{schema}.a".lstrip(".")) for schema in ("", "s", "t"))
SB, TB = (DataObject(TABLE, schema, "b", f"{schema}.b") for schema in "st")
M, SM = DataObject(MODEL, "", "m", "m"), DataObject(MODEL, "s", "m", "s.m")
CSV, ABSOLUTE, OTHER, ELSEWHERE = (
    DataObject(FILES, folder, name, name)
    for folder, name in (("./", "a.csv"), ("/data", "a.csv"), ("./", "b.csv"), ("/data", "c.csv"))
)


def reads(*resources: DataObject) -> Effects:
    return Effects(reads=frozenset(resources))


def writes(*resources: DataObject) -> Effects:
    return Effects(writes=frozenset(resources))


def barrier(why: str = "it is one") -> Effects:
    return Effects(barrier=why)


SETTING = Effects(setting=True)


def waits(*program: Effects) -> list[list[int]]:
    """For each statement those that it waits for."""
    return [list(befores) for befores in by_effects(program)]


def causes(*program: Effects) -> list[Cause]:
    """Why the last statement waits for the first one."""
    return list(by_effects(program)[-1].get(0, ()))


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ([barrier(), reads(A)], [[], [0]]),
        ([reads(A), barrier(), reads(A)], [[], [0], [1]]),
        ([reads(A), writes(M), barrier(), barrier()], [[], [], [0, 1], [2]]),
        ([writes(A), reads(A), barrier()], [[], [0], [1]]),
        ([SETTING, reads(A), SETTING, barrier(), SETTING, writes(A), SETTING], [[], [], [], [1], [], [3], []]),
        ([writes(A), writes(M), barrier(), reads(A), writes(A, M), reads(M)], [[], [], [0, 1], [2], [3], [4]]),
        ([barrier(), writes(A), reads(M), writes(A, M)], [[], [0], [0], [1, 2]]),
        ([writes(SA), barrier(), writes(SA), reads(SA), SETTING, writes(SA)], [[], [0], [1], [2], [], [3]]),
    ],
)
def test_barriers_and_settings(program: list[Effects], expected: list[list[int]]) -> None:
    assert waits(*program) == expected


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (writes(CSV), reads(CSV), True),
        (writes(CSV), reads(OTHER), False),
        (writes(CSV), reads(ANY_FILE), True),
        (writes(ANY_FILE), reads(CSV), True),
        (reads(ANY_FILE), writes(CSV), True),
        (reads(CSV), writes(ANY_FILE), True),
        (reads(ANY_FILE), reads(CSV), False),
        (writes(CSV), writes(ABSOLUTE), True),
        (writes(OTHER), writes(ELSEWHERE), False),
        (writes(SA), writes(TA), False),
        (writes(SB), reads(TB), False),
        (writes(A), writes(M), False),
        (writes(M), reads(SM), False),
        (writes(ANY_DROP), reads(ANY_DROP), True),
        (writes(ANY_NAME), reads(ANY_NAME), True),
        (reads(ANY_NAME), writes(ANY_NAME), False),
        (reads(ANY_DROP), writes(ANY_DROP), True),
    ],
)
def test_which_two_clash(first: Effects, second: Effects, clash: bool) -> None:
    assert waits(first, second) == [[], [0] if clash else []]


def test_any_file_is_every_file_of_the_program() -> None:
    assert waits(writes(CSV), writes(OTHER), reads(ANY_FILE), writes(OTHER)) == [[], [], [0, 1], [2]]


def test_a_schema_that_is_not_known_may_be_any() -> None:
    """One statement names `a` alone: it may be s.a or t.a, so nothing is known about those two either."""
    assert waits(writes(SA), writes(TA), reads(A)) == [[], [0], [1]]
    assert waits(writes(SB), writes(TB), reads(SB), writes(SA), writes(A)) == [[], [], [0], [], [3]]
    assert waits(writes(A), reads(A), writes(SB), reads(TB)) == [[], [0], [], []]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (writes(A), reads(A), [("RAW", "a")]),
        (reads(A), writes(A), [("WAR", "a")]),
        (writes(A), writes(A), [("WAW", "a")]),
        (writes(A, M, EXISTING), reads(A, M, EXISTING), [("RAW", "m"), ("RAW", "a")]),
        (writes(EXISTING, CSV), reads(EXISTING, CSV), [("RAW", "a.csv")]),
        (writes(EXISTING, ANY_DROP), reads(EXISTING, ANY_DROP), [("RAW", "drops")]),
        (writes(EXISTING), reads(EXISTING), [("RAW", "*")]),
        (writes(EXISTING, CODE), reads(EXISTING, CODE), [("RAW", "*"), ("RAW", "*")]),
        (writes(ANY_FILE, EXISTING), reads(ANY_FILE, EXISTING), [("RAW", "*")]),
        (writes(ANY_FILE), reads(ANY_FILE), [("RAW", "files")]),
        (barrier("CALL"), reads(A), [("BARRIER", "CALL")]),
        (reads(A), barrier("CALL"), [("BARRIER", "CALL")]),
    ],
)
def test_the_cause_that_people_see(first: Effects, second: Effects, expected: list[tuple[str, str]]) -> None:
    """What is found on a table or model, not what stands for several of them; all files come last."""
    assert causes(first, second) == expected


def test_program_order_needs_no_resource() -> None:
    assert in_program_order(3, [1]) == [{}, {}, {0: (Cause("ORDER", ""),)}]


KNOWN = st.frozensets(st.sampled_from([SA, TA, SB, TB, M, SM, CSV, OTHER]), max_size=2)


@given(st.lists(st.builds(lambda read, write: Effects(reads=read, writes=write), KNOWN, KNOWN), max_size=8))
def test_names_that_are_known_clash_only_with_themselves(program: list[Effects]) -> None:
    found = waits(*program)
    reached: list[set[int]] = []
    for index, befores in enumerate(found):
        reached.append({each for before in befores for each in (before, *reached[before])})
        two = program[index]
        wanted = {
            before
            for before, one in enumerate(program[:index])
            if one.writes & (two.reads | two.writes) or one.reads & two.writes
        }
        assert wanted <= reached[index]
        assert set(befores) <= wanted
