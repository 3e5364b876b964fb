"""`TO TRAIN`: read, learn, store a new version of the model."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue import VALIDATION_SELECT
from sqlflow_codegen.language.ir import Statement, TrainStatement

from sqlflow_runtime.databases.rows import Column, StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.background import background_of
from sqlflow_runtime.ml.column_clause import plan_features
from sqlflow_runtime.ml.dataset import Dataset, read_dataset
from sqlflow_runtime.ml.feature_plan import FeaturePlan, stored
from sqlflow_runtime.ml.features import Feature
from sqlflow_runtime.ml.hyperparameters import checked_parameters, composed_estimator, resolve_estimator
from sqlflow_runtime.ml.text_columns import TextColumns, text_columns
from sqlflow_runtime.ml.trained_model import TrainedModel, dump_verified, load
from sqlflow_runtime.ml.training import Training
from sqlflow_runtime.reconnect import keep_connected
from sqlflow_runtime.step_context import StepContext

_LIBRARIES = {
    "xgboost": "sqlflow_runtime.ml.xgboost_training",
    "lightgbm": "sqlflow_runtime.ml.lightgbm_training",
    "sklearn": "sqlflow_runtime.ml.sklearn_training",
    "keras": "sqlflow_runtime.ml.neural.train",
    "custom": "sqlflow_runtime.ml.custom.train",
}
"""Library of an estimator -> the module whose `train(training)` uses it."""


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Train, store and record; returns the number of rows learned from."""
    assert isinstance(statement, TrainStatement)
    estimator = composed_estimator(resolve_estimator(statement.estimator, statement.attributes), statement.attributes)
    parameters = checked_parameters(estimator, statement.attributes, context.recorder.log)
    context.models.prepare()
    library = importlib.import_module(_LIBRARIES[estimator.library])
    keeps = library.precision(estimator)
    start = _start(context, statement)
    data = _read(context, statement, text_columns(estimator, parameters), start, library.dtype, keeps)
    validation = _read_validation(context, statement, data, library.dtype)
    _check_start(statement, start, data.features)
    training = Training(context, statement, estimator, parameters, data, validation, data.target, start)
    _warn_of_rounded(context, data, keeps)
    model = _trained(library, training)
    if not hasattr(model.fitted, "contributions"):
        model = replace(model, background=background_of(data))
    context.check_stopped()
    content = dump_verified(model, data.head)
    keep_connected(context, statement)
    with context.effect(statement):
        key = context.ledger.key(statement.number) if context.ledger is not None else ""
        version = context.models.save(statement.into.text, model.metadata(), content, key=key)
    context.recorder.model(statement.into.text, version, estimator.name)
    return StatementResult(affected=len(data))


def _read(
    context: StepContext,
    statement: TrainStatement,
    text: TextColumns,
    start: TrainedModel | None,
    dtype: type[np.floating[Any]],
    keeps: type[np.floating[Any]],
) -> Dataset:
    """The rows to learn from."""

    def plan(columns: tuple[Column, ...], label: Column | None) -> FeaturePlan:
        return plan_features(columns, statement.columns, label, text, start.features if start is not None else ())

    data = read_dataset(context, statement.select, statement.label, plan, dtype, keeps, attributes=statement.attributes)
    if len(data) < 2:
        raise RunError("data", "the SELECT returns one row; there is nothing to learn from it", "Select more rows.")
    return data


def _read_validation(
    context: StepContext, statement: TrainStatement, data: Dataset, dtype: type[np.floating[Any]]
) -> Dataset | None:
    """The rows to measure on while learning, or None."""
    attribute = next((one for one in statement.attributes if one.name == VALIDATION_SELECT), None)
    if attribute is None or not str(attribute.value).strip():
        return None
    try:
        select = str(attribute.value)
        return read_dataset(
            context,
            select,
            statement.label,
            stored(data.features),
            dtype,
            target=data.target,
            attributes=statement.attributes,
        )
    except RunError as failure:
        # The place inside the quoted text is not known exactly: point at the text.
        failure.position, failure.place = None, attribute.value_span.start
        failure.message = f"validation.select: {failure.message}"
        raise


def _warn_of_rounded(context: StepContext, data: Dataset, dtype: type[np.floating[Any]]) -> None:
    digits = np.finfo(dtype).precision + 1
    for column, rows in data.rounded.items():
        context.recorder.log(
            "warning",
            f"column {column} holds numbers of more than the {digits} digits that this estimator keeps: {rows} of "
            f"{len(data)} rows are rounded, and numbers that are close may become one; "
            f"select their distance from the smallest one, or CATEGORY_HASH({column}, 100) if they are names",
        )


def _start(context: StepContext, statement: TrainStatement) -> TrainedModel | None:
    """The model that USING names."""
    if statement.using is None:
        return None
    model, _ = load(context.models, statement.using.text, statement.using.span.start)
    return model


def _check_start(statement: TrainStatement, start: TrainedModel | None, features: tuple[Feature, ...]) -> None:
    """Refuse a model to go on from whose features are others than the statement's."""
    if start is not None and statement.using is not None and start.features != features:
        raise RunError(
            "model",
            f"the model {statement.using} was trained with other features",
            "Select the same columns, with the same COLUMN clause.",
            place=statement.using.span.start,
        )


def _trained(library: Any, training: Training) -> TrainedModel:
    using = training.statement.using
    try:
        model: TrainedModel = library.train(training)
    except RunError as failure:
        if failure.kind == "model" and failure.place is None and using is not None:
            failure.place = using.span.start
        raise
    return model
