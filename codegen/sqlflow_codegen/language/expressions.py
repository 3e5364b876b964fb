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


def read_objective(lexer: Lexer) -> Expression:
    """The expression behind MAXIMIZE or MINIMIZE."""
    lexer.narrow(True)
    expression = _ExpressionParser(lexer).read()
    lexer.narrow(False)
    return expression


def read_constraints(lexer: Lexer) -> tuple[Constraint, ...]:
    """The constraints behind CONSTRAINT, separated by commas."""
    lexer.narrow(True)
    constraints: list[Constraint] = []
    while True:
        start = lexer.peek().start
        expression = _ExpressionParser(lexer).read()
        group_by = None
        if lexer.take("GROUP"):
            lexer.expect("BY", "after GROUP", "Write GROUP BY column.")
            group_by = lexer.name("a column after GROUP BY", "Write GROUP BY column.")
        constraints.append(Constraint(expression, group_by, lexer.span(start)))
        if not lexer.take(","):
            break
    lexer.narrow(False)
    return tuple(constraints)


class _ExpressionParser:
    """Reads one expression."""

    def __init__(self, lexer: Lexer) -> None:
        self._lexer = lexer
        self._operators = 0

    def read(self, binding: int = 0, depth: int = 0) -> Expression:
        """Operators that bind tighter than `binding`, grouped to the left."""
        lexer = self._lexer
        start = lexer.peek().start
        left = self._operand(depth)
        while True:
            token = lexer.peek()
            symbol = token.keyword if token.keyword in _BINDING else token.text if token.kind == "punctuation" else ""
            tighter = _BINDING.get(symbol, 0)
            if tighter <= binding:
                return left
            self._count(token.start)
            lexer.next()
            right = self.read(tighter, depth + 1)
            left = Binary(_SAME.get(symbol, symbol), left, right, lexer.span(start))

    def _count(self, offset: int) -> None:
        self._operators += 1
        if self._operators > OPERATOR_LIMIT:
            message = f"expression of more than {OPERATOR_LIMIT} operators"
            raise ProblemError("expression-too-long", message, offset, "Compute parts of it in the SELECT.")

    def _operand(self, depth: int) -> Expression:
        lexer = self._lexer
        token = lexer.peek()
        if depth >= NESTING_LIMIT:
            raise too_deep(token.start)
        if token.keyword == "NOT" or (token.kind == "punctuation" and token.text in "+-"):
            self._count(token.start)
            lexer.next()
            operand = self.read(_NOT if token.keyword else _SIGN, depth + 1)
            return Unary(token.keyword or token.text, operand, lexer.span(token.start))
        if lexer.take("("):
            inner = self.read(0, depth + 1)
            lexer.expect(")", "in the expression", f"The parenthesis opened at {lexer.source.at(token.start)}.")
            return inner
        if token.kind == "number":
            value = number(lexer.next())
            return NumberLiteral(value, lexer.span(token.start))
        if token.kind == "string":
            lexer.next()
            return StringLiteral(token.value, lexer.span(token.start))
        name = lexer.name("a column, number or function")
        if token.kind == "word" and lexer.take("("):
            return Call(name.text, self._arguments(depth), lexer.span(token.start))
        return name

    def _arguments(self, depth: int) -> tuple[Expression, ...]:
        args: list[Expression] = []
        while not self._lexer.take(")"):
            if args:
                self._lexer.expect(",", "or `)` in the function")
            args.append(self.read(0, depth + 1))
        return tuple(args)
