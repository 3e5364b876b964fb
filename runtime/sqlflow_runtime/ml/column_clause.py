"""The features of a TRAIN statement: its COLUMN clauses applied to the columns that its SELECT returns.

As in SQLFlow, COLUMN says what columns mean; it does not choose among them: every other selected column but the
label is a numeric feature. What the SELECT should not feed to the model, the SELECT leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlflow_codegen.language.ir import ColumnCall, ColumnClause, ColumnExpr, ColumnName, ColumnStar, Span
from sqlflow_codegen.language.runnable import COLUMNS_NOT_YET
from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.databases.rows import NUMERIC_KINDS, Column
from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.features import Bucket, CategoryHash, CategoryId, Dense, Feature, Indicator, Numeric

_KNOWN = ("BUCKET", "CATEGORY_HASH", "CATEGORY_ID", "DENSE", "INDICATOR")


def find_column(columns: Sequence[Column], name: str) -> Column | None:
    """The column of that name; the same case wins, else the case does not matter."""
    exact = [column for column in columns if column.name == name]
    return next(iter(exact or [column for column in columns if column.name.casefold() == name.casefold()]), None)


def require_column(columns: Sequence[Column], name: str, what: str, span: Span | None = None) -> Column:
    """The column of that name.

    Raises:
        RunError: kind `data`; there is none. `what` says what it is for: `the label`.
    """
    column = find_column(columns, name)
    if column is not None:
        return column
    names = [column.name for column in columns]
    hint = " ".join(filter(None, (did_you_mean(name, names), f"The SELECT returns {listed(names)}.")))
    raise RunError("data", f"{what} {name} is not a column of the SELECT", hint, place=span.start if span else None)


def check_distinct(columns: Sequence[Column]) -> None:
    """Refuse a SELECT that returns two columns of one name: a name must mean one of them."""
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise RunError(
                "data", f"the SELECT returns two columns named {column.name}", "Give one of them another name: AS name."
            )
        seen.add(column.name)


def plan_features(
    columns: Sequence[Column], clauses: Iterable[ColumnClause], label: Column | None
) -> tuple[Feature, ...]:
    """The features, in the SELECT's order.

    Raises:
        RunError: kind `data` or `estimator`, with the place in the COLUMN clause.
    """
    selected = [column for column in columns if column != label]
    said: dict[str, Feature] = {}
    for clause in clauses:
        for expression in clause.columns:
            for feature in _features(expression, selected):
                said[feature.column] = feature
    features = [said.get(column.name) or _default(column) for column in selected]
    if not features:
        raise RunError("data", "the SELECT returns no column besides the label", "Select the columns to learn from.")
    return tuple(features)


def _default(column: Column) -> Feature:
    if column.kind in NUMERIC_KINDS or column.kind == "":
        return Numeric(column.name)
    if column.kind in ("date", "time", "timestamp", "interval"):
        hint = f"Turn it into a number in the SELECT, such as EXTRACT(EPOCH FROM {column.name}), or leave it out."
    else:
        hint = f"Leave it out of the SELECT, or say what it means in COLUMN: CATEGORY_HASH({column.name}, 100)."
    raise RunError("data", f"column {column.name} is of type {column.type or column.kind}, not numeric", hint)


def _features(expression: ColumnExpr, selected: Sequence[Column]) -> list[Feature]:
    match expression:
        case ColumnStar():
            return [_default(column) for column in selected if column.kind in (*NUMERIC_KINDS, "")]
        case ColumnName():
            return [_default(column) for column in _named(expression, selected)]
        case ColumnCall():
            return _called(expression, selected)


def _named(expression: ColumnName, selected: Sequence[Column]) -> list[Column]:
    """The column of that name, or all whose whole name the regular expression matches."""
    column = find_column(selected, expression.text)
    if column is not None:
        return [column]
    try:
        pattern = re.compile(expression.text, re.IGNORECASE)
    except re.error as error:
        raise RunError(
            "data",
            f"{expression.text} is neither a selected column nor a regular expression: {error}",
            place=expression.span.start,
        ) from error
    found = [column for column in selected if pattern.fullmatch(column.name)]
    if not found:
        require_column(selected, expression.text, "the column", expression.span)
    return found


def _called(call: ColumnCall, selected: Sequence[Column]) -> list[Feature]:
    if call.name in COLUMNS_NOT_YET:
        raise RunError(
            "estimator",
            f"{call.name} is not supported for this estimator yet",
            f"Supported are {', '.join(_KNOWN)} and plain columns.",
            place=call.span.start,
        )
    if call.name not in _KNOWN:
        guess = did_you_mean(call.name, _KNOWN)
        raise RunError("estimator", f"there is no column function {call.name}", guess, place=call.span.start)
    if not call.args:
        raise _wrong(call, "needs a column")
    first, *rest = call.args
    if call.name == "INDICATOR":
        return _indicators(call, first, selected)
    if isinstance(first, ColumnCall) and first.name == "DENSE":
        first = first.args[0]
    text, span = (first.text, first.span) if isinstance(first, ColumnName) else (first, call.span)
    if not isinstance(text, str):
        raise _wrong(call, "needs a column first")
    return [_simple(call, column, rest) for column in _named(ColumnName(text, span), selected)]


def _simple(call: ColumnCall, column: Column, rest: Sequence[Any]) -> Feature:
    name = column.name
    match call.name, [item.text if isinstance(item, ColumnName) else item for item in rest]:
        case "BUCKET", [tuple(boundaries)] if boundaries and all(isinstance(b, int | float) for b in boundaries):
            if list(boundaries) != sorted(set(boundaries)):
                raise _wrong(call, "needs boundaries that ascend")
            return Bucket(name, tuple(float(b) for b in boundaries))
        case "BUCKET", _:
            raise _wrong(call, "needs a list of numbers: BUCKET(column, [1, 2, 3])")
        case (("CATEGORY_ID" | "CATEGORY_HASH"), [int(size), *_]) if size > 0:
            return CategoryId(name, size) if call.name == "CATEGORY_ID" else CategoryHash(name, size)
        case (("CATEGORY_ID" | "CATEGORY_HASH"), _):
            raise _wrong(call, f"needs the number of categories: {call.name}(column, 100)")
        case "DENSE", []:
            return Numeric(name)
        case "DENSE", [1]:
            return Numeric(name)
        case "DENSE", [(int(size) | (int(size),)), *more] if size > 1:
            delimiter = str(more[0]) if more else ","
            return Dense(name, size, "," if delimiter.upper() == "COMMA" else delimiter)
    raise _wrong(call, f"needs the number of values: {call.name}(column, 4)")


def _indicators(call: ColumnCall, first: Any, selected: Sequence[Column]) -> list[Feature]:
    if not isinstance(first, ColumnCall):
        raise _wrong(call, "needs a category column: INDICATOR(CATEGORY_ID(column, 10))")
    return [Indicator(f) for f in _called(first, selected) if isinstance(f, CategoryId | CategoryHash | Bucket)]


def _wrong(call: ColumnCall, what: str) -> RunError:
    return RunError("estimator", f"{call.name} {what}", place=call.span.start)
