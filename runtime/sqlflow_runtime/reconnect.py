"""Connecting again after the database has ended a connection that was idle while a library learned.

Servers end idle connections (`wait_timeout`, `idle_session_timeout`, a restart, what lies between), and a training may
take hours. Its result must not be lost for that: what it needs of the session is nothing, and what later statements
need is known from the graph.
"""

from __future__ import annotations

from sqlflow_codegen.language.program import Statement

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.step_context import StepContext

_HINT = (
    "Let the database keep idle connections for longer (PostgreSQL: idle_session_timeout, "
    "idle_in_transaction_session_timeout; MySQL: wait_timeout), or {}."
)


def keep_connected(context: StepContext, statement: Statement) -> None:
    """Call before a statement writes what took it long to compute. Connects again if the connection is gone.

    What only shapes the session (settings, temporary tables) is run again. Later statements that need what only the
    lost session had are noted in `session.cut_off`.

    Raises:
        RunError: kind `connection`; the database cannot be reached, or the program's open transaction is lost.
    """
    database = context.database
    in_transaction = database.joins_transaction()
    if not database.reconnect():
        return
    if in_transaction:
        raise RunError(
            "connection",
            "the database ended the connection while the statement was computing, and the program's open transaction "
            "with it",
            _HINT.format("COMMIT before this statement"),
        )
    context.recorder.log("warning", "the database had ended the connection meanwhile; it is connected again")
    settings, context.cut_off = _after(context, statement)
    for number in settings:
        database.run(context.program.statement(number).text, context.limit)


def check_connected(context: StepContext, statement: Statement) -> None:
    """Refuse a statement that needs what a lost session had.

    Raises:
        RunError: kind `connection`.
    """
    if statement.number in context.cut_off:
        raise RunError(
            "connection",
            "this statement needs what an earlier one left in the session (a temporary table, a variable), and the "
            "database has ended that session; the statements before this one are done",
            _HINT.format("make that a lasting table"),
        )


def _after(context: StepContext, statement: Statement) -> tuple[list[int], frozenset[int]]:
    """Statements to run again for those after that one, and those of them that a new session cannot run."""
    from sqlflow_codegen.graph import plan_steps

    done = statement.number
    settings: set[int] = set()
    cut_off: set[int] = set()
    for step in plan_steps(context.program, fusion=False):
        later = [number for number in step.statements if number > done]
        if not later:
            continue
        settings.update(number for number in step.session if number < done)
        if len(later) < len(step.statements):  # as for another attempt at that step
            settings.update(number for number in step.repeat if number < done)
            cut_off.update(later if later[0] in step.lost else ())
    return sorted(settings), frozenset(cut_off)
