"""Joins pods and engine to the state of a run, for backends whose engine runs a DAG, a pod for each attempt. Pure.

The pods are fresh and show reasons: exit codes, the step's own report. The engine's objects lag behind, but show what
no pod can: that a step is skipped, that a run has ended and, when the pods are gone, how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlflow_codegen.contract import EXIT_SKIPPED, EXIT_STOPPED, FINAL_EXIT_CODES, Outcome

from sqlflow_operator.api import Phase, StepPhase
from sqlflow_operator.kube.objects import Pod, TerminatedState
from sqlflow_operator.workflow.observe import rollup
from sqlflow_operator.workflow.observe.pods import FINISH, by_age, last_end, phase_of
from sqlflow_operator.workflow.observe.reasons import POD_DELETED, POD_GONE, Explanation, explain_failure
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepReport, StepState
from sqlflow_operator.workflow.observe.step_attempts import (
    Attempt,
    Places,
    attempts_of,
    explain_gone,
    known_failure,
    observe_step,
)
from sqlflow_operator.workflow.observe.waiting import explain_waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStep:
    """A step as the engine shows it.

    Attributes:
        phase: the phase, or None if the engine does not show it.
        attempts: the number of its starts, as far as the engine counts them.
        message: the engine's own words; of a step that waits, the reason.
        reason: what those words mean.
        outcome: the outcome that the step reported, if the engine keeps it.
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
    """A run as the engine shows it.

    Attributes:
        phase: the phase.
        why: the reason the whole run ended (deadline, cancellation, an impossible graph); None if a step's end did it.
        doubt: what cannot be known of it now, in one sentence; "" if nothing is missing.
        retries: the number of times that a step that fails is tried again.
    """

    phase: Phase
    why: Explanation | None = None
    doubt: str = ""
    retries: int = 0
    started_at: str | None = None
    finished_at: str | None = None


Observed = tuple[StepState, Explanation | None]

_DELETED_POD: Pod = {"metadata": {"deletionTimestamp": ""}}
"""Stands for a pod that is gone although its engine keeps the pods of a run."""


def observe_dag(
    objects: RunObjects, planned: Sequence[StepState], places: Places, run: EngineRun, steps: Mapping[str, EngineStep]
) -> RunState:
    """The state of a run of a DAG.

    Args:
        objects: the run's objects.
        planned: the steps of the child, all pending; FINISH is one of them if the child has it.
        places: the container of each step in a pod.
        run: the run as the engine shows it.
        steps: its steps as the engine shows them, by name.
    """
    pods = by_age(objects.pods)
    observed = [_join(step, objects, attempts_of(step.name, pods, places), steps.get(step.name)) for step in planned]
    shown = [(step, why) for step, why in observed if step.name != FINISH]
    states = tuple(step for step, _ in shown)
    started, ended = {"started_at": run.started_at}, {"started_at": run.started_at, "finished_at": run.finished_at}
    if run.phase is Phase.SUCCEEDED:
        return rollup.succeeded(states, ended)
    if run.phase is Phase.FAILED:
        return _failed(observed, objects, run, ended)
    at_work = any(step.phase is StepPhase.RUNNING for step in states)
    if run.phase is Phase.SUSPENDED and not at_work:
        return rollup.suspended(states, "suspended; set spec.suspend to false to go on", started)
    ended["finished_at"] = last_end(*pods)
    if observed and not any(rollup.unfinished(step) for step, _ in observed):
        # The engine takes up to ten seconds to draw the conclusion that its pods allow at once.
        return rollup.succeeded(states, ended)
    if any(why and why[0] is Reason.DEADLINE_EXCEEDED for _, why in shown) and not at_work:
        # Nor does it start anything after pods that were ended at the run's deadline.
        return _failed(observed, objects, run, ended)
    again = [step.name for step, _ in shown if _may_run_again(step, run, steps.get(step.name))]
    waiting = {step.name for step in states if step.phase is StepPhase.PENDING}
    state = rollup.active(objects, states, again, [pod for pod in pods if waiting & places(pod).keys()], started)
    held = "suspended: what runs ends, nothing else starts until spec.suspend is false"
    doubt = held if run.phase is Phase.SUSPENDED else run.doubt
    return replace(state, message=f"{state.message}; {doubt}") if doubt else state


def _may_run_again(step: StepState, run: EngineRun, engine: EngineStep | None) -> bool:
    """True if a step has failed and its engine may try it again."""
    if step.phase is not StepPhase.FAILED or (engine and engine.phase is StepPhase.FAILED):
        return False
    return step.attempts <= run.retries and step.exit_code not in FINAL_EXIT_CODES


def _join(step: StepState, objects: RunObjects, attempts: Sequence[Attempt], engine: EngineStep | None) -> Observed:
    """A step as its pods and the engine show it."""
    seen, why = observe_step(step, objects, [_whole(attempt) for attempt in attempts])
    if seen.phase is StepPhase.PENDING and attempts and (waiting := explain_waiting(attempts[-1].pod)):
        seen = seen.replace(message=waiting[1])
    if engine is None or engine.phase is None:
        return seen, why
    seen = seen.replace(
        # Pods show what was started; an engine counts what it tried to start, which is all there is without pods.
        attempts=seen.attempts if attempts else engine.attempts,
        started_at=seen.started_at if attempts else engine.started_at,
        finished_at=seen.finished_at or engine.finished_at,
        exit_code=seen.exit_code if seen.exit_code is not None else engine.exit_code,
        outcome=seen.outcome if seen.outcome != Outcome() else engine.outcome,
    )
    match engine.phase:
        case StepPhase.SUCCEEDED:
            return seen.replace(phase=StepPhase.SUCCEEDED, message=None, exit_code=None), None
        case StepPhase.SKIPPED:
            return seen.replace(phase=StepPhase.SKIPPED, message=None), None
        case StepPhase.FAILED if seen.phase is StepPhase.SKIPPED or seen.exit_code == EXIT_SKIPPED:
            return seen.replace(phase=StepPhase.SKIPPED, message=None, exit_code=None), None
        case StepPhase.FAILED:
            return _engine_failed(seen, why, engine, objects)
        case _ if not attempts or (seen.phase is StepPhase.PENDING and not seen.message):
            phase = seen.phase if attempts else engine.phase
            return seen.replace(phase=phase, message=engine.message or None), why
        case _:
            return seen, why


def _engine_failed(seen: StepState, why: Explanation | None, engine: EngineStep, objects: RunObjects) -> Observed:
    """A step that has failed for good according to the engine, with its pod's reason if that says more."""
    if why is None or why[0] is Reason.POD_LOST:
        why = _engine_reason(seen, why, engine, objects)
    code = seen.exit_code or None  # of a step that succeeded in a pod that did not
    return seen.replace(phase=StepPhase.FAILED, exit_code=code, message=why[1]), why


def _engine_reason(seen: StepState, why: Explanation | None, engine: EngineStep, objects: RunObjects) -> Explanation:
    """The reason a step failed whose pod does not show it, or shows only that it was interrupted."""
    if engine.message and engine.reason not in (Reason.STEP_FAILED, Reason.POD_LOST):
        return engine.reason, engine.message  # such as a deadline, which interrupts a pod
    if why is not None:
        return why
    if engine.outcome.error is not None or seen.exit_code == EXIT_STOPPED:
        report = StepReport(engine.outcome)
        ended: TerminatedState = {"exitCode": seen.exit_code or 0}
        return explain_failure("", seen.statements, ended, _DELETED_POD, report, objects.statements)
    if engine.reason is Reason.POD_LOST or not engine.message:
        return explain_gone(seen, objects, POD_DELETED if engine.message else POD_GONE)
    return known_failure(seen, objects) or (engine.reason, engine.message)


def _whole(attempt: Attempt) -> Attempt:
    """The attempt, still running if the step has succeeded but its pod has not: what follows may yet fail."""
    if attempt.terminated is None or not attempt.succeeded or phase_of(attempt.pod) == "Succeeded":
        return attempt
    return replace(attempt, state={"running": {"startedAt": attempt.terminated.get("startedAt")}})


def _failed(observed: Sequence[Observed], objects: RunObjects, run: EngineRun, times: rollup.Times) -> RunState:
    """The state of a run that has failed."""
    why = run.why or next((why for _, why in observed if why), None) or _unexplained(observed, objects)
    return rollup.failed(
        objects,
        [step for step, _ in observed if step.name != FINISH],
        why,
        times,
        unexplained=lambda step: run.why[1] if run.why else explain_gone(step, objects, POD_GONE)[1],
        blame_next=why[0] in (Reason.DEADLINE_EXCEEDED, Reason.CANCELLED),
    )


def _unexplained(observed: Sequence[Observed], objects: RunObjects) -> Explanation:
    """The reason a run failed if neither the engine nor a pod shows one: the pod of the step at work is gone."""
    working = next((step for step, _ in observed if step.phase in (StepPhase.RUNNING, StepPhase.FAILED)), None)
    return explain_gone(working, objects, POD_GONE) if working else (Reason.POD_LOST, POD_GONE)
