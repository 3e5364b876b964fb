"""Backend `job`: the run is one batch/v1 Job whose init containers are the steps, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlflow_codegen.contract import ANNOTATION_CANCELLED, Flag

from sqlflow_operator.api import Backend, StepPhase
from sqlflow_operator.kube import JOBS
from sqlflow_operator.kube.objects import BatchJob, BatchJobSpec, ObjectCondition, Pod, PodContainer
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.observe import rollup
from sqlflow_operator.workflow.observe.pods import (
    HELPERS,
    by_age,
    condition_of,
    containers,
    exit_codes,
    has_ended,
    is_deleting,
    last_end,
    phase_of,
    statuses,
)
from sqlflow_operator.workflow.observe.reasons import (
    CANCELLED_MESSAGE,
    DEADLINE_MESSAGE,
    POD_GONE,
    Explanation,
    disruption,
    lost_pod,
)
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepState
from sqlflow_operator.workflow.observe.step_attempts import attempts_of, explain_gone, observe_step, steps_of_template
from sqlflow_operator.workflow.observe.wording import SHORT_LIMIT, clip, sentence

_NOTING = {Flag.LEDGER, Flag.RESUMABLE}
"""Flags of a step that records its progress, so that it continues after a suspension."""


def ended(child: BatchJob) -> bool:
    """See `BackendDefinition`."""
    return any(_true_condition(child, kind) for kind in ("Complete", "Failed"))


def adjust(child: BatchJob, suspend: bool, deadline: int | None) -> dict[str, Any] | None:
    """See `BackendDefinition`."""
    if _is_cancelled(child):
        return None
    spec = child.get("spec") or {}
    wanted = {"suspend": suspend, "activeDeadlineSeconds": deadline}
    now = {"suspend": bool(spec.get("suspend")), "activeDeadlineSeconds": spec.get("activeDeadlineSeconds")}
    changed = {key: value for key, value in wanted.items() if value != now[key]}
    return {"spec": changed} if changed else None


def places(pod: Pod) -> Mapping[str, str]:
    """See `BackendDefinition`. Every container of a Job's pod but the helpers is a step of the same name."""
    names = [str(found["name"]) for found in containers(pod.get("spec") or {}) or statuses(pod)]
    return {name: name for name in names if name not in HELPERS}


def _template(job: BatchJob) -> Sequence[PodContainer]:
    """The containers of the steps in a Job's pod template."""
    template = ((job.get("spec") or {}).get("template") or {}).get("spec") or {}
    return [container for container in containers(template) if container.get("name") not in HELPERS]


def _planned(job: BatchJob) -> tuple[StepState, ...]:
    return steps_of_template(_template(job))


def _is_cancelled(job: BatchJob) -> bool:
    return ANNOTATION_CANCELLED in (job["metadata"].get("annotations") or {})


def _true_condition(job: BatchJob, kind: str) -> ObjectCondition:
    """The condition of that type if it is true, else an empty one."""
    found = condition_of(job, kind)
    return found if found.get("status") == "True" else {}


def observe(objects: RunObjects[BatchJob]) -> RunState:
    """See `BackendDefinition`."""
    job = objects.child
    status, spec = job.get("status") or {}, job.get("spec") or {}
    pods = by_age(objects.pods)
    observed = [observe_step(step, objects, attempts_of(step.name, pods, places)) for step in _planned(job)]
    states = tuple(step for step, _ in observed)
    failure = next((why for _, why in observed if why), None)
    times = {"started_at": status.get("startTime") or job["metadata"].get("creationTimestamp")}
    if _true_condition(job, "Complete"):
        return rollup.succeeded(states, times | {"finished_at": status.get("completionTime")})
    # The Job's controller takes a second or more to draw the conclusion that its pod allows at once. And what clears
    # up behind the last step decides nothing.
    done = bool(states) and not any(map(rollup.unfinished, states))
    if done or (pods and phase_of(pods[-1]) == "Succeeded"):
        ends = [step.finished_at for step in states if step.finished_at]
        return rollup.succeeded(states, times | {"finished_at": max(ends, default=None)})
    if failed := _true_condition(job, "Failed"):
        return _failed(objects, states, _stopped(job, failed) or failure, failed, times)
    if spec.get("suspend"):
        return rollup.suspended(states, _suspended_message(objects, states), times)
    decided = _true_condition(job, "FailureTarget")
    failure = _stopped(job, decided) or failure
    if (decided and all(map(has_ended, pods))) or _is_final_failure(spec, pods):
        return _failed(objects, states, failure, decided or {"lastTransitionTime": last_end(pods[-1])}, times)
    again = [step.name for step in states if step.phase is StepPhase.FAILED and _retries(spec) > 0]
    return rollup.active(objects, states, again, pods[-1:], times)


def _is_final_failure(spec: BatchJobSpec, pods: Sequence[Pod]) -> bool:
    """True if the newest pod has failed and the Job's rules allow no further one."""
    # A pod that is being deleted proves nothing: a suspension that is over already may have ended it.
    failed = [pod for pod in pods if phase_of(pod) == "Failed" and not is_deleting(pod)]
    if not failed or failed[-1] is not pods[-1]:
        return False
    if _final_codes(spec) & set(exit_codes(pods[-1])):
        return True
    limit = _retries(spec)
    return sum(not disruption(pod) or limit == 0 for pod in failed) > limit


def _final_codes(spec: BatchJobSpec) -> set[int]:
    """The exit codes of a step after which the Job starts no other pod."""
    rules = (spec.get("podFailurePolicy") or {}).get("rules") or ()
    failing = [rule.get("onExitCodes") or {} for rule in rules if rule.get("action") == "FailJob"]
    return {code for codes in failing if codes.get("operator") == "In" for code in codes.get("values") or ()}


def _retries(spec: BatchJobSpec) -> int:
    return int(spec.get("backoffLimit", 6))


def _suspended_message(objects: RunObjects[BatchJob], steps: Sequence[StepState]) -> str:
    """The message of a suspended run, with a warning if it will start over because its steps keep no record.

    The pod goes with the suspension: then only the status shows that a step was started.
    """
    arguments = [set(container.get("args") or ()) for container in _template(objects.child)]
    noted = _retries(objects.child.get("spec") or {}) > 0 or all(_NOTING & given for given in arguments)
    known = [objects.known[step.name].attempts for step in steps if step.name in objects.known]
    if noted or not any([*known, *(step.attempts for step in steps)]):
        return "suspended; set spec.suspend to false to go on"
    return (
        "suspended; with spec.suspend false it starts again at its first statement, because spec.retries is 0: "
        "only runs with retries note which statements are done"
    )


def _failed(
    objects: RunObjects[BatchJob],
    steps: Sequence[StepState],
    failure: Explanation | None,
    condition: ObjectCondition,
    times: rollup.Times,
) -> RunState:
    why = failure or _why_failed(objects, steps, condition)
    ended = {**times, "finished_at": condition.get("lastTransitionTime")}
    return rollup.failed(objects, steps, why, ended, unexplained=lambda _: why[1])


def _why_failed(objects: RunObjects[BatchJob], steps: Sequence[StepState], condition: ObjectCondition) -> Explanation:
    """The reason a Job failed none of whose steps shows one: its pod is gone, or failed as a whole."""
    step = next(filter(rollup.unfinished, steps), None)
    if step is None:
        return Reason.POD_LOST, POD_GONE
    words = clip(f"{condition.get('reason')}: {condition.get('message') or ''}", SHORT_LIMIT)
    said = f"The Job's controller says: {words}"
    pods = by_age(objects.pods)
    if not pods:
        return explain_gone(step, objects, f"{POD_GONE} {said}")
    why = lost_pod(pods[-1]) or f"its pod {pods[-1]['metadata']['name']} did not end it. {said}"
    return explain_gone(step, objects, sentence(why))


def _stopped(job: BatchJob, condition: ObjectCondition) -> Explanation | None:
    """The reason the Job's controller ended it, whatever a step reports; None if it did not."""
    if condition.get("reason") != Reason.DEADLINE_EXCEEDED:
        return None
    if _is_cancelled(job):
        return Reason.CANCELLED, CANCELLED_MESSAGE
    return Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE


DEFINITION = BackendDefinition(
    name=Backend.JOB,
    title="Kubernetes",
    built_in=True,
    generator="sqlflow_codegen.job:JobCodegen",
    resource=JOBS,
    kind="Job",
    deadline_grace=5,
    suspends_running=True,
    planned=_planned,
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
