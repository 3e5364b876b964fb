"""A step's earlier starts in the same run: what they have done, and the note that this one leaves for later ones.

See `sqlflow_runtime.claims` for the row that both are about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlflow_codegen.language.program import SqlStatement, Statement

from sqlflow_runtime.claims import EarlierStart, StepClaim
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.step_context import StepContext

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

_RESUME_HINT = (
    "Put statements that belong together into one transaction: it is repeated as a whole. To run the program again, "
    "see first what it has done, then set another spec.rerunToken."
)


@dataclass(frozen=True, slots=True)
class Start:
    """The way in which a step begins.

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


def begin_step(context: StepContext, numbers: Sequence[int]) -> Start:
    """Find out what earlier starts of the step have done, and note that this one begins.

    A step that only reads notes nothing; without retries it asks nothing either.

    Args:
        context: of the step; none of its statements has run.
        numbers: numbers of the step's statements.
    """
    claim = context.claim
    if claim is None:
        return Start(_done(context, numbers))
    changes = any(may_change(context.program.statement(number), context.repeat) for number in numbers)
    if not changes and context.ledger is None:
        return Start()
    while True:
        earlier, others = claim.find()
        start = _after(context, claim, earlier, numbers) or _beside(context, others)
        if start is not None:
            return start
        if not (changes or earlier) or claim.begin(earlier):
            break
    if changes and context.ledger is not None:
        context.ledger.prepare()  # as long as the session is as it was opened
    if earlier is None:
        return Start(_done(context, numbers))
    _end_earlier(context, earlier)
    return Start(_resumed(earlier, context) if context.ledger is None else _done(context, numbers))


def may_change(statement: Statement, repeat: Iterable[int]) -> bool:
    """True if a statement may change more than its session, by its first words: a SELECT may call what does."""
    if isinstance(statement, SqlStatement):
        if statement.number in repeat or statement.verb in _CONTROLS:
            return False
        return statement.verb not in _READS or _analyzes(statement)
    return statement.kind not in ("show", "models") and getattr(statement, "into", True) is not None


def _analyzes(statement: SqlStatement) -> bool:
    return statement.verb == "EXPLAIN" and "ANALY" in statement.text.upper()


def before_change(context: StepContext, statement: SqlStatement) -> None:
    """Call before a statement that may turn out to write although the step has no claim.

    Raises:
        RunError: kind `lost`; another start of the step has begun meanwhile.
    """
    claim = context.claim
    if claim is None or claim.made or claim.given_up or not _may_write(context, statement):
        return
    if not claim.begin():
        earlier, _ = claim.find()
        raise _lost(earlier.pod if earlier else "another pod", ended=False)


def _may_write(context: StepContext, statement: SqlStatement) -> bool:
    if statement.number in context.repeat or statement.verb in _CONTROLS | _SHOWS:
        return False
    if context.database.dialect == "mysql" and context.database.in_transaction() and statement.verb in _READS:
        return False  # there the server cannot say whether it writes, and making our table would commit
    return statement.verb != "EXPLAIN" or _analyzes(statement)


def resumes_at(statements: Sequence[int], skipped: Collection[int]) -> int:
    """The first statement after all that is done; the last one if all is done.

    Args:
        statements: numbers of the step's statements.
        skipped: those that an earlier attempt has done, and that this one does not repeat.
    """
    last = max((index for index, number in enumerate(statements) if number in skipped), default=-1)
    return statements[min(last + 1, len(statements) - 1)]


def check_resumable(context: StepContext, statements: Sequence[int], skipped: Collection[int]) -> None:
    """Call before the first statement of another attempt.

    Raises:
        RunError: kind `lost`; the session of the earlier attempt held what the next statements need.
    """
    number = resumes_at(statements, skipped)
    if skipped and number in context.lost and number not in skipped:
        what = f"another attempt cannot go on at statement {number}"
        why = "what an earlier statement left in its session is gone with the connection, and nothing brings it back"
        raise RunError("lost", f"{what}: {why}", _RESUME_HINT)


def note_end(context: StepContext, numbers: Sequence[int]) -> None:
    """Note how the step ended, for a start that may follow."""
    claim, failure = context.claim, context.failure
    if claim is None or (failure is not None and failure.kind in ("lost", "skipped")):
        return
    if failure is None:
        claim.end("done", {}, tuple(numbers))
    elif failure.kind == "stopped":
        if not _may_be_half_done(context):
            claim.end("stopped", {"finished": sorted(context.committed)})
    else:
        if not claim.made and context.ledger is not None and failure.kind != "connection":
            with suppress(RunError):  # a step that only read, of a user who may only read: its own error counts
                claim.begin()
        claim.end("failed", _detail(context, failure))


def _may_be_half_done(context: StepContext) -> bool:
    statement = context.current
    if statement is not None and statement.kind == "run":  # its command commits as it likes
        return True
    return isinstance(statement, SqlStatement) and statement.verb in _COMMIT_INSIDE


def _detail(context: StepContext, failure: RunError) -> dict[str, Any]:
    number = context.current.number if context.current else 0
    names = ("kind", "message", "hint", "place", "position", "sqlstate", "final")
    return {"statement": number, "error": {name: getattr(failure, name) for name in names}}


def _done(context: StepContext, numbers: Sequence[int]) -> frozenset[int]:
    """Statements that an earlier attempt has done: all up to the last one in the ledger but for session state."""
    if context.ledger is None:
        return frozenset()
    done = context.ledger.done()
    last = max((i for i, number in enumerate(numbers) if number in done), default=-1)
    return frozenset(numbers[: last + 1]) - context.repeat


def _resumed(earlier: EarlierStart, context: StepContext) -> frozenset[int]:
    return frozenset(map(int, earlier.detail.get("finished", ()))) - context.repeat


def _after(
    context: StepContext, claim: StepClaim, earlier: EarlierStart | None, numbers: Sequence[int]
) -> Start | None:
    """The start of a step where an earlier one decides it already; None where the step goes on."""
    if earlier is None:
        return None
    failure = _failure(earlier)
    retries = context.ledger is not None
    if earlier.state == "done":
        return Start(frozenset(numbers), over=True)
    if failure is not None and (failure.final or not retries):
        context.recorder.log("warning", f"attempt {earlier.attempt} failed, and another one would fail in the same way")
        return Start(failure=failure, statement=int(earlier.detail.get("statement", 0)))
    if retries or (earlier.state == "stopped" and context.resumable):
        return None
    claim.begin(earlier)
    ended = _end_earlier(context, earlier)
    claim.end("lost", {})
    return Start(failure=_lost(earlier.pod, ended=ended), statement=_interrupted(earlier, numbers))


def _interrupted(earlier: EarlierStart, numbers: Sequence[int]) -> int:
    """The statement that was at work when the step was lost; 0 where that cannot be known."""
    if earlier.state == "stopped":
        finished = earlier.detail.get("finished", ())
        return next((number for number in numbers if number not in finished), 0)
    return numbers[0] if len(numbers) == 1 else 0


def _beside(context: StepContext, others: Iterable[EarlierStart]) -> Start | None:
    """The start of a step that must not begin: another one has failed for good, and the engine does not see it.

    Only Argo does not, and only in a run with retries (see `sqlflow_codegen.couler`).
    """
    if context.ledger is None:
        return None
    for other in others:
        failure = _failure(other)
        if failure is not None and (failure.final or other.attempt > context.retries):
            number = int(other.detail.get("statement", 0)) or other.step
            what = f"not begun, because statement {number} has failed: {failure.message}"
            return Start(failure=RunError("skipped", what))
    return None


def _failure(earlier: EarlierStart) -> RunError | None:
    error = earlier.detail.get("error") if earlier.state == "failed" else None
    return RunError(**error) if error else None


def _lost(pod: str, *, ended: bool) -> RunError:
    what = f"this step has begun before, in pod {pod}, which was lost before it ended"
    still = "; its process was still at work in the database, and was stopped there" if ended else ""
    return RunError("lost", what + still, _HINT)


def _end_earlier(context: StepContext, earlier: EarlierStart) -> bool:
    """Make sure that an earlier start works no more, and say in the log what became of it."""
    ended = earlier.state in ("begun", "lost") and context.database.end_other(earlier.connection)
    failure = _failure(earlier)
    if failure is not None:
        place = f" at statement {earlier.detail['statement']}" if earlier.detail.get("statement") else ""
        why = f"failed{place}: {failure.message}"
    elif earlier.state == "stopped":
        why = "was stopped"
    else:
        why = "ended without a word: its process was killed (out of memory?), or its pod was lost"
        why += "; what it still did in the database was ended" if ended else ""
    context.recorder.log("warning", f"attempt {earlier.attempt + 1} of this step; attempt {earlier.attempt} {why}")
    context.before = f"Attempt {earlier.attempt} {why}."
    return ended
