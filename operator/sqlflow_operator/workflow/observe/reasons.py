"""Says to a person why a step failed or a pod does not start, and what to do about it.

Every function is pure: from the pod as the API server shows it to a reason and a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlflow_codegen.contract import DATABASE_ENV, ERROR_MESSAGE_LIMIT, EXIT_KILLED, EXIT_STOPPED, EXIT_USAGE, StepError

from sqlflow_operator.clock import duration, from_text
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, StatementPlace, StepReport, StepState

_IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
_CONFIG_REASONS = ("CreateContainerConfigError", "CreateContainerError")
IMAGE_ADVICE = "Check spec.image, spec.imagePullPolicy and spec.imagePullSecrets."

Explanation = tuple[Reason, str]

_NO_EXECUTABLE = re.compile(r"executable file not found|exec: .*(not found|no such file or directory)")
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]*": ErrImagePull: ')
_SAME_REASON = {"ImagePullBackOff": "ErrImagePull"}
_POD_NAME = re.compile(r'\bpods? "[^"]*"')
DEADLINE_MESSAGE = "it took longer than spec.activeDeadlineSeconds allows and was stopped"
CANCELLED_MESSAGE = "it was cancelled"
POD_DELETED = "its pod was deleted."
POD_GONE = "its pod is gone, and its log with it."


def explain_failure(
    container: str,
    statements: Sequence[int],
    terminated: Mapping[str, Any],
    pod: Mapping[str, Any],
    report: StepReport,
    places: Mapping[int, StatementPlace],
) -> Explanation:
    """Why a step's container ended with an error.

    Args:
        container: name of the step's container.
        statements: numbers of its statements.
        terminated: the container's `state.terminated`.
        pod: the pod.
        report: what the step left behind.
        places: the program's statements, as far as they are known.
    """
    if terminated.get("reason") == "OOMKilled":
        return Reason.OUT_OF_MEMORY, f"{where(statements, report.statement, places)}: {_out_of_memory(pod, container)}"
    error = report.outcome.error
    place = _place_of(error, statements, places) if error else where(statements, report.statement, places)
    if _is_pods_deadline(pod) and not _is_own_end(error):
        return Reason.DEADLINE_EXCEEDED, overdue_message(place, None)
    interrupted = disruption(pod) or ("" if _is_own_end(error) else _interruption(terminated, pod))
    if interrupted:
        return Reason.POD_LOST, interruption(place, interrupted)
    if error is not None and error.kind == "lost":
        return Reason.POD_LOST, interruption(place, f"{sentence(error.message)} {error.hint}".strip())
    if error is not None:
        return Reason.STEP_FAILED, _told_by_step(error, statements, places, pod, container)
    code = terminated.get("exitCode", 0)
    if terminated.get("reason") in ("StartError", "ContainerCannotRun"):
        return _not_started(place, container, clip(terminated.get("message") or "", 300), pod)
    if code == EXIT_KILLED:
        advice = f"{_out_of_memory(pod, container)} (or something else killed it)"
        return Reason.OUT_OF_MEMORY, f"{place}: the process was killed; most likely it was {advice}"
    words = (
        "bad usage; step image and operator may be of different versions" if code == EXIT_USAGE else "no error was told"
    )
    return Reason.STEP_FAILED, f"{place}: exit code {code}, {words}. See the step's log."


def _not_started(place: str, container: str, words: str, pod: Mapping[str, Any]) -> Explanation:
    """Why a container could not be started; only a program that is not in it speaks against the image."""
    if _NO_EXECUTABLE.search(words):
        why = f"image {_image(pod, container)} cannot run a step: {sentence(words)} Set spec.image to a step image."
        return Reason.STEP_FAILED, f"{place}: {why}"
    if "OOM" in words or "memory limit" in words:
        return (
            Reason.OUT_OF_MEMORY,
            f"{place}: its container could not be started: {words}; {_out_of_memory(pod, container)}",
        )
    if "exec format error" in words:
        why = f"image {_image(pod, container)} is for another processor than the node's: {words}"
        return Reason.STEP_FAILED, f"{place}: {why}"
    return Reason.STEP_FAILED, f"{place}: its container could not be started: {words}"


def interruption(place: str, why: str) -> str:
    """That what is at that place (`where`) was interrupted, and why."""
    return f"{place} {'were' if place.startswith('statements') else 'was'} interrupted: {why}"


def _is_own_end(error: StepError | None) -> bool:
    """True where a step failed by itself: a step that is stopped reports that too, as an error of a kind of its own."""
    return error is not None and error.kind != "stopped"


def _is_pods_deadline(pod: Mapping[str, Any]) -> bool:
    """True where the kubelet ended the pod at a deadline: Argo gives each pod what is left of the run's."""
    return (pod.get("status") or {}).get("reason") == "DeadlineExceeded"


def _interruption(terminated: Mapping[str, Any], pod: Mapping[str, Any]) -> str:
    """What ended a container that did not end by itself, or ""."""
    deleted = "deletionTimestamp" in (pod.get("metadata") or {})
    if deleted and terminated.get("exitCode") in (EXIT_STOPPED, EXIT_KILLED):
        return POD_DELETED
    if terminated.get("exitCode") == EXIT_STOPPED:
        return "something stopped its process, as when its node shuts down."
    return ""


def _told_by_step(
    error: StepError,
    statements: Sequence[int],
    places: Mapping[int, StatementPlace],
    pod: Mapping[str, Any],
    container: str,
) -> str:
    text = f"{_place_of(error, statements, places)}: {clip(error.message, ERROR_MESSAGE_LIMIT)}"
    if error.hint:
        text = f"{sentence(text)} {clip(error.hint, 300)}"
    if error.kind == "connection":
        name, key = _database_secret(pod, container)
        text = f"{sentence(text)} The database's URL comes from key {key} of Secret {name}." if name else text
    return text


def overdue(step: StepState, objects: RunObjects, ended_at: str | None) -> str:
    """Of a step that was at work when its run's deadline passed: the statement that it was at, and how long that ran.

    Args:
        step: the step.
        objects: the run's objects.
        ended_at: when the run ended; where the step's own end is not known.
    """
    known = objects.known.get(step.name)
    start = from_text(step.started_at or (known.started_at if known else None))
    end = from_text(step.finished_at or ended_at)
    if start is None or not step.statements:
        return DEADLINE_MESSAGE
    error = step.outcome.error
    place = (
        _place_of(error, step.statements, objects.statements)
        if error and error.statement
        else where(step.statements, step.statement, objects.statements)
    )
    spent = max(0.0, (end - start).total_seconds() - sum(step.seconds.values())) if end else 0.0
    text = overdue_message(place, spent if end else None)
    slowest = max(step.seconds, key=lambda number: step.seconds[number], default=0)
    if slowest and step.seconds[slowest] > spent:
        earlier = where(step.statements, slowest, objects.statements)
        text += f"; {earlier} had taken {duration(step.seconds[slowest])}"
    return text


def overdue_message(place: str, seconds: float | None) -> str:
    """That what is at that place (`where`) was stopped by the deadline, after so many seconds."""
    after = f" after {duration(seconds)}" if seconds is not None else ""
    return f"{place}: stopped{after}, because the run took longer than spec.activeDeadlineSeconds allows"


def _place_of(error: StepError, statements: Sequence[int], places: Mapping[int, StatementPlace]) -> str:
    """How messages name the statement of an error, which knows its own place."""
    if error.statement:
        return f"statement {error.statement} ({error.title}) at {error.line}:{error.column}"
    return where(statements, 0, places)


def where(statements: Sequence[int], statement: int, places: Mapping[int, StatementPlace]) -> str:
    """How messages name the statement at fault: that one, the step's only one, or all that the step has."""
    number = statement or (statements[0] if len(statements) == 1 else 0)
    if number:
        place = places.get(number)
        return f"statement {number} ({place.title}) at {place.line}:{place.column}" if place else f"statement {number}"
    return f"statements {statements[0]} to {statements[-1]}" if statements else "the step"


def disruption(pod: Mapping[str, Any]) -> str:
    """Why the cluster took the pod away, or "" where it did not."""
    status = pod.get("status") or {}
    if status.get("reason") == "Evicted":
        return f"the pod was evicted from its node: {clip(status.get('message') or '', 300)}"
    if status.get("reason") in ("NodeLost", "NodeShutdown", "Shutdown", "Terminated"):
        return f"its node shut down or was lost: {clip(status.get('message') or '', 300)}"
    for condition in status.get("conditions") or ():
        if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
            words = clip(condition.get("message") or "", 300)
            return f"the cluster removed the pod ({condition.get('reason')}): {words}"
    return ""


def explain_waiting(pod: Mapping[str, Any]) -> Explanation | None:
    """What a pod waits for, or None where nothing is wrong with it."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            words = clip(condition.get("message") or "", 500)
            if condition.get("reason") == "SchedulingGated":
                return Reason.QUEUED, f"queued: the pod waits for its scheduling gates: {words}"
            return Reason.UNSCHEDULABLE, (
                f"no node can take the pod: {words} Lower spec.resources, or add a node or a toleration."
            )
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        found = _explain_container(container.get("name", ""), waiting, pod)
        if found:
            return found
    return None


def _explain_container(name: str, waiting: Mapping[str, Any], pod: Mapping[str, Any]) -> Explanation | None:
    # A kubelet that waits between two tries repeats what it said of the last one: one message for both.
    told = _BACK_OFF.sub("", waiting.get("message") or "")
    reason, words = _SAME_REASON.get(waiting.get("reason") or "", waiting.get("reason") or ""), clip(told, 300)
    if reason in _IMAGE_REASONS:
        return Reason.IMAGE_PULL, (
            f"image {_image(pod, name)} cannot be pulled ({reason}): {sentence(words)} {IMAGE_ADVICE}"
        )
    if reason not in _CONFIG_REASONS:
        return None
    namespace = (pod.get("metadata") or {}).get("namespace", "")
    secret, key = _database_secret(pod, name)
    create = f"kubectl create secret generic {secret} -n {namespace} --from-literal={key}=postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    if f'secret "{secret}" not found' in words:
        return Reason.CONFIGURATION, f"Secret {secret} not found in namespace {namespace}. Create it with: {create}"
    if f"couldn't find key {key} in Secret" in words:
        return Reason.CONFIGURATION, (
            f"Secret {secret} in namespace {namespace} has no key {key}. Set spec.dataSource.secretRef.key to the key "
            "that holds the database's URL, or add the key to the Secret."
        )
    return Reason.CONFIGURATION, f"the step's container cannot be made ({reason}): {words}"


def explain_events(events: Sequence[Mapping[str, Any]]) -> Explanation | None:
    """Why no container gets going, from Warning events; None where none of them tells.

    A kubelet shows a failed pull of a later step's image in its events long before it shows it in the pod's status.
    """
    found = [explained for event in sorted(events, key=_moment) if (explained := _explain_event(event))]
    return found[-1] if found else None


def _explain_event(event: Mapping[str, Any]) -> Explanation | None:
    reason, words = event.get("reason"), steady(event.get("message") or "", 500)
    if reason == "FailedCreate" and "exceeded quota" in words:
        return Reason.QUOTA_EXCEEDED, f"a quota of the namespace forbids the pod: {words}"
    if reason == "FailedCreate":
        return Reason.POD_REFUSED, f"the cluster refuses the pod: {words}"
    if reason == "Failed" and "pull image" in words:
        return Reason.IMAGE_PULL, f"{sentence(words)} {IMAGE_ADVICE}"
    if reason in ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"):
        return Reason.STARTING, f"the pod does not start ({reason}): {words}"
    return None


def _moment(event: Mapping[str, Any]) -> str:
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")


def _out_of_memory(pod: Mapping[str, Any], container: str) -> str:
    limit = ((_container(pod, container).get("resources") or {}).get("limits") or {}).get("memory")
    if limit:
        return f"out of memory at its limit of {limit}. Raise spec.resources.limits.memory, or let it read fewer rows"
    return "out of memory: its node had none left. Set spec.resources.requests.memory and spec.resources.limits.memory"


def _container(pod: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    spec = pod.get("spec") or {}
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return next((container for container in containers if container.get("name") == name), {})


def _image(pod: Mapping[str, Any], container: str) -> str:
    return str(_container(pod, container).get("image") or "of the step")


def _database_secret(pod: Mapping[str, Any], container: str) -> tuple[str, str]:
    """Name and key of the Secret with the database's URL."""
    for variable in _container(pod, container).get("env") or ():
        if variable.get("name") == DATABASE_ENV:
            reference = (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
            return str(reference.get("name", "")), str(reference.get("key", ""))
    return "", ""


def sentence(text: str) -> str:
    """The text, with a full stop where it has no end."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def steady(text: str, limit: int) -> str:
    """The words about a pod on one line, clipped, without its name.

    A pod that is refused gets another name at each try; a message that changed with it would be written each time.
    """
    return clip(_POD_NAME.sub("the pod", text), limit)


def clip(text: str, limit: int) -> str:
    """The text on one line, at most `limit` bytes of UTF-8, with `…` where it was cut."""
    flat = " ".join(text.split())
    data = flat.encode()
    return flat if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "…"
