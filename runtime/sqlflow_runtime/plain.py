"""Plain SQL: executed byte for byte, its rows shown as a bounded preview."""

from __future__ import annotations

from sqlflow_codegen.language.ir import SqlStatement, Statement

from sqlflow_runtime.attempts import before_change
from sqlflow_runtime.cells import encode_row
from sqlflow_runtime.databases.base import Result
from sqlflow_runtime.failures import RunError
from sqlflow_runtime.hints import explained
from sqlflow_runtime.ledger import Ledger
from sqlflow_runtime.session import Session

_BEGIN = ("BEGIN", "START")
_COMMIT = ("COMMIT", "END")
_LOCK_HINT = "Use a transaction with SELECT … FOR UPDATE, or set spec.retries to 0."


def run(session: Session, statement: Statement) -> Result:
    """Execute the statement and record its preview."""
    assert isinstance(statement, SqlStatement)
    try:
        result = session.database.run_reading(statement.text, session.limit)
        if result is None:
            result = _run_writing(session, statement)
    except RunError as failure:
        raise explained(session.database, failure, statement.text) from failure
    show(session, statement.number, result)
    return result


def show(session: Session, number: int, result: Result) -> None:
    """Record the columns and the rows of a preview, and those of the statement's further results."""
    for one in (result, *result.further):
        _show_one(session, number, one)
    if result.omitted:
        shown, every = 1 + len(result.further), 1 + len(result.further) + result.omitted
        session.recorder.log("warning", f"the statement gave {every} results; the first {shown} are shown")


def _show_one(session: Session, number: int, result: Result) -> None:
    if result.columns is None:
        return
    kinds = [column.kind for column in result.columns]
    session.recorder.emit(
        "columns",
        statement=number,
        names=[column.name for column in result.columns],
        types=[column.type for column in result.columns],
    )
    for row in result.rows:
        values, cut = encode_row(row, kinds)
        more = {"truncated": cut} if cut else {}
        session.recorder.emit("row", statement=number, values=values, **more)


def _run_writing(session: Session, statement: SqlStatement) -> Result:
    """Execute, and note it in the ledger together with what it does."""
    before_change(session, statement)
    if session.ledger is None:
        return session.database.run(statement.text, session.limit)
    if statement.verb == "LOCK" and session.database.dialect == "mysql":
        raise RunError(
            "usage",
            "LOCK TABLES cannot be part of a run with retries: its locks end when the step notes what is done",
            _LOCK_HINT,
        )
    if session.database.joins_transaction() or statement.verb in _BEGIN:
        return _run_in_transaction(session, session.ledger, statement)
    if statement.number in session.repeat:
        return session.database.run(statement.text, session.limit)
    return _run_alone(session, session.ledger, statement)


def _run_alone(session: Session, ledger: Ledger, statement: SqlStatement) -> Result:
    ledger.prepare()
    try:
        with session.database.atomic():
            result = session.database.run(statement.text, session.limit)
            ledger.add([statement.number])
            return result
    except RunError as failure:
        if not session.database.needs_no_transaction(failure):
            raise
    # It cannot share a transaction with the ledger's row, so the row follows.
    result = session.database.run(statement.text, session.limit)
    ledger.add([statement.number])
    return result


def _run_in_transaction(session: Session, ledger: Ledger, statement: SqlStatement) -> Result:
    """Statements of the program's own transaction count as done when it commits, all at once.

    Their rows are written just before COMMIT: rows written earlier would vanish with ROLLBACK TO SAVEPOINT. Where it
    ends otherwise (ROLLBACK, PREPARE TRANSACTION, a statement before which MySQL commits), they follow it.
    """
    database, pending = session.database, session.pending
    if not database.in_transaction():
        ledger.prepare()
        pending.clear()
    pending.append(statement.number)
    noted = statement.verb in _COMMIT and "PREPARED" not in statement.text.upper()
    if noted:
        ledger.add(pending)
    result = database.run(statement.text, session.limit)
    if not noted and not database.in_transaction():
        with database.atomic():
            ledger.add(pending)
    return result
