"""Backend `tekton`: the run is a Tekton PipelineRun, a TaskRun for each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlflow_codegen.contract import EXIT_KILLED, LABEL_STEP, OUTCOME_RESULT, Outcome
from sqlflow_codegen.portable import COPY_CONTAINER

from sqlflow_operator.api import Backend, Phase, StepPhase
from sqlflow_operator.kube import PIPELINE_RUNS, TASK_RUNS
from sqlflow_operator.kube.engine_objects import TaskRunState, TaskRunStep, TektonPipelineRun, TektonTask, TektonTaskRun
from sqlflow_operator.kube.objects import ContainerStatus, ObjectCondition, Pod, PodContainer, TerminatedState
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.observe.engine_run import EngineRun, EngineStep, observe_dag
from sqlflow_operator.workflow.observe.pods import condition_of, statuses
from sqlflow_operator.workflow.observe.reasons import (
    CANCELLED_MESSAGE,
    DEADLINE_MESSAGE,
    Explanation,
)
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepState
from sqlflow_operator.workflow.observe.step_attempts import steps_of_template
from sqlflow_operator.workflow.observe.step_report import report_from_message
from sqlflow_operator.workflow.observe.waiting import IMAGE_ADVICE, explain_quota
from sqlflow_operator.workflow.observe.wording import SHORT_LIMIT, WORDS_LIMIT, clip, without_pod_name

_TASK = "tekton.dev/pipelineTask"
_PREFIX = "step-"
"""Tekton puts it before the names of a task's containers."""
_CONTAINER = "step-main"
_BY_SIGNAL = 255
"""Exit code of Tekton's entrypoint if a signal ended the step's process."""
_FAILED_RUN = ("Failed", "Completed", "Succeeded")
"""Reasons of a PipelineRun that one of its tasks ended; any other is about the run as a whole."""
_SECURITY_ADVICE = (
    "the namespace's Pod Security profile refuses Tekton's own containers. Set set-security-context to \"true\" in "
    "ConfigMap feature-flags of Tekton's namespace (docs/backends.md), or spec.backend to job."
)


def ended(child: TektonPipelineRun) -> bool:
    """See `BackendDefinition`."""
    return condition_of(child, "Succeeded").get("status") in ("True", "False")


def adjust(child: TektonPipelineRun, suspend: bool, deadline: int | None) -> dict[str, Any] | None:
    """See `BackendDefinition`. Tekton lets nothing change but the start of a run that is pending."""
    pending = (child.get("spec") or {}).get("status") == "PipelineRunPending"
    return {"spec": {"status": None}} if pending and not suspend else None


def places(pod: Pod) -> Mapping[str, str]:
    """See `BackendDefinition`: the step in our label or, if that is missing, in Tekton's."""
    labels = pod["metadata"].get("labels") or {}
    step = labels.get(LABEL_STEP) or labels.get(_TASK)
    names = [str(status.get("name")) for status in statuses(pod)]
    names = [name for name in names if name.startswith(_PREFIX) and name != _PREFIX + COPY_CONTAINER]
    return {step: names[0] if names else _CONTAINER} if step else {}


def observe(objects: RunObjects[TektonPipelineRun, TektonTaskRun]) -> RunState:
    """See `BackendDefinition`."""
    child = objects.child
    objects = replace(objects, pods=[_with_signals(pod) for pod in objects.pods])
    steps, missing = _steps(child, objects.parts)
    return observe_dag(objects, _planned(child), places, _run(child, missing), steps)


def _with_signals(pod: Pod) -> Pod:
    """The pod with the exit code that a killed process has on other backends.

    The kubelet, which watches Tekton's entrypoint, does not always notice that memory ran out. A step itself never ends
    with 255.
    """
    status = pod.get("status") or {}
    shown: list[ContainerStatus] = []
    for container in status.get("containerStatuses") or ():
        terminated = (container.get("state") or {}).get("terminated") or {}
        killed: ContainerStatus = {**container, "state": {"terminated": {**terminated, "exitCode": EXIT_KILLED}}}
        shown.append(killed if terminated.get("exitCode") == _BY_SIGNAL else container)
    return {**pod, "status": {**status, "containerStatuses": shown}}


def _tasks(child: TektonPipelineRun) -> Sequence[TektonTask]:
    return ((child.get("spec") or {}).get("pipelineSpec") or {}).get("tasks") or ()


def _planned(child: TektonPipelineRun) -> tuple[StepState, ...]:
    named: list[PodContainer] = []
    for task in _tasks(child):
        steps = (task.get("taskSpec") or {}).get("steps") or ()
        main = next(filter(_is_step, steps), PodContainer())
        named.append({**main, "name": task.get("name", "")})
    return steps_of_template(named)


def _is_step(part: TaskRunStep | PodContainer) -> bool:
    """False for the container that only copies the step program."""
    return part.get("name") != COPY_CONTAINER


def _run(child: TektonPipelineRun, missing: Sequence[str]) -> EngineRun:
    condition, status = condition_of(child, "Succeeded"), child.get("status") or {}
    phase = {"True": Phase.SUCCEEDED, "False": Phase.FAILED}.get(condition.get("status", ""), Phase.RUNNING)
    if phase is Phase.RUNNING and (child.get("spec") or {}).get("status") == "PipelineRunPending":
        phase = Phase.SUSPENDED
    doubt = f"Tekton names TaskRuns that are not there: {', '.join(missing[:3])}" if missing else ""
    return EngineRun(
        phase=phase,
        why=_why(condition) if phase is Phase.FAILED else None,
        doubt=doubt,
        retries=max((int(task.get("retries") or 0) for task in _tasks(child)), default=0),
        started_at=status.get("startTime") or child["metadata"].get("creationTimestamp"),
        finished_at=status.get("completionTime"),
    )


def _why(condition: ObjectCondition) -> Explanation | None:
    """The reason the run ended as a whole; None if one of its tasks ended it."""
    reason, words = str(condition.get("reason") or ""), clip(str(condition.get("message") or ""), WORDS_LIMIT)
    if reason == "PipelineRunTimeout":
        return Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE
    if reason in ("Cancelled", "CancelledRunningFinally", "StoppedRunningFinally", "PipelineRunCancelled"):
        return Reason.CANCELLED, CANCELLED_MESSAGE
    if reason in _FAILED_RUN:
        return None
    return Reason.ENGINE_ERROR, f"Tekton gave the PipelineRun up ({reason}): {words}"


def _steps(child: TektonPipelineRun, parts: Sequence[TektonTaskRun]) -> tuple[dict[str, EngineStep], list[str]]:
    """The steps as the TaskRuns show them, and the names of the TaskRuns that are missing."""
    status = child.get("status") or {}
    by_name = {part["metadata"]["name"]: part for part in parts}
    steps: dict[str, EngineStep] = {}
    missing: list[str] = []
    for reference in status.get("childReferences") or ():
        task_run = by_name.get(reference.get("name", ""))
        if task_run is None:
            missing.append(str(reference.get("name")))
        else:
            steps[reference.get("pipelineTaskName", "")] = _step(task_run)
    for skipped in status.get("skippedTasks") or ():
        steps[skipped.get("name", "")] = EngineStep(phase=StepPhase.SKIPPED)
    return steps, missing


def _step(task_run: TektonTaskRun) -> EngineStep:
    condition, status = condition_of(task_run, "Succeeded"), task_run.get("status") or {}
    steps = filter(_is_step, status.get("steps") or ())
    ended = [step["terminated"] for step in steps if step.get("terminated")]
    terminated = ended[0] if ended else TerminatedState()
    phase = {"True": StepPhase.SUCCEEDED, "False": StepPhase.FAILED}.get(condition.get("status", ""))
    if phase is None:
        # Between two attempts there is no pod, but the steps are still those of the one before.
        running = bool(status.get("podName")) and any(step.get("running") for step in status.get("steps") or ())
        phase = StepPhase.RUNNING if running else StepPhase.PENDING
    ran = phase is not StepPhase.PENDING and _was_started(status)
    outcome = _outcome(status, terminated)
    reason, message = _explain(condition, phase, outcome)
    return EngineStep(
        phase=phase,
        attempts=sum(map(_was_started, status.get("retriesStatus") or ())) + ran,
        started_at=status.get("startTime") if ran else None,
        finished_at=status.get("completionTime"),
        exit_code=terminated.get("exitCode") if terminated.get("containerID") else None,
        message=message,
        reason=reason,
        outcome=outcome,
    )


def _was_started(status: TaskRunState) -> bool:
    """True if the container of an attempt was started.

    If Tekton deletes a pod it writes an end of its own, without a container ID.
    """
    steps = status.get("steps") or ()
    return any(step.get("running") is not None or (step.get("terminated") or {}).get("containerID") for step in steps)


def _outcome(status: TaskRunState, terminated: TerminatedState) -> Outcome:
    """The outcome of the step: a result of its task or, if it failed, the message of its container."""
    values = [r.get("value") for r in status.get("results") or () if r.get("name") == OUTCOME_RESULT]
    report = report_from_message(str(values[0] if values else terminated.get("message") or ""))
    return report.outcome if report else Outcome()


def _explain(condition: ObjectCondition, phase: StepPhase, outcome: Outcome) -> Explanation:
    """The reason and message in a TaskRun's condition, with the outcome of its last attempt."""
    reason, words = str(condition.get("reason") or ""), without_pod_name(str(condition.get("message") or ""))
    if reason == "TaskRunImagePullFailed":
        return Reason.IMAGE_PULL, f"its image cannot be pulled: {words} {IMAGE_ADVICE}"
    if quota := explain_quota(words, certain=reason == "ExceededResourceQuota"):
        return quota
    if reason == "StepOOM":
        return Reason.OUT_OF_MEMORY, f"out of memory: {words}. Raise spec.resources.limits.memory"
    if reason == "TaskRunCancelled" and "timed out" in words:
        return Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE
    if reason == "TaskRunCancelled":
        return Reason.CANCELLED, CANCELLED_MESSAGE
    if "violates PodSecurity" in words:
        return Reason.POD_REFUSED, f"{_SECURITY_ADVICE} Tekton says: {words}"
    if reason == "ToBeRetried":
        error = outcome.error
        why = f"statement {error.statement} ({error.title}): {clip(error.message, SHORT_LIMIT)}" if error else words
        return Reason.STARTING, f"an attempt failed and the next one starts: {why}"
    if phase in (StepPhase.PENDING, StepPhase.RUNNING):
        # Words such as "Not all Steps have completed executing" add nothing to the phase.
        relevant = reason not in ("", "Started", "Running", "Pending")
        return Reason.STARTING, f"{reason}: {words}" if relevant else ""
    return Reason.STEP_FAILED, words


DEFINITION = BackendDefinition(
    name=Backend.TEKTON,
    title="Tekton Pipelines",
    generator="sqlflow_codegen.fluid:FluidCodegen",
    resource=PIPELINE_RUNS,
    kind="PipelineRun",
    parts=(TASK_RUNS,),
    deadline_grace=5,
    suspends_running=False,
    planned=_planned,
    places=places,
    observe=observe,
    ended=ended,
    adjust=adjust,
    cancellation={"spec": {"status": "Cancelled"}},
)
