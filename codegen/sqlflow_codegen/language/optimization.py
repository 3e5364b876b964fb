"""The variables of TO MAXIMIZE and TO MINIMIZE, and the shape of their expressions: for the checks and for the step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlflow_codegen.language import ir

VARIABLE_TYPES = (
    "Binary",
    *(
        sign + kind
        for kind in ("Integers", "Reals")
        for sign in ("", "Positive", "Negative", "NonPositive", "NonNegative")
    ),
)

COMPARISONS = frozenset({"=", "<", ">", "<=", ">="})

_VARIABLES = re.compile(r"\s*([^\s(),]+)\s*\(([^()]*)\)\s*\Z")


@dataclass(frozen=True, slots=True)
class Variables:
    """The attribute `variables`.

    Attributes:
        columns: the columns that index the variables: each row of the SELECT has other values of them.
        names: the variables, as objective and constraints call them.
        results: for each variable the column of the result.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    results: tuple[str, ...]


def read_variables(attributes: tuple[ir.Attribute, ...]) -> Variables | None:
    """The variables that WITH names; None if it names none, or is malformed.

    They are `product`, `shipment(plants, markets)`, or a list of several such that have the same columns:
    `["make(product)", "store(product)"]`.
    """
    value = next((one.value for one in attributes if one.name == "variables"), "")
    found = [_variable(text) for text in (value if isinstance(value, tuple) else (value,))]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found) or any(one.columns != known[0].columns for one in known):
        return None
    return Variables(known[0].columns, tuple(one.names[0] for one in known), tuple(one.results[0] for one in known))


def _variable(text: ir.Value) -> Variables | None:
    if not isinstance(text, str):
        return None
    named = _VARIABLES.match(text)
    columns = tuple(part.strip() for part in (named[2] if named else text).split(","))
    if not all(columns) or any("(" in column or ")" in column for column in columns):
        return None
    name = named[1] if named else columns[0]
    return Variables(columns, (name,), (name if named else f"{name}_value",))


def variable_types(attributes: tuple[ir.Attribute, ...], count: int) -> tuple[str, ...] | None:
    """The type of each of `count` variables; None if there is another number of types, or none."""
    value = next((one.value for one in attributes if one.name == "var_type"), None)
    types = tuple(map(str, value)) if isinstance(value, tuple) else (str(value),) * count
    return types if value is not None and len(types) == count and set(types) <= set(VARIABLE_TYPES) else None


def comparisons(expression: ir.Expression) -> list[tuple[ir.Expression, str, ir.Expression]]:
    """The comparisons of a constraint, left to right: `0 <= x <= 5` has two."""
    found: list[tuple[ir.Expression, str, ir.Expression]] = []
    while isinstance(expression, ir.Binary) and expression.operator in COMPARISONS:
        inner = expression.left
        chained = isinstance(inner, ir.Binary) and inner.operator in COMPARISONS
        found.append(
            (inner.right if isinstance(inner, ir.Binary) and chained else inner, expression.operator, expression.right)
        )
        expression = inner
    return found[::-1]


def is_sum(expression: ir.Expression) -> bool:
    """True for `SUM(…)`, in any case."""
    return isinstance(expression, ir.Call) and expression.name.upper() == "SUM"


def has_sum(expression: ir.Expression) -> bool:
    """True if SUM occurs in it."""
    return any(map(is_sum, walk(expression)))


def walk(expression: ir.Expression) -> Iterator[ir.Expression]:
    """The expression and all parts of it."""
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
