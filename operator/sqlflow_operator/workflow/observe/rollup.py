"""From the states of a run's steps to the state of the run, in the same words for every backend. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlflow_operator.api import Phase, StepPhase
from sqlflow_operator.workflow.observe.reasons import explain_events, explain_waiting
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepState

Times = Mapping[str, str | None]
"""`started_at` and `finished_at` of a run, as far as they are known."""


def succeeded(steps: tuple[StepState, ...], times: Times) -> RunState:
    """The engine's word counts: a pod that is gone, or not yet seen to have ended, takes nothing from it."""
    done = tuple(replace(step, phase=StepPhase.SUCCEEDED, message="", exit_code=None) for step in steps)
    return RunState(phase=Phase.SUCCEEDED, reason=Reason.SUCCEEDED, message="all steps are done", steps=done, **times)


def failed(steps: tuple[StepState, ...], reason: Reason, message: str, times: Times) -> RunState:
    """A run that has failed, with the first step that did named."""
    failing = next((step.name for step in steps if step.phase is StepPhase.FAILED), "")
    text = f"step {failing} failed: {message}" if failing else message
    return RunState(phase=Phase.FAILED, reason=reason, message=text, steps=steps, **times)


def suspended(steps: tuple[StepState, ...], message: str, times: Times) -> RunState:
    """A run that is held: what was running, or had failed and may be tried again, waits."""
    paused = tuple(_paused(step) for step in steps)
    return RunState(phase=Phase.SUSPENDED, reason=Reason.SUSPENDED, message=message, steps=paused, **times)


def _paused(step: StepState) -> StepState:
    if step.phase is StepPhase.SUCCEEDED:
        return step
    return replace(step, phase=StepPhase.PENDING, message="", exit_code=None)


def active(
    objects: RunObjects,
    steps: tuple[StepState, ...],
    again: Collection[str],
    pods: Sequence[Mapping[str, Any]],
    times: Times,
) -> RunState:
    """A run that goes on. Its message names a step that has failed first, whatever else the run does.

    Args:
        objects: the run's objects.
        steps: its steps.
        again: names of the steps that have failed and may be tried again.
        pods: those of the run's pods that are worth asking what they wait for, the most telling last.
        times: when it started.
    """
    found = [why for pod in reversed(pods) if (why := explain_waiting(pod))]
    waiting = found[0] if found else explain_events(objects.events)
    # Of a step that has failed nobody may know how often it was started: its pod is gone.
    begun = any(step.attempts or step.phase is StepPhase.FAILED for step in steps)
    phase = Phase.RUNNING if begun else Phase.PENDING
    failed = next((step for step in steps if step.phase is StepPhase.FAILED), None)
    if waiting:
        reason, message = waiting
        steps = _tell_waiting(steps, message)
    elif phase is Phase.PENDING:
        told = next((step.message for step in steps if step.message), "")
        reason, message = Reason.STARTING, told or ("waiting for the pod to start" if pods else "waiting for a pod")
    else:
        reason, message = Reason.RUNNING, _running_message(objects, steps, failed)
    if failed:
        message = f"{_failure_message(failed, again)}; {message}" if message else _failure_message(failed, again)
    return RunState(phase=phase, reason=reason, message=message, steps=steps, **times)


def _failure_message(failed: StepState, again: Collection[str]) -> str:
    tried = " (it may be tried again)" if failed.name in again else ""
    return f"step {failed.name} failed{tried}: {failed.message}"


def _tell_waiting(steps: tuple[StepState, ...], message: str) -> tuple[StepState, ...]:
    """Put what the pod waits for on the step that it would run next."""
    if any(step.phase is StepPhase.PENDING and step.message for step in steps):
        return steps  # the step of that very pod tells it already
    name = next((step.name for step in steps if step.phase is StepPhase.PENDING), None)
    return tuple(replace(step, message=message) if step.name == name else step for step in steps)


def _running_message(objects: RunObjects, steps: tuple[StepState, ...], failed: StepState | None) -> str:
    """What a run does; "" where a step has failed and nothing else is to be said."""
    running = [step for step in steps if step.phase is StepPhase.RUNNING]
    if len(running) > 1:
        names = ", ".join(step.name for step in running[:3])
        more = f" and {len(running) - 3} more" if len(running) > 3 else ""
        return f"running steps {names}{more}"
    if running:
        step = running[0]
        first = objects.statements.get(step.statements[0]) if step.statements else None
        what = f": {first.title}" if first and len(step.statements) == 1 else ""
        attempt = f", attempt {step.attempts}" if step.attempts > 1 else ""
        return f"running step {step.name}{what}{attempt}"
    if failed:
        return ""
    waiting = next((step for step in steps if step.phase is StepPhase.PENDING), None)
    return f"starting step {waiting.name}" if waiting else "finishing"
