"""Objectives and constraints of TO MAXIMIZE and TO MINIMIZE, by operator precedence."""

from __future__ import annotations

from sqlflow_codegen.language.ir import Binary, Call, Constraint, Expression, Number, Text, Unary
from sqlflow_codegen.language.reader import Reader
from sqlflow_codegen.language.values import NESTING_LIMIT, number, too_deep

_BINDING = {"OR": 1, "AND": 2, "=": 4, "==": 4, "!=": 4, "<>": 4, "<": 4, ">": 4, "<=": 4, ">=": 4}
_BINDING |= {"+": 5, "-": 5, "*": 6, "/": 6, "%": 6}
_NOT, _SIGN = 3, 7
_SAME = {"<>": "!=", "==": "="}


def read_objective(reader: Reader) -> Expression:
    """The expression behind MAXIMIZE or MINIMIZE."""
    reader.narrow(True)
    expression = _expression(reader, 0, 0)
    reader.narrow(False)
    return expression


def read_constraints(reader: Reader) -> tuple[Constraint, ...]:
    """The constraints behind CONSTRAINT, separated by commas."""
    reader.narrow(True)
    constraints: list[Constraint] = []
    while True:
        start = reader.peek().start
        expression = _expression(reader, 0, 0)
        group_by = None
        if reader.take("GROUP"):
            reader.expect("BY", "after GROUP", "Write GROUP BY column.")
            group_by = reader.name("a column after GROUP BY", "Write GROUP BY column.")
        constraints.append(Constraint(expression, group_by, reader.span(start)))
        if not reader.take(","):
            break
    reader.narrow(False)
    return tuple(constraints)


def _expression(reader: Reader, binding: int, depth: int) -> Expression:
    """Operators that bind tighter than `binding`, to the left."""
    start = reader.peek().start
    left = _operand(reader, depth)
    while True:
        token = reader.peek()
        symbol = token.keyword if token.keyword in _BINDING else token.text if token.kind == "punctuation" else ""
        tighter = _BINDING.get(symbol, 0)
        if tighter <= binding:
            return left
        reader.next()
        right = _expression(reader, tighter, depth + 1)
        left = Binary(_SAME.get(symbol, symbol), left, right, reader.span(start))


def _operand(reader: Reader, depth: int) -> Expression:
    token = reader.peek()
    if depth >= NESTING_LIMIT:
        raise too_deep(token.start)
    if token.keyword == "NOT" or (token.kind == "punctuation" and token.text in "+-"):
        reader.next()
        operand = _expression(reader, _NOT if token.keyword else _SIGN, depth + 1)
        return Unary(token.keyword or token.text, operand, reader.span(token.start))
    if reader.take("("):
        inner = _expression(reader, 0, depth + 1)
        reader.expect(")", "in the expression", f"The parenthesis opened at {reader.source.at(token.start)}.")
        return inner
    if token.kind == "number":
        value = number(reader.next())
        return Number(value, reader.span(token.start))
    if token.kind == "string":
        reader.next()
        return Text(token.value, reader.span(token.start))
    name = reader.name("a column, number or function")
    if token.kind == "word" and reader.take("("):
        return Call(name.text, _arguments(reader, depth), reader.span(token.start))
    return name


def _arguments(reader: Reader, depth: int) -> tuple[Expression, ...]:
    args: list[Expression] = []
    while not reader.take(")"):
        if args:
            reader.expect(",", "or `)` in the function")
        args.append(_expression(reader, 0, depth + 1))
    return tuple(args)
