"""Checks of TO MAXIMIZE and TO MINIMIZE: variables, and expressions that a solver can be given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from sqlflow_codegen.catalogue import RESULT_ATTRIBUTES
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.checks.attributes import check_attributes
from sqlflow_codegen.language.source import Problem

_TYPES = tuple(
    sign + kind for kind in ("Integers", "Reals") for sign in ("", "Positive", "Negative", "NonPositive", "NonNegative")
)
VARIABLE_TYPES = ("Binary", *_TYPES)

_ATTRIBUTES = MappingProxyType(
    {
        "variables": "str | list",
        "var_type": "{" + ",".join(VARIABLE_TYPES) + "}",
        "data.enable_slice": "bool",
        "data.batch_size": "int [-1,inf)",
        "worker.num": "int [1,inf)",
        "worker.core": "int [1,inf)",
        "worker.memory": "int [1,inf)",
        "solver.*": "str | float | bool | list",
        **RESULT_ATTRIBUTES,
    }
)
_COMPARISONS = frozenset({"=", "<", ">", "<=", ">="})
_LOGIC = frozenset({"AND", "OR", "!="})
_VARIABLES = re.compile(r"\s*([^\s(),]+)\s*\(([^()]*)\)\s*\Z")
_EXAMPLE = "Write variables='product' or variables='shipment(plants, markets)'."


@dataclass(frozen=True, slots=True)
class Variables:
    """The attribute `variables`: the columns that index the variable, and the name of the result's column."""

    columns: tuple[str, ...]
    result: str


def read_variables(attributes: tuple[ir.Attribute, ...]) -> Variables | None:
    """The variables that WITH names: `product`, or `shipment(plants, markets)`; None if it is malformed."""
    for attribute in attributes:
        if attribute.name != "variables":
            continue
        value = attribute.value
        text = value if isinstance(value, str) else ""
        named = _VARIABLES.match(text)
        columns = tuple(part.strip() for part in (named[2] if named else text).split(","))
        if not all(columns) or any("(" in column or ")" in column for column in columns):
            return None
        return Variables(columns, named[1] if named else f"{columns[0]}_value")
    return None


def check_optimize(statement: ir.OptimizeStatement) -> Iterator[Problem]:
    """Attributes, objective and constraints of one TO MAXIMIZE or TO MINIMIZE."""
    yield from check_attributes(statement.attributes, _ATTRIBUTES, statement.clause)
    yield from _required(statement)
    yield from _expression(statement.objective, statement.clause)
    if isinstance(statement.objective, ir.Binary) and statement.objective.operator in _COMPARISONS:
        hint = "Move the comparison into CONSTRAINT."
        message = "an objective is a number, not a comparison"
        yield Problem("invalid-expression", message, statement.objective.span.start, hint)
    for constraint in statement.constraints:
        yield from _constraint(constraint)


def _required(statement: ir.OptimizeStatement) -> Iterator[Problem]:
    given = {attribute.name: attribute for attribute in statement.attributes}
    start = statement.attributes[0].span.start if statement.attributes else statement.span.start
    for name in ("variables", "var_type"):
        if name not in given:
            hint = _EXAMPLE if name == "variables" else f"It is one of {', '.join(VARIABLE_TYPES)}."
            yield Problem("missing-attribute", f"{statement.clause} needs attribute `{name}`", start, hint)
    if "variables" not in given:
        return
    variables = read_variables(statement.attributes)
    place = given["variables"].value_span.start
    if variables is None:
        yield Problem("attribute-wrong-type", "`variables` names no variable", place, _EXAMPLE)
    elif len(variables.columns) > 1 and variables.result in (*variables.columns, f"{variables.columns[0]}_value"):
        message = "several variables need a result name that is none of them"
        yield Problem("attribute-out-of-range", message, place, _EXAMPLE)


def _constraint(constraint: ir.Constraint) -> Iterator[Problem]:
    expression = constraint.expression
    yield from _expression(expression, "a constraint")
    if not (isinstance(expression, ir.Binary) and expression.operator in (*_COMPARISONS, *_LOGIC)):
        message = "a constraint must compare: with <=, >=, <, > or ="
        yield Problem("invalid-expression", message, constraint.span.start, "Write CONSTRAINT SUM(x) <= 100.")
    if constraint.group_by is not None and not _sums(expression):
        message = "GROUP BY needs a SUM in its constraint"
        yield Problem("invalid-expression", message, constraint.group_by.span.start, "Sum over each group's rows.")


def _sums(expression: ir.Expression) -> bool:
    return any(isinstance(one, ir.Call) and one.name.upper() == "SUM" for one in _walk(expression))


def _expression(expression: ir.Expression, owner: str) -> Iterator[Problem]:
    for one in _walk(expression):
        if isinstance(one, (ir.Binary, ir.Unary)) and one.operator in (*_LOGIC, "NOT"):
            message = f"{owner} cannot have {one.operator}"
            hint = "Write each comparison as a constraint of its own, with <=, >= or =."
            yield Problem("invalid-expression", message, one.span.start, hint)
        if isinstance(one, ir.Call) and one.name.upper() != "SUM":
            message = f"{owner} cannot have the function {one.name}"
            yield Problem("invalid-expression", message, one.span.start, "The one function is SUM.")
        elif isinstance(one, ir.Call) and len(one.args) != 1:
            message = f"SUM takes one argument, not {len(one.args)}"
            yield Problem("invalid-expression", message, one.span.start, "Write SUM(expression).")


def _walk(expression: ir.Expression) -> Iterator[ir.Expression]:
    pending: list[ir.Expression] = [expression]
    while pending:
        one = pending.pop()
        yield one
        match one:
            case ir.Binary():
                pending += [one.right, one.left]
            case ir.Unary():
                pending.append(one.operand)
            case ir.Call():
                pending += reversed(one.args)
