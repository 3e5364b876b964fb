"""Checks of TO MAXIMIZE and TO MINIMIZE: variables, and expressions that a solver can be given."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from sqlflow_codegen.catalogue import OTHER_SOLVERS, RESULT_ATTRIBUTES, SOLVER, SOLVER_OPTIONS
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.checks.attributes import check_attributes
from sqlflow_codegen.language.optimization import (
    COMPARISONS,
    VARIABLE_TYPES,
    has_sum,
    read_variables,
    variable_types,
    walk,
)
from sqlflow_codegen.language.source import Problem

_ATTRIBUTES = MappingProxyType(
    {
        "variables": "str | list",
        "var_type": "{" + ",".join(VARIABLE_TYPES) + "} | list",
        "data.enable_slice": "bool",
        "data.batch_size": "int [-1,inf)",
        "worker.num": "int [1,inf)",
        "worker.core": "int [1,inf)",
        "worker.memory": "int [1,inf)",
        **RESULT_ATTRIBUTES,
    }
)
_PREFIX = "solver."
_OPTIONS = MappingProxyType({_PREFIX + name: rule for name, rule in SOLVER_OPTIONS.items()})
_LOGIC = frozenset({"AND", "OR", "!="})
_EXAMPLE = "Write variables='product' or variables='shipment(plants, markets)'."


def check_optimize(statement: ir.OptimizeStatement) -> Iterator[Problem]:
    """Attributes, objective and constraints of one TO MAXIMIZE or TO MINIMIZE."""
    yield from _solver(statement)
    yield from _required(statement)
    yield from _expression(statement.objective, statement.clause)
    if isinstance(statement.objective, ir.Binary) and statement.objective.operator in COMPARISONS:
        hint = "Move the comparison into CONSTRAINT."
        message = "an objective is a number, not a comparison"
        yield Problem("invalid-expression", message, statement.objective.span.start, hint)
    for constraint in statement.constraints:
        yield from _constraint(constraint)


def _solver(statement: ir.OptimizeStatement) -> Iterator[Problem]:
    """Attributes, and the solver that USING names."""
    solver, given = statement.solver, statement.attributes
    other = solver is not None and solver.text.lower() in OTHER_SOLVERS
    if solver is not None and not other and solver.text.lower() != SOLVER:
        hint = f"HiGHS solves linear programs here: leave USING out, or write USING {SOLVER}."
        yield Problem("unknown-solver", f"there is no solver `{solver.text}`", solver.span.start, hint)
    foreign = [one for one in given if other and one.name.startswith(_PREFIX) and one.name not in _OPTIONS]
    for one in foreign:
        message = f"HiGHS solves this statement, and has no option for `{one.name}`"
        yield Problem("no-effect", message, one.span.start, "Leave it out.", "warning")
    checked = [one for one in given if one not in foreign]
    yield from check_attributes(checked, {**_ATTRIBUTES, **_OPTIONS}, statement.clause)


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
        return
    names = [name.casefold() for name in variables.results]
    taken = {*variables.columns, f"{variables.columns[0]}_value"} if len(variables.columns) > 1 else set()
    if taken & set(variables.results):
        message = "several variables need a result name that is none of them"
        yield Problem("attribute-out-of-range", message, place, _EXAMPLE)
    elif len({*names, *(column.casefold() for column in variables.columns)}) < len(names) + len(variables.columns):
        message = "the columns of the result have one name twice"
        yield Problem("attribute-out-of-range", message, place, _EXAMPLE)
    if "var_type" in given and variable_types(statement.attributes, len(names)) is None:
        yield from _types(given["var_type"], len(names))


def _types(attribute: ir.Attribute, count: int) -> Iterator[Problem]:
    """A list of types that are not those of the variables; a wrong word alone is reported by its rule."""
    if not isinstance(attribute.value, tuple):
        return
    hint = f"Each is one of {', '.join(VARIABLE_TYPES)}; one word is the type of all variables."
    message = f"`var_type` must be a list of {count} types, one for each variable"
    yield Problem("attribute-out-of-range", message, attribute.value_span.start, hint)


def _constraint(constraint: ir.Constraint) -> Iterator[Problem]:
    expression = constraint.expression
    yield from _expression(expression, "a constraint")
    if not (isinstance(expression, ir.Binary) and expression.operator in (*COMPARISONS, *_LOGIC)):
        message = "a constraint must compare: with <=, >=, <, > or ="
        yield Problem("invalid-expression", message, constraint.span.start, "Write CONSTRAINT SUM(x) <= 100.")
    if constraint.group_by is not None and not has_sum(expression):
        message = "GROUP BY needs a SUM in its constraint"
        yield Problem("invalid-expression", message, constraint.group_by.span.start, "Sum over each group's rows.")


def _expression(expression: ir.Expression, owner: str) -> Iterator[Problem]:
    for one in walk(expression):
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
