"""Objectives and constraints that the solver cannot be given: it takes sums of variables times known numbers."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from sqlflow_codegen.language import ir
from sqlflow_codegen.language.optimization import COMPARISONS, Variables, comparisons, has_sum, is_sum, read_variables
from sqlflow_codegen.language.source import Problem

_LINEAR = "Variables may be added, and multiplied or divided by columns and numbers."


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads expressions of one statement."""

    variables: frozenset[str]

    def degree(self, expression: ir.Expression) -> Generator[Problem, None, bool]:
        """Find products and quotients of variables; returns True if the expression has a variable."""
        match expression:
            case ir.Name(text=name) | ir.StringLiteral(value=name):
                return name.casefold() in self.variables
            case ir.Unary(operand=operand):
                return (yield from self.degree(operand))
            case ir.Call(args=args):
                found = False
                for argument in args:
                    found |= yield from self.degree(argument)
                return found
            case ir.Binary(operator=operator, left=left, right=right):
                one = yield from self.degree(left)
                other = yield from self.degree(right)
                if words := _product(operator, left=one, right=other):
                    yield _problem(f"{words}, which is not linear", expression, _LINEAR)
                return one or other
        return False

    def outside(self, expression: ir.Expression) -> Iterator[ir.Expression]:
        """The columns and variables outside of any SUM."""
        match expression:
            case ir.Name() | ir.StringLiteral():
                yield expression
            case ir.Unary(operand=operand):
                yield from self.outside(operand)
            case ir.Binary(left=left, right=right):
                yield from self.outside(left)
                yield from self.outside(right)


def _product(operator: str, *, left: bool, right: bool) -> str:
    if operator == "*" and left and right:
        return "variables are multiplied by each other"
    if operator == "/" and right:
        return "a variable is divided by"
    if operator == "%" and (left or right):
        return "a remainder of a variable is taken"
    return ""


def check_linear(statement: ir.OptimizeStatement) -> Iterator[Problem]:
    """Faults of the objective and the constraints that keep the solver from taking them."""
    variables = read_variables(statement.attributes)
    if variables is None:
        return
    reader = _Reader(frozenset(name.casefold() for name in variables.names))
    yield from _objective(statement, reader, variables)
    for constraint in statement.constraints:
        yield from _constraint(constraint, reader, variables)


def _objective(statement: ir.OptimizeStatement, reader: _Reader, variables: Variables) -> Iterator[Problem]:
    objective = statement.objective
    if not (yield from reader.degree(objective)):
        yield _without(statement.clause, objective, variables)
    for one in _first(reader.outside(objective)):
        message = f"the objective is one number for all rows, but {_shown(one)} is outside of SUM"
        yield _problem(message, one, f"Write {statement.clause} SUM(…).")
    yield from _sums(objective)


def _constraint(constraint: ir.Constraint, reader: _Reader, variables: Variables) -> Iterator[Problem]:
    expression = constraint.expression
    parts = comparisons(expression)
    for left, operator, right in parts:
        of_left, of_right = (yield from reader.degree(left)), (yield from reader.degree(right))
        if not of_left and not of_right:
            yield _without("a constraint", expression if len(parts) == 1 else left, variables)
        if operator in ("<", ">"):
            where = "below" if operator == "<" else "above"
            hint = f"Write {operator}=; for whole numbers x < 5 is x <= 4."
            yield _problem(
                f"`{operator}` cannot be solved: no number is the closest one {where} a bound", expression, hint
            )
        for side in (left, right):
            yield from _sums(side)
            yield from _inner(side)
    if len({operator for _, operator, _ in parts}) > 1:
        hint = "Write low <= x <= high, or each comparison as a constraint of its own."
        yield _problem("a range compares by one operator", expression, hint)
    if any(has_sum(side) for left, _, right in parts for side in (left, right)):
        yield from _aggregated(constraint, reader)


def _aggregated(constraint: ir.Constraint, reader: _Reader) -> Iterator[Problem]:
    """Beside a SUM there is one value for all rows, or for each group."""
    outside = list(reader.outside(constraint.expression))
    named = [one for one in outside if _text(one).casefold() in reader.variables]
    for one in _first(named):
        yield _problem(f"the variable {_shown(one)} is outside of SUM, beside one", one, "Write SUM(…) around it.")
    if constraint.group_by is None and not named:
        for one in _first(outside):
            hint = "Add GROUP BY column: one constraint for each of its values. Or put the column into a SUM."
            yield _problem(f"the column {_shown(one)} is outside of SUM, without GROUP BY", one, hint)


def _sums(expression: ir.Expression, *, within: bool = False) -> Iterator[Problem]:
    """SUM inside of SUM."""
    match expression:
        case ir.Call(args=args):
            if within and is_sum(expression):
                yield _problem("SUM stands inside of SUM", expression, "Sum once.")
            for argument in args:
                yield from _sums(argument, within=True)
        case ir.Unary(operand=operand):
            yield from _sums(operand, within=within)
        case ir.Binary(left=left, right=right):
            yield from _sums(left, within=within)
            yield from _sums(right, within=within)


def _inner(expression: ir.Expression) -> Iterator[Problem]:
    """Comparisons inside of a term."""
    match expression:
        case ir.Binary(operator=operator, left=left, right=right):
            if operator in COMPARISONS:
                yield _problem("a comparison stands inside of a term", expression, "Compare once: SUM(x) <= 100.")
            yield from _inner(left)
            yield from _inner(right)
        case ir.Unary(operand=operand):
            yield from _inner(operand)
        case ir.Call(args=args):
            for argument in args:
                yield from _inner(argument)


def _without(owner: str, place: ir.Expression, variables: Variables) -> Problem:
    names = " or ".join(variables.names)
    subject = owner[0].lower() + owner[1:] if owner.startswith("a ") else f"the objective of {owner}"
    return _problem(f"{subject} has no variable ({names}) in it", place, f"`variables` names {names}: use that name.")


def _first(found: Iterator[ir.Expression] | list[ir.Expression]) -> list[ir.Expression]:
    return list(found)[:1]


def _text(expression: ir.Expression) -> str:
    match expression:
        case ir.Name(text=text) | ir.StringLiteral(value=text):
            return text
    return ""


def _shown(expression: ir.Expression) -> str:
    return f"`{_text(expression)}`"


def _problem(message: str, place: ir.Expression, hint: str) -> Problem:
    return Problem("invalid-expression", message, place.span.start, hint)
