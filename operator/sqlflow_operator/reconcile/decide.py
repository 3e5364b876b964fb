"""Decides about a job from an observation and the time. Pure: no call, no clock, no state.

The order of the questions, first match wins:

| question | answer |
|---|---|
| is the job being deleted? | nothing: the garbage collector does it |
| does an earlier run still go on? | stop it and wait; the new one must not meet it in the database |
| has the run of the spec ended, as the status shows? | the outcome stays; only time to live acts |
| is its child there? | the status follows it; suspension and deadlines are passed on |
| was its child there, and is not? | Failed/ChildLost: SQL must not be run twice on a guess |
| is the program invalid? | Stalled/InvalidProgram |
| is the spec suspended? | Suspended, nothing is created |
| is the backend missing? | Stalled |
| else | create the run |
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlflow_operator.api import ConditionType, Phase, SQLFlowJob, SQLFlowJobStatus, StepPhase
from sqlflow_operator.clock import from_text, to_text
from sqlflow_operator.reconcile import job_status as status_of
from sqlflow_operator.reconcile.decision import (
    Action,
    Child,
    CreateRun,
    Decision,
    DeleteRun,
    Observation,
    PatchChild,
    Refusal,
    expiry,
)
from sqlflow_operator.reconcile.progress_cache import next_look
from sqlflow_operator.workflow.observe.state import Reason, RunState

UNACKNOWLEDGED = timedelta(seconds=15)
"""After so long without a sign of the engine's controller, the status asks whether it runs."""

STARTING = timedelta(seconds=5)
"""For so long the status of a run that starts does not follow its pod from one word to the next."""

RETRY_PENDING, RETRY_PENDING_LAST = 5.0, 60.0
"""Seconds after which a run without a running step is observed again: time alone changes what its status says."""
RETRY_MISSING = 60.0
"""Seconds after which a job whose backend is missing is observed again."""

STOP_PATIENCE = timedelta(seconds=60)
"""After so long a run that was stopped has failed, whatever its pods do: a pod gets 30 seconds, a lost node none."""
_STOPPED = {
    Reason.DEADLINE_EXCEEDED: "the run took longer than spec.activeDeadlineSeconds allows",
    Reason.CANCELLED: "the run was cancelled",
}


def decide(o: Observation, now: datetime, refusal: Refusal | None = None) -> Decision:
    """The decision about a job.

    Args:
        o: what was observed.
        now: the present moment, in UTC.
        refusal: of the run, if the API server has just refused to create it.
    """
    if o.job.deleting:
        return Decision()
    stop = tuple(_stop(child, "the spec asks for another run") for child in _old_active(o))
    if stop or o.old_pods:
        return _stopping(o, stop, now)
    decision = _current(o, now, refusal)
    tidy, due = _tidy_old(o, now)
    return replace(decision, actions=decision.actions + tidy, requeue_after=_earliest(decision.requeue_after, due))


def _current(o: Observation, now: datetime, refusal: Refusal | None) -> Decision:
    """The run that the spec asks for."""
    child = o.children.get(o.run_name)
    if status_of.same_run(o) and o.job.status.terminal:
        return _ended(o, child, now)
    if child is not None:
        return _going_on(o, child, now)
    if status_of.same_run(o) and o.backend_missing:
        # With an engine's kinds go its objects; but what only looks gone may be back in a moment.
        stalled = status_of.without_engine(o, Reason.BACKEND_UNAVAILABLE, o.backend_missing, now)
        return Decision(status=stalled, requeue_after=RETRY_MISSING)
    if status_of.same_run(o):
        return Decision(status=status_of.failed(o, Reason.CHILD_LOST, _child_lost(o), now))
    return _not_started(o, now, refusal)


def _child_lost(o: Observation) -> str:
    kind = o.job.status.run.child.kind if o.job.status.run else "child"
    running = [step.name for step in o.job.status.steps if step.phase is StepPhase.RUNNING]
    during = f"step{'s' if len(running) > 1 else ''} {', '.join(running[:3])}" if running else "it"
    return (
        f"{kind} {o.run_name} was deleted while {during} ran. "
        "What it had done stays done; set spec.rerunToken to a new value to run the program again."
    )


def _not_started(o: Observation, now: datetime, refusal: Refusal | None) -> Decision:
    if o.program is None:
        raise ValueError("a run that has not started needs its program parsed")
    if o.program.program is None:
        message = status_of.invalid_program_message(o)
        return Decision(status=status_of.without_run(o, Reason.INVALID_PROGRAM, message, now, phase=Phase.FAILED))
    if o.job.spec.suspend:
        message = "suspended before its start; set spec.suspend to false to start it"
        return Decision(status=status_of.without_run(o, Reason.SUSPENDED, message, now, phase=Phase.SUSPENDED))
    if o.backend_missing:
        stalled = status_of.without_run(o, Reason.BACKEND_UNAVAILABLE, o.backend_missing, now, stalled=True)
        return Decision(status=stalled, requeue_after=RETRY_MISSING)
    if _refused_for_good(o):
        return Decision(status=status_of.observed_again(o))
    if refusal is not None:
        return _refused(o, refusal, now)
    return Decision(actions=(CreateRun(o.run_name, o.backend, o.program.program),))


def _refused(o: Observation, refusal: Refusal, now: datetime) -> Decision:
    phase = Phase.FAILED if refusal.final else Phase.PENDING
    refused = status_of.without_run(o, refusal.reason, refusal.message, now, phase=phase, stalled=refusal.stalled)
    return Decision(status=refused, requeue_after=None if refusal.final else refusal.retry_after)


def _refused_for_good(o: Observation) -> bool:
    """True if the API server has refused this very spec for good."""
    stalled = o.job.status.condition(ConditionType.STALLED)
    return (
        stalled is not None
        and (stalled.status, stalled.reason) == ("True", Reason.INVALID_SPEC)
        and stalled.observed_generation == o.job.generation
    )


def _going_on(o: Observation, child: Child, now: datetime) -> Decision:
    state = _with_notes(o, child, now)
    deadline = _deadline(o, child)
    ending = _ending(o, child, deadline, now)
    if ending:
        return Decision(status=status_of.stopping(o, child, state, ending, now), requeue_after=RETRY_PENDING)
    if deadline is not None and now >= deadline and not state.phase.terminal:
        late = replace(o, job=_with_run(o, child, now))
        message = f"{_STOPPED[Reason.DEADLINE_EXCEEDED]}, and the operator ends it"
        status = status_of.failed(late, Reason.DEADLINE_EXCEEDED, message, now)
        # The child goes next time, when this status is stored: it must not look lost.
        return Decision(status=status, requeue_after=0.0)
    actions: tuple[Action, ...] = ()
    if not state.phase.terminal:
        if child.adjustment:
            actions += (PatchChild(child.name, child.backend, child.adjustment),)
        if o.config_map is False and o.program is not None and o.program.program is not None:
            actions += (CreateRun(child.name, child.backend, o.program.program),)
    status = status_of.of_run(o, child, state, now)
    return Decision(
        actions=actions,
        status=None if _still_starting(o, status, now) else status,
        requeue_after=_earliest(
            _seconds_until(deadline, now),
            _patience(state, now),
            next_look(state, now) if state.phase is Phase.RUNNING else None,
            _seconds_until(expiry(o.job, state.finished_at or to_text(now)), now) if state.phase.terminal else None,
        ),
    )


def _still_starting(o: Observation, status: SQLFlowJobStatus, now: datetime) -> bool:
    """True if a run began moments ago and only the words for it have changed: not worth a write."""
    known, start = o.job.status, from_text(status.run.started_at if status.run else None)
    return (
        status_of.same_run(o)
        and start is not None
        and now - start < STARTING
        and known.observed_generation == status.observed_generation
        and (known.phase, known.steps, known.reason) == (status.phase, status.steps, Reason.STARTING)
        and status.reason == Reason.STARTING
    )


def _ending(o: Observation, child: Child, deadline: datetime | None, now: datetime) -> str:
    """The message of a run that is being ended while its pods are still at work, or "".

    A statement may need as long as a pod gets to end, and no one should read "stopped" of one that still runs.
    """
    state, waiting = child.state, f"waiting for {', '.join(o.pods[:3])} to end"
    if child.deleting and (not state.phase.terminal or (o.pods and state.phase is Phase.FAILED)):
        return f"{child.kind} {child.name} is being deleted; {waiting if o.pods else 'waiting until it is gone'}"
    if not o.pods:
        return ""
    if state.phase is Phase.FAILED and state.reason in _STOPPED:
        since = from_text(state.finished_at) or now
        why = _STOPPED[state.reason]
    elif deadline is not None and now >= deadline and not state.phase.terminal and o.pods_deleted:
        since, why = deadline, _STOPPED[Reason.DEADLINE_EXCEEDED]
    else:
        return ""
    return f"{why}; {waiting}" if now - since < STOP_PATIENCE else ""


def _with_notes(o: Observation, child: Child, now: datetime) -> RunState:
    """The state of a run, with what its objects cannot know: what the spec asks for, and how late it is."""
    state = child.state
    created = from_text(child.created_at)
    if child.unacknowledged_by and not state.phase.terminal and created and now - created >= UNACKNOWLEDGED:
        note = f"{child.unacknowledged_by} has not taken up the {child.kind}: is its controller running?"
        return replace(state, reason=Reason.BACKEND_UNAVAILABLE, message=note)
    if o.job.spec.suspend and not child.suspends_running and state.phase in (Phase.PENDING, Phase.RUNNING):
        note = f"spec.suspend has no effect: a {child.kind} that has started cannot be suspended"
        return replace(state, message=f"{state.message}; {note}")
    return state


def _patience(state: RunState, now: datetime) -> float | None:
    """Seconds until the next look at a run without a running step; growing with the wait; None for others."""
    if state.phase not in (Phase.PENDING, Phase.RUNNING):
        return None
    if any(step.phase is StepPhase.RUNNING for step in state.steps):
        return None
    start = from_text(state.started_at)
    waited = (now - start).total_seconds() if start else 0.0
    return min(RETRY_PENDING_LAST, max(RETRY_PENDING, waited / 4))


def _with_run(o: Observation, child: Child, now: datetime) -> SQLFlowJob:
    """The job with what its child shows now in its status, for a failure on top of the newest state."""
    return replace(o.job, status=status_of.of_run(o, child, child.state, now))


def _deadline(o: Observation, child: Child) -> datetime | None:
    """The moment at which the operator itself ends the run, or None."""
    seconds = o.job.spec.active_deadline_seconds
    start = from_text(child.state.started_at)
    if seconds is None or start is None or child.state.phase is Phase.SUSPENDED:
        return None
    return start + timedelta(seconds=seconds + child.deadline_grace)


def _ended(o: Observation, child: Child | None, now: datetime) -> Decision:
    """The outcome is in the status and stays there, whatever becomes of the child."""
    actions: tuple[Action, ...] = ()
    due = None
    if child is not None and not child.state.phase.terminal and _given_up(o):
        actions = (_stop(child, "the run was given up"),)
    elif child is not None or o.config_map is not False:
        end = expiry(o.job, o.job.status.run.finished_at if o.job.status.run else None)
        if end is not None and now >= end:
            actions = (DeleteRun(o.run_name, o.backend, child.uid if child else None, "its time to live is over"),)
        due = _seconds_until(end, now)
    return Decision(actions=actions, status=status_of.observed_again(o), requeue_after=due if not actions else None)


def _given_up(o: Observation) -> bool:
    """True if the operator itself put an end to the run, so that its child may still go on."""
    failed = o.job.status.condition(ConditionType.FAILED)
    return failed is not None and failed.reason in (Reason.DEADLINE_EXCEEDED, Reason.CHILD_LOST)


def _stopping(o: Observation, stop: tuple[DeleteRun, ...], now: datetime) -> Decision:
    """An earlier run is being stopped; its pods may still be speaking to the database."""
    waiting = ", ".join(o.old_pods[:3]) or stop[0].name
    message = (
        f"stopping the earlier run before the next one starts: waiting for {waiting} to end. "
        "A pod whose node is lost must be deleted with --force."
    )
    status = status_of.without_run(o, Reason.STOPPING, message, now)
    # A run that no status has goes next time, when its history entry is stored: it must not be forgotten.
    unrecorded = {child.name for child in status_of.unrecorded(o)}
    actions = tuple(action for action in stop if action.name not in unrecorded)
    return Decision(actions=actions, status=status, requeue_after=0.0 if actions != stop else RETRY_PENDING)


def _old_active(o: Observation) -> list[Child]:
    return [
        child
        for name, child in o.children.items()
        if name != o.run_name and not child.state.phase.terminal and not child.deleting
    ]


def _tidy_old(o: Observation, now: datetime) -> tuple[tuple[Action, ...], float | None]:
    """Actions that delete children of earlier runs, and seconds until the next one is due."""
    entries = {entry.name: entry for entry in status_of.history(o, now)}
    actions: list[Action] = []
    due: float | None = None
    for name, child in o.children.items():
        if name == o.run_name or child.deleting:
            continue
        end = expiry(o.job, entries[name].finished_at if name in entries else None)
        if name not in entries or (end is not None and now >= end):
            actions.append(_stop(child, "it is an earlier run"))
        else:
            due = _earliest(due, _seconds_until(end, now))
    return tuple(actions), due


def _stop(child: Child, why: str) -> DeleteRun:
    return DeleteRun(child.name, child.backend, child.uid, why)


def _seconds_until(moment: datetime | None, now: datetime) -> float | None:
    return max(0.0, (moment - now).total_seconds()) if moment is not None else None


def _earliest(*delays: float | None) -> float | None:
    return min((delay for delay in delays if delay is not None), default=None)
