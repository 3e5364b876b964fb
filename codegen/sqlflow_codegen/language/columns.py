"""The COLUMN clause: columns, `*`, and column functions with what each may be given."""

from __future__ import annotations

from collections.abc import Callable

from sqlflow_codegen.language.ir import ColumnCall, ColumnClause, ColumnExpr, ColumnName, ColumnStar, Name, Value
from sqlflow_codegen.language.reader import Reader, Token
from sqlflow_codegen.language.values import NESTING_LIMIT, read_value, too_deep

DEFAULT_TARGET = "feature_columns"


def read_columns(reader: Reader, read_name: Callable[..., Name], start: int) -> ColumnClause:
    """The columns behind the COLUMN that stands at `start`, and the target that FOR names."""
    columns: list[ColumnExpr] = []
    while True:
        columns.append(_column(reader, read_name, 0))
        if not reader.take(","):
            break
    target = DEFAULT_TARGET
    if reader.take("FOR"):
        target = read_name("a target after FOR", "Write COLUMN .. FOR target.").text
    return ColumnClause(target, tuple(columns), reader.span(start))


def _column(reader: Reader, read_name: Callable[..., Name], depth: int) -> ColumnExpr:
    token = reader.peek()
    if reader.take("*"):
        return ColumnStar(reader.span(token.start))
    if token.kind == "word" and reader.second().text == "(":
        return _call(reader, read_name, depth)
    name = read_name("a column", "Write COLUMN column, column, FUNCTION(column, ..).")
    return ColumnName(name.text, name.span, token.kind != "word")


def _call(reader: Reader, read_name: Callable[..., Name], depth: int) -> ColumnCall:
    function = reader.next()
    opening = reader.next()
    if depth >= NESTING_LIMIT:
        raise too_deep(opening.start)
    args: list[ColumnExpr | Value] = []
    while not reader.take(")"):
        if args:
            hint = f"The parenthesis opened at {reader.source.at(opening.start)}."
            reader.expect(",", f"or `)` in {function.text.upper()}(..)", hint)
        args.append(_argument(reader, read_name, function, depth))
    return ColumnCall(function.text.upper(), tuple(args), reader.span(function.start))


def _argument(reader: Reader, read_name: Callable[..., Name], function: Token, depth: int) -> ColumnExpr | Value:
    token = reader.peek()
    if token.kind == "word":
        return _column(reader, read_name, depth + 1)
    return read_value(reader, f"an argument of {function.text.upper()}")
