"""Linear programs: the solver's answer against trying everything; tables, ranges of numbers, and stopping."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from threading import Event
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import OptimizeStatement
from sqlflow_codegen.language.optimization import read_variables, variable_types
from sqlflow_runtime.databases.rows import Column, Row, RowStream
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.optimize.problem import Kind, Problem, build
from sqlflow_runtime.optimize.solver import Solver
from sqlflow_runtime.optimize.table import Table

COLUMNS = (Column("p", "text", "string"), *(Column(name, "bigint", "int") for name in ("a", "b", "g")))
LIMIT = 3


class OneQuery:
    """Has the rows of every query."""

    def __init__(self, rows: list[Row], columns: tuple[Column, ...] = COLUMNS) -> None:
        self.rows, self.columns = rows, columns

    @contextmanager
    def read(self, select: str) -> Iterator[RowStream]:
        yield RowStream(self.columns, iter([self.rows]))


def problem_of(text: str, rows: list[Row], columns: tuple[Column, ...] = COLUMNS) -> Problem:
    program = f"SELECT * FROM t TO {text} INTO r"
    (statement,) = parse_program(program)
    assert isinstance(statement, OptimizeStatement)
    variables = read_variables(statement.attributes)
    assert variables is not None
    types = variable_types(statement.attributes, len(variables.names))
    assert types is not None
    table = Table.read(OneQuery(rows, columns), statement.select, variables.columns, 0)  # type: ignore[arg-type]
    return build(table, statement, program, variables, types)


def solve(problem: Problem, **options: object) -> float | None:
    """The best value of the objective; None if there is no solution."""
    answer = Solver(problem, options, Event(), lambda level, message: None).solve()
    return None if answer.solution is None else round(problem.objective(np.rint(answer.solution)), 6)


def refused(text: str, rows: list[Row]) -> RunError:
    with pytest.raises(RunError) as caught:
        problem_of(text, rows)
    assert caught.value.kind == "data"
    return caught.value


@given(
    rows=st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 1)), min_size=1, max_size=4),
    bound=st.integers(-12, 12),
    least=st.integers(-6, 6),
    direction=st.sampled_from(["MAXIMIZE", "MINIMIZE"]),
)
def test_the_answer_is_the_best_of_all(
    rows: list[tuple[int, int, int]], bound: int, least: int, direction: str
) -> None:
    data = [(f"row {number}", *row) for number, row in enumerate(rows)]
    constraints = f"0 <= x <= {LIMIT}, SUM(b * x) <= {bound}, SUM(x) >= {least} * SUM(g) / 6 GROUP BY g"
    text = f"{direction} SUM(a * x) - 1 CONSTRAINT {constraints} WITH variables='x(p)', var_type=Integers"
    found = []
    for values in itertools.product(range(LIMIT + 1), repeat=len(rows)):
        groups = {g: sum(x for x, row in zip(values, rows, strict=True) if row[2] == g) for *_, g in rows}
        sizes = {g: sum(row[2] for row in rows if row[2] == g) for g in groups}
        if sum(x * b for x, (_, b, _) in zip(values, rows, strict=True)) <= bound and all(
            6 * groups[g] >= least * sizes[g] for g in groups
        ):
            found.append(sum(x * a for x, (a, _, _) in zip(values, rows, strict=True)) - 1)
    best = (max if direction == "MAXIMIZE" else min)(found, default=None)
    assert solve(problem_of(text, data)) == best


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("Binary", (0, 1)),
        ("Integers", (-np.inf, np.inf)),
        ("PositiveIntegers", (1, np.inf)),
        ("NegativeIntegers", (-np.inf, -1)),
        ("NonPositiveIntegers", (-np.inf, 0)),
        ("NonNegativeIntegers", (0, np.inf)),
        ("Reals", (-np.inf, np.inf)),
        ("PositiveReals", (0, np.inf)),
        ("NegativeReals", (-np.inf, 0)),
        ("NonPositiveReals", (-np.inf, 0)),
        ("NonNegativeReals", (0, np.inf)),
    ],
)
def test_bounds_of_types(name: str, bounds: tuple[float, float]) -> None:
    assert Kind(name).bounds == bounds
    assert Kind(name).integral is not name.endswith("Reals")


def test_small_and_large_numbers_keep_their_meaning() -> None:
    """Tolerances are absolute: numbers of a millionth must not vanish in them."""
    rows: list[Row] = [("one", 3, 5, 0), ("two", 4, 6, 0)]
    objective, constraint = "SUM(a * x / 1e9)", "SUM(b * x / 1e9) <= 1.7e-8"
    text = f"MAXIMIZE {objective} CONSTRAINT {constraint} WITH variables='x(p)', var_type=PositiveIntegers"
    problem = problem_of(text, rows)
    answer = Solver(problem, {}, Event(), lambda level, message: None).solve()
    assert answer.solution is not None
    assert np.rint(answer.solution).tolist() == [1, 2]
    assert problem.objective(np.rint(answer.solution)) == pytest.approx(1.1e-8)


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        ("SUM(a * x * 1e15)", "the objective has the number 2e+15"),
        ("SUM(a * x * 1e-13)", "the objective has the coefficient 2e-13"),
        ("SUM(x / b)", "division by 0 in the row p one"),
        ("SUM(x / SUM(b))", "division by 0"),
        ("SUM(c * x)", "the expression names a column c"),
        ("SUM(p * x)", "p is no number: its type is text"),
    ],
)
def test_numbers_that_cannot_be_computed_with(objective: str, words: str) -> None:
    error = refused(f"MAXIMIZE {objective} WITH variables='x(p)', var_type=Reals", [("one", 2, 0, 0)])
    assert error.message.startswith(words)
    assert error.hint
    assert error.place is not None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "a is NULL in the row p two"),
        (float("nan"), "a is nan"),
        (Decimal("Infinity"), "a is Infinity"),
        ("1", "a is no number (str)"),
        (2**53 + 1, "a is 9007199254740993, beyond 2^53"),
    ],
)
def test_values_that_are_no_numbers(value: Any, words: str) -> None:
    rows: list[Row] = [("one", 1, 1, 1), ("two", value, 1, 1)]
    assert refused("MAXIMIZE SUM(a * x) WITH variables='x(p)', var_type=Reals", rows).message.startswith(words)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "the SELECT returns no rows"),
        ([("one", 1, 1, 1), (None, 1, 1, 1)], "p is NULL in a row"),
        ([("one", 1, 1, 1), ("one", 2, 1, 1)], "two rows have the same p: p one"),
    ],
)
def test_keys(rows: list[Row], words: str) -> None:
    assert refused("MAXIMIZE SUM(a * x) WITH variables='x(p)', var_type=Reals", rows).message.startswith(words)


def test_a_column_beside_a_sum_is_one_number_in_each_group() -> None:
    text = "MAXIMIZE SUM(x) CONSTRAINT SUM(x) <= a GROUP BY g WITH variables='x(p)', var_type=Reals"
    error = refused(text, [("one", 1, 0, 7), ("two", 2, 0, 7), ("three", 5, 0, 8)])
    assert error.message == "a is not one number for g 7: it is 1 and 2"


def test_the_order_of_the_rows_does_not_matter() -> None:
    text = "MAXIMIZE SUM(x) CONSTRAINT SUM(x) <= 1 WITH variables='x(p)', var_type=Binary"
    rows: list[Row] = [(name, 1, 1, 1) for name in "abcdefg"]
    chosen = set()
    for turned in (rows, rows[::-1], rows[3:] + rows[:3]):
        problem = problem_of(text, turned)
        answer = Solver(problem, {}, Event(), lambda level, message: None).solve()
        assert answer.solution is not None
        chosen.add(problem.table.describe(int(np.argmax(answer.solution))))
    assert len(chosen) == 1


class SecondTime(Event):
    """Is set from the second look on: the search has begun by then."""

    looks = 0

    def is_set(self) -> bool:
        self.looks += 1
        return self.looks > 1


def test_a_search_can_be_stopped() -> None:
    """A market split of 40 shops: no solver known ends it within minutes."""
    numbers = np.random.default_rng(1).integers(0, 100, (5, 40))
    names = [f"c{number}" for number in range(5)]
    columns = (Column("p", "text", "string"), *(Column(name, "bigint", "int") for name in names))
    rows = [(f"shop {row}", *map(int, numbers[:, row])) for row in range(40)]
    halves = [f"SUM({name} * x) = {int(numbers[number].sum()) // 2}" for number, name in enumerate(names)]
    text = f"MINIMIZE SUM(x) CONSTRAINT {', '.join(halves)} WITH variables='x(p)', var_type=Binary"
    solver = Solver(problem_of(text, rows, columns), {}, SecondTime(), lambda level, message: None)
    with pytest.raises(RunError, match="stopped"):
        solver.solve()
