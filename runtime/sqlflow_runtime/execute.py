"""Runs statements of a program on one connection, in order, and records their outcome.

The step container and `sqlflow run` both call this. Each kind of statement has a module of its own, imported when
the first statement of that kind runs: plain SQL never waits for a machine learning library.
"""

from __future__ import annotations

import importlib
import time
import traceback
from collections.abc import Callable, Sequence

from sqlflow_codegen.contract import StepError
from sqlflow_codegen.language.program import Statement
from sqlflow_codegen.language.source import Source

from sqlflow_runtime.attempts import begin_step, check_resumable, resumes_at
from sqlflow_runtime.cells import encode_row
from sqlflow_runtime.databases.rows import StatementResult
from sqlflow_runtime.errors import RunError, not_installed, unexpected
from sqlflow_runtime.reconnect import check_connected
from sqlflow_runtime.recorder import Recorder
from sqlflow_runtime.step_context import StepContext

_RUNNERS = {
    "sql": "sqlflow_runtime.plain",
    "train": "sqlflow_runtime.ml.train",
    "predict": "sqlflow_runtime.ml.predict",
    "evaluate": "sqlflow_runtime.ml.evaluate",
    "explain": "sqlflow_runtime.ml.explain",
    "optimize": "sqlflow_runtime.optimize.statement",
    "run": "sqlflow_runtime.run_command",
    "show": "sqlflow_runtime.show",
    "models": "sqlflow_runtime.show",
    "drop_model": "sqlflow_runtime.drop_model",
}
"""Kind of a statement -> the module whose `run(context, statement)` executes it."""

_MEMORY_HINT = "Give the step more memory (spec.resources), or select fewer rows."


def execute_program(context: StepContext, statements: Sequence[int], replay: Sequence[int] = ()) -> StepError | None:
    """Run those statements of the program, in that order; stop at the first failure.

    Args:
        context: the connection and where records go.
        statements: numbers of the statements.
        replay: numbers of statements of earlier steps that set up the session (USE, SET); they run first, unrecorded.

    Returns:
        Why the step failed, already recorded; None if all is done.
    """
    try:
        _run_all(context, statements, replay)
    except RunError as error:
        failure = error
    except MemoryError:
        failure = RunError("memory", "out of memory", _MEMORY_HINT)
    except Exception as fault:  # noqa: BLE001  (a library's own error: the reader must get it with its statement)
        context.recorder.log("info", "".join(traceback.format_exception(fault)))
        failure = unexpected(fault)
    else:
        return None
    return _fail(context, failure)


def _run_all(context: StepContext, statements: Sequence[int], replay: Sequence[int]) -> None:
    program = context.program
    context.current = program.statement(statements[0])
    start = begin_step(context, statements)
    if start.failure is not None:
        context.current = program.statement(start.statement) if start.statement else None
        raise start.failure
    context.current = program.statement(resumes_at(statements, start.skipped))
    check_resumable(context, statements, start.skipped)
    for number in () if start.over else replay:
        context.current = program.statement(number)
        context.database.run(context.current.text, context.limit)
    for number in statements:
        context.current = program.statement(number)
        context.check_stopped()
        check_connected(context, context.current)
        _run_one(context, context.current, skip=number in start.skipped)
        context.done(number)
    _warn_open_transaction(context)


def _fail(context: StepContext, failure: RunError) -> StepError:
    """Record why the step ends."""
    if context.stop_requested.is_set() and failure.kind != "lost":
        failure = RunError("stopped", "stopped before it was done", place=failure.place)
    elif context.before and context.before not in failure.hint:
        failure.hint = " ".join(filter(None, (failure.hint, context.before)))
    context.failure = failure
    error = _step_error(context, context.current, failure)
    context.sync()
    context.recorder.error(error)
    return error


def _run_one(context: StepContext, statement: Statement, *, skip: bool) -> None:
    recorder = context.recorder
    recorder.started(
        statement.number,
        kind=statement.kind,
        title=statement.title,
        line=statement.span.line,
        column=statement.span.column,
        attempt_skipped=skip,
    )
    begin = time.monotonic()
    result = StatementResult()
    if not skip:
        result = _runner(statement)(context, statement)
        _show(recorder, statement.number, result)
        context.sync()
    more = {"truncated": True} if result.truncated else {}
    more |= {"open": True} if not skip and context.database.in_transaction() else {}
    recorder.finished(result.affected, time.monotonic() - begin, **more)


def _show(recorder: Recorder, number: int, result: StatementResult) -> None:
    """Record the preview of a result, and those of the statement's further results."""
    for one in (result, *result.further):
        if one.columns is None:
            continue
        names, types = [column.name for column in one.columns], [column.type for column in one.columns]
        recorder.emit("columns", statement=number, names=names, types=types)
        for row in one.rows:
            values, cut = encode_row(row, [column.kind for column in one.columns])
            recorder.emit("row", statement=number, values=values, **({"truncated": cut} if cut else {}))
    if result.omitted:
        shown = 1 + len(result.further)
        recorder.log("warning", f"the statement gave {shown + result.omitted} results; the first {shown} are shown")


def _runner(statement: Statement) -> Callable[[StepContext, Statement], StatementResult]:
    try:
        run: Callable[[StepContext, Statement], StatementResult] = importlib.import_module(_RUNNERS[statement.kind]).run
    except ModuleNotFoundError as error:
        raise not_installed(error) from error
    return run


def _warn_open_transaction(context: StepContext) -> None:
    if context.database.in_transaction():
        context.recorder.log("warning", "the transaction is still open: it is rolled back (COMMIT is missing)")


def _step_error(context: StepContext, statement: Statement | None, failure: RunError) -> StepError:
    """The failure with its place in the program: its own, the database's position, else the statement's start."""
    if statement is None:
        return StepError(0, 0, 0, "step", failure.kind, failure.message, failure.hint)
    place = failure.place
    if place is None and failure.position is not None:
        span = getattr(statement, "select_span", statement.span)
        place = span.start + failure.position
    line, column = statement.span.line, statement.span.column
    if place is not None:
        line, column = Source(context.program.text).place(place)
    return StepError(statement.number, line, column, statement.title, failure.kind, failure.message, failure.hint)
