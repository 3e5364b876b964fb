"""The features of a TRAIN statement: its COLUMN clauses applied to the columns that its SELECT returns.

As in SQLFlow, one COLUMN clause says what columns mean; it does not choose among them: every other selected column but
the label is a feature too. Several clauses (`COLUMN .. FOR target`) choose: only what they list is a feature.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlflow_codegen.language.columns import DEFAULT_TARGET
from sqlflow_codegen.language.ir import ColumnCall, ColumnClause, ColumnExpr, ColumnName, ColumnStar, Span
from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.databases.rows import NUMERIC_KINDS, Column
from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml import derivation
from sqlflow_runtime.ml.column_functions import Functions
from sqlflow_runtime.ml.derivation import Draft
from sqlflow_runtime.ml.feature_plan import FeaturePlan
from sqlflow_runtime.ml.features import Feature, Numeric
from sqlflow_runtime.ml.text_columns import AS_CATEGORY, TextColumns


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
    columns: Sequence[Column],
    clauses: Sequence[ColumnClause],
    label: Column | None,
    text: TextColumns = AS_CATEGORY,
    known: Sequence[Feature] = (),
) -> FeaturePlan:
    """The features that the clauses make of the SELECT's columns.

    In each target, features of one column stand in the SELECT's order, those of several columns (CROSS) after them.

    Args:
        columns: of the SELECT.
        clauses: the COLUMN clauses.
        label: its column; None without a label.
        text: the treatment of text columns of which the clauses say nothing.
        known: the features of the model that the training goes on from.

    Raises:
        RunError: kind `data` or `estimator`, with the place in the COLUMN clause.
    """
    selected = [column for column in columns if column != label]
    planner = _Planner(selected, text)
    if len(clauses) > 1:
        for clause in clauses:
            planner.add(clause.target, clause.columns, complete=False)
    else:
        target, expressions = (clauses[0].target, clauses[0].columns) if clauses else (DEFAULT_TARGET, ())
        planner.add(target, expressions, complete=True)
    if not planner.drafts:
        raise RunError("data", "the SELECT returns no column besides the label", "Select the columns to learn from.")
    unnamed = frozenset(planner.unnamed)
    learns = not known
    return FeaturePlan(tuple(columns), tuple(planner.drafts), planner.places, text, unnamed, tuple(known), learns)


class _Planner:
    """Collects the features of all targets."""

    def __init__(self, selected: Sequence[Column], text: TextColumns) -> None:
        self._selected = selected
        self._text = text
        self.drafts: list[Feature | Draft] = []
        self.places: dict[str, int] = {}
        self.unnamed: set[str] = set()

    def add(self, target: str, expressions: Sequence[ColumnExpr], *, complete: bool) -> None:
        """Add a target's features; `complete` if columns that are not listed are features too."""
        functions = Functions(self._named, target)
        found: dict[str, list[Feature | Draft]] = {column.name: [] for column in self._selected}
        crossed: list[Feature | Draft] = []
        plain: dict[str, Column] = {}
        for expression in expressions:
            match expression:
                case ColumnStar():
                    complete = True
                case ColumnName():
                    for column in self._named(expression):
                        plain[column.name] = column
                        self.places.setdefault(column.name, expression.span.start)
                case ColumnCall():
                    for one in functions.features(expression):
                        names = _columns(one)
                        (found[names[0]] if len(names) == 1 else crossed).append(one)
                        self.places.update({name: expression.span.start for name in names if name not in self.places})
        named = {name for name in found if found[name]} | {name for one in crossed for name in _columns(one)}
        for column in self._selected:
            if column.name in plain or (complete and column.name not in named):
                found[column.name].insert(0, self._default(column, target))
        self.drafts += [one for column in self._selected for one in found[column.name]] + crossed

    def _default(self, column: Column, target: str) -> Feature | Draft:
        """The feature of a column of which the program says nothing but perhaps the name."""
        if column.kind in NUMERIC_KINDS:
            return Numeric(column.name, target=target)
        place = self.places.get(column.name)
        if column.kind in ("", "string"):
            self.unnamed.add(column.name)
            text = "embedding" if self._text.form == "embedding" else "category"
            return Draft(column.name, derivation.unnamed(target, text=text), place=place)
        if column.kind in ("date", "time", "timestamp", "interval"):
            hint = f"Turn it into a number in the SELECT, such as EXTRACT(EPOCH FROM {column.name}), or leave it out."
        else:
            hint = f"Leave it out of the SELECT, or say what it means in COLUMN: CATEGORY_HASH({column.name}, 100)."
        message = f"column {column.name} is of type {column.type or column.kind}, not numeric"
        raise RunError("data", message, hint, place=place)

    def _named(self, name: ColumnName) -> list[Column]:
        """The column of that name, or all whose whole name the regular expression matches."""
        column = find_column(self._selected, name.text)
        if column is not None:
            return [column]
        try:
            pattern = re.compile(name.text, re.IGNORECASE)
        except re.error as error:
            message = f"{name.text} is neither a selected column nor a regular expression: {error}"
            raise RunError("data", message, place=name.span.start) from error
        found = [column for column in self._selected if pattern.fullmatch(column.name)]
        if not found:
            require_column(self._selected, name.text, "the column", name.span)
        return found


def _columns(one: Feature | Draft) -> tuple[str, ...]:
    """The selected columns that it reads, each once."""
    return (one.column,) if isinstance(one, Draft) else tuple(dict.fromkeys(one.columns))
