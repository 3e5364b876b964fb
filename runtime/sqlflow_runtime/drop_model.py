"""`DROP MODEL [IF EXISTS] model`: a model with all its versions, or one version of it, leaves the model store."""

from __future__ import annotations

from sqlflow_codegen.language.ir import DropModelStatement, Statement

from sqlflow_runtime.databases.rows import StatementResult
from sqlflow_runtime.model_store import NoModelError
from sqlflow_runtime.step_context import StepContext


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Delete the model; returns the number of versions deleted."""
    assert isinstance(statement, DropModelStatement)
    # Files are no part of the database's transaction: an attempt that was killed may have deleted them already.
    repeated = context.claim is not None and context.claim.attempt > 1
    with context.effect(statement):
        try:
            return StatementResult(affected=context.models.delete(statement.model.text))
        except NoModelError as failure:
            if statement.if_exists or repeated:
                return StatementResult(affected=0)
            failure.place = statement.model.span.start
            raise
