"""`TO MAXIMIZE` and `TO MINIMIZE`: the best values of the variables, in a result table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from highspy import HighsModelStatus
from sqlflow_codegen.catalogue import OTHER_SOLVERS, SOLVER_OPTIONS
from sqlflow_codegen.language.ir import OptimizeStatement, Statement
from sqlflow_codegen.language.optimization import read_variables, variable_types

from sqlflow_runtime.databases.result_tables import ResultTable
from sqlflow_runtime.databases.rows import Column, Row, StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.hints import explained
from sqlflow_runtime.ml.into import result_table
from sqlflow_runtime.optimize.conflicts import infeasible, unbounded
from sqlflow_runtime.optimize.problem import Problem, build
from sqlflow_runtime.optimize.solver import Answer, Solver
from sqlflow_runtime.optimize.table import LARGEST_INTEGER, Numbers, Table
from sqlflow_runtime.step_context import StepContext

_PREFIX = "solver."
_IGNORED = ("data.", "worker.")
_EARLY = (
    HighsModelStatus.kTimeLimit,
    HighsModelStatus.kSolutionLimit,
    HighsModelStatus.kIterationLimit,
    HighsModelStatus.kObjectiveTarget,
)
_TOLERANCE = 1e-6
"""The solver's own: by how much a constraint may be missed."""


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Solve, and write the result table; returns the number of rows written."""
    assert isinstance(statement, OptimizeStatement)
    log = context.recorder.log
    _say_ignored(statement, log)
    variables = read_variables(statement.attributes)
    types = variable_types(statement.attributes, len(variables.names) if variables else 0)
    assert variables is not None
    assert types is not None
    target = result_table(context, statement)
    assert target is not None
    try:
        place = next(one.value_span.start for one in statement.attributes if one.name == "variables")
        table = Table.read(context.database, statement.select, variables.columns, place)
        _check_free(table, variables.names, variables.columns, place)
        problem = build(table, statement, context.program.text, variables, types)
        columns = _columns(context, problem)
        _check_target(context, target, columns)
        solver = Solver(problem, _options(statement), context.stop_requested, log)
        answer = solver.solve()
        context.check_stopped()
        solution = _solution(problem, solver, answer, statement, log)
        with context.effect(statement):
            context.database.results.fill(target, columns, _rows(problem, solution))
    except RunError as failure:
        raise explained(context.database, failure) from failure
    _record(context, statement, problem, answer, solution)
    return StatementResult(affected=len(table))


def _say_ignored(statement: OptimizeStatement, log: Callable[[str, str], None]) -> None:
    if statement.solver is not None and statement.solver.text.lower() in OTHER_SOLVERS:
        log("info", f"HiGHS solves this, not {statement.solver}")
    ignored = [one.name for one in statement.attributes if one.name.startswith(_IGNORED)]
    if ignored:
        log("warning", f"attributes without effect here: {', '.join(ignored)}")


def _options(statement: OptimizeStatement) -> dict[str, object]:
    """The options of HiGHS that the statement sets."""
    found: dict[str, object] = {}
    for attribute in statement.attributes:
        name = attribute.name.removeprefix(_PREFIX)
        if attribute.name.startswith(_PREFIX) and name in SOLVER_OPTIONS:
            real = SOLVER_OPTIONS[name].startswith("float")
            found[name] = float(str(attribute.value)) if real else attribute.value
    return found


def _check_free(table: Table, names: Sequence[str], keys: Sequence[str], place: int) -> None:
    """Refuse a variable with a name of its own that a column has too: expressions could mean either."""
    columns = {column.name.casefold() for column in table.columns}
    for name in names:
        if name.casefold() in columns and name not in keys:
            message = f"the SELECT returns a column {name}, which is the name of a variable too"
            raise RunError("data", message, f"Choose another name in `variables`: my_{name}(…).", place=place)


def _columns(context: StepContext, problem: Problem) -> list[Column]:
    database = context.database
    kinds = ["int" if kind.integral else "float" for kind in problem.kinds]
    added = [
        Column(name, database.type_for(kind), kind) for name, kind in zip(problem.variables.results, kinds, strict=True)
    ]
    return [*problem.table.keys, *added]


def _check_target(context: StepContext, target: ResultTable, columns: Sequence[Column]) -> None:
    """Check the result table before the search; its warnings come when it is written."""
    replace(target, log=lambda _level, _message: None).plan(context.database.results, columns)


def _solution(
    problem: Problem, solver: Solver, answer: Answer, statement: OptimizeStatement, log: Callable[[str, str], None]
) -> Numbers:
    """The values of the columns, whole where they must be.

    Raises:
        RunError: kind `data`; there are none, or the solver found none.
    """
    status, place = answer.status, statement.objective.span.start
    if status == HighsModelStatus.kInfeasible:
        raise infeasible(problem, solver)
    if status in (HighsModelStatus.kUnbounded, HighsModelStatus.kUnboundedOrInfeasible):
        raise unbounded(problem, solver, place)
    words = solver.highs.modelStatusToString(status)
    early = status in _EARLY
    if answer.solution is None or not (early or status in (HighsModelStatus.kOptimal, HighsModelStatus.kModelEmpty)):
        hint = "Give it more time (solver.time_limit), or a simpler problem."
        raise RunError("data", f"HiGHS found no values: {words}", hint, place=place, final=not early)
    if early:
        log("warning", f"HiGHS stopped before it was done ({words}): the values may be {answer.gap:.2%} off the best")
    solution = np.where(problem.integral, np.rint(answer.solution), answer.solution) + 0.0  # no negative zeros
    _check_exact(problem, solution, place)
    _say_zeros(problem, solution, log)
    return solution


def _check_exact(problem: Problem, solution: Numbers, place: int) -> None:
    """Refuse values that miss a constraint by more than the solver's tolerance, once rounded to whole numbers."""
    rows = problem.rows
    found = rows.activities(solution)
    sizes = np.maximum(1.0, rows.sizes(solution))
    missed = np.maximum(rows.low - found, found - rows.high) / sizes
    if (missed > 10 * _TOLERANCE).any() or (np.abs(solution[problem.integral]) > LARGEST_INTEGER).any():
        hint = "Choose other units in the SELECT, so that the numbers are nearer to each other."
        raise RunError("data", "the numbers are too far apart for the solver to be exact", hint, place=place)


def _say_zeros(problem: Problem, solution: Numbers, log: Callable[[str, str], None]) -> None:
    """Warn of values at the bound that their type excludes."""
    size = len(problem.table)
    for number, kind in enumerate(problem.kinds):
        zeros = int(np.count_nonzero(np.abs(solution[number * size : (number + 1) * size]) <= _TOLERANCE))
        if kind.excludes_zero and not kind.integral and zeros:
            name = problem.variables.names[number]
            log("warning", f"{zeros} values of {name} are 0: {kind.name} has no value next to 0, so 0 stands for it")


def _rows(problem: Problem, solution: Numbers) -> list[Row]:
    """The rows of the result: the keys, and the value of each variable."""
    size = len(problem.table)
    values = [
        [int(one) if kind.integral else float(one) for one in solution[number * size : (number + 1) * size]]
        for number, kind in enumerate(problem.kinds)
    ]
    keys = [problem.table.values(key) for key in problem.table.keys]
    return list(zip(*keys, *values, strict=True))


def _record(
    context: StepContext, statement: OptimizeStatement, problem: Problem, answer: Answer, solution: Numbers
) -> None:
    objective = problem.objective(solution)
    context.recorder.log(
        "info", f"objective {objective:.15g}, {len(problem.cost)} variables, {len(problem.rows.low)} constraints"
    )
    values = {"objective": objective}
    if answer.status in _EARLY and np.isfinite(answer.gap):
        values["gap"] = answer.gap
    context.recorder.metrics(statement.into.text, values)
