"""What a step does about its own earlier starts in the same run, and what it leaves for later ones.

See `sqlflow_runtime.marks` for the row that both are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlflow_codegen.language.ir import EvaluateStatement, SqlStatement, Statement

from sqlflow_runtime.databases.connections import end_other
from sqlflow_runtime.failures import RunError
from sqlflow_runtime.marks import Earlier, Mark
from sqlflow_runtime.session import Session

_SHOWS = frozenset({"SHOW", "DESCRIBE", "DESC", "SUMMARIZE"})
_READS = _SHOWS | {"SELECT", "WITH", "VALUES", "TABLE", "FROM", "EXPLAIN"}
_CONTROLS = frozenset(
    {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "SET", "RESET", "USE"}
)
_COMMIT_INSIDE = ("CALL", "DO", "EXECUTE")
"""Statements that may have committed part of what they do before they are stopped."""

_HINT = (
    "A run without retries never begins a step twice. See in the database what its statements did, then set another "
    "spec.rerunToken to run the program again; with spec.retries a lost step goes on by itself."
)


@dataclass(frozen=True, slots=True)
class Start:
    """How a step begins.

    Attributes:
        skipped: statements that an earlier start has done.
        over: nothing is left to do: not even the session is set up.
        failure: why the step must not begin.
        statement: the statement to which the failure belongs, 0 for the whole step.
    """

    skipped: frozenset[int] = frozenset()
    over: bool = False
    failure: RunError | None = None
    statement: int = 0


def take_up(session: Session, numbers: Sequence[int]) -> Start:
    """Find out what earlier starts of the step have done, and note that this one begins.

    A step that only reads notes nothing; without retries it asks nothing either.

    Args:
        session: the step's session; none of its statements has run.
        numbers: numbers of the step's statements.
    """
    mark = session.mark
    if mark is None:
        return Start(_done(session, numbers))
    changes = any(may_change(session.program.statement(number), session.repeat) for number in numbers)
    if not changes and session.ledger is None:
        return Start()
    while True:
        earlier, others = mark.find()
        start = _after(session, mark, earlier, numbers) or _beside(session, others)
        if start is not None:
            return start
        if not (changes or earlier) or mark.begin(earlier):
            break
    if changes and session.ledger is not None:
        session.ledger.prepare()  # as long as the session is as it was opened
    if earlier is None:
        return Start(_done(session, numbers))
    _end_earlier(session, mark, earlier)
    return Start(_resumed(earlier, session) if session.ledger is None else _done(session, numbers))


def may_change(statement: Statement, repeat: Iterable[int]) -> bool:
    """Whether that statement may change more than its session, by the look of it: a SELECT may still call what does."""
    if isinstance(statement, SqlStatement):
        if statement.number in repeat or statement.verb in _CONTROLS:
            return False
        return statement.verb not in _READS or _analyzes(statement)
    if isinstance(statement, EvaluateStatement):
        return statement.into is not None
    return statement.kind != "show"


def _analyzes(statement: SqlStatement) -> bool:
    return statement.verb == "EXPLAIN" and "ANALY" in statement.text.upper()


def before_change(session: Session, statement: SqlStatement) -> None:
    """Call before a statement that may turn out to write although the step has no mark.

    Raises:
        RunError: kind `lost`; another start of the step has begun meanwhile.
    """
    mark = session.mark
    if mark is None or mark.made or mark.given_up or not _may_write(session, statement):
        return
    if not mark.begin():
        earlier, _ = mark.find()
        raise _lost(earlier.pod if earlier else "another pod", ended=False)


def _may_write(session: Session, statement: SqlStatement) -> bool:
    if statement.number in session.repeat or statement.verb in _CONTROLS | _SHOWS:
        return False
    if session.database.dialect == "mysql" and session.database.in_transaction() and statement.verb in _READS:
        return False  # there the server cannot say whether it writes, and making our table would commit
    return statement.verb != "EXPLAIN" or _analyzes(statement)


def note_end(session: Session, numbers: Sequence[int]) -> None:
    """Note how the step ended, for a start that may follow."""
    mark, failure = session.mark, session.failure
    if mark is None or (failure is not None and failure.kind in ("lost", "skipped")):
        return
    if failure is None:
        mark.end("done", {}, tuple(numbers))
    elif failure.kind == "stopped":
        if not _may_be_half_done(session):
            mark.end("stopped", {"finished": sorted(session.committed)})
    else:
        if not mark.made and session.ledger is not None and failure.kind != "connection":
            with suppress(RunError):  # a step that only read, of a user who may only read: its own error counts
                mark.begin()
        mark.end("failed", _detail(session, failure))


def _may_be_half_done(session: Session) -> bool:
    statement = session.current
    return isinstance(statement, SqlStatement) and statement.verb in _COMMIT_INSIDE


def _detail(session: Session, failure: RunError) -> dict[str, Any]:
    number = session.current.number if session.current else 0
    names = ("kind", "message", "hint", "place", "position", "sqlstate", "final")
    return {"statement": number, "error": {name: getattr(failure, name) for name in names}}


def _done(session: Session, numbers: Sequence[int]) -> frozenset[int]:
    """Statements that an earlier attempt has done: all up to the last one in the ledger but for session state."""
    if session.ledger is None:
        return frozenset()
    done = session.ledger.done()
    last = max((i for i, number in enumerate(numbers) if number in done), default=-1)
    return frozenset(numbers[: last + 1]) - session.repeat


def _resumed(earlier: Earlier, session: Session) -> frozenset[int]:
    return frozenset(map(int, earlier.detail.get("finished", ()))) - session.repeat


def _after(session: Session, mark: Mark, earlier: Earlier | None, numbers: Sequence[int]) -> Start | None:
    """How the step begins where an earlier start decides that already; None where it goes on."""
    if earlier is None:
        return None
    failure = _failure(earlier)
    retries = session.ledger is not None
    if earlier.state == "done":
        return Start(frozenset(numbers), over=True)
    if failure is not None and (failure.final or not retries):
        session.recorder.log("warning", f"attempt {earlier.attempt} failed, and another one would fail in the same way")
        return Start(failure=failure, statement=int(earlier.detail.get("statement", 0)))
    if retries or (earlier.state == "stopped" and session.resumable):
        return None
    mark.begin(earlier)
    ended = _end_earlier(session, mark, earlier)
    mark.end("lost", {})
    return Start(failure=_lost(earlier.pod, ended=ended), statement=_interrupted(earlier, numbers))


def _interrupted(earlier: Earlier, numbers: Sequence[int]) -> int:
    """The statement that was at work when the step was lost; 0 where that cannot be known."""
    if earlier.state == "stopped":
        finished = earlier.detail.get("finished", ())
        return next((number for number in numbers if number not in finished), 0)
    return numbers[0] if len(numbers) == 1 else 0


def _beside(session: Session, others: Iterable[Earlier]) -> Start | None:
    """Why the step must not begin: another one has failed for good, and the engine does not see it.

    Only Argo does not, and only in a run with retries (see `sqlflow_codegen.couler`).
    """
    if session.ledger is None:
        return None
    for other in others:
        failure = _failure(other)
        if failure is not None and (failure.final or other.attempt > session.retries):
            number = int(other.detail.get("statement", 0)) or other.step
            what = f"not begun, because statement {number} has failed: {failure.message}"
            return Start(failure=RunError("skipped", what))
    return None


def _failure(earlier: Earlier) -> RunError | None:
    error = earlier.detail.get("error") if earlier.state == "failed" else None
    return RunError(**error) if error else None


def _lost(pod: str, *, ended: bool) -> RunError:
    what = f"this step has begun before, in pod {pod}, which was lost before it ended"
    still = "; its process was still at work in the database, and was stopped there" if ended else ""
    return RunError("lost", what + still, _HINT)


def _end_earlier(session: Session, mark: Mark, earlier: Earlier) -> bool:
    """Make sure that an earlier start works no more, and say in the log what became of it."""
    ended = earlier.state in ("begun", "lost") and end_other(session.database, earlier.connection)
    failure = _failure(earlier)
    if failure is not None:
        place = f" at statement {earlier.detail['statement']}" if earlier.detail.get("statement") else ""
        why = f"failed{place}: {failure.message}"
    elif earlier.state == "stopped":
        why = "was stopped"
    else:
        why = "ended without a word: its process was killed (out of memory?), or its pod was lost"
        why += "; what it still did in the database was ended" if ended else ""
    session.recorder.log("warning", f"attempt {earlier.attempt + 1} of this step; attempt {earlier.attempt} {why}")
    session.before = f"Attempt {earlier.attempt} {why}."
    return ended
