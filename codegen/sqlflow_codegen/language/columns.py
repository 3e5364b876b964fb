"""The COLUMN clause: columns, `*`, and column functions with their arguments.

`FUNCTIONS` is the table of each function's arguments: columns, quoted or not, and values with the rule for each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from sqlflow_codegen.catalogue.rules import allows, described
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.lexer import Lexer, Token
from sqlflow_codegen.language.source import ProblemError
from sqlflow_codegen.language.suggest import did_you_mean
from sqlflow_codegen.language.values import NESTING_LIMIT, read_value, too_deep

DEFAULT_TARGET = "feature_columns"
DENSE_INDICATORS = 1000
"""INDICATOR of more categories than this makes a sparse block."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a column function.

    Attributes:
        name: in messages.
        functions: for a column, the functions that may stand here besides a plain name (`NAME`); None for a value.
        rule: for a value, in the notation of `catalogue.rules`.
        many: a list of such columns.
    """

    name: str
    functions: frozenset[str] | None = None
    rule: str = ""
    many: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A column function: its arguments, and how many of them must be given."""

    arguments: tuple[Argument, ...]
    required: int


NAME = "a column"
_FIELDS = frozenset({"DENSE", "SPARSE"})
_CATEGORIES = frozenset({"CATEGORY_ID", "CATEGORY_HASH", "SEQ_CATEGORY_ID"})
_COUNT = "int [1,inf)"


def _column_of(*functions: str) -> Argument:
    return Argument("column", frozenset(functions))


_FIELD = Function(
    (
        _column_of(NAME),
        Argument("shape", rule="int [1,inf) | list | none"),
        Argument("delimiter", rule="str"),
        Argument("type", rule="{float,int,string}"),
        Argument("key-value delimiter", rule="str"),
        Argument("weight type", rule="{float}"),
    ),
    1,
)
_CATEGORY = Function(
    (_column_of(NAME, *_FIELDS), Argument("bucket size", rule=_COUNT), Argument("third argument", rule="str | float")),
    2,
)

FUNCTIONS: MappingProxyType[str, Function] = MappingProxyType(
    {
        "DENSE": _FIELD,
        "SPARSE": _FIELD,
        "BUCKET": Function((_column_of(NAME, "DENSE"), Argument("boundaries", rule="list")), 2),
        "CROSS": Function(
            (
                Argument("keys", frozenset({NAME, "DENSE", "BUCKET"}), many=True),
                Argument("hash bucket size", rule=_COUNT),
            ),
            2,
        ),
        "CATEGORY_ID": _CATEGORY,
        "CATEGORY_HASH": _CATEGORY,
        "SEQ_CATEGORY_ID": _CATEGORY,
        "WEIGHTED_CATEGORY": Function((_column_of("CATEGORY_ID", "CATEGORY_HASH"),), 1),
        "EMBEDDING": Function(
            (
                _column_of(NAME, *_FIELDS, *_CATEGORIES, "WEIGHTED_CATEGORY", "CROSS", "BUCKET"),
                Argument("dimension", rule=_COUNT),
                Argument("combiner", rule="{mean,sqrtn,sum}"),
                Argument("initializer", rule="str"),
            ),
            2,
        ),
        "INDICATOR": Function((_column_of(NAME, *_FIELDS, *_CATEGORIES, "WEIGHTED_CATEGORY", "CROSS", "BUCKET"),), 1),
    }
)

_WORDS = MappingProxyType({"delimiter": {"COMMA": ","}, "key-value delimiter": {"COMMA": ",", "COLON": ":"}})
_TYPES = MappingProxyType({"int32": "int", "int64": "int", "float32": "float", "float64": "float"})
"""Types as SQLFlow's documentation has them; its parser did not take them."""


def read_columns(lexer: Lexer, read_name: Callable[..., ir.Name], start: int) -> ir.ColumnClause:
    """The columns behind the COLUMN that stands at `start`, and the target that FOR names."""
    parser = _ColumnParser(lexer, read_name)
    columns = [parser.column(0)]
    while lexer.take(","):
        columns.append(parser.column(0))
    target = DEFAULT_TARGET
    if lexer.take("FOR"):
        target = read_name("a target after FOR", "Write COLUMN .. FOR target.").text
    return ir.ColumnClause(target, tuple(columns), lexer.span(start))


def _wrong(message: str, token: Token, hint: str = "") -> ProblemError:
    return ProblemError("wrong-arguments", message, token.start, hint)


class _ColumnParser:
    """Parses columns and column functions."""

    def __init__(self, lexer: Lexer, read_name: Callable[..., ir.Name]) -> None:
        self._lexer = lexer
        self._read_name = read_name

    def column(self, depth: int) -> ir.ColumnExpr:
        lexer = self._lexer
        token = lexer.peek()
        if lexer.take("*"):
            return ir.ColumnStar(lexer.span(token.start))
        if token.kind == "word" and lexer.second().text == "(":
            return self._call(depth)
        name = self._read_name("a column", "Write COLUMN column, column, FUNCTION(column, ..).")
        return ir.ColumnName(name.text, name.span, token.kind != "word")

    def _call(self, depth: int) -> ir.ColumnCall:
        lexer = self._lexer
        token = lexer.next()
        function = FUNCTIONS.get(token.keyword)
        if function is None:
            hint = did_you_mean(token.text, FUNCTIONS) or f"Column functions are {', '.join(FUNCTIONS)}."
            hint = "Write DENSE(column, ..), or just the column." if token.keyword == "NUMERIC" else hint
            raise ProblemError("unknown-function", f"unknown column function {token.shown()}", token.start, hint)
        opening = lexer.next()
        if depth >= NESTING_LIMIT:
            raise too_deep(opening.start)
        args: list[ir.ColumnArgument] = []
        while not lexer.take(")"):
            if args:
                hint = f"The parenthesis opened at {lexer.source.at(opening.start)}."
                lexer.expect(",", f"or `)` in {token.keyword}(..)", hint)
            if len(args) == len(function.arguments):
                raise _wrong_count(token, function, f"more than {len(args)}")
            args.append(self._argument(token.keyword, function.arguments[len(args)], depth))
        if len(args) < function.required:
            raise _wrong_count(token, function, str(len(args)))
        # Keys of `key:value` texts are whole numbers.
        if token.keyword in _FIELDS and len(args) > 4 and args[4] and args[3] != "int":
            hint = f'Write {token.keyword}(column, shape, delimiter, "int", key-value delimiter).'
            raise _wrong(f"{token.keyword} with a key-value delimiter must have type int", token, hint)
        return ir.ColumnCall(token.keyword, tuple(args), lexer.span(token.start))

    def _argument(self, function: str, argument: Argument, depth: int) -> ir.ColumnArgument:
        if argument.functions is None:
            return self._value(function, argument)
        if not argument.many:
            return self._inner(function, argument, argument.functions, depth)
        lexer = self._lexer
        opening = lexer.expect("[", f"before the keys of {function}", f"Write {function}([column, column], size).")
        keys: list[ir.ColumnExpr] = []
        while not lexer.take("]"):
            if keys:
                hint = f"The list opened at {lexer.source.at(opening.start)}."
                lexer.expect(",", f"between the keys of {function}", hint)
            keys.append(self._inner(function, argument, argument.functions, depth))
        if len(keys) < 2:
            raise _wrong(f"{function} needs two keys or more", opening, "Name the columns to cross.")
        return tuple(keys)

    def _inner(self, function: str, argument: Argument, functions: frozenset[str], depth: int) -> ir.ColumnExpr:
        token = self._lexer.peek()
        must = f"the {argument.name} of {function} must be {_either(functions)}"
        if token.kind not in ("word", "string", "quoted"):
            raise _wrong(f"{must}, found {token.shown()}", token)
        column = self.column(depth + 1)
        kind = column.name if isinstance(column, ir.ColumnCall) else NAME
        if kind not in functions:
            raise _wrong(f"{must}, not {kind}", token)
        return column

    def _value(self, function: str, argument: Argument) -> ir.ColumnArgument:
        token = self._lexer.peek()
        what = f"the {argument.name} of {function}"
        value = read_value(self._lexer, what)
        if isinstance(value, str):
            value = _WORDS.get(argument.name, {}).get(value, value)
            value = _TYPES.get(value, value) if argument.name.endswith("type") else value
            value = value.lower() if argument.rule.startswith("{") and token.kind == "word" else value
        if not allows(argument.rule, value):
            raise _wrong(f"{what} must be {described(argument.rule)}", token)
        if isinstance(value, tuple):
            _check_list(function, argument, value, token)
        return value


def _wrong_count(token: Token, function: Function, given: str) -> ProblemError:
    names = [argument.name for argument in function.arguments]
    optional = names[function.required :]
    shown = ", ".join(names[: function.required]) + (f" [, {', '.join(optional)}]" if optional else "")
    message = f"{token.keyword} takes {function.required}"
    message += f" to {len(names)} arguments" if optional else " argument" + ("s" if function.required > 1 else "")
    return _wrong(f"{message}, not {given}", token, f"Write {token.keyword}({shown}).")


def _either(functions: frozenset[str]) -> str:
    names = sorted(functions, key=lambda name: (name != NAME, name))
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def _check_list(function: str, argument: Argument, items: tuple[object, ...], token: Token) -> None:
    numbers = [item for item in items if isinstance(item, (int, float)) and not isinstance(item, bool)]
    if not items or len(numbers) != len(items):
        raise _wrong(f"the {argument.name} of {function} must be a list of numbers", token)
    if function == "BUCKET" and any(left >= right for left, right in pairwise(numbers)):
        raise _wrong("the boundaries of BUCKET must ascend", token, "Write them in ascending order, each once.")
    if argument.name == "shape" and any(not isinstance(one, int) or one < 1 for one in numbers):
        raise _wrong("a shape holds whole numbers from 1", token)
