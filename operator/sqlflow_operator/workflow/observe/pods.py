"""Reads pods, containers and conditions as the API server shows them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlflow_codegen.portable import COPY_CONTAINER

from sqlflow_operator.kube.objects import ContainerStatus, KubeObject, ObjectCondition, Pod, PodContainer, PodSpec

FINISH = "finish"
"""The container without statements that clears the ledger; no step of the program has this name."""

HELPERS = (FINISH, COPY_CONTAINER)
"""Containers of ours that are no steps."""


def by_age(pods: Iterable[Pod]) -> list[Pod]:
    """Pods, the oldest first."""
    return sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]))


def containers(spec: PodSpec) -> list[PodContainer]:
    """The containers of a pod's spec, init containers first: the order in which they start."""
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def container(pod: Pod, name: str) -> PodContainer:
    """The container of that name in a pod's spec, empty if there is none."""
    return next((found for found in containers(pod.get("spec") or {}) if found.get("name") == name), PodContainer())


def statuses(pod: Pod) -> list[ContainerStatus]:
    """The statuses of all containers of a pod, init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def status_of(pod: Pod, name: str) -> ContainerStatus:
    """The status of the container of that name, empty if there is none."""
    return next((found for found in statuses(pod) if found.get("name") == name), ContainerStatus())


def phase_of(pod: Pod) -> str:
    """The phase of a pod, "" if it has none yet."""
    return str((pod.get("status") or {}).get("phase", ""))


def has_ended(pod: Pod) -> bool:
    """True if no container of a pod runs any more."""
    return phase_of(pod) in ("Succeeded", "Failed")


def is_deleting(thing: KubeObject) -> bool:
    """True if an object has been deleted and is not gone yet."""
    return thing["metadata"].get("deletionTimestamp") is not None


def exit_codes(pod: Pod) -> list[int]:
    """The exit codes of a pod's steps that have ended."""
    ended = [(status.get("state") or {}).get("terminated") for status in statuses(pod) if status.get("name") != FINISH]
    return [state.get("exitCode", 0) for state in ended if state]


def last_end(*pods: Pod) -> str | None:
    """The latest end of a container of these pods; None if none has ended."""
    states = [(status.get("state") or {}).get("terminated") or {} for pod in pods for status in statuses(pod)]
    return max(filter(None, (state.get("finishedAt") for state in states)), default=None)


def condition_of(thing: KubeObject, kind: str) -> ObjectCondition:
    """The condition of that type in an object's status, empty if there is none."""
    conditions = (thing.get("status") or {}).get("conditions") or ()
    return next((found for found in conditions if found.get("type") == kind), ObjectCondition())
