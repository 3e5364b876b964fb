"""`SHOW TRAIN model`: the statement that trained a stored model."""

from __future__ import annotations

from sqlflow_codegen.language.ir import ShowTrainStatement, Statement

from sqlflow_runtime.databases.base import Column, Result
from sqlflow_runtime.failures import RunError
from sqlflow_runtime.models import load_metadata
from sqlflow_runtime.plain import show
from sqlflow_runtime.session import Session


def run(session: Session, statement: Statement) -> Result:
    """Show one row: the model's name and its TRAIN statement."""
    assert isinstance(statement, ShowTrainStatement)
    try:
        metadata = load_metadata(session.database, statement.model.text)
    except RunError as failure:
        failure.place = statement.model.span.start
        raise
    columns = (Column("Model", "text", "string"), Column("Train Statement", "text", "string"))
    result = Result(columns, [(statement.model.text, str(metadata.get("statement", "")))], affected=1)
    show(session, statement.number, result)
    return result
