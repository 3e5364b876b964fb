"""HiGHS, given a linear program: its options, its answer, and how it is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

import highspy
import numpy as np
from highspy import HighsModelStatus, HighsStatus

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.optimize.problem import SMALLEST, Problem
from sqlflow_runtime.optimize.table import Numbers

Log = Callable[[str, str], None]

_DEFAULTS: Mapping[str, object] = {
    "output_flag": False,
    "mip_rel_gap": 0.0,  # HiGHS' own default stops at a result that is 0.01 % off
    "parallel": "off",
    "small_matrix_value": SMALLEST,
}
_SAY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a search.

    Attributes:
        status: HiGHS' own.
        solution: a value for each column; None where there is none.
        bound: no solution is better than this.
        gap: how far the solution may be from the best one, as a share of its own value; 0 for the best.
    """

    status: HighsModelStatus
    solution: Numbers | None
    bound: float
    gap: float


class Solver:
    """HiGHS with one problem."""

    def __init__(self, problem: Problem, options: Mapping[str, object], stop: Event, log: Log) -> None:
        """Hand the problem to HiGHS.

        Args:
            problem: the linear program.
            options: of HiGHS, by name, that the statement sets.
            stop: set when the search is to end.
            log: receives how far the search is.

        Raises:
            RunError: kind `data`; HiGHS refuses the problem or an option.
        """
        self._problem, self._stop, self._log = problem, stop, log
        if "threads" in options:
            highspy.Highs.resetGlobalScheduler(True)  # it is made once in a process, with the first number of threads
        new: Any = highspy.Highs  # its type hints lack the half of it
        self.highs = new()
        for name, value in {**_DEFAULTS, **options}.items():
            self._check(self.highs.setOptionValue(name, value), f"solver.{name}={value} is refused by HiGHS")
        self._check(self.highs.passModel(_model(problem)), "HiGHS refuses the numbers of this problem")
        self._began = self._said = time.monotonic()
        for callback in (self.highs.cbSimplexInterrupt, self.highs.cbIpmInterrupt, self.highs.cbMipInterrupt):
            callback += self._look

    def solve(self) -> Answer:
        """Search to the end.

        Raises:
            RunError: kind `stopped`.
        """
        self.highs.run()
        status = self.highs.getModelStatus()
        if self._stop.is_set():
            raise RunError("stopped", "stopped before it was done")
        if status == HighsModelStatus.kUnboundedOrInfeasible:  # presolve does not say which
            self.highs.setOptionValue("presolve", "off")
            self.highs.run()
            status = self.highs.getModelStatus()
        info = self.highs.getInfo()
        found = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
        solution = np.array(self.highs.getSolution().col_value) if found else None
        integral = self._problem.integral.any()
        scale = _objective_scale(self._problem)
        bound = (info.mip_dual_bound if integral else info.objective_function_value) / scale
        return Answer(status, solution, bound, float(info.mip_gap) if integral else 0.0)

    def _look(self, event: highspy.highs.HighsCallbackEvent) -> None:
        """HiGHS calls this now and then."""
        if self._stop.is_set():
            event.interrupt()
        now = time.monotonic()
        if now - self._said >= _SAY_SECONDS:
            self._said = now
            self._log("info", f"HiGHS searches: {now - self._began:.0f} s so far")

    def _check(self, status: HighsStatus, message: str) -> None:
        if status == HighsStatus.kError:
            raise RunError("data", message, "Choose other units, so that the numbers are nearer to 1.")


def _model(problem: Problem) -> highspy.HighsLp:
    """The problem as HiGHS takes it.

    Its tolerances are absolute, so rows and objectives of small numbers are multiplied by a power of two.
    """
    lp, rows = highspy.HighsLp(), problem.rows
    lp.num_col_, lp.num_row_ = len(problem.cost), len(rows.low)
    scale = _objective_scale(problem)
    lp.sense_ = highspy.ObjSense.kMaximize if problem.maximize else highspy.ObjSense.kMinimize
    lp.col_cost_, lp.offset_ = problem.cost * scale, problem.offset * scale
    lp.col_lower_, lp.col_upper_ = problem.bounds()
    if problem.integral.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[integral] for integral in problem.integral.astype(int)]
    sizes = np.zeros(len(rows.low))
    owner = rows.owner
    np.maximum.at(sizes, owner, np.abs(rows.values))
    scales = _scale(sizes)
    lp.row_lower_, lp.row_upper_ = rows.low * scales, rows.high * scales
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = rows.starts, rows.columns
    lp.a_matrix_.value_ = rows.values * scales[owner]
    return lp


def _objective_scale(problem: Problem) -> float:
    return float(_scale(np.array([np.abs(problem.cost).max(initial=0.0)]))[0])


def _scale(sizes: Numbers) -> Numbers:
    """Powers of two that bring sizes below 1 up to it."""
    small = (sizes > 0) & (sizes < 1)
    return np.where(small, np.exp2(-np.floor(np.log2(np.where(small, sizes, 1.0)))), 1.0)
