"""Backend `job`: the run is one batch/v1 Job whose init containers are the steps, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlflow_codegen.backend import Codegen
from sqlflow_codegen.contract import ANNOTATION_CANCELLED, Argument

from sqlflow_operator.api import Backend, StepPhase
from sqlflow_operator.kube import JOBS
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.observe import rollup
from sqlflow_operator.workflow.observe.pods import (
    FINISH,
    attempts_of,
    by_age,
    exit_codes,
    explain_gone,
    last_end,
    lost_pod,
    observe_step,
    statuses,
    steps_of_template,
)
from sqlflow_operator.workflow.observe.reasons import (
    CANCELLED_MESSAGE,
    DEADLINE_MESSAGE,
    POD_GONE,
    Explanation,
    clip,
    disruption,
    overdue,
    sentence,
)
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepState

_NOTING = {Argument.LEDGER, Argument.RESUMABLE}
"""Arguments of a step that notes what is done, so that it goes on after a suspension."""


def steps(child: Mapping[str, Any]) -> tuple[StepState, ...]:
    """See `BackendDefinition`."""
    return steps_of_template(_template(child))


def ended(child: Mapping[str, Any]) -> bool:
    """See `BackendDefinition`."""
    status = child.get("status") or {}
    return bool(_condition(status, "Complete") or _condition(status, "Failed"))


def adjust(child: Mapping[str, Any], suspend: bool, deadline: int | None) -> dict[str, Any] | None:
    """See `BackendDefinition`."""
    if _is_cancelled(child):
        return None
    spec = child.get("spec") or {}
    wanted = {"suspend": suspend, "activeDeadlineSeconds": deadline}
    now = {"suspend": bool(spec.get("suspend")), "activeDeadlineSeconds": spec.get("activeDeadlineSeconds")}
    changed = {key: value for key, value in wanted.items() if value != now[key]}
    return {"spec": changed} if changed else None


def places(pod: Mapping[str, Any]) -> Mapping[str, str]:
    """Every container of a Job's pod but the one that clears up is a step of the same name."""
    containers = _containers(pod.get("spec") or {}) or statuses(pod)
    return {container["name"]: container["name"] for container in containers if container["name"] != FINISH}


def _template(job: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The containers of the steps in a Job's pod template."""
    template = ((job.get("spec") or {}).get("template") or {}).get("spec") or {}
    return [container for container in _containers(template) if container.get("name") != FINISH]


def _containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A pod's containers in the order in which they run."""
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def _is_cancelled(job: Mapping[str, Any]) -> bool:
    return ANNOTATION_CANCELLED in (job["metadata"].get("annotations") or {})


def observe(objects: RunObjects) -> RunState:
    """The state of a run from its Job and the Job's pods. Pure."""
    job = objects.child
    status, spec = job.get("status") or {}, job.get("spec") or {}
    pods = by_age(objects.pods)
    template = _template(job)
    observed = [observe_step(s, objects, attempts_of(s.name, pods, places)) for s in steps_of_template(template)]
    steps = tuple(step for step, _ in observed)
    failure = next((why for _, why in observed if why), None)
    times = {"started_at": status.get("startTime") or job["metadata"].get("creationTimestamp")}
    if _condition(status, "Complete"):
        return rollup.succeeded(steps, times | {"finished_at": status.get("completionTime")})
    # The Job's controller takes a second or more to draw the conclusion that its pod allows at once. And what clears
    # up behind the last step decides nothing.
    done = bool(steps) and all(step.phase is StepPhase.SUCCEEDED for step in steps)
    if done or (pods and _pod_phase(pods[-1]) == "Succeeded"):
        return rollup.succeeded(steps, times | {"finished_at": _last_end(steps)})
    failed = _condition(status, "Failed")
    if failed:
        return _failed(objects, steps, _why_stopped(job, failed) or failure, failed, times)
    if spec.get("suspend"):
        return rollup.suspended(steps, _suspended_message(objects, steps), times)
    decided = _condition(status, "FailureTarget")
    failure = (_why_stopped(job, decided) if decided else None) or failure
    if (decided and not any(_goes_on(pod) for pod in pods)) or _is_final_failure(spec, pods):
        decided = decided or {"lastTransitionTime": last_end(pods[-1])}
        return _failed(objects, steps, failure, decided, times)
    again = [step.name for step in steps if step.phase is StepPhase.FAILED and _retries(spec) > 0]
    return rollup.active(objects, steps, again, pods[-1:], times)


def _last_end(steps: Sequence[StepState]) -> str | None:
    return max(filter(None, (step.finished_at for step in steps)), default=None)


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
    if _final_codes(spec) & set(exit_codes(pods[-1])):
        return True
    limit = _retries(spec)
    return sum(not disruption(pod) or limit == 0 for pod in failed) > limit


def _final_codes(spec: Mapping[str, Any]) -> set[int]:
    """Exit codes of a step after which the Job starts no other pod."""
    rules = (spec.get("podFailurePolicy") or {}).get("rules") or ()
    failing = [rule.get("onExitCodes") or {} for rule in rules if rule.get("action") == "FailJob"]
    return {code for codes in failing if codes.get("operator") == "In" for code in codes.get("values") or ()}


def _retries(spec: Mapping[str, Any]) -> int:
    return int(spec.get("backoffLimit", 6))


def _suspended_message(objects: RunObjects, steps: tuple[StepState, ...]) -> str:
    """A run whose steps note what they do goes on where it was; another one starts over, and has to say so.

    The pod goes with the suspension: that a step was started only the status still knows then.
    """
    arguments = [set(container.get("args") or ()) for container in _template(objects.child)]
    notes = _retries(objects.child.get("spec") or {}) > 0 or all(_NOTING & given for given in arguments)
    known = [objects.known[step.name].attempts for step in steps if step.name in objects.known]
    if notes or not any([*known, *(step.attempts for step in steps)]):
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


def _failed(
    objects: RunObjects,
    steps: tuple[StepState, ...],
    failure: Explanation | None,
    condition: Mapping[str, Any],
    times: dict[str, str | None],
) -> RunState:
    reason, message = failure or _why_failed(objects, steps, condition)
    ended = {"finished_at": condition.get("lastTransitionTime")}
    at_fault = _at_fault(steps)
    if reason is Reason.DEADLINE_EXCEEDED and at_fault is not None:
        message = overdue(at_fault, objects, ended["finished_at"])
        steps = tuple(replace(step, message=message) if step is at_fault else step for step in steps)
    return rollup.failed(_mark_failed(steps, message), reason, message, times | ended)


def _why_failed(objects: RunObjects, steps: tuple[StepState, ...], condition: Mapping[str, Any]) -> Explanation:
    """Why a Job failed none of whose steps says so: its pod is gone, or failed as a whole."""
    pods = by_age(objects.pods)
    step = _at_fault(steps)
    if step is None:
        return Reason.POD_LOST, POD_GONE
    words = clip(f"{condition.get('reason')}: {condition.get('message') or ''}", 300)
    if not pods:
        return explain_gone(step, objects, f"{POD_GONE} The Job's controller says: {words}")
    why = (
        lost_pod(pods[-1])
        or f"its pod {pods[-1]['metadata']['name']} did not end it. The Job's controller says: {words}"
    )
    return explain_gone(step, objects, sentence(why))


def _why_stopped(job: Mapping[str, Any], condition: Mapping[str, Any]) -> Explanation | None:
    """Why the Job's controller put an end to it, whatever the step had to tell; None where it did not."""
    if condition.get("reason") != Reason.DEADLINE_EXCEEDED:
        return None
    if _is_cancelled(job):
        return Reason.CANCELLED, CANCELLED_MESSAGE
    return Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE


def _at_fault(steps: Sequence[StepState]) -> StepState | None:
    """The step that failed: the one that says so, else the first that is not done."""
    saying = next((step for step in steps if step.phase is StepPhase.FAILED), None)
    return saying or next((step for step in steps if step.phase is not StepPhase.SUCCEEDED), None)


def _mark_failed(steps: tuple[StepState, ...], message: str) -> tuple[StepState, ...]:
    """Exactly one step failed; what comes after it never ran."""
    failed = _at_fault(steps)
    return tuple(
        step
        if step.phase is StepPhase.SUCCEEDED
        else replace(step, phase=StepPhase.FAILED, message=step.message or message)
        if step is failed
        else replace(step, phase=StepPhase.SKIPPED)
        for step in steps
    )


def _codegen() -> Codegen:
    from sqlflow_codegen.job import JobCodegen

    return JobCodegen()


DEFINITION = BackendDefinition(
    name=Backend.JOB,
    title="Kubernetes",
    built_in=True,
    codegen=_codegen,
    resource=JOBS,
    kind="Job",
    deadline_grace=5,
    suspends_running=True,
    steps=steps,
    places=places,
    observe=observe,
    ended=ended,
    adjust=adjust,
    # A Job cannot be cancelled: a deadline that has passed ends it, and an annotation says why.
    cancellation={
        "metadata": {"annotations": {ANNOTATION_CANCELLED: "true"}},
        "spec": {"activeDeadlineSeconds": 1, "suspend": False},
    },
)
