"""Plain SQL: executed byte for byte, its rows shown as a bounded preview."""

from __future__ import annotations

from sqlflow_codegen.language.program import SqlStatement, Statement

from sqlflow_runtime.attempts import before_change
from sqlflow_runtime.databases.rows import StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ledger import Ledger
from sqlflow_runtime.step_context import StepContext

_BEGIN = ("BEGIN", "START")
_COMMIT = ("COMMIT", "END")
_LOCK_HINT = "Use a transaction with SELECT … FOR UPDATE, or set spec.retries to 0."


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Execute the statement."""
    assert isinstance(statement, SqlStatement)
    try:
        return context.database.run_reading(statement.text, context.limit) or _run_writing(context, statement)
    except RunError as failure:
        from sqlflow_runtime.hints import explained

        raise explained(context.database, failure, statement.text) from failure


def _run_writing(context: StepContext, statement: SqlStatement) -> StatementResult:
    """Execute, and note it in the ledger together with what it does."""
    before_change(context, statement)
    if context.ledger is None:
        return context.database.run(statement.text, context.limit)
    if statement.verb == "LOCK" and context.database.dialect == "mysql":
        raise RunError(
            "usage",
            "LOCK TABLES cannot be part of a run with retries: its locks end when the step notes what is done",
            _LOCK_HINT,
        )
    if context.database.joins_transaction() or statement.verb in _BEGIN:
        return _run_in_transaction(context, context.ledger, statement)
    if statement.number in context.repeat:
        return context.database.run(statement.text, context.limit)
    return _run_alone(context, context.ledger, statement)


def _run_alone(context: StepContext, ledger: Ledger, statement: SqlStatement) -> StatementResult:
    ledger.prepare()
    try:
        with context.database.atomic():
            result = context.database.run(statement.text, context.limit)
            ledger.add([statement.number])
            return result
    except RunError as failure:
        if not context.database.needs_no_transaction(failure):
            raise
    # It cannot share a transaction with the ledger's row, so the row follows.
    result = context.database.run(statement.text, context.limit)
    ledger.add([statement.number])
    return result


def _run_in_transaction(context: StepContext, ledger: Ledger, statement: SqlStatement) -> StatementResult:
    """Statements of the program's own transaction count as done when it commits, all at once.

    Their rows are written just before COMMIT: rows written earlier would vanish with ROLLBACK TO SAVEPOINT. Where it
    ends otherwise (ROLLBACK, PREPARE TRANSACTION, a statement before which MySQL commits), they follow it.
    """
    database, pending = context.database, context.pending
    if not database.in_transaction():
        ledger.prepare()
        pending.clear()
    pending.append(statement.number)
    noted = statement.verb in _COMMIT and "PREPARED" not in statement.text.upper()
    if noted:
        ledger.add(pending)
    result = database.run(statement.text, context.limit)
    if not noted and not database.in_transaction():
        with database.atomic():
            ledger.add(pending)
    return result
