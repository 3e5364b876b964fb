"""The conditions of a job, for kstatus, `kubectl wait` and people.

kstatus says Current only if Ready is True, Failed if Stalled is True, and InProgress if Reconciling is True;
so exactly one of the three is true at any time.
"""

from __future__ import annotations

from datetime import datetime

from sqlflow_operator.api import Condition, ConditionType, Phase, SQLFlowJobStatus
from sqlflow_operator.clock import to_text
from sqlflow_operator.workflow.observe.state import Reason
from sqlflow_operator.workflow.observe.wording import MESSAGE_LIMIT, clip

_TRUE, _FALSE, _UNKNOWN = "True", "False", "Unknown"


def conditions(
    phase: Phase,
    reason: Reason,
    message: str,
    *,
    stalled: bool,
    generation: int,
    previous: SQLFlowJobStatus,
    now: datetime,
) -> tuple[Condition, ...]:
    """All conditions of a job.

    Args:
        phase: the phase of the job.
        reason: the constant that says why.
        message: the sentence that says why.
        stalled: True if nothing more comes until a person changes something; a failed job always is.
        generation: generation of the job that this speaks of.
        previous: the status so far; a condition that does not change keeps its time.
        now: the present moment.
    """
    stalled = stalled or phase is Phase.FAILED
    done = phase is Phase.SUCCEEDED
    values = {
        ConditionType.READY: _TRUE if done else _FALSE if stalled else _UNKNOWN,
        ConditionType.RECONCILING: _FALSE if done or stalled else _TRUE,
        ConditionType.STALLED: _TRUE if stalled else _FALSE,
        ConditionType.COMPLETE: _TRUE if done else _FALSE,
        ConditionType.FAILED: _TRUE if phase is Phase.FAILED else _FALSE,
    }
    text = clip(message, MESSAGE_LIMIT)
    return tuple(
        Condition(
            type=kind,
            status=value,
            observed_generation=generation,
            last_transition_time=_since(kind, value, previous, now),
            reason=reason,
            # A condition that is False needs no message, but for Ready, which always has one.
            message=text if value != _FALSE or kind is ConditionType.READY else "",
        )
        for kind, value in values.items()
    )


def _since(kind: ConditionType, value: str, previous: SQLFlowJobStatus, now: datetime) -> str:
    old = previous.condition(kind)
    return old.last_transition_time if old is not None and old.status == value else to_text(now)
