"""Explains why a pod does not start, from the pod and from Warning events, and what to do about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlflow_operator.kube.objects import EventObject, Pod, WaitingState
from sqlflow_operator.workflow.observe.pods import condition_of, statuses
from sqlflow_operator.workflow.observe.reasons import Explanation, database_secret, image_of
from sqlflow_operator.workflow.observe.state import Reason
from sqlflow_operator.workflow.observe.wording import SHORT_LIMIT, WORDS_LIMIT, clip, sentence, without_pod_name

IMAGE_ADVICE = "Check spec.image or the image in the program, spec.imagePullPolicy and spec.imagePullSecrets."

_IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
_CONFIG_REASONS = ("CreateContainerConfigError", "CreateContainerError")
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]*": ErrImagePull: ')
_SAME_REASON = {"ImagePullBackOff": "ErrImagePull"}


def explain_quota(words: str, thing: str = "pod", *, certain: bool = False) -> Explanation | None:
    """The reason if these words say, or it is certain anyway, that a quota of the namespace forbids that thing."""
    if not certain and "exceeded quota" not in words:
        return None
    return Reason.QUOTA_EXCEEDED, f"a quota of the namespace forbids the {thing}: {words}"


def explain_waiting(pod: Pod) -> Explanation | None:
    """The reason a pod waits, or None if nothing is wrong with it."""
    scheduled = condition_of(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        words = clip(scheduled.get("message") or "", WORDS_LIMIT)
        if scheduled.get("reason") == "SchedulingGated":
            return Reason.QUEUED, f"queued: the pod waits for its scheduling gates: {words}"
        advice = "Lower spec.resources, or add a node or a toleration."
        return Reason.UNSCHEDULABLE, f"no node can take the pod: {words} {advice}"
    waiting = [(status.get("name", ""), (status.get("state") or {}).get("waiting") or {}) for status in statuses(pod)]
    return next((found for name, state in waiting if (found := _explain_container(name, state, pod))), None)


def _explain_container(name: str, waiting: WaitingState, pod: Pod) -> Explanation | None:
    # Between two tries a kubelet repeats the error of the last one: one message for both.
    words = clip(_BACK_OFF.sub("", waiting.get("message") or ""), SHORT_LIMIT)
    reason = str(waiting.get("reason") or "")
    reason = _SAME_REASON.get(reason, reason)
    if reason in _IMAGE_REASONS:
        text = f"image {image_of(pod, name)} cannot be pulled ({reason}): {sentence(words)} {IMAGE_ADVICE}"
        return Reason.IMAGE_PULL, text
    if reason not in _CONFIG_REASONS:
        return None
    namespace = (pod.get("metadata") or {}).get("namespace", "")
    secret, key = database_secret(pod, name)
    if f'secret "{secret}" not found' in words:
        url = f"{key}=postgresql://USER:PASSWORD@HOST:5432/DATABASE"
        create = f"kubectl create secret generic {secret} -n {namespace} --from-literal={url}"
        return Reason.CONFIGURATION, f"Secret {secret} not found in namespace {namespace}. Create it with: {create}"
    if f"couldn't find key {key} in Secret" in words:
        return Reason.CONFIGURATION, (
            f"Secret {secret} in namespace {namespace} has no key {key}. Set spec.dataSource.secretRef.key to the key "
            "that holds the database's URL, or add the key to the Secret."
        )
    return Reason.CONFIGURATION, f"the step's container cannot be made ({reason}): {words}"


def explain_events(events: Sequence[EventObject]) -> Explanation | None:
    """The reason no container starts, from Warning events; None if none of them gives it.

    A kubelet shows a failed pull of a later step's image in its events long before it shows it in the pod's status.
    """
    found = [explained for event in sorted(events, key=last_seen) if (explained := _explain_event(event))]
    return found[-1] if found else None


def _explain_event(event: EventObject) -> Explanation | None:
    reason, words = event.get("reason"), without_pod_name(event.get("message") or "")
    if reason == "FailedCreate":
        return explain_quota(words) or (Reason.POD_REFUSED, f"the cluster refuses the pod: {words}")
    if reason == "Failed" and "pull image" in words:
        return Reason.IMAGE_PULL, f"{sentence(words)} {IMAGE_ADVICE}"
    if reason in ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"):
        return Reason.STARTING, f"the pod does not start ({reason}): {words}"
    return None


def last_seen(event: EventObject) -> str:
    """The moment at which an event was seen last; "" if it has none. Each version of the API has its own field."""
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")
