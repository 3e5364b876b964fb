"""A linear program: variables with their bounds, the objective, and constraints that know where they come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.optimization import Variables, comparisons, has_sum

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.optimize.expressions import Evaluator, Form
from sqlflow_runtime.optimize.table import Numbers, Table

SMALLEST, LARGEST = 1e-12, 1e15
"""The solver ignores smaller coefficients, and takes no larger ones."""

_BOUNDS = {
    "": (-math.inf, math.inf),
    "Positive": (0.0, math.inf),
    "NonNegative": (0.0, math.inf),
    "Negative": (-math.inf, 0.0),
    "NonPositive": (-math.inf, 0.0),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a variable: the attribute `var_type`."""

    name: str

    @property
    def integral(self) -> bool:
        """True if its values are whole numbers."""
        return not self.name.endswith("Reals")

    @property
    def excludes_zero(self) -> bool:
        """True if 0 is its bound and no value of it."""
        return self.name.startswith(("Positive", "Negative"))

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value; those of PositiveReals and NegativeReals include their bound, 0."""
        if self.name == "Binary":
            return 0.0, 1.0
        low, high = _BOUNDS[self.name.removesuffix("Integers").removesuffix("Reals")]
        if self.excludes_zero and self.integral:
            return (1.0, high) if low == 0 else (low, -1.0)
        return low, high


@dataclass(frozen=True, slots=True)
class Clause:
    """One constraint as the program writes it.

    Attributes:
        text: its text.
        place: where it stands.
        labels: for each of its forms the group or row, in words; "" if there is one form only.
    """

    text: str
    place: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the constraint matrix.

    Attributes:
        starts, columns, values: the matrix, compressed by rows.
        low, high: the bounds of each row.
        origins: for each row the number of its clause, and that of the form in it.
    """

    starts: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    values: Numbers
    low: Numbers
    high: Numbers
    origins: npt.NDArray[np.int32]

    @property
    def owner(self) -> npt.NDArray[np.intp]:
        """For each coefficient the number of its row."""
        return np.repeat(np.arange(len(self.low)), np.diff(self.starts))

    def activities(self, solution: Numbers) -> Numbers:
        """The value of each row's left side."""
        return self._totals(self.values * solution[self.columns])

    def sizes(self, solution: Numbers) -> Numbers:
        """The sum of the sizes of each row's terms."""
        return self._totals(np.abs(self.values * solution[self.columns]))

    def _totals(self, terms: Numbers) -> Numbers:
        return np.bincount(self.owner, weights=terms, minlength=len(self.low)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Problem:
    """A linear program. Variable `k` of row `i` of the table is its column `k * len(table) + i`."""

    table: Table
    variables: Variables
    kinds: tuple[Kind, ...]
    maximize: bool
    cost: Numbers
    offset: float
    clauses: tuple[Clause, ...]
    rows: Rows

    @property
    def integral(self) -> npt.NDArray[np.bool_]:
        """For each column whether its values are whole numbers."""
        return np.repeat([kind.integral for kind in self.kinds], len(self.table))

    def bounds(self) -> tuple[Numbers, Numbers]:
        """The bounds of each column."""
        pairs = np.array([kind.bounds for kind in self.kinds])
        return np.repeat(pairs[:, 0], len(self.table)), np.repeat(pairs[:, 1], len(self.table))

    def objective(self, solution: Numbers) -> float:
        """The objective's value."""
        return math.fsum((self.cost * solution).tolist()) + self.offset

    def column(self, number: int) -> str:
        """A column in words: `shipment of plants A, markets B`."""
        variable, row = divmod(number, len(self.table))
        name, described = self.variables.names[variable], self.table.describe(row)
        return described if name in self.variables.columns else f"{name} of {described}"


def build(
    table: Table, statement: ir.OptimizeStatement, text: str, variables: Variables, kinds: Sequence[str]
) -> Problem:
    """The linear program of a statement; `text` is the program.

    Raises:
        RunError: kind `data`; see `Evaluator.form`, and numbers beyond the solver's range.
    """
    numbers = {name.casefold(): number for number, name in enumerate(variables.names)}
    everything = Evaluator(table, numbers, np.zeros(len(table), dtype=np.intp), ("",))
    objective = everything.form(statement.objective)
    cost = _spread(objective, len(variables.names), len(table))
    place = statement.objective.span.start
    _check_range(objective.constant, "the objective", place)
    _check_range(cost, "the objective", place, coefficients=True)
    clauses: list[Clause] = []
    parts: list[tuple[Form, str, int]] = []
    for constraint in statement.constraints:
        evaluator = _evaluator(constraint, table, numbers, everything)
        span = constraint.span
        clauses.append(Clause(" ".join(text[span.start : span.end].split()), span.start, _labels(evaluator)))
        for left, operator, right in comparisons(constraint.expression):
            form = evaluator.form(left).plus(evaluator.form(right), -1.0)
            parts.append((form, operator, len(clauses) - 1))
    rows = _matrix(parts, clauses, len(table))
    maximize = statement.direction == "maximize"
    return Problem(
        table, variables, tuple(map(Kind, kinds)), maximize, cost, float(objective.constant[0]), tuple(clauses), rows
    )


def _evaluator(constraint: ir.Constraint, table: Table, numbers: dict[str, int], everything: Evaluator) -> Evaluator:
    if constraint.group_by is not None:
        owner, labels = table.groups(constraint.group_by)
        return Evaluator(table, numbers, owner, tuple(labels))
    return everything if has_sum(constraint.expression) else Evaluator(table, numbers)


def _labels(evaluator: Evaluator) -> tuple[str, ...]:
    if evaluator.owner is not None:
        return evaluator.labels
    return tuple(evaluator.table.describe(row) for row in range(len(evaluator.table)))


def _spread(form: Form, variables: int, rows: int) -> Numbers:
    """The coefficients of the only form, for each column."""
    found = np.zeros(variables * rows)
    for variable, values in form.coefficients.items():
        found[variable * rows : (variable + 1) * rows] = values
    return found


def _matrix(parts: list[tuple[Form, str, int]], clauses: list[Clause], rows: int) -> Rows:
    """The rows of all forms. The parts of a range share the number of their clause."""
    owners, columns, values, low, high, origins, first = [], [], [], [], [], [], 0
    for form, operator, clause in parts:
        for variable, coefficients in sorted(form.coefficients.items()):
            used = np.flatnonzero(coefficients)
            owners.append(form.owner[used] + first)
            columns.append(used + variable * rows)
            values.append(coefficients[used])
            _check_range(coefficients, "a constraint", clauses[clause].place, coefficients=True)
        bound = -form.constant
        _check_range(bound, "a constraint", clauses[clause].place)
        low.append(bound if operator in (">=", "=") else np.full(len(bound), -np.inf))
        high.append(bound if operator in ("<=", "=") else np.full(len(bound), np.inf))
        origins.append(np.column_stack([np.full(len(bound), clause), np.arange(len(bound))]))
        first += len(bound)
    if not parts:
        return Rows(np.zeros(1, np.int32), np.zeros(0, np.int32), *(np.zeros(0),) * 3, np.zeros((0, 2), np.int32))
    owner, column = np.concatenate(owners), np.concatenate(columns)
    order = np.lexsort((column, owner))
    starts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=first))])
    return Rows(
        starts.astype(np.int32),
        column[order].astype(np.int32),
        np.concatenate(values)[order],
        np.concatenate(low),
        np.concatenate(high),
        np.concatenate(origins).astype(np.int32),
    )


def _check_range(numbers: Numbers, what: str, place: int, *, coefficients: bool = False) -> None:
    """Refuse numbers with which the solver does not compute, rather than let it drop them."""
    sizes = np.abs(numbers)
    hint = "Choose other units in the SELECT, so that the numbers are nearer to 1."
    if (sizes >= LARGEST).any() or np.isnan(sizes).any():
        message = f"{what} has the number {sizes.max():g}: the solver computes with numbers below {LARGEST:g}"
        raise RunError("data", message, hint, place=place)
    small = sizes[(sizes > 0) & (sizes <= SMALLEST)]
    if coefficients and small.size:
        message = f"{what} has the coefficient {small.min():g}: the solver takes {SMALLEST:g} and less for 0"
        raise RunError("data", message, hint, place=place)
