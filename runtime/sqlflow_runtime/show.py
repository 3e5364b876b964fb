"""`SHOW TRAIN model`: the statement that trained a stored model."""

from __future__ import annotations

from sqlflow_codegen.language.ir import ShowTrainStatement, Statement

from sqlflow_runtime.databases.rows import Column, StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.step_context import StepContext


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Return one row: the model's name and its TRAIN statement."""
    assert isinstance(statement, ShowTrainStatement)
    try:
        metadata = context.models.describe(statement.model.text).metadata
    except RunError as failure:
        failure.place = statement.model.span.start
        raise
    columns = (Column("Model", "text", "string"), Column("Train Statement", "text", "string"))
    return StatementResult(columns, [(statement.model.text, str(metadata.get("statement", "")))], affected=1)
