"""`TO TRAIN`: read, learn, store a new version of the model."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue import VALIDATION_SELECT, Estimator
from sqlflow_codegen.language.ir import Statement, TrainStatement

from sqlflow_runtime.databases.rows import Column, StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.hints import explained
from sqlflow_runtime.ml.column_clause import check_distinct, plan_features, require_column
from sqlflow_runtime.ml.dataset import Dataset, read_dataset
from sqlflow_runtime.ml.features import Feature, matrix_columns
from sqlflow_runtime.ml.hyperparameters import checked_parameters, resolve_estimator
from sqlflow_runtime.ml.labels import Label, check_no_nulls, label_kind
from sqlflow_runtime.ml.order import canonical_order
from sqlflow_runtime.ml.trained_model import TrainedModel, dump_usable, load
from sqlflow_runtime.ml.training import Trained, Training
from sqlflow_runtime.model_store import prepare_store, save_model
from sqlflow_runtime.reconnect import keep_connected
from sqlflow_runtime.step_context import StepContext

_LIBRARIES = {"xgboost": "sqlflow_runtime.ml.xgboost_training", "sklearn": "sqlflow_runtime.ml.sklearn_models"}
"""Library of an estimator -> the module whose `train(training)` uses it."""


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Train, store and record; returns the number of rows learned from."""
    assert isinstance(statement, TrainStatement)
    estimator = resolve_estimator(statement.estimator)
    parameters = checked_parameters(estimator, statement.attributes, context.recorder.log)
    prepare_store(context.database)
    library = importlib.import_module(_LIBRARIES[estimator.library])
    keeps = library.precision(estimator)
    reader = _Reader(context, statement, library.dtype, keeps)
    data = reader.read(statement.select)
    training = Training(
        estimator=estimator,
        parameters=parameters,
        given=frozenset(estimator.aliases.get(one.name, one.name) for one in statement.attributes),
        data=data,
        validation=reader.read_validation(),
        label=reader.label,
        names=matrix_columns(reader.features),
        log=lambda line: context.recorder.log("info", line),
        check=context.check_stopped,
        start=_start(context, statement, reader.features),
    )
    _warn_of_rounded(context, data, keeps)
    trained = _trained(library, training, statement)
    context.check_stopped()
    model = _model(statement, estimator, parameters, reader, trained, len(data))
    content = dump_usable(model, data.matrix)
    keep_connected(context, statement)
    with context.effect(statement):
        version = save_model(context.database, statement.into.text, model.metadata(), content)
    context.recorder.model(statement.into.text, version, estimator.name)
    return StatementResult(affected=len(data))


class _Reader:
    """Reads the statement's SELECT, and the one to validate on, into the same features."""

    def __init__(
        self,
        context: StepContext,
        statement: TrainStatement,
        dtype: type[np.floating[Any]],
        keeps: type[np.floating[Any]],
    ) -> None:
        self._session = context
        self._statement = statement
        self._dtype = dtype
        self._keeps = keeps
        self.columns: Sequence[Column] = ()
        self.features: tuple[Feature, ...] = ()
        self.label: Label | None = None

    def read(self, select: str) -> Dataset:
        """The rows to learn from; sets columns, features and label."""
        name = self._statement.label
        found: list[Column] = []

        def plan(columns: tuple[Column, ...]) -> tuple[Sequence[Feature], Column | None]:
            check_distinct(columns)
            label = require_column(columns, name.text, "the label", name.span) if name is not None else None
            found.extend([label] if label is not None else [])
            self.columns = columns
            self.features = plan_features(columns, self._statement.columns, label)
            return self.features, label

        try:
            data = read_dataset(
                self._session.database, select, plan, self._dtype, self._session.check_stopped, self._keeps
            )
        except RunError as failure:
            raise explained(self._session.database, failure) from failure
        if len(data) < 2:
            raise RunError("data", "the SELECT returns one row; there is nothing to learn from it", "Select more rows.")
        if not found:
            return _ordered(data)
        check_no_nulls(found[0], data.labels)
        self.label = Label(found[0].name, label_kind(found[0], data.labels))
        return _ordered(replace(data, labels=self.label.values(data.labels)))

    def read_validation(self) -> Dataset | None:
        """The rows to measure on while learning, or None."""
        attribute = next((one for one in self._statement.attributes if one.name == VALIDATION_SELECT), None)
        if attribute is None or not str(attribute.value).strip():
            return None
        label = self.label
        found: list[Column] = []

        def plan(columns: tuple[Column, ...]) -> tuple[Sequence[Feature], Column | None]:
            check_distinct(columns)
            found.extend([require_column(columns, label.name, "the label")] if label is not None else [])
            return self.features, next(iter(found), None)

        try:
            data = read_dataset(
                self._session.database, str(attribute.value), plan, self._dtype, self._session.check_stopped
            )
            if label is None:
                return _ordered(data)
            check_no_nulls(found[0], data.labels)
            return _ordered(replace(data, labels=label.values(data.labels)))
        except RunError as failure:
            # The place inside the quoted text cannot be told exactly: point at the text.
            failure.position, failure.place = None, attribute.value_span.start
            failure.message = f"validation.select: {failure.message}"
            raise


def _ordered(data: Dataset) -> Dataset:
    """The same rows, in an order that does not depend on the database's."""
    order = canonical_order(data.matrix, data.labels)
    labels = [data.labels[position] for position in order.tolist()] if data.labels else []
    return replace(data, matrix=data.matrix[order], labels=labels)


def _warn_of_rounded(context: StepContext, data: Dataset, dtype: type[np.floating[Any]]) -> None:
    digits = np.finfo(dtype).precision + 1
    for column, rows in data.rounded.items():
        context.recorder.log(
            "warning",
            f"column {column} holds numbers of more than the {digits} digits that this estimator keeps: {rows} of "
            f"{len(data)} rows are rounded, and numbers that are close may become one; "
            f"select their distance from the smallest one, or CATEGORY_HASH({column}, 100) if they are names",
        )


def _start(context: StepContext, statement: TrainStatement, features: tuple[Feature, ...]) -> TrainedModel | None:
    """The model that USING names, if its features are those of this statement."""
    if statement.using is None:
        return None
    model, _ = load(context.database, statement.using.text, statement.using.span.start)
    if model.features != features:
        raise RunError(
            "model",
            f"the model {statement.using} was trained with other features",
            "Select the same columns, with the same COLUMN clause.",
            place=statement.using.span.start,
        )
    return model


def _trained(library: Any, training: Training, statement: TrainStatement) -> Trained:
    try:
        trained: Trained = library.train(training)
    except RunError as failure:
        if failure.kind == "model" and failure.place is None and statement.using is not None:
            failure.place = statement.using.span.start
        raise
    return trained


def _model(
    statement: TrainStatement,
    estimator: Estimator,
    parameters: Mapping[str, Any],
    reader: _Reader,
    trained: Trained,
    rows: int,
) -> TrainedModel:
    return TrainedModel(
        estimator=estimator.name,
        task=trained.task,
        features=reader.features,
        label=trained.label,
        fitted=trained.fitted,
        statement=statement.text,
        attributes={**parameters, **trained.attributes},
        columns=reader.columns,
        rows=rows,
        metrics=trained.metrics,
    )
