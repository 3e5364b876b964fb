"""Checks of TRAIN, EVALUATE and EXPLAIN."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sqlflow_codegen.catalogue import (
    METRICS,
    REPLACEMENTS,
    VALIDATION_METRICS,
    VALIDATION_SELECT,
    Estimator,
    composed,
    estimator_names,
    find_estimator,
    refusal,
    split_image,
)
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.checks.attributes import check_aliases, check_attributes, check_conflicts, conflicting
from sqlflow_codegen.language.source import Problem
from sqlflow_codegen.language.suggest import did_you_mean

EXPLAINERS = ("TreeExplainer", "XGBoostExplainer", "KernelExplainer", "LinearExplainer", "PermutationExplainer")

_NOT_FOR_TABLES = frozenset({"SEQ_CATEGORY_ID", "WEIGHTED_CATEGORY", "EMBEDDING"})
"""Column functions that make tensors which only neural networks take."""
_NOT_FOR = MappingProxyType({"xgboost": _NOT_FOR_TABLES | {"CROSS"}, "sklearn": _NOT_FOR_TABLES})
_QUERY = re.compile(r"[\s(]*+(?:SELECT|WITH|VALUES|TABLE|FROM)\b", re.IGNORECASE)
_PATTERN = re.compile(r"[*+?()\[\]{}|^$\\]")


def check_train(statement: ir.TrainStatement) -> Iterator[Problem]:
    """Estimator, attributes, columns and label of one TRAIN."""
    yield from _validation_select(statement.attributes)
    yield from _patterns(statement)
    image, name = split_image(statement.estimator.text)
    if image:
        return  # an estimator of the user's own image
    estimator = find_estimator(name)
    if reason := refusal(name):
        yield Problem("unusable-estimator", f"{name} cannot be trained: {reason}", statement.estimator.span.start)
        return
    if estimator is None:
        message = f"unknown estimator `{name}`: its attributes are not checked"
        yield Problem("unknown-estimator", message, statement.estimator.span.start, estimator_hint(name), "warning")
        return
    composition = composed(estimator, statement.attributes)
    estimator = composition.estimator
    yield from check_attributes(statement.attributes, estimator.attributes, estimator.name)
    yield from conflicting(statement, estimator, composition.problems)
    yield from check_aliases(statement.attributes, estimator.aliases, estimator.deprecated, estimator.name)
    yield from check_conflicts(statement, estimator)
    yield from _columns(statement, estimator)
    yield from _fits_booster(statement, estimator)
    if statement.using is not None and estimator.library == "sklearn":
        message = f"{estimator.name} cannot go on from a model"
        hint = "Leave USING out, or use an estimator of xgboost."
        yield Problem("unexpected-clause", message, statement.using.span.start, hint)
    if estimator.supervised and statement.label is None:
        message = f"{estimator.name} needs a LABEL: it learns from examples"
        yield Problem("missing-clause", message, statement.into.span.start, "Write LABEL column before INTO.")


def estimator_hint(name: str) -> str:
    """The hint for an unknown estimator: a similar name, or an estimator that does the same; "" if there is none."""
    same = REPLACEMENTS.get(name.lower())
    return f"{same} does the same here." if same else did_you_mean(name, estimator_names())


def _validation_select(attributes: tuple[ir.Attribute, ...]) -> Iterator[Problem]:
    for attribute in attributes:
        value = attribute.value
        if attribute.name == VALIDATION_SELECT and isinstance(value, str) and value and not _QUERY.match(value):
            message = f"`{VALIDATION_SELECT}` must be a query"
            hint = f"Write {VALIDATION_SELECT}='SELECT ..'."
            yield Problem("attribute-wrong-type", message, attribute.value_span.start, hint)


def _patterns(statement: ir.TrainStatement) -> Iterator[Problem]:
    """Quoted columns that look like regular expressions and are none can only be names."""
    for column in all_columns(statement):
        if not (isinstance(column, ir.ColumnName) and column.quoted and _PATTERN.search(column.text)):
            continue
        if error := _pattern_error(column.text):
            message = f"`{column.text[:60]}` is no regular expression: {error}"
            hint = "It can only be the name of one column."
            yield Problem("invalid-pattern", message, column.span.start, hint, "warning")


def _pattern_error(pattern: str) -> str:
    """The error of a regular expression; "" if it has none."""
    try:
        with warnings.catch_warnings():  # of sets that a later Python may read otherwise
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    return ""


def all_columns(statement: ir.TrainStatement) -> Iterator[ir.ColumnName | ir.ColumnCall]:
    """The columns and column functions of the COLUMN clauses, nested ones too, in their order."""
    pending: list[ir.ColumnArgument] = [clause.columns for clause in reversed(statement.columns)]
    while pending:
        argument = pending.pop()
        if isinstance(argument, tuple):
            pending += reversed(argument)
        elif isinstance(argument, (ir.ColumnName, ir.ColumnCall)):
            yield argument
            pending += reversed(argument.args) if isinstance(argument, ir.ColumnCall) else ()


def _columns(statement: ir.TrainStatement, estimator: Estimator) -> Iterator[Problem]:
    for clause in statement.columns[1:]:
        message = f"{estimator.name} takes one set of columns, not several"
        yield Problem("unsupported-column", message, clause.span.start, "List all columns in one COLUMN clause.")
    for column in all_columns(statement):
        if isinstance(column, ir.ColumnCall) and column.name in _NOT_FOR[estimator.library]:
            message = f"{estimator.name} does not support {column.name}"
            hint = "Use INDICATOR, CATEGORY_ID or CATEGORY_HASH."
            yield Problem("unsupported-column", message, column.span.start, hint)


def _fits_booster(statement: ir.TrainStatement, estimator: Estimator) -> Iterator[Problem]:
    booster = estimator.defaults.get("booster")
    for attribute in statement.attributes:
        if booster and attribute.name == "booster" and attribute.value not in (booster, None):
            message = f"booster `{attribute.value}` contradicts {estimator.name}"
            hint = f"Write TO TRAIN xgboost.{attribute.value}."
            yield Problem("attribute-out-of-range", message, attribute.value_span.start, hint)


def check_evaluate(statement: ir.EvaluateStatement, trained: Mapping[str, Estimator | None]) -> Iterator[Problem]:
    """Metrics of one EVALUATE; `trained` are the models that the program trains before it."""
    known = trained.get(statement.model.text) is not None
    for attribute in statement.attributes:
        if attribute.name != VALIDATION_METRICS or not isinstance(attribute.value, str):
            continue
        for name in filter(None, map(str.strip, attribute.value.split(","))):
            if name not in METRICS:
                hint = did_you_mean(name, METRICS) or f"Metrics are {', '.join(METRICS)}."
                severity = "error" if known else "warning"
                message = f"unknown metric `{name}`"
                yield Problem("unknown-metric", message, attribute.value_span.start, hint, severity)


def check_explain(statement: ir.ExplainStatement) -> Iterator[Problem]:
    """The explainer of one EXPLAIN."""
    explainer = statement.explainer
    if explainer is None:
        return
    if explainer.text not in EXPLAINERS:
        hint = did_you_mean(explainer.text, EXPLAINERS) or f"Explainers are {', '.join(EXPLAINERS)}."
        message = f"unknown explainer `{explainer}`: SHAP chooses one"
        yield Problem("unknown-explainer", message, explainer.span.start, hint, "warning")
    if explainer.text == "XGBoostExplainer" and statement.into is None:
        message = "XGBoostExplainer needs INTO: its result is a table"
        yield Problem("missing-clause", message, explainer.span.start, "Write USING XGBoostExplainer INTO table.")
