"""Explains in the program's own words that a linear program has no solution, or no best one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import highspy
import numpy as np
from highspy import HighsModelStatus, HighsStatus

from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.optimize.problem import Problem
from sqlflow_runtime.optimize.solver import Solver

_SHOWN = 6
_PROBE_SECONDS = 10.0


def infeasible(problem: Problem, solver: Solver) -> RunError:
    """The failure of a problem whose constraints contradict each other: the fewest that do, and where they stand."""
    rows, columns, exact = _clash(problem, solver)
    place = problem.clauses[int(problem.rows.origins[rows[0], 0])].place if rows else None
    words = [_constraint(problem, row) for row in rows[:_SHOWN]]
    if len(rows) > _SHOWN:
        words.append(f"{len(rows) - _SHOWN} more")
    bounds = _bounds(problem, columns)
    clash = "; ".join([*words, *bounds])
    whole = problem.integral.any() and not exact
    message = f"no {'whole numbers meet' if whole else 'values meet'} all constraints"
    if clash:
        message += (
            f"; these cannot hold together: {clash}" if len(rows) + len(bounds) > 1 else f"; this cannot hold: {clash}"
        )
    hint = "Loosen one of them, correct their numbers, or choose another var_type."
    return RunError("data", message, hint, place=place)


def unbounded(problem: Problem, solver: Solver, place: int) -> RunError:
    """The failure of a problem whose objective grows for ever: the variables that no constraint holds."""
    names = list(_growing(problem, solver))
    direction = "great" if problem.maximize else "small"
    message = f"there is no best value: the objective can be as {direction} as one likes"
    if names:
        message += f", because no bound holds {listed(names, _SHOWN)}"
    hint = "Add a constraint that bounds it, or check the signs of the objective."
    return RunError("data", message, hint, place=place)


def _clash(problem: Problem, solver: Solver) -> tuple[list[int], list[int], bool]:
    """Rows and columns whose bounds clash, and whether they do so for fractions too."""
    highs = solver.highs
    integral = highs.getLp().integrality_
    highs.setOptionValue(
        "iis_strategy", int(highspy.IisStrategy.kIisStrategyFromLp) + int(highspy.IisStrategy.kIisStrategyIrreducible)
    )
    status, iis = highs.getIis()
    rows = [int(row) for row in iis.row_index_]
    free = int(highspy.IisBoundStatus.kIisBoundStatusFree)
    columns = [int(column) for column, bound in zip(iis.col_index_, iis.col_bound_, strict=True) if int(bound) > free]
    if status == HighsStatus.kOk and (rows or columns):
        return rows, columns, True
    if not integral:
        return rows, [], True
    return _without_fractions(problem, solver), [], False


def _without_fractions(problem: Problem, solver: Solver) -> list[int]:
    """The first row of each of the constraints that no whole numbers meet together, none of which can be left out.

    Fractions would meet them, so HiGHS has no conflict to show: each constraint is left out once, to see if the rest
    has a solution.
    """
    highs, rows = solver.highs, problem.rows
    highs.setOptionValue("time_limit", _PROBE_SECONDS)
    lower, upper = np.array(highs.getLp().row_lower_), np.array(highs.getLp().row_upper_)
    clauses = list(range(len(problem.clauses)))
    for clause in tuple(clauses):
        chosen = np.flatnonzero(rows.origins[:, 0] == clause).astype(np.int32)
        free = np.full(len(chosen), highspy.kHighsInf)
        highs.changeRowsBounds(len(chosen), chosen, -free, free)
        highs.run()
        if highs.getModelStatus() == HighsModelStatus.kInfeasible:
            clauses.remove(clause)
        else:
            highs.changeRowsBounds(len(chosen), chosen, lower[chosen], upper[chosen])
    return [int(np.flatnonzero(rows.origins[:, 0] == clause)[0]) for clause in clauses]


def _constraint(problem: Problem, row: int) -> str:
    """One row: the constraint's text, and which group or row of the table it is for."""
    clause, form = (int(number) for number in problem.rows.origins[row])
    label = problem.clauses[clause].labels[form]
    return f"{problem.clauses[clause].text}{f' ({label})' if label else ''}"


def _bounds(problem: Problem, columns: Iterable[int]) -> list[str]:
    """The types whose bounds take part in a clash."""
    low, high = problem.bounds()
    variables = {column // len(problem.table) for column in columns if np.isfinite([low[column], high[column]]).any()}
    names = problem.variables.names
    return [f"{names[variable]} is {problem.kinds[variable].name}" for variable in sorted(variables)]


def _growing(problem: Problem, solver: Solver) -> Iterator[str]:
    """The columns of a direction in which the objective gets better without end."""
    highs = solver.highs
    if problem.integral.any():  # HiGHS knows directions of continuous problems only
        columns = np.arange(len(problem.cost), dtype=np.int32)
        kinds = np.array([highspy.HighsVarType.kContinuous] * len(columns))
        highs.changeColsIntegrality(len(columns), columns, kinds)
    highs.setOptionValue("presolve", "off")
    highs.run()
    _, known, ray = highs.getPrimalRay()
    if known and ray is not None:
        for column in np.flatnonzero(np.abs(ray) > 1e-9):
            yield problem.column(int(column))
