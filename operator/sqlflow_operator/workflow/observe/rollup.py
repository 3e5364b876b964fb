"""From the states of a run's steps to the state of the run, in the same words for every backend. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from sqlflow_operator.api import Phase, StepPhase, StepStatus
from sqlflow_operator.kube.objects import Pod
from sqlflow_operator.workflow.observe.reasons import CANCELLED_MESSAGE, Explanation, overdue
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepState
from sqlflow_operator.workflow.observe.waiting import explain_events, explain_waiting

Times = Mapping[str, str | None]
"""`started_at` and `finished_at` of a run, as far as they are known."""

S = TypeVar("S", bound=StepStatus)


def end_steps(steps: Sequence[S], message: Callable[[S], str | None], *, blame_next: bool = True) -> tuple[S, ...]:
    """The steps of a run that has failed: those that were running failed, those that had not started never will.

    Args:
        steps: the steps as they were last known.
        message: the message of a step that failed.
        blame_next: if no step failed or was running, the next one failed.
    """
    failed = {step.name for step in steps if step.phase in (StepPhase.RUNNING, StepPhase.FAILED)}
    if not failed and blame_next:
        failed = {step.name for step in list(filter(unfinished, steps))[:1]}
    return tuple(
        step
        if not unfinished(step)
        else step.replace(phase=StepPhase.FAILED, message=message(step))
        if step.name in failed
        else step.replace(phase=StepPhase.SKIPPED, message=None)
        for step in steps
    )


def unfinished(step: StepStatus) -> bool:
    """True if a step has not succeeded."""
    return step.phase is not StepPhase.SUCCEEDED


def succeeded(steps: Sequence[StepState], times: Times) -> RunState:
    """A run that has succeeded: so have all steps, even if the pod is gone or was not yet seen to have ended."""
    done = tuple(step.replace(phase=StepPhase.SUCCEEDED, message=None, exit_code=None) for step in steps)
    return RunState(phase=Phase.SUCCEEDED, reason=Reason.SUCCEEDED, message="all steps are done", steps=done, **times)


def failed(
    objects: RunObjects,
    steps: Sequence[StepState],
    why: Explanation,
    times: Times,
    *,
    unexplained: Callable[[StepState], str],
    blame_next: bool = True,
) -> RunState:
    """A run that has failed; its message names the first step that did.

    Args:
        objects: the run's objects.
        steps: its steps.
        why: the reason. A deadline or a cancellation is the reason of every step that it stopped.
        times: the start and the end of the run.
        unexplained: the message of a step that failed without one of its own.
        blame_next: see `end_steps`.
    """
    reason, message = why

    def words(step: StepState) -> str:
        if reason is Reason.DEADLINE_EXCEEDED:
            return overdue(step, objects, times["finished_at"])
        return CANCELLED_MESSAGE if reason is Reason.CANCELLED else step.message or unexplained(step)

    ended = end_steps(steps, words, blame_next=blame_next)
    failing = next((step for step in ended if step.phase is StepPhase.FAILED), None)
    if failing:
        late = reason is Reason.DEADLINE_EXCEEDED and failing.message
        message = f"step {failing.name} failed: {late or message}"
    return RunState(phase=Phase.FAILED, reason=reason, message=message, steps=ended, **times)


def suspended(steps: Sequence[StepState], message: str, times: Times) -> RunState:
    """A suspended run: steps that were running, or had failed and may be tried again, wait."""
    paused = tuple(
        step.replace(phase=StepPhase.PENDING, message=None, exit_code=None) if unfinished(step) else step
        for step in steps
    )
    return RunState(phase=Phase.SUSPENDED, reason=Reason.SUSPENDED, message=message, steps=paused, **times)


def active(
    objects: RunObjects,
    steps: tuple[StepState, ...],
    again: Collection[str],
    pods: Sequence[Pod],
    times: Times,
) -> RunState:
    """A run that has not ended. Its message names a step that has failed first, whatever else the run does.

    Args:
        objects: the run's objects.
        steps: its steps.
        again: the names of the steps that have failed and may be tried again.
        pods: the pods that may show a reason to wait, the most relevant last.
        times: the start of the run.
    """
    found = [why for pod in reversed(pods) if (why := explain_waiting(pod))]
    waiting = found[0] if found else explain_events(objects.events)
    # The pod of a step that has failed may be gone, and with it the number of its starts.
    begun = any(step.attempts or step.phase is StepPhase.FAILED for step in steps)
    phase = Phase.RUNNING if begun else Phase.PENDING
    failed = next((step for step in steps if step.phase is StepPhase.FAILED), None)
    if waiting:
        reason, message = waiting
        steps = _with_waiting(steps, message)
    elif phase is Phase.PENDING:
        shown = next((step.message for step in steps if step.message), None)
        reason, message = Reason.STARTING, shown or ("waiting for the pod to start" if pods else "waiting for a pod")
    else:
        reason, message = Reason.RUNNING, _running_message(objects, steps, failed)
    if failed:
        tried = " (it may be tried again)" if failed.name in again else ""
        failure = f"step {failed.name} failed{tried}: {failed.message}"
        message = f"{failure}; {message}" if message else failure
    return RunState(phase=phase, reason=reason, message=message, steps=steps, **times)


def _with_waiting(steps: tuple[StepState, ...], message: str) -> tuple[StepState, ...]:
    """The steps with the reason the pod waits at the step that it would run next."""
    if any(step.phase is StepPhase.PENDING and step.message for step in steps):
        return steps  # the step of that very pod has it already
    name = next((step.name for step in steps if step.phase is StepPhase.PENDING), None)
    return tuple(step.replace(message=message) if step.name == name else step for step in steps)


def _running_message(objects: RunObjects, steps: Sequence[StepState], failed: StepState | None) -> str:
    """The message of a run that is running; "" if a step has failed and there is nothing to add."""
    running = [step for step in steps if step.phase is StepPhase.RUNNING]
    if len(running) > 1:
        names = ", ".join(step.name for step in running[:3])
        more = f" and {len(running) - 3} more" if len(running) > 3 else ""
        return f"running steps {names}{more}"
    if running:
        step = running[0]
        first = objects.statements.get(step.statements[0]) if step.statements else None
        title = f": {first.title}" if first and len(step.statements) == 1 else ""
        attempt = f", attempt {step.attempts}" if step.attempts > 1 else ""
        return f"running step {step.name}{title}{attempt}"
    if failed:
        return ""
    waiting = next((step for step in steps if step.phase is StepPhase.PENDING), None)
    return f"starting step {waiting.name}" if waiting else "finishing"
