"""Objectives and constraints of TO MAXIMIZE and TO MINIMIZE, by operator precedence.

From loosest to tightest: OR, AND, NOT, comparisons, + -, * / %, signs; all but NOT and signs group to the left.
"""

from __future__ import annotations

from sqlflow_codegen.language.ir import Binary, Call, Constraint, Expression, NumberLiteral, StringLiteral, Unary
from sqlflow_codegen.language.lexer import Lexer
from sqlflow_codegen.language.source import ProblemError
from sqlflow_codegen.language.values import NESTING_LIMIT, number, too_deep

OPERATOR_LIMIT = 200
"""Operators in one expression: its tree is never deeper, so that whatever walks it needs no more of the stack."""

_BINDING = {"OR": 1, "AND": 2, "=": 4, "==": 4, "!=": 4, "<>": 4, "<": 4, ">": 4, "<=": 4, ">=": 4}
_BINDING |= {"+": 5, "-": 5, "*": 6, "/": 6, "%": 6}
_NOT, _SIGN = 3, 7
_SAME = {"<>": "!=", "==": "="}


def read_objective(reader: Lexer) -> Expression:
    """The expression behind MAXIMIZE or MINIMIZE."""
    reader.narrow(True)
    expression = _ExpressionReader(reader).read()
    reader.narrow(False)
    return expression


def read_constraints(reader: Lexer) -> tuple[Constraint, ...]:
    """The constraints behind CONSTRAINT, separated by commas."""
    reader.narrow(True)
    constraints: list[Constraint] = []
    while True:
        start = reader.peek().start
        expression = _ExpressionReader(reader).read()
        group_by = None
        if reader.take("GROUP"):
            reader.expect("BY", "after GROUP", "Write GROUP BY column.")
            group_by = reader.name("a column after GROUP BY", "Write GROUP BY column.")
        constraints.append(Constraint(expression, group_by, reader.span(start)))
        if not reader.take(","):
            break
    reader.narrow(False)
    return tuple(constraints)


class _ExpressionReader:
    """Reads one expression."""

    def __init__(self, reader: Lexer) -> None:
        self._reader = reader
        self._operators = 0

    def read(self, binding: int = 0, depth: int = 0) -> Expression:
        """Operators that bind tighter than `binding`, grouped to the left."""
        reader = self._reader
        start = reader.peek().start
        left = self._operand(depth)
        while True:
            token = reader.peek()
            symbol = token.keyword if token.keyword in _BINDING else token.text if token.kind == "punctuation" else ""
            tighter = _BINDING.get(symbol, 0)
            if tighter <= binding:
                return left
            self._count(token.start)
            reader.next()
            right = self.read(tighter, depth + 1)
            left = Binary(_SAME.get(symbol, symbol), left, right, reader.span(start))

    def _count(self, offset: int) -> None:
        self._operators += 1
        if self._operators > OPERATOR_LIMIT:
            message = f"expression of more than {OPERATOR_LIMIT} operators"
            raise ProblemError("expression-too-long", message, offset, "Compute parts of it in the SELECT.")

    def _operand(self, depth: int) -> Expression:
        reader = self._reader
        token = reader.peek()
        if depth >= NESTING_LIMIT:
            raise too_deep(token.start)
        if token.keyword == "NOT" or (token.kind == "punctuation" and token.text in "+-"):
            self._count(token.start)
            reader.next()
            operand = self.read(_NOT if token.keyword else _SIGN, depth + 1)
            return Unary(token.keyword or token.text, operand, reader.span(token.start))
        if reader.take("("):
            inner = self.read(0, depth + 1)
            reader.expect(")", "in the expression", f"The parenthesis opened at {reader.source.at(token.start)}.")
            return inner
        if token.kind == "number":
            value = number(reader.next())
            return NumberLiteral(value, reader.span(token.start))
        if token.kind == "string":
            reader.next()
            return StringLiteral(token.value, reader.span(token.start))
        name = reader.name("a column, number or function")
        if token.kind == "word" and reader.take("("):
            return Call(name.text, self._arguments(depth), reader.span(token.start))
        return name

    def _arguments(self, depth: int) -> tuple[Expression, ...]:
        args: list[Expression] = []
        while not self._reader.take(")"):
            if args:
                self._reader.expect(",", "or `)` in the function")
            args.append(self.read(0, depth + 1))
        return tuple(args)
