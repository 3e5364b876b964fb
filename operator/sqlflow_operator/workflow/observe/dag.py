"""What the backends have in common whose engine runs a DAG, a pod for each attempt at a step. Pure.

Two sources are joined. The pods are fresh and know why: exit codes, reasons, the step's own words. The engine's
objects lag behind, but know what no pod can tell: that a step is skipped, that a run is over, and, when the pods are
gone, what became of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlflow_codegen.contract import EXIT_SKIPPED, EXIT_STOPPED, FINAL_EXIT_CODES, Outcome

from sqlflow_operator.api import Phase, StepPhase
from sqlflow_operator.workflow.observe import rollup
from sqlflow_operator.workflow.observe.pods import (
    FINISH,
    Attempt,
    Places,
    attempts_of,
    by_age,
    explain_gone,
    known_failure,
    last_end,
    observe_step,
)
from sqlflow_operator.workflow.observe.reasons import (
    CANCELLED_MESSAGE,
    DEADLINE_MESSAGE,
    POD_DELETED,
    POD_GONE,
    Explanation,
    explain_failure,
    explain_waiting,
    overdue,
)
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepReport, StepState


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStep:
    """What the engine says of a step.

    Attributes:
        phase: None where it does not tell.
        attempts: how often it was started, as far as the engine counts.
        message: the engine's own words; of a step that waits, what it waits for.
        reason: what those words mean.
        outcome: what the step left behind, where the engine keeps it.
    """

    phase: StepPhase | None = None
    attempts: int = 0
    started_at: str | None = None
    finished_at: str | None = None
    exit_code: int | None = None
    message: str = ""
    reason: Reason = Reason.STEP_FAILED
    outcome: Outcome = field(default_factory=Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRun:
    """What the engine says of a run.

    Attributes:
        phase: where it stands.
        why: what put an end to the whole run (deadline, cancellation, a graph that cannot be); None where a step did.
        doubt: what cannot be known of it now, in one sentence; "" where nothing is missing.
        retries: how often a step that fails is tried again.
    """

    phase: Phase
    why: Explanation | None = None
    doubt: str = ""
    retries: int = 0
    started_at: str | None = None
    finished_at: str | None = None


Observed = tuple[StepState, Explanation | None]


def observe(
    objects: RunObjects, planned: Sequence[StepState], places: Places, run: EngineRun, steps: Mapping[str, EngineStep]
) -> RunState:
    """The state of a run of a DAG.

    Args:
        objects: the run's objects.
        planned: the steps that the child has, nothing done yet, FINISH among them where there is one.
        places: where in a pod its step runs.
        run: what the engine says of the run.
        steps: what it says of its steps, by name.
    """
    pods = by_age(objects.pods)
    observed = [_join(step, objects, attempts_of(step.name, pods, places), steps.get(step.name)) for step in planned]
    shown = [(step, why) for step, why in observed if step.name != FINISH]
    states = tuple(step for step, _ in shown)
    times = {"started_at": run.started_at, "finished_at": None}
    if run.phase is Phase.SUCCEEDED:
        return rollup.succeeded(states, times | {"finished_at": run.finished_at})
    if run.phase is Phase.FAILED:
        return _failed(observed, objects, run, times | {"finished_at": run.finished_at})
    if run.phase is Phase.SUSPENDED and not any(step.phase is StepPhase.RUNNING for step in states):
        return rollup.suspended(states, "suspended; set spec.suspend to false to go on", times)
    if observed and all(step.phase is StepPhase.SUCCEEDED for step, _ in observed):
        # The engine takes up to ten seconds to draw the conclusion that its pods allow at once.
        return rollup.succeeded(states, times | {"finished_at": _last_end(pods)})
    late = any(why and why[0] is Reason.DEADLINE_EXCEEDED for _, why in shown)
    if late and not any(step.phase is StepPhase.RUNNING for step in states):
        # So is what pods show that were ended at the run's deadline: nothing is started behind it.
        return _failed(observed, objects, run, times | {"finished_at": _last_end(pods)})
    again = [step.name for step, _ in shown if _may_run_again(step, run, steps.get(step.name))]
    state = rollup.active(objects, states, again, _telling(pods, places, states), times)
    doubt = _suspending(run) or run.doubt
    return replace(state, message=f"{state.message}; {doubt}") if doubt else state


def _last_end(pods: Sequence[Mapping[str, Any]]) -> str | None:
    """When the last container that has ended did so."""
    return max(filter(None, map(last_end, pods)), default=None)


def _may_run_again(step: StepState, run: EngineRun, engine: EngineStep | None) -> bool:
    """True where a step has failed and its engine may try it again."""
    if step.phase is not StepPhase.FAILED or (engine and engine.phase is StepPhase.FAILED):
        return False
    return step.attempts <= run.retries and step.exit_code not in FINAL_EXIT_CODES


def _suspending(run: EngineRun) -> str:
    held = run.phase is Phase.SUSPENDED
    return "suspended: what runs ends, nothing else starts until spec.suspend is false" if held else ""


def _telling(pods: Sequence[Mapping[str, Any]], places: Places, steps: Sequence[StepState]) -> list[Mapping[str, Any]]:
    """The pods to be asked what they wait for: those of steps that have not started."""
    waiting = {step.name for step in steps if step.phase is StepPhase.PENDING}
    return [pod for pod in pods if waiting & places(pod).keys()]


def _join(step: StepState, objects: RunObjects, attempts: Sequence[Attempt], engine: EngineStep | None) -> Observed:
    """A step as its pods and the engine show it."""
    seen, why = observe_step(step, objects, [_whole(attempt) for attempt in attempts])
    if seen.phase is StepPhase.PENDING and attempts:
        waiting = explain_waiting(attempts[-1].pod)
        seen = replace(seen, message=waiting[1] if waiting else "")
    if engine is None or engine.phase is None:
        return seen, why
    seen = replace(
        seen,
        # Pods tell what was started; an engine counts what it tried to start, which is all there is without pods.
        attempts=seen.attempts if attempts else engine.attempts,
        started_at=seen.started_at if attempts else engine.started_at,
        finished_at=seen.finished_at or engine.finished_at,
        exit_code=seen.exit_code if seen.exit_code is not None else engine.exit_code,
        outcome=seen.outcome if seen.outcome != Outcome() else engine.outcome,
    )
    match engine.phase:
        case StepPhase.SUCCEEDED:
            return replace(seen, phase=StepPhase.SUCCEEDED, message="", exit_code=None), None
        case StepPhase.SKIPPED:
            return replace(seen, phase=StepPhase.SKIPPED, message=""), None
        case StepPhase.FAILED if seen.phase is StepPhase.SKIPPED or seen.exit_code == EXIT_SKIPPED:
            return replace(seen, phase=StepPhase.SKIPPED, message="", exit_code=None), None
        case StepPhase.FAILED:
            return _engine_failed(seen, why, engine, objects)
        case _ if not attempts or (seen.phase is StepPhase.PENDING and not seen.message):
            return replace(seen, phase=engine.phase if not attempts else seen.phase, message=engine.message), why
        case _:
            return seen, why


def _engine_failed(seen: StepState, why: Explanation | None, engine: EngineStep, objects: RunObjects) -> Observed:
    """A step that has failed for good, as the engine says: told by its pod where that has more to say."""
    if why is None or why[0] is Reason.POD_LOST:
        why = _engine_reason(seen, why, engine, objects)
    ended = seen.finished_at or engine.finished_at
    code = seen.exit_code or None  # of a step that ended well in a pod that did not
    return replace(seen, phase=StepPhase.FAILED, finished_at=ended, exit_code=code, message=why[1]), why


def _engine_reason(seen: StepState, why: Explanation | None, engine: EngineStep, objects: RunObjects) -> Explanation:
    """Why a step failed whose pod does not say it, or says only that it was interrupted."""
    if engine.message and engine.reason not in (Reason.STEP_FAILED, Reason.POD_LOST):
        return engine.reason, engine.message  # such as a deadline, which interrupts a pod
    if why is not None:
        return why
    if engine.outcome.error is not None or seen.exit_code == EXIT_STOPPED:
        report = StepReport(engine.outcome)
        ended = {"exitCode": seen.exit_code}
        return explain_failure("", seen.statements, ended, _DELETED_POD, report, objects.statements)
    if engine.reason is Reason.POD_LOST or not engine.message:
        return explain_gone(seen, objects, POD_DELETED if engine.message else POD_GONE)
    return known_failure(seen, objects) or (engine.reason, engine.message)


_DELETED_POD: Mapping[str, Any] = {"metadata": {"deletionTimestamp": ""}}
"""What is known of a pod that is not there any more although its engine keeps the pods of a run."""


def _whole(attempt: Attempt) -> Attempt:
    """The attempt, still running where the step has ended well but its pod has not: what follows may yet fail."""
    terminated, phase = attempt.terminated, (attempt.pod.get("status") or {}).get("phase")
    if terminated is None or not attempt.succeeded or phase == "Succeeded":
        return attempt
    return replace(attempt, state={"running": {"startedAt": terminated.get("startedAt")}})


def _failed(observed: Sequence[Observed], objects: RunObjects, run: EngineRun, times: rollup.Times) -> RunState:
    """The state of a run that has failed: who is to blame, and what never ran."""
    reason, message = run.why or next((why for _, why in observed if why), None) or _unexplained(observed, objects)
    stopped = {Reason.DEADLINE_EXCEEDED: DEADLINE_MESSAGE, Reason.CANCELLED: CANCELLED_MESSAGE}.get(reason)
    instead = stopped or (run.why[1] if run.why else "")
    shown = [step for step, _ in observed if step.name != FINISH]
    if reason is Reason.DEADLINE_EXCEEDED:
        words = {step.name: overdue(step, objects, times["finished_at"]) for step in shown}
    else:
        words = dict.fromkeys((step.name for step in shown), stopped or "")
    steps = tuple(_final(step, objects, words[step.name], instead) for step in shown)
    if stopped and not any(step.phase is StepPhase.FAILED for step in steps):
        steps = _blame_next(steps, stopped)
    if reason is Reason.DEADLINE_EXCEEDED:
        message = next((step.message for step in steps if step.phase is StepPhase.FAILED), message)
    return rollup.failed(steps, reason, message, times)


def _unexplained(observed: Sequence[Observed], objects: RunObjects) -> Explanation:
    """Why a run failed of which neither the engine nor a pod says why: the pod of the step that was at work is gone."""
    working = next((step for step, _ in observed if step.phase in (StepPhase.RUNNING, StepPhase.FAILED)), None)
    return explain_gone(working, objects, POD_GONE) if working else (Reason.POD_LOST, POD_GONE)


def _final(step: StepState, objects: RunObjects, stopped: str, instead: str) -> StepState:
    """A step of a run that is over: one that was at work failed, one that was not never ran.

    Args:
        step: the step.
        objects: the run's objects.
        stopped: what stopped the whole run, which is the reason of every step that it stopped.
        instead: the reason of a step that has none of its own; "" where its pod is gone.
    """
    if step.phase is StepPhase.RUNNING:
        message = stopped or step.message or instead or explain_gone(step, objects, POD_GONE)[1]
        return replace(step, phase=StepPhase.FAILED, message=message)
    if step.phase is StepPhase.FAILED:
        return replace(step, message=stopped or step.message)
    if step.phase is StepPhase.PENDING:
        return replace(step, phase=StepPhase.SKIPPED, message="")
    return step


def _blame_next(steps: tuple[StepState, ...], message: str) -> tuple[StepState, ...]:
    """Where a run was stopped between two steps, the one that would have been next is the one that failed."""
    name = next((step.name for step in steps if step.phase is StepPhase.SKIPPED), None)
    return tuple(
        replace(step, phase=StepPhase.FAILED, message=message) if step.name == name else step for step in steps
    )
