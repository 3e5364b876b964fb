"""`TO PREDICT`: the selected columns but the label, and after them the predictions, in a new table."""

from __future__ import annotations

from sqlflow_codegen.catalogue import EXTRA_OUTPUTS, RESULT_REPLACE
from sqlflow_codegen.language.ir import PredictStatement, Statement
from sqlflow_codegen.language.names import stored

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.arrow_rows import array_of
from sqlflow_runtime.databases.rows import Column, Derivation, StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.hints import explained
from sqlflow_runtime.ml.column_clause import check_distinct, find_column
from sqlflow_runtime.ml.encoder import Encoder
from sqlflow_runtime.ml.hyperparameters import ignore_attributes
from sqlflow_runtime.ml.into import result_table
from sqlflow_runtime.ml.prediction_columns import Added, PredictionColumns
from sqlflow_runtime.ml.trained_model import TrainedModel, load
from sqlflow_runtime.step_context import StepContext


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Predict; returns the number of rows written."""
    assert isinstance(statement, PredictStatement)
    database = context.database
    ignore_attributes(statement.attributes, (EXTRA_OUTPUTS, RESULT_REPLACE), context.recorder.log)
    model, version = load(context.models, statement.using.text, statement.using.span.start)
    context.recorder.log("info", f"using version {version} of {statement.using} ({model.estimator})")
    try:
        columns = database.describe(statement.select)
        check_distinct(columns)
        encoder = Encoder(columns, model.features, model.fitted.dtype)
        derivation = _derivation(context, statement, model, columns, encoder)
        table = result_table(context, statement, database.type_for(model.result_kind))
        assert table is not None
        with context.effect(statement):
            count = database.results.derive(statement.select, table, derivation)
        encoder.report(context.recorder.log)
    except RunError as failure:
        raise explained(database, failure) from failure
    return StatementResult(affected=count)


def _derivation(
    context: StepContext,
    statement: PredictStatement,
    model: TrainedModel,
    columns: tuple[Column, ...],
    encoder: Encoder,
) -> Derivation:
    label = find_column(columns, model.label.name) if model.label is not None else None
    keep = tuple(column for column in columns if column != label)
    name = stored(statement.into.path[-1], context.database.dialect)
    predictions = PredictionColumns(model, name, _extra(statement))
    added = tuple(_named(context, model, one) for one in predictions.columns)
    _check_names(statement, keep, added)

    def compute(rows: pa.RecordBatch) -> list[pa.Array]:
        context.check_stopped()
        found = predictions.values(encoder.encode(rows))
        return [array_of(values, column.kind) for values, column in zip(found, added, strict=True)]

    return Derivation(keep, added, compute, {added[0].name: model.classes} if model.classes else {})


def _extra(statement: PredictStatement) -> list[str]:
    """The outputs that `predict.extra_outputs` names."""
    texts = [str(one.value) for one in statement.attributes if one.name == EXTRA_OUTPUTS]
    return [name for text in texts for name in map(str.strip, text.split(",")) if name]


def _named(context: StepContext, model: TrainedModel, added: Added) -> Column:
    """The added column with its type; its name as the database keeps it."""
    name = stored((added.name, True), context.database.dialect)
    if added.kind is None:
        return Column(name, result_type(context, model), model.result_kind)
    return Column(name, context.database.type_for(added.kind), added.kind)


def _check_names(statement: PredictStatement, keep: tuple[Column, ...], added: tuple[Column, ...]) -> None:
    """Refuse two columns of one name: names differ by more than case, as most databases want it."""
    for number, column in enumerate(added):
        if find_column(keep, column.name) is not None:
            what = f"the SELECT returns a column {column.name} too, which is to be the predictions' name"
            hint = f"Choose another name: TO PREDICT {statement.result_table}.predicted."
            if number:
                what = f"the SELECT returns a column {column.name} too, which TO PREDICT adds"
                hint = f"Give the column of the SELECT another name: {column.name} AS other_name."
            raise RunError("data", what, hint, place=statement.into.span.start)
        if find_column(added[:number], column.name) is not None:
            what = f"two columns of the result would have the name {column.name}"
            hint = "Choose another name for the predictions, or leave predict.extra_outputs out."
            raise RunError("data", what, hint, place=statement.into.span.start)


def result_type(context: StepContext, model: TrainedModel) -> str:
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
