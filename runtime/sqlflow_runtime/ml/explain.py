"""`TO EXPLAIN`: how much each column adds to what the model gives for a row, as a table and as pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from sqlflow_codegen.catalogue.explainers import (
    EXPLAIN_BASE,
    EXPLAIN_CLASS,
    LABEL_COLUMN,
    PICTURE,
    XGBOOST_EXPLAINER,
)
from sqlflow_codegen.language.ir import ExplainStatement, Statement

from sqlflow_runtime.databases.rows import Column, StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.hints import explained
from sqlflow_runtime.ml.column_clause import check_distinct, find_column, require_column
from sqlflow_runtime.ml.encoder import Encoder
from sqlflow_runtime.ml.explain_table import Explanation, explain_derivation
from sqlflow_runtime.ml.explained_class import ExplainedClass
from sqlflow_runtime.ml.explainers import choose_explainer
from sqlflow_runtime.ml.importances import write_importances, write_mean_contributions
from sqlflow_runtime.ml.into import result_table
from sqlflow_runtime.ml.row_sample import RowSample
from sqlflow_runtime.ml.shap_values import Groups
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel, load
from sqlflow_runtime.step_context import StepContext

_ROWS = (EXPLAIN_BASE, EXPLAIN_CLASS)
"""Attributes that ask for values of rows."""


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Explain; returns the number of rows explained."""
    assert isinstance(statement, ExplainStatement)
    model, version = load(context.models, statement.model.text, statement.model.span.start)
    context.recorder.log("info", f"using version {version} of {statement.model} ({model.estimator})")
    title = f"{statement.model.text.partition(':')[0]}, version {version}"
    try:
        if statement.explainer is not None and statement.explainer.text == XGBOOST_EXPLAINER:
            return StatementResult(affected=_importances(context, statement, model, title))
        return StatementResult(affected=_shap(context, statement, model, title))
    except RunError as failure:
        raise explained(context.database, failure) from failure


def _importances(context: StepContext, statement: ExplainStatement, model: TrainedModel, title: str) -> int:
    rows = write_importances(context, statement, model)
    if _wants_pictures(statement):
        from sqlflow_runtime.ml.explain_pictures import show_importances

        show_importances(context, statement, [(feature, gain) for feature, _, gain in rows], title)
    return len(rows)


def _shap(context: StepContext, statement: ExplainStatement, model: TrainedModel, title: str) -> int:
    groups = Groups(model.features)
    explainer = choose_explainer(statement, model, groups, context.recorder.log)
    chosen = ExplainedClass.of(statement, model, explainer)
    explanation = Explanation(context, statement, model, groups, explainer, chosen)
    context.recorder.log("info", f"{explainer.name} explains {chosen.words(explainer.unit)}")
    sample = _sample(explanation)
    count = _write(explanation, sample)
    if _wants_pictures(statement):
        from sqlflow_runtime.ml.explain_pictures import show_pictures

        show_pictures(explanation, sample, title)
    return count


def _sample(explanation: Explanation) -> RowSample:
    """A sample of the rows that pictures show; of none without pictures."""
    if not _wants_pictures(explanation.statement):
        return RowSample(0)
    from sqlflow_runtime.ml.explain_pictures import row_sample

    return row_sample(explanation)


def _wants_pictures(statement: ExplainStatement) -> bool:
    """True without INTO, and with it where an attribute says how a picture looks."""
    return statement.into is None or any(one.name.startswith(PICTURE) for one in statement.attributes)


def _as_tensorflow(statement: ExplainStatement, model: TrainedModel) -> bool:
    """True for TensorFlow's boosted trees with nothing said: the table is the one that SQLFlow wrote for them."""
    said = statement.explainer is not None or any(one.name in _ROWS for one in statement.attributes)
    return model.estimator.startswith("BoostedTrees") and not said


def _write(explanation: Explanation, sample: RowSample) -> int:
    """Write the table that INTO names, if any, and take the sample; returns the number of rows."""
    if explanation.statement.into is None:
        deque(_matrices(explanation, sample), maxlen=0)
    elif _as_tensorflow(explanation.statement, explanation.model):
        write_mean_contributions(explanation, _matrices(explanation, sample))
    else:
        return _write_rows(explanation, sample)
    return sample.count


def _write_rows(explanation: Explanation, sample: RowSample) -> int:
    """Write the table of SHAP values; returns the number of its rows."""
    context, statement = explanation.context, explanation.statement
    columns = context.database.describe(statement.select)
    check_distinct(columns)
    left_out = _labels(statement, explanation.model, columns)
    encoder = Encoder(columns, explanation.model.features, explanation.model.fitted.dtype)
    derivation = explain_derivation(explanation, columns, encoder, left_out, sample.add)
    table = result_table(context, statement)
    assert table is not None
    with context.effect(statement):
        count = context.database.results.derive(statement.select, table, derivation)
    encoder.report(context.recorder.log)
    return count


def _matrices(explanation: Explanation, sample: RowSample) -> Iterator[Matrix]:
    """The matrices of all rows, each added to the sample."""
    context, model, statement = explanation.context, explanation.model, explanation.statement
    with context.database.read_arrow(statement.select) as stream:
        check_distinct(stream.columns)
        _labels(statement, model, stream.columns)  # refuses one that is not there
        encoder = Encoder(stream.columns, model.features, model.fitted.dtype)
        for batch in stream.batches:
            context.check_stopped()
            matrix = encoder.collect(batch)
            sample.add(matrix)
            yield matrix
    encoder.check()
    encoder.report(context.recorder.log)


def _labels(statement: ExplainStatement, model: TrainedModel, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The selected columns that are labels: the model's, and the one that `label_col` names."""
    names = [model.label.name] if model.label is not None else []
    found = [column for name in names if (column := find_column(columns, name)) is not None]
    named = [one for one in statement.attributes if one.name == LABEL_COLUMN and str(one.value)]
    return (*found, *(require_column(columns, str(one.value), LABEL_COLUMN, one.value_span) for one in named))
