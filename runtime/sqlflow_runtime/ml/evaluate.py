"""`TO EVALUATE`: metrics of a model on rows whose label is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from sqlflow_codegen.catalogue import RESULT_REPLACE, VALIDATION_METRICS, allows, described, to_python
from sqlflow_codegen.catalogue.metrics import FAMILIES, metric_attributes
from sqlflow_codegen.language.ir import Attribute, EvaluateStatement, Statement
from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.databases.result_tables import ResultTable
from sqlflow_runtime.databases.rows import Column, StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.dataset import stream_rows
from sqlflow_runtime.ml.evaluation import Evaluation, metric_names
from sqlflow_runtime.ml.hyperparameters import ignore_attributes
from sqlflow_runtime.ml.into import result_table
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.trained_model import TrainedModel, load
from sqlflow_runtime.step_context import StepContext


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Measure, record, and write the table that INTO names; returns the number of rows measured on."""
    assert isinstance(statement, EvaluateStatement)
    model, version = load(context.models, statement.model.text, statement.model.span.start)
    context.recorder.log("info", f"using version {version} of {statement.model} ({model.estimator})")
    _check_task(statement, model)
    attribute = next((one for one in statement.attributes if one.name == VALIDATION_METRICS), None)
    text, place = (str(attribute.value), attribute.value_span.start) if attribute else (None, statement.span.start)
    names = metric_names(text, model.task, place)
    arguments = _arguments(context, statement, names)
    kind = context.database.type_for("float")
    columns = [Column(name, kind, "float") for name in ("loss", *names)]
    table = _table(context, statement, columns)
    fitted, target = model.fitted, model.label or Label(statement.label.text, "string")
    rows = stream_rows(context, statement.select, statement.label, target, model.features, fitted.dtype)
    with closing(rows):
        measured = Evaluation(model, rows, names)
    values = {"loss": measured.loss(), **{name: measured.metric(name, arguments[name]) for name in names}}
    known = {name: value for name, value in values.items() if math.isfinite(value)}
    if table is not None:
        row = tuple(known.get(name) for name in values)
        with context.effect(statement):
            context.database.results.fill(table, columns, [row])
    for name in [name for name in values if name not in known and (name != "loss" or model.task != "clustering")]:
        context.recorder.log("warning", f"{name} is not defined for these rows")
    context.recorder.metrics(statement.model.text, known)
    return StatementResult(affected=len(measured))


def _check_task(statement: EvaluateStatement, model: TrainedModel) -> None:
    """Refuse models whose predictions nothing can be compared with."""
    if model.task not in FAMILIES:
        raise RunError(
            "model",
            f"{statement.model} gives numbers of its own (its task is {model.task}); there is nothing to compare",
            "Query the table that TO PREDICT writes.",
            place=statement.model.span.start,
        )


def _arguments(
    context: StepContext, statement: EvaluateStatement, names: Sequence[str]
) -> Mapping[str, Mapping[str, Any]]:
    """The arguments that the statement gives to each metric.

    Raises:
        RunError: kind `estimator`, at the attribute; a metric does not take it.
    """
    rules, found = metric_attributes(), {name: dict[str, Any]() for name in names}
    rest: list[Attribute] = []
    for attribute in statement.attributes:
        metric, _, argument = attribute.name.partition(".")
        if metric not in found:
            rest.append(attribute)
            continue
        rule = rules.get(attribute.name)
        if rule is None or not allows(rule, attribute.value):
            what = f"{metric} has no argument {argument}" if rule is None else f"{attribute.name} is of a wrong value"
            hint = f"It takes {described(rule)}." if rule else did_you_mean(attribute.name, rules)
            raise RunError("estimator", what, hint, place=attribute.span.start)
        found[metric][argument] = to_python(rule, attribute.value)
    ignore_attributes(rest, (VALIDATION_METRICS, RESULT_REPLACE), context.recorder.log)
    return found


def _table(context: StepContext, statement: EvaluateStatement, columns: list[Column]) -> ResultTable | None:
    """The table that INTO names, checked before anything is measured."""
    table = result_table(context, statement)
    if table is not None:
        quiet = replace(table, log=lambda _level, _message: None)  # its warnings come when the table is written
        quiet.plan(context.database.results, columns)
    return table
