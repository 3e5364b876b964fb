"""Backend `job`: the run is one batch/v1 Job whose init containers are the steps, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlflow_codegen.records import EXIT_USAGE

from sqlflow_operator.api import Backend, StepPhase
from sqlflow_operator.kube import CONFIG_MAPS, JOBS, Kube
from sqlflow_operator.workflow.explain import Explanation, clip, disruption, explain_events
from sqlflow_operator.workflow.pods import (
    by_age,
    exit_codes,
    explain_lost_pod,
    explain_pending,
    last_end,
    observe_step,
    steps_of_template,
)
from sqlflow_operator.workflow.state import Reason, RunObjects, RunPhase, RunState, StepState
from sqlflow_operator.workflow.submit import submit_documents


class JobWorkflow:
    """Submits, observes and stops runs that are batch/v1 Jobs."""

    backend = Backend.JOB
    resource = JOBS

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    def submit(self, yaml: str) -> str:
        """See `Workflow`."""
        return submit_documents(self._kube, yaml, {"ConfigMap": CONFIG_MAPS, "Job": JOBS}, child="Job")

    def observe(self, objects: RunObjects) -> RunState:
        """See `Workflow`."""
        return observe(objects)

    def adjust(self, child: Mapping[str, Any], *, suspend: bool, deadline: int | None) -> dict[str, Any] | None:
        """See `Workflow`."""
        spec = child.get("spec") or {}
        wanted = {"suspend": suspend, "activeDeadlineSeconds": deadline}
        now = {"suspend": bool(spec.get("suspend")), "activeDeadlineSeconds": spec.get("activeDeadlineSeconds")}
        changed = {key: value for key, value in wanted.items() if value != now[key]}
        return {"spec": changed} if changed else None

    def stop(self, run_id: str) -> None:
        """See `Workflow`."""
        namespace, _, name = run_id.partition("/")
        self._kube.delete(JOBS, namespace, name)


def observe(objects: RunObjects) -> RunState:
    """The state of a run from its Job and the Job's pods. Pure."""
    job = objects.child
    status, spec = job.get("status") or {}, job.get("spec") or {}
    pods = by_age(objects.pods)
    template = ((spec.get("template") or {}).get("spec") or {}).get("initContainers") or ()
    observed = [observe_step(step, objects, pods) for step in steps_of_template(template)]
    steps = tuple(step for step, _ in observed)
    failure = next((why for _, why in observed if why), None)
    times = {"started_at": status.get("startTime") or job["metadata"].get("creationTimestamp")}
    if _condition(status, "Complete"):
        return _succeeded(steps, times | {"finished_at": status.get("completionTime")})
    failed = _condition(status, "Failed")
    if failed:
        return _failed(steps, failure, failed, pods, times)
    if spec.get("suspend"):
        paused = tuple(_paused(step) for step in steps)
        message = _suspended_message(template, paused)
        return RunState(phase=RunPhase.SUSPENDED, reason=Reason.SUSPENDED, message=message, steps=paused, **times)
    # The Job's controller takes a second or more to draw the conclusion that its pod allows at once.
    if pods and _pod_phase(pods[-1]) == "Succeeded":
        return _succeeded(steps, times | {"finished_at": last_end(pods[-1])})
    decided = _condition(status, "FailureTarget")
    if (decided and not any(_goes_on(pod) for pod in pods)) or _is_final_failure(spec, pods):
        decided = decided or {"lastTransitionTime": last_end(pods[-1])}
        return _failed(steps, failure, decided, pods, times)
    return _active(objects, steps, failure, pods, times)


def _pod_phase(pod: Mapping[str, Any]) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def _goes_on(pod: Mapping[str, Any]) -> bool:
    return _pod_phase(pod) not in ("Succeeded", "Failed")


def _is_final_failure(spec: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> bool:
    """True where the newest pod has failed and the Job's rules allow no further one."""
    # A pod that is being deleted proves nothing: a suspension that is over already may have ended it.
    failed = [pod for pod in pods if _pod_phase(pod) == "Failed" and "deletionTimestamp" not in pod["metadata"]]
    if not failed or failed[-1] is not pods[-1]:
        return False
    limit = int(spec.get("backoffLimit", 6))
    if EXIT_USAGE in exit_codes(pods[-1]):
        return True
    return sum(not disruption(pod) or limit == 0 for pod in failed) > limit


def _suspended_message(template: Sequence[Mapping[str, Any]], steps: tuple[StepState, ...]) -> str:
    """A run whose steps note what they do goes on where it was; another one starts over, and has to say so."""
    notes = all("--ledger" in (container.get("args") or ()) for container in template)
    if notes or not any(step.attempts for step in steps):
        return "suspended; set spec.suspend to false to go on"
    return (
        "suspended; with spec.suspend false it starts again at its first statement, because spec.retries is 0: "
        "only runs with retries note which statements are done"
    )


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """The condition of that type where it is true."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == kind and condition.get("status") == "True":
            return dict(condition)
    return None


def _succeeded(steps: tuple[StepState, ...], times: dict[str, str | None]) -> RunState:
    """The Job's word counts: a pod that is gone, or not yet seen to have ended, takes nothing from it."""
    done = tuple(replace(step, phase=StepPhase.SUCCEEDED, message="", exit_code=None) for step in steps)
    return RunState(
        phase=RunPhase.SUCCEEDED, reason=Reason.SUCCEEDED, message="all steps are done", steps=done, **times
    )


def _failed(
    steps: tuple[StepState, ...],
    failure: Explanation | None,
    condition: Mapping[str, Any],
    pods: Sequence[Mapping[str, Any]],
    times: dict[str, str | None],
) -> RunState:
    reason, message = _why_failed(failure, condition, pods)
    steps = _mark_failed(steps, message)
    failing = next((step.name for step in steps if step.phase is StepPhase.FAILED), "")
    text = f"step {failing} failed: {message}" if failing else message
    ended = condition.get("lastTransitionTime")
    return RunState(phase=RunPhase.FAILED, reason=reason, message=text, steps=steps, **(times | {"finished_at": ended}))


def _why_failed(
    failure: Explanation | None, condition: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]
) -> Explanation:
    if condition.get("reason") == Reason.DEADLINE_EXCEEDED:
        return Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE
    if failure:
        return failure
    lost = explain_lost_pod(pods[-1]) if pods else None
    if lost:
        return lost
    words = clip(str(condition.get("message") or ""), 300)
    return Reason.POD_LOST, f"its pod is gone, with all that it could tell ({condition.get('reason')}: {words})"


DEADLINE_MESSAGE = "it took longer than spec.activeDeadlineSeconds allows and was stopped"


def _mark_failed(steps: tuple[StepState, ...], message: str) -> tuple[StepState, ...]:
    """Exactly one step failed: the one that says so, else the first that is not done; the rest never ran."""
    at_fault = next((step.name for step in steps if step.phase is StepPhase.FAILED), None)
    at_fault = at_fault or next((step.name for step in steps if step.phase is not StepPhase.SUCCEEDED), None)
    return tuple(
        step
        if step.phase is StepPhase.SUCCEEDED
        else replace(step, phase=StepPhase.FAILED, message=step.message or message)
        if step.name == at_fault
        else replace(step, phase=StepPhase.SKIPPED)
        for step in steps
    )


def _paused(step: StepState) -> StepState:
    """A step as it stands while the run is suspended: what was running waits again."""
    if step.phase is StepPhase.SUCCEEDED:
        return step
    return replace(step, phase=StepPhase.PENDING, message="", exit_code=None)


def _active(
    objects: RunObjects,
    steps: tuple[StepState, ...],
    failure: Explanation | None,
    pods: Sequence[Mapping[str, Any]],
    times: dict[str, str | None],
) -> RunState:
    waiting = explain_pending(objects, pods) or explain_events(objects.events)
    phase = RunPhase.RUNNING if any(step.attempts for step in steps) else RunPhase.PENDING
    if waiting:
        steps = _tell_waiting(steps, waiting[1])
        return RunState(phase=phase, reason=waiting[0], message=waiting[1], steps=steps, **times)
    if phase is RunPhase.PENDING:
        message = "waiting for the pod to start" if pods else "waiting for a pod"
        return RunState(phase=phase, reason=Reason.STARTING, message=message, steps=steps, **times)
    return RunState(
        phase=phase, reason=Reason.RUNNING, message=_running_message(objects, steps, failure), steps=steps, **times
    )


def _tell_waiting(steps: tuple[StepState, ...], message: str) -> tuple[StepState, ...]:
    """Put what the pod waits for on the step that it would run next."""
    name = next((step.name for step in steps if step.phase is StepPhase.PENDING), None)
    return tuple(replace(step, message=message) if step.name == name else step for step in steps)


def _running_message(objects: RunObjects, steps: tuple[StepState, ...], failure: Explanation | None) -> str:
    running = next((step for step in steps if step.phase is StepPhase.RUNNING), None)
    if running:
        first = objects.statements.get(running.statements[0]) if running.statements else None
        what = f": {first.title}" if first and len(running.statements) == 1 else ""
        again = f", attempt {running.attempts}" if running.attempts > 1 else ""
        return f"running step {running.name}{what}{again}"
    if failure:
        return f"a step failed and may be tried again: {failure[1]}"
    waiting = next((step for step in steps if step.phase is StepPhase.PENDING), None)
    return f"starting step {waiting.name}" if waiting else "finishing"
