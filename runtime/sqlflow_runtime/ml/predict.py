"""`TO PREDICT`: the selected columns but the label, and the predictions as the last column, in a new table."""

from __future__ import annotations

from sqlflow_codegen.catalogue import RESULT_REPLACE
from sqlflow_codegen.language.ir import PredictStatement, Statement
from sqlflow_codegen.language.names import stored

from sqlflow_runtime.databases.arrow_rows import record_batch
from sqlflow_runtime.databases.rows import Column, Derivation, Row, StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.hints import explained
from sqlflow_runtime.ml.column_clause import check_distinct, find_column
from sqlflow_runtime.ml.encoder import Encoder
from sqlflow_runtime.ml.hyperparameters import ignore_attributes
from sqlflow_runtime.ml.into import result_table
from sqlflow_runtime.ml.trained_model import TrainedModel, load
from sqlflow_runtime.step_context import StepContext


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Predict; returns the number of rows written."""
    assert isinstance(statement, PredictStatement)
    database = context.database
    ignore_attributes(statement.attributes, (RESULT_REPLACE,), context.recorder.log)
    model, version = load(context.models, statement.using.text, statement.using.span.start)
    context.recorder.log("info", f"using version {version} of {statement.using} ({model.estimator})")
    try:
        derivation = _derivation(context, statement, model, database.describe(statement.select))
        table = result_table(context, statement, database.type_for(model.result_kind))
        assert table is not None
        with context.effect(statement):
            count = database.results.derive(statement.select, table, derivation)
    except RunError as failure:
        raise explained(database, failure) from failure
    return StatementResult(affected=count)


def _derivation(
    context: StepContext, statement: PredictStatement, model: TrainedModel, columns: tuple[Column, ...]
) -> Derivation:
    check_distinct(columns)
    label = find_column(columns, model.label.name) if model.label is not None else None
    keep = tuple(column for column in columns if column != label)
    name = stored(statement.into.path[-1], context.database.dialect)
    if find_column(keep, name) is not None:
        raise RunError(
            "data",
            f"the SELECT returns a column {name} too, which is to be the predictions' name",
            f"Choose another name: TO PREDICT {statement.result_table}.predicted.",
            place=statement.into.span.start,
        )
    added = Column(name, _result_type(context, model), model.result_kind)
    encoder = Encoder(columns, model.features, model.fitted.dtype)
    names, kinds = [column.name for column in columns], [column.kind for column in columns]

    def compute(rows: list[Row]) -> list[Row]:
        context.check_stopped()
        return [(value,) for value in model.result(encoder.encode(record_batch(names, kinds, rows)))]

    return Derivation(keep, (added,), compute)


def _result_type(context: StepContext, model: TrainedModel) -> str:
    """The label's own type where its classes are predicted, so that they match the label's column."""
    database, usual = context.database, context.database.type_for(model.result_kind)
    label = model.label_column
    if not model.classes or label is None or not label.type or label.kind in ("", "bytes"):
        return usual
    if database.dialect == "sqlite":  # it keeps the type with each value
        return usual
    if database.has_type(label.type):
        return label.type
    what = f"there is no type {label.type}, which the label {label.name} had: the predictions are of type {usual}"
    context.recorder.log("warning", what)
    return usual
