"""Explains why a step failed, and what to do about it. Pure: from the pod as the API server shows it to a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sqlflow_codegen.contract import DATABASE_ENV, ERROR_MESSAGE_LIMIT, EXIT_KILLED, EXIT_STOPPED, EXIT_USAGE, StepError

from sqlflow_operator.clock import duration, from_text
from sqlflow_operator.kube.objects import ContainerEnv, Pod, TerminatedState
from sqlflow_operator.workflow.observe.pods import condition_of, container, is_deleting, phase_of
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, StatementPlace, StepReport, StepState
from sqlflow_operator.workflow.observe.wording import SHORT_LIMIT, clip, sentence

Explanation = tuple[Reason, str]

_NO_EXECUTABLE = re.compile(r"executable file not found|exec: .*(not found|no such file or directory)")
DEADLINE_MESSAGE = "it took longer than spec.activeDeadlineSeconds allows and was stopped"
CANCELLED_MESSAGE = "it was cancelled"
POD_DELETED = "its pod was deleted."
POD_GONE = "its pod is gone, and its log with it."


def explain_failure(
    name: str,
    statements: Sequence[int],
    terminated: TerminatedState,
    pod: Pod,
    report: StepReport,
    places: Mapping[int, StatementPlace],
) -> Explanation:
    """The reason a step's container ended with an error.

    Args:
        name: the container.
        statements: the numbers of the step's statements.
        terminated: the container's `state.terminated`.
        pod: the pod.
        report: the report that the step left.
        places: the program's statements, as far as they are known.
    """
    error = report.outcome.error
    place = _place_of(error, statements, places) if error else where(statements, report.statement, places)
    if terminated.get("reason") == "OOMKilled":
        return Reason.OUT_OF_MEMORY, f"{where(statements, report.statement, places)}: {_out_of_memory(pod, name)}"
    own_end = error is not None and error.kind != "stopped"  # a step that is stopped reports that, too
    # The kubelet ends a pod at its deadline: Argo gives each pod what is left of the run's.
    if (pod.get("status") or {}).get("reason") == "DeadlineExceeded" and not own_end:
        return Reason.DEADLINE_EXCEEDED, overdue_message(place, None)
    interrupted = disruption(pod) or ("" if own_end else _interruption(terminated, pod))
    if interrupted:
        return Reason.POD_LOST, interruption(place, interrupted)
    if error is not None and error.kind == "lost":
        return Reason.POD_LOST, interruption(place, f"{sentence(error.message)} {error.hint}".strip())
    if error is not None:
        return Reason.STEP_FAILED, f"{place}: {_words_of(error, pod, name)}"
    code = terminated.get("exitCode", 0)
    if terminated.get("reason") in ("StartError", "ContainerCannotRun"):
        reason, why = _not_started(name, clip(terminated.get("message") or "", SHORT_LIMIT), pod)
        return reason, f"{place}: {why}"
    if code == EXIT_KILLED:
        advice = f"{_out_of_memory(pod, name)} (or something else killed it)"
        return Reason.OUT_OF_MEMORY, f"{place}: the process was killed; most likely it was {advice}"
    usage = "bad usage; step image and operator may be of different versions"
    words = usage if code == EXIT_USAGE else "no error was reported"
    return Reason.STEP_FAILED, f"{place}: exit code {code}, {words}. See the step's log."


def _not_started(name: str, words: str, pod: Pod) -> Explanation:
    """The reason a container could not be started; only a program that is not in it speaks against the image."""
    if _NO_EXECUTABLE.search(words):
        why = f"image {image_of(pod, name)} cannot run a step: {sentence(words)} Set spec.image to a step image."
        return Reason.STEP_FAILED, why
    if "exec format error" in words:
        return Reason.STEP_FAILED, f"image {image_of(pod, name)} is for another processor than the node's: {words}"
    why = f"its container could not be started: {words}"
    if "OOM" in words or "memory limit" in words:
        return Reason.OUT_OF_MEMORY, f"{why}; {_out_of_memory(pod, name)}"
    return Reason.STEP_FAILED, why


def interruption(place: str, why: str) -> str:
    """A sentence that the statements at that place (`where`) were interrupted, and why."""
    return f"{place} {'were' if place.startswith('statements') else 'was'} interrupted: {why}"


def _interruption(terminated: TerminatedState, pod: Pod) -> str:
    """The cause if something stopped a container from outside, or ""."""
    deleted = is_deleting(pod)
    if deleted and terminated.get("exitCode") in (EXIT_STOPPED, EXIT_KILLED):
        return POD_DELETED
    if terminated.get("exitCode") == EXIT_STOPPED:
        return "something stopped its process, as when its node shuts down."
    return ""


def _words_of(error: StepError, pod: Pod, name: str) -> str:
    """An error's message with its hint and, if the database could not be reached, where its URL comes from."""
    text = clip(error.message, ERROR_MESSAGE_LIMIT)
    if error.hint:
        text = f"{sentence(text)} {clip(error.hint, SHORT_LIMIT)}"
    secret, key = database_secret(pod, name) if error.kind == "connection" else ("", "")
    return f"{sentence(text)} The database's URL comes from key {key} of Secret {secret}." if secret else text


def overdue(step: StepState, objects: RunObjects, ended_at: str | None) -> str:
    """The message of a step that was stopped at the run's deadline: its current statement and how long that ran.

    Args:
        step: the step.
        objects: the run's objects.
        ended_at: the end of the run, used if the step's own end is not known.
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
    """A sentence that the deadline stopped the statements at that place (`where`), after so many seconds."""
    after = f" after {duration(seconds)}" if seconds is not None else ""
    return f"{place}: stopped{after}, because the run took longer than spec.activeDeadlineSeconds allows"


def _place_of(error: StepError, statements: Sequence[int], places: Mapping[int, StatementPlace]) -> str:
    """The name, in messages, of the statement of an error, which has its own place."""
    if error.statement:
        return f"statement {error.statement} ({error.title}) at {error.line}:{error.column}"
    return where(statements, 0, places)


def where(statements: Sequence[int], statement: int, places: Mapping[int, StatementPlace]) -> str:
    """The name, in messages, of the statement at fault: that one, the step's only one, or all of the step."""
    number = statement or (statements[0] if len(statements) == 1 else 0)
    if number:
        place = places.get(number)
        return f"statement {number} ({place.title}) at {place.line}:{place.column}" if place else f"statement {number}"
    return f"statements {statements[0]} to {statements[-1]}" if statements else "the step"


def disruption(pod: Pod) -> str:
    """The reason the cluster took the pod away, or "" if it did not."""
    status = pod.get("status") or {}
    words = clip(status.get("message") or "", SHORT_LIMIT)
    if status.get("reason") == "Evicted":
        return f"the pod was evicted from its node: {words}"
    if status.get("reason") in ("NodeLost", "NodeShutdown", "Shutdown", "Terminated"):
        return f"its node shut down or was lost: {words}"
    target = condition_of(pod, "DisruptionTarget")
    if target.get("status") != "True":
        return ""
    return f"the cluster removed the pod ({target.get('reason')}): {clip(target.get('message') or '', SHORT_LIMIT)}"


def lost_pod(pod: Pod) -> str:
    """The reason a pod failed as a whole although none of its containers reports an error; "" if it did not."""
    if phase_of(pod) != "Failed":
        return ""
    status = pod["status"]
    words = clip(f"{status.get('reason') or ''}: {status.get('message') or ''}".strip(": "), SHORT_LIMIT)
    return disruption(pod) or (f"its pod failed: {words}" if words else "")


def _out_of_memory(pod: Pod, name: str) -> str:
    limit = ((container(pod, name).get("resources") or {}).get("limits") or {}).get("memory")
    if limit:
        return f"out of memory at its limit of {limit}. Raise spec.resources.limits.memory, or let it read fewer rows"
    return "out of memory: its node had none left. Set spec.resources.requests.memory and spec.resources.limits.memory"


def image_of(pod: Pod, name: str) -> str:
    """The image of a container."""
    return str(container(pod, name).get("image") or "of the step")


def database_secret(pod: Pod, name: str) -> tuple[str, str]:
    """The name and key of the Secret with the database's URL of a container; "" if there is none."""
    environment = container(pod, name).get("env") or ()
    variable = next((v for v in environment if v.get("name") == DATABASE_ENV), ContainerEnv())
    reference = (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
    return str(reference.get("name", "")), str(reference.get("key", ""))
