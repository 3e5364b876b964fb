"""Where another attempt at a step goes on, and whether it can."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.step_context import StepContext

_HINT = (
    "Put statements that belong together into one transaction: it is repeated as a whole. To run the program again, "
    "see first what it has done, then set another spec.rerunToken."
)


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
        raise RunError("lost", f"{what}: {why}", _HINT)
