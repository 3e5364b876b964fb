"""`SHOW TRAIN model` and `SHOW MODELS`: what is in the model store."""

from __future__ import annotations

from collections.abc import Iterable

from sqlflow_codegen.language.ir import ShowModelsStatement, ShowTrainStatement, Statement

from sqlflow_runtime.databases.rows import Column, Row, StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.model_store import StoredModel
from sqlflow_runtime.step_context import StepContext


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Return the model's name and its TRAIN statement, or a row for each model in its newest version."""
    if isinstance(statement, ShowModelsStatement):
        return _models(context)
    assert isinstance(statement, ShowTrainStatement)
    try:
        metadata = context.models.describe(statement.model.text).metadata
    except RunError as failure:
        failure.place = statement.model.span.start
        raise
    columns = (Column("Model", "text", "string"), Column("Train Statement", "text", "string"))
    return StatementResult(columns, [(statement.model.text, str(metadata.get("statement", "")))], affected=1)


def _models(context: StepContext) -> StatementResult:
    columns = tuple(
        Column(name, kind, kind if kind == "int" else "string")
        for name, kind in (
            ("Model", "text"), ("Version", "int"), ("Estimator", "text"), ("Rows", "int"), ("Created", "text"),
        )
    )  # fmt: skip
    found = list(newest(context.models.versions()))
    rows: list[Row] = [
        (one.name, one.version, one.metadata.get("estimator"), one.metadata.get("rows"), one.created_at)
        for one in found[: context.limit.rows]
    ]
    return StatementResult(columns, rows, len(found), truncated=len(found) > len(rows))


def newest(versions: Iterable[StoredModel]) -> Iterable[StoredModel]:
    """The newest version of each model, by name; `versions` ascend by name and number."""
    return {one.name: one for one in versions}.values()
