"""Reads pods, containers and conditions as the API server shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

FINISH = "finish"
"""The container without statements that clears the ledger; no step of the program has this name."""


def by_age(pods: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Pods, the oldest first."""
    return sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]))


def containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The containers of a pod's spec, init containers first: the order in which they start."""
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def container(pod: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The container of that name in a pod's spec, empty if there is none."""
    return next((found for found in containers(pod.get("spec") or {}) if found.get("name") == name), {})


def statuses(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statuses of all containers of a pod, init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def phase_of(pod: Mapping[str, Any]) -> str:
    """The phase of a pod, "" if it has none yet."""
    return str((pod.get("status") or {}).get("phase", ""))


def has_ended(pod: Mapping[str, Any]) -> bool:
    """True if no container of a pod runs any more."""
    return phase_of(pod) in ("Succeeded", "Failed")


def exit_codes(pod: Mapping[str, Any]) -> list[int]:
    """The exit codes of a pod's steps that have ended."""
    ended = [(status.get("state") or {}).get("terminated") for status in statuses(pod) if status.get("name") != FINISH]
    return [state.get("exitCode", 0) for state in ended if state]


def last_end(*pods: Mapping[str, Any]) -> str | None:
    """The latest end of a container of these pods; None if none has ended."""
    states = [(status.get("state") or {}).get("terminated") or {} for pod in pods for status in statuses(pod)]
    return max(filter(None, (state.get("finishedAt") for state in states)), default=None)


def condition_of(thing: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of that type in an object's status, empty if there is none."""
    conditions = (thing.get("status") or {}).get("conditions") or ()
    return next((dict(found) for found in conditions if found.get("type") == kind), {})
