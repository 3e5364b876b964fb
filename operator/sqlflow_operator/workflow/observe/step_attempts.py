"""From the containers of a run's pods to the states of its steps. Pure.

A step runs as an init container among others, or as the only interesting container of a pod of its own. A backend says
so by its `Places`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlflow_codegen.contract import EXIT_SKIPPED, OWN_FAILURES, Flag
from sqlflow_codegen.ranges import parse_ranges

from sqlflow_operator.api import StepPhase
from sqlflow_operator.kube.objects import ContainerState, Pod, PodContainer, TerminatedState
from sqlflow_operator.workflow.observe.pods import status_of
from sqlflow_operator.workflow.observe.reasons import Explanation, explain_failure, interruption, where
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, StepReport, StepState
from sqlflow_operator.workflow.observe.step_report import report_from_message

Places = Callable[[Pod], Mapping[str, str]]
"""From a pod to the steps that it runs: the name of each step to the name of its container."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One container of one pod: one attempt of one step."""

    pod: Pod
    container: str
    state: ContainerState
    """The container's `state`: waiting, running or terminated."""

    @property
    def pod_name(self) -> str:
        """The name of the pod."""
        return str(self.pod["metadata"]["name"])

    @property
    def terminated(self) -> TerminatedState | None:
        """The container's `state.terminated`, or None."""
        return self.state.get("terminated")

    @property
    def started(self) -> bool:
        """True once its process was started, or would have been if that had been possible."""
        if self.terminated is not None and self.terminated.get("reason") == "ContainerStatusUnknown":
            return bool(self.terminated.get("startedAt"))  # its pod went before its image came
        return bool(self.state.get("running") or self.terminated)

    @property
    def succeeded(self) -> bool:
        """True if it ended with exit code 0."""
        return self.terminated is not None and self.terminated.get("exitCode") == 0


def steps_of_template(containers: Iterable[PodContainer]) -> tuple[StepState, ...]:
    """The steps of these containers of a child's pod template, in order, all of them pending.

    The child says it, not the program: another version of the operator might divide the same program otherwise.
    """
    return tuple(map(_step_of, containers))


def _step_of(container: PodContainer) -> StepState:
    name = str(container.get("name", ""))
    arguments = [str(argument) for argument in container.get("args") or ()]
    ranges = arguments[arguments.index(Flag.STATEMENTS) + 1] if Flag.STATEMENTS in arguments[:-1] else ""
    try:
        statements = parse_ranges(ranges)
    except ValueError:  # a container that somebody else has changed
        statements = ()
    return StepState(name=name, kind=name.partition("-")[2], statements=statements)


def attempts_of(step: str, pods: Sequence[Pod], places: Places) -> list[Attempt]:
    """The attempts of a step, the oldest first; a pod without a status counts as waiting."""
    found = []
    for pod in pods:
        container = places(pod).get(step)
        if container is not None:
            found.append(Attempt(pod, container, status_of(pod, container).get("state") or {}))
    return found


def observe_step(
    step: StepState, objects: RunObjects, attempts: Sequence[Attempt]
) -> tuple[StepState, Explanation | None]:
    """The state of a step, and the reason if it failed.

    A step that succeeded once stays so: its statements are committed, and a later attempt of the run only finds that.
    """
    good = next((attempt for attempt in attempts if attempt.succeeded), None)
    latest = good or (attempts[-1] if attempts else None)
    if latest is None:
        return _remembered(step, objects), None
    started = [attempt for attempt in attempts if attempt.started]
    ran = latest if latest.started or not started else started[-1]
    started_at, finished_at = _times(latest.state)
    report = report_of(latest, objects)
    step = step.replace(
        phase=_phase(latest),
        attempts=len(started),
        started_at=started_at,
        finished_at=finished_at,
        pod=ran.pod_name if ran.started else None,
        container=ran.container if ran.started else None,
        outcome=report.outcome,
    )
    if step.phase is not StepPhase.FAILED or latest.terminated is None:
        return step, None
    why = explain_failure(latest.container, step.statements, latest.terminated, latest.pod, report, objects.statements)
    statement = report.outcome.error.statement if report.outcome.error else report.statement
    code = latest.terminated.get("exitCode")
    return step.replace(exit_code=code, message=why[1], statement=statement, seconds=report.seconds), why


def _phase(attempt: Attempt) -> StepPhase:
    if attempt.terminated is None:
        return StepPhase.RUNNING if attempt.started else StepPhase.PENDING
    skipped = attempt.terminated.get("exitCode") == EXIT_SKIPPED
    return StepPhase.SUCCEEDED if attempt.succeeded else StepPhase.SKIPPED if skipped else StepPhase.FAILED


def _remembered(step: StepState, objects: RunObjects) -> StepState:
    """A step that no pod shows any more: one that succeeded stays so."""
    known = objects.known.get(step.name)
    succeeded = known is not None and known.phase is StepPhase.SUCCEEDED
    return step.replace(phase=StepPhase.SUCCEEDED) if succeeded else step


def explain_gone(step: StepState, objects: RunObjects, why: str) -> Explanation:
    """The reason a step failed whose pod is gone: the end that the pod last showed, else the interrupted statements.

    Args:
        step: the step.
        objects: the run's objects.
        why: what became of the pod, as a sentence.
    """
    place = where(step.statements, 0, objects.statements)
    return known_failure(step, objects) or (Reason.POD_LOST, interruption(place, why))


def known_failure(step: StepState, objects: RunObjects) -> Explanation | None:
    """The reason a step failed according to the job's last status; None if it did not."""
    known = objects.known.get(step.name)
    if known is None or known.phase is not StepPhase.FAILED or not known.message:
        return None
    return Reason.STEP_FAILED if known.exit_code in OWN_FAILURES else Reason.POD_LOST, known.message


def report_of(attempt: Attempt, objects: RunObjects) -> StepReport:
    """The report of an attempt: from its log if that was read, else from its termination message."""
    read = objects.reports.get((attempt.pod_name, attempt.container))
    return read or report_from_message((attempt.terminated or {}).get("message") or "") or StepReport()


def _times(state: ContainerState) -> tuple[str | None, str | None]:
    """The start and the end of a container."""
    ended = state.get("terminated")
    if ended is None:
        return (state.get("running") or {}).get("startedAt"), None
    # A container that could not be started carries the epoch.
    started = ended.get("startedAt")
    return (None if str(started).startswith("1970-") else started), ended.get("finishedAt")
