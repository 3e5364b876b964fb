"""`TO EVALUATE`: metrics of a model on rows whose label is known."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import replace

from sqlflow_codegen.catalogue import RESULT_REPLACE, VALIDATION_METRICS
from sqlflow_codegen.language.ir import EvaluateStatement, Statement

from sqlflow_runtime.databases.result_tables import ResultTable
from sqlflow_runtime.databases.rows import Column, StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.dataset import stream_rows
from sqlflow_runtime.ml.evaluation import Evaluation, metric_names
from sqlflow_runtime.ml.hyperparameters import ignore_attributes
from sqlflow_runtime.ml.into import result_table
from sqlflow_runtime.ml.trained_model import load
from sqlflow_runtime.step_context import StepContext


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Measure, record, and write the table that INTO names; returns the number of rows measured on."""
    assert isinstance(statement, EvaluateStatement)
    ignore_attributes(statement.attributes, (VALIDATION_METRICS, RESULT_REPLACE), context.recorder.log)
    model, version = load(context.models, statement.model.text, statement.model.span.start)
    context.recorder.log("info", f"using version {version} of {statement.model} ({model.estimator})")
    if model.label is None:
        hint = "Compare its clusters with a query on the table that TO PREDICT writes."
        place = statement.model.span.start
        raise RunError(
            "model", f"{statement.model} learned without a label; there is nothing to compare", hint, place=place
        )
    attribute = next((one for one in statement.attributes if one.name == VALIDATION_METRICS), None)
    text, place = (str(attribute.value), attribute.value_span.start) if attribute else (None, statement.span.start)
    names = metric_names(text, model.task, place)
    kind = context.database.type_for("float")
    columns = [Column(name, kind, "float") for name in ("loss", *names)]
    table = _table(context, statement, columns)
    fitted, label = model.fitted, model.label
    with closing(stream_rows(context, statement.select, statement.label, label, model.features, fitted.dtype)) as rows:
        measured = Evaluation(model, rows)
    values = {"loss": measured.loss(), **{name: measured.metric(name) for name in names}}
    if table is not None:
        row = tuple(value if math.isfinite(value) else None for value in values.values())
        with context.effect(statement):
            context.database.results.fill(table, columns, [row])
    for name in [name for name, value in values.items() if not math.isfinite(value)]:
        context.recorder.log("warning", f"{name} is not defined for these rows")
    context.recorder.metrics(
        statement.model.text, {name: value for name, value in values.items() if math.isfinite(value)}
    )
    return StatementResult(affected=len(measured))


def _table(context: StepContext, statement: EvaluateStatement, columns: list[Column]) -> ResultTable | None:
    """The table that INTO names, checked before anything is measured."""
    table = result_table(context, statement)
    if table is not None:
        quiet = replace(table, log=lambda _level, _message: None)  # its warnings come when the table is written
        quiet.plan(context.database.results, columns)
    return table
