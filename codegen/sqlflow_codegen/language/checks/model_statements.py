"""Checks of TRAIN."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlflow_codegen.catalogue import (
    VALIDATION_SELECT,
    Estimator,
    composed,
    estimator_names,
    find_estimator,
    refusal,
    split_image,
)
from sqlflow_codegen.catalogue.boosting import ROLE_OF
from sqlflow_codegen.catalogue.neural import OWN_ATTRIBUTES
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.checks.attributes import check_aliases, check_attributes, check_conflicts, conflicting
from sqlflow_codegen.language.checks.columns import all_columns, check_columns, check_patterns
from sqlflow_codegen.language.source import Problem
from sqlflow_codegen.language.suggest import did_you_mean

_QUERY = re.compile(r"[\s(]*+(?:SELECT|WITH|VALUES|TABLE|FROM)\b", re.IGNORECASE)


def check_train(statement: ir.TrainStatement) -> Iterator[Problem]:
    """Estimator, attributes, columns and label of one TRAIN."""
    yield from _validation_select(statement.attributes)
    yield from check_patterns(statement)
    image, name = split_image(statement.estimator.text)
    if image:  # of the user's own: only it knows its attributes, but for those that steer the training
        steering = [one for one in statement.attributes if one.name.partition(".")[0] in ("train", "validation")]
        yield from check_attributes(steering, OWN_ATTRIBUTES, name)
        return
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
    yield from check_columns(statement, estimator)
    yield from _fits_booster(statement, estimator)
    yield from _roles(statement)
    if statement.using is not None and estimator.library == "sklearn":
        message = f"{estimator.name} cannot go on from a model"
        hint = "Leave USING out, or use an estimator of xgboost or lightgbm."
        yield Problem("unexpected-clause", message, statement.using.span.start, hint)
    if estimator.supervised and statement.label is None:
        message = f"{estimator.name} needs a LABEL: it learns from examples"
        yield Problem("missing-clause", message, statement.into.span.start, "Write LABEL column before INTO.")


def estimator_hint(name: str) -> str:
    """The hint for an unknown estimator: a similar name; "" if there is none."""
    return did_you_mean(name, estimator_names())


def _validation_select(attributes: tuple[ir.Attribute, ...]) -> Iterator[Problem]:
    for attribute in attributes:
        value = attribute.value
        if attribute.name == VALIDATION_SELECT and isinstance(value, str) and value and not _QUERY.match(value):
            message = f"`{VALIDATION_SELECT}` must be a query"
            hint = f"Write {VALIDATION_SELECT}='SELECT ..'."
            yield Problem("attribute-wrong-type", message, attribute.value_span.start, hint)


def _roles(statement: ir.TrainStatement) -> Iterator[Problem]:
    """Columns that are no features: each has one role, and none is in COLUMN."""
    taken = {statement.label.text.casefold(): "the label"} if statement.label is not None else {}
    taken |= {one.text.casefold(): "in COLUMN" for one in all_columns(statement) if isinstance(one, ir.ColumnName)}
    for attribute in statement.attributes:
        if attribute.name not in ROLE_OF or not isinstance(attribute.value, str):
            continue
        other = taken.setdefault(attribute.value.casefold(), attribute.name)
        if other != attribute.name:
            message = f"column `{attribute.value}` of {attribute.name} is {other} too"
            hint = "Name another column: one that is neither a feature nor the label."
            yield Problem("attribute-conflict", message, attribute.value_span.start, hint)


def _fits_booster(statement: ir.TrainStatement, estimator: Estimator) -> Iterator[Problem]:
    for attribute in statement.attributes:
        name = estimator.aliases.get(attribute.name, attribute.name)
        if name not in ("booster", "boosting", "data_sample_strategy"):
            continue
        if attribute.value != estimator.defaults.get(name, attribute.value):
            message = f"{name} `{attribute.value}` contradicts {estimator.name}"
            hint = "" if name.startswith("data") else f"Write TO TRAIN {estimator.library}.{attribute.value}."
            yield Problem("attribute-out-of-range", message, attribute.value_span.start, hint)
