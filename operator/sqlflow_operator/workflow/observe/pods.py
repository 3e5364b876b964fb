"""From the containers of a run's pods to the states of its steps.

Where a step runs differs: as an init container among others, or as the only interesting container of a pod of its
own. A backend says it by its `Places`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlflow_codegen.contract import (
    EXIT_DATABASE_UNREACHABLE,
    EXIT_SKIPPED,
    EXIT_STATEMENT_FAILED,
    EXIT_TRY_AGAIN,
    EXIT_USAGE,
    Argument,
)
from sqlflow_codegen.ranges import parse_ranges

from sqlflow_operator.api import StepPhase
from sqlflow_operator.workflow.observe.reasons import (
    Explanation,
    clip,
    disruption,
    explain_failure,
    interruption,
    where,
)
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, StepReport, StepState
from sqlflow_operator.workflow.observe.step_report import report_from_message

FINISH = "finish"
"""The container without statements that clears the ledger; no step of the program is called so."""

_OWN_ENDS = (EXIT_STATEMENT_FAILED, EXIT_USAGE, EXIT_DATABASE_UNREACHABLE, EXIT_TRY_AGAIN)
"""Exit codes of a step that failed by itself."""

Places = Callable[[Mapping[str, Any]], Mapping[str, str]]
"""From a pod to the steps that it runs: a step's name to the name of its container."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One container of one pod: one attempt of one step."""

    pod: Mapping[str, Any]
    container: str
    state: Mapping[str, Any]
    """The container's `state`: waiting, running or terminated."""

    @property
    def pod_name(self) -> str:
        """Name of the pod."""
        return str(self.pod["metadata"]["name"])

    @property
    def terminated(self) -> Mapping[str, Any] | None:
        """How it ended, or None."""
        return self.state.get("terminated")

    @property
    def started(self) -> bool:
        """True once its process was started, or would have been had it been possible."""
        if self.terminated is not None and self.terminated.get("reason") == "ContainerStatusUnknown":
            return bool(self.terminated.get("startedAt"))  # its pod went before its image came
        return bool(self.state.get("running") or self.terminated)

    @property
    def succeeded(self) -> bool:
        """True where it ended well."""
        return self.terminated is not None and self.terminated.get("exitCode") == 0


def steps_of_template(containers: Iterable[Mapping[str, Any]]) -> tuple[StepState, ...]:
    """The steps that a pod template runs, in order, nothing done yet.

    The child itself is asked, not the program: after an upgrade of the operator the same program might be divided
    otherwise.
    """
    return tuple(_step_of(container) for container in containers)


def _step_of(container: Mapping[str, Any]) -> StepState:
    name = str(container.get("name", ""))
    arguments = [str(argument) for argument in container.get("args") or ()]
    ranges = arguments[arguments.index(Argument.STATEMENTS) + 1] if Argument.STATEMENTS in arguments[:-1] else ""
    try:
        statements = parse_ranges(ranges)
    except ValueError:  # a container that somebody else has changed
        statements = ()
    return StepState(name=name, kind=name.partition("-")[2], statements=statements)


def by_age(pods: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Pods, the oldest first."""
    return sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]))


def attempts_of(step: str, pods: Sequence[Mapping[str, Any]], places: Places) -> list[Attempt]:
    """The attempts of a step, the oldest first; a pod whose kubelet has told nothing yet counts as waiting."""
    found = []
    for pod in pods:
        container = places(pod).get(step)
        if container is not None:
            state = next((s.get("state") or {} for s in statuses(pod) if s.get("name") == container), {})
            found.append(Attempt(pod, container, state))
    return found


def statuses(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statuses of all containers of a pod, init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def observe_step(
    step: StepState, objects: RunObjects, attempts: Sequence[Attempt]
) -> tuple[StepState, Explanation | None]:
    """The state of a step, and why it failed where it did.

    A step that ended well once stays so: its statements are committed, and a later attempt of the run only finds that.
    """
    started = sum(attempt.started for attempt in attempts)
    good = next((attempt for attempt in attempts if attempt.succeeded), None)
    latest = good or (attempts[-1] if attempts else None)
    if latest is None:
        return _remembered(step, objects), None
    started_at, finished_at = _times(latest.state)
    step = replace(step, attempts=started, started_at=started_at, finished_at=finished_at)
    ran = latest if latest.started else next((attempt for attempt in reversed(attempts) if attempt.started), None)
    step = replace(step, pod=ran.pod_name if ran else None, container=ran.container if ran else None)
    report = report_of(latest, objects)
    step = replace(step, outcome=report.outcome)
    if good:
        return replace(step, phase=StepPhase.SUCCEEDED), None
    if latest.terminated is None:
        return replace(step, phase=StepPhase.RUNNING if latest.started else StepPhase.PENDING), None
    if latest.terminated.get("exitCode") == EXIT_SKIPPED:
        return replace(step, phase=StepPhase.SKIPPED), None
    reason, message = explain_failure(
        latest.container, step.statements, latest.terminated, latest.pod, report, objects.statements
    )
    code = latest.terminated.get("exitCode")
    error = report.outcome.error
    step = replace(step, statement=error.statement if error else report.statement, seconds=report.seconds)
    return replace(step, phase=StepPhase.FAILED, exit_code=code, message=message), (reason, message)


def _remembered(step: StepState, objects: RunObjects) -> StepState:
    """A step that no pod shows any more: what was done stays done."""
    known = objects.known.get(step.name)
    done = known is not None and known.phase is StepPhase.SUCCEEDED
    return replace(step, phase=StepPhase.SUCCEEDED) if done else step


def explain_gone(step: StepState, objects: RunObjects, why: str) -> Explanation:
    """Why a step failed whose pod is gone: what the pod last showed of its end, else which statements were cut off.

    Args:
        step: the step.
        objects: the run's objects.
        why: what became of the pod, as a sentence.
    """
    place = where(step.statements, 0, objects.statements)
    return known_failure(step, objects) or (Reason.POD_LOST, interruption(place, why))


def known_failure(step: StepState, objects: RunObjects) -> Explanation | None:
    """Why a step failed as the status last showed it; None where it did not."""
    known = objects.known.get(step.name)
    if known is None or known.phase is not StepPhase.FAILED or not known.message:
        return None
    own_end = known.exit_code in _OWN_ENDS
    return Reason.STEP_FAILED if own_end else Reason.POD_LOST, known.message


def report_of(attempt: Attempt, objects: RunObjects) -> StepReport:
    """What that attempt left behind: from its log where that was read, else from its termination message."""
    read = objects.reports.get((attempt.pod_name, attempt.container))
    told = report_from_message((attempt.terminated or {}).get("message") or "")
    return read or told or StepReport()


def exit_codes(pod: Mapping[str, Any]) -> list[int]:
    """Exit codes of a pod's steps that have ended."""
    ended = [(status.get("state") or {}).get("terminated") for status in statuses(pod) if status.get("name") != FINISH]
    return [state.get("exitCode", 0) for state in ended if state]


def last_end(pod: Mapping[str, Any]) -> str | None:
    """When the last of a pod's containers that have ended did so; None where none has."""
    ends = [((status.get("state") or {}).get("terminated") or {}).get("finishedAt") for status in statuses(pod)]
    return max(filter(None, ends), default=None)


def lost_pod(pod: Mapping[str, Any]) -> str:
    """Why a pod ended as a whole, without one of its containers having said so, as a sentence; "" where it did not."""
    status = pod.get("status") or {}
    if status.get("phase") != "Failed":
        return ""
    words = clip(f"{status.get('reason') or ''}: {status.get('message') or ''}".strip(": "), 300)
    return disruption(pod) or (f"its pod failed: {words}" if words else "")


def _times(state: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """When a container started and ended."""
    ended = state.get("terminated")
    if ended is None:
        return (state.get("running") or {}).get("startedAt"), None
    # A container that could not be started carries the epoch.
    started = ended.get("startedAt")
    return (None if str(started).startswith("1970-") else started), ended.get("finishedAt")
