"""The table of SHAP values: a row for each row of the SELECT, a column for each column that the model reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlflow_codegen.catalogue.explainers import BASE_COLUMN, EXPLAIN_BASE
from sqlflow_codegen.language.ir import ExplainStatement

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.arrow_rows import array_of
from sqlflow_runtime.databases.rows import Column, Derivation
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.column_clause import find_column
from sqlflow_runtime.ml.encoder import Encoder
from sqlflow_runtime.ml.explained_class import ExplainedClass
from sqlflow_runtime.ml.predict import result_type
from sqlflow_runtime.ml.shap_values import Explainer, Floats, Groups
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel
from sqlflow_runtime.step_context import StepContext


@dataclass(frozen=True, slots=True)
class Explanation:
    """A statement's model with the explainer of it."""

    context: StepContext
    statement: ExplainStatement
    model: TrainedModel
    groups: Groups
    explainer: Explainer
    chosen: ExplainedClass

    def row_values(self, matrix: Matrix) -> tuple[Floats, Floats]:
        """SHAP values (rows x names) and base values of each row's class."""
        return self.chosen.row_values(self.explainer.explain(matrix), self.predicted(matrix))

    def predicted(self, matrix: Matrix) -> Matrix:
        """The number of the class that the model predicts for each row; none if the rows share one class."""
        return self.model.fitted.predict(matrix).astype(np.int64) if self.chosen.varies else np.empty(0)


def explain_derivation(
    explanation: Explanation,
    columns: tuple[Column, ...],
    encoder: Encoder,
    left_out: tuple[Column, ...],
    note: Callable[[Matrix], None],
) -> Derivation:
    """The table's columns, and the function that computes them; `note` sees the matrix of each batch.

    Args:
        explanation: the statement.
        columns: of its SELECT.
        encoder: makes a matrix of its rows.
        left_out: those that are not kept though the model does not read them: labels.
        note: is called with each batch's matrix.
    """
    model, chosen = explanation.model, explanation.chosen
    read = {find_column(columns, name) for names in explanation.groups.columns for name in names}
    keep = tuple(column for column in columns if column not in read and column not in left_out)
    based = any(one.name == EXPLAIN_BASE and one.value is True for one in explanation.statement.attributes)
    added = _added(explanation, columns, based=based)
    _check_names(explanation, (*keep, *added))

    def compute(rows: pa.RecordBatch) -> list[pa.Array]:
        explanation.context.check_stopped()
        matrix = encoder.encode(rows)
        note(matrix)
        predicted = explanation.predicted(matrix)
        values, base = chosen.row_values(explanation.explainer.explain(matrix), predicted)
        found = [pa.array(np.ascontiguousarray(column)) for column in values.T]
        if based:
            found.append(pa.array(base))
        if chosen.varies:
            classes = model.label.decode(predicted) if model.label is not None else predicted.tolist()
            found.append(array_of(classes, added[-1].kind))
        return found

    return Derivation(keep, added, compute, {added[-1].name: chosen.names} if chosen.varies else {})


def _added(explanation: Explanation, columns: tuple[Column, ...], *, based: bool) -> tuple[Column, ...]:
    context, model, groups = explanation.context, explanation.model, explanation.groups
    double = context.database.type_for("float")
    added = []
    for name, reads in zip(groups.names, groups.columns, strict=True):
        column = find_column(columns, name) if len(reads) == 1 else None
        added.append(Column(column.name if column is not None else name, double, "float"))
    if based:
        added.append(Column(BASE_COLUMN, double, "float"))
    if explanation.chosen.varies:
        name = model.label.name if model.label is not None else "cluster"
        added.append(Column(name, result_type(context, model), model.result_kind))
    return tuple(added)


def _check_names(explanation: Explanation, columns: tuple[Column, ...]) -> None:
    seen: set[str] = set()
    for column in columns:
        name = column.name.casefold()
        if name in seen:
            what = f"the table would have two columns {column.name}"
            hint = f"Give the selected column {column.name} another name (AS), or leave it out."
            raise RunError("data", what, hint, place=explanation.statement.select_span.start)
        seen.add(name)
