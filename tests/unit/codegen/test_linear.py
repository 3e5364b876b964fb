"""Expressions that the solver cannot be given are refused with their place before anything runs."""

from __future__ import annotations

import highspy
import pytest
from sqlflow_codegen.catalogue import SOLVER_OPTIONS
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import runnable_program

WITH = "WITH variables='x(p)', var_type=Reals INTO r"


@pytest.mark.parametrize(
    ("clauses", "column", "message"),
    [
        ("SUM(x * x)", 33, "variables are multiplied by each other, which is not linear"),
        ("SUM(x) CONSTRAINT SUM(a * X) * SUM(x) <= 1", 47, "variables are multiplied by each other"),
        ("SUM(a / x)", 33, "a variable is divided by"),
        ("SUM(x % 2)", 33, "a remainder of a variable is taken"),
        ("SUM(a)", 29, "the objective of TO MAXIMIZE has no variable (x) in it"),
        ("SUM(p * a)", 29, "the objective of TO MAXIMIZE has no variable (x) in it"),
        ("a * x", 29, "the objective is one number for all rows, but `a` is outside of SUM"),
        ("SUM(x) + a", 38, "the objective is one number for all rows, but `a` is outside of SUM"),
        ("SUM(a * SUM(x))", 37, "SUM stands inside of SUM"),
        ("SUM(x) CONSTRAINT a <= 3", 47, "a constraint has no variable (x) in it"),
        ("SUM(x) CONSTRAINT 0 <= a <= x", 47, "a constraint has no variable (x) in it"),
        ("SUM(x) CONSTRAINT SUM(x) <= a", 57, "the column `a` is outside of SUM, without GROUP BY"),
        ("SUM(x) CONSTRAINT x <= SUM(x) GROUP BY a", 47, "the variable `x` is outside of SUM, beside one"),
        ("SUM(x) CONSTRAINT x < 5", 47, "`<` cannot be solved: no number is the closest one below a bound"),
        ("SUM(x) CONSTRAINT x > 5", 47, "`>` cannot be solved: no number is the closest one above a bound"),
        ("SUM(x) CONSTRAINT 1 <= x >= 0", 47, "a range compares by one operator"),
        ("SUM(x) CONSTRAINT x + (x <= 3) >= 0", 52, "a comparison stands inside of a term"),
    ],
)
def test_what_is_not_linear(clauses: str, column: int, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        runnable_program(f"SELECT * FROM t TO MAXIMIZE {clauses} {WITH}")
    (found,) = caught.value.diagnostics
    assert (found.code, found.line, found.column) == ("invalid-expression", 1, column)
    assert found.message.startswith(message)
    assert found.hint


@pytest.mark.parametrize(
    "clauses",
    [
        "SUM((a - b) * x / 1000) + 5",
        "-SUM(x)",
        "SUM(x) / SUM(a)",
        "SUM(x) CONSTRAINT 0 <= x <= a, 10 >= SUM(x) >= 1, SUM(x) = a GROUP BY p",
        "SUM(x) CONSTRAINT x * 100 >= a % 7",
        "sum(X * 'unit price') CONSTRAINT Sum(x) <= 2 * SUM(a)",
    ],
)
def test_what_is_linear(clauses: str) -> None:
    assert len(runnable_program(f"SELECT * FROM t TO MINIMIZE {clauses} {WITH}")) == 1


def test_options_of_another_solver_are_warned_of() -> None:
    program = (
        "SELECT * FROM t TO MINIMIZE SUM(x) WITH variables='x', var_type=Reals, solver.max_iter=3 USING baron INTO r"
    )
    (found,) = runnable_program(program).warnings
    assert (found.code, found.column) == ("no-effect", 72)


def test_the_options_are_those_of_highs() -> None:
    highs = highspy.Highs()
    kinds = {"bool": bool, "int": int, "float": float, "{": str}
    for name, rule in SOLVER_OPTIONS.items():
        _, value = highs.getOptionValue(name)
        (kind,) = (kind for start, kind in kinds.items() if rule.startswith(start))
        assert type(value) is kind, name
        words = rule.strip("{}").split(",") if kind is str else []
        assert all(highs.setOptionValue(name, word) == highspy.HighsStatus.kOk for word in words), name
