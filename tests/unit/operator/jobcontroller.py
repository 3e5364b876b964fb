"""Plays what a cluster does with a Job: its controller, scheduler and kubelet, one move at a time.

It speaks to any `Kube`, the one in memory and the real API server alike, and writes the statuses that the recordings
show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlflow_codegen.contract import LABEL_JOB_UID
from sqlflow_operator.kube import JOBS, PODS, Kube, NotFoundError, Object


@dataclass
class Ending:
    """How a step's container ends."""

    exit_code: int = 0
    message: str = ""
    reason: str = ""


@dataclass
class JobController:
    """Moves every Job of the operator one step on with each `tick`.

    `endings` says how steps end, attempt by attempt; what is not there ends well.
    """

    kube: Kube
    namespace: str
    now: Callable[[], datetime]
    endings: dict[str, list[Ending]] = field(default_factory=dict)
    waiting: dict[str, dict[str, str]] = field(default_factory=dict)
    """Steps that cannot start, with the waiting state that the kubelet shows."""

    def tick(self) -> bool:
        """One move for each Job; False where there was nothing to do."""
        jobs = self.kube.list(JOBS, self.namespace, labels=LABEL_JOB_UID)
        moved = [self._move(job) for job in jobs]
        return any(moved)

    def _move(self, job: Object) -> bool:
        status = job.get("status") or {}
        if any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in status.get("conditions") or ()):
            return False
        pods = self._pods(job)
        if job["spec"].get("suspend"):
            return self._suspend(job, pods)
        if "startTime" not in status:
            self._write_job(job, {"startTime": self._now(), "active": 1})
            return True
        if not pods or (_phase(pods[-1]) == "Failed" and len(pods) <= job["spec"].get("backoffLimit", 6)):
            self._create_pod(job, len(pods) + 1)
            return True
        return self._move_pod(job, pods[-1], pods)

    def _pods(self, job: Object) -> list[Object]:
        uid = job["metadata"]["uid"]
        pods = self.kube.list(PODS, self.namespace, labels=LABEL_JOB_UID)
        own = [p for p in pods if any(o["uid"] == uid for o in p["metadata"].get("ownerReferences") or ())]
        return sorted(own, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    def _suspend(self, job: Object, pods: list[Object]) -> bool:
        for pod in pods:
            self.kube.delete(PODS, self.namespace, pod["metadata"]["name"])
        if "startTime" in (job.get("status") or {}):
            condition = {"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended"}
            self._write_job(job, {"startTime": None, "active": 0, "conditions": [self._dated(condition)]})
            return True
        return bool(pods)

    def _create_pod(self, job: Object, number: int) -> None:
        template = job["spec"]["template"]
        metadata = template["metadata"]
        owner = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": job["metadata"]["name"],
            "uid": job["metadata"]["uid"],
            "controller": True,
        }
        name = f"{job['metadata']['name']}-{'abcdefghij'[number - 1]}"
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "labels": metadata.get("labels"),
                "annotations": metadata.get("annotations") or {},
                "ownerReferences": [owner],
            },
            "spec": template["spec"],
        }
        self.kube.create(PODS, self.namespace, body)
        self._write_pod(name, {"phase": "Pending"})

    def _move_pod(self, job: Object, pod: Object, pods: list[Object]) -> bool:
        name = pod["metadata"]["name"]
        if _phase(pod) in ("Succeeded", "Failed"):
            self._finish(job, _phase(pod), pods)
            return True
        steps = [container["name"] for container in _containers(pod)]
        status = pod.get("status") or {}
        every = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
        states = {s["name"]: s for s in every}
        for step in steps:
            state = (states.get(step) or {}).get("state") or {}
            if "terminated" in state:
                continue
            if step in self.waiting:
                changed = state.get("waiting") != self.waiting[step]
                states[step] = _status(step, {"waiting": self.waiting[step]}, pod)
                if changed:
                    self._write_pod(name, self._containers(pod, steps, states))
                return changed
            if "running" not in state:
                states[step] = _status(step, {"running": {"startedAt": self._now()}}, pod)
                self._write_pod(name, self._containers(pod, steps, states))
                return True
            ending = self.endings[step].pop(0) if self.endings.get(step) else Ending()
            states[step] = _status(step, {"terminated": self._terminated(state["running"], ending)}, pod)
            failed = {"phase": "Failed"} if ending.exit_code else {}
            self._write_pod(name, self._containers(pod, steps, states) | failed)
            return True
        self._write_pod(name, {"phase": "Succeeded"})
        return True

    def _finish(self, job: Object, phase: str, pods: list[Object]) -> None:
        if phase == "Succeeded":
            conditions = [
                {"type": kind, "status": "True", "reason": "CompletionsReached", "message": "done"}
                for kind in ("SuccessCriteriaMet", "Complete")
            ]
            more: dict[str, Any] = {"completionTime": self._now(), "succeeded": 1}
        else:
            message = "Job has reached the specified backoff limit"
            conditions = [
                {"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "message": message}
                for kind in ("FailureTarget", "Failed")
            ]
            more = {"failed": len(pods)}
        zero = {"active": 0, "ready": 0, "terminating": 0, "uncountedTerminatedPods": {}}
        self._write_job(job, {"conditions": list(map(self._dated, conditions)), **more, **zero})

    def _containers(self, pod: Object, steps: list[str], states: Mapping[str, Object]) -> Object:
        idle = {"waiting": {"reason": "PodInitializing"}}
        statuses = [states.get(step) or _status(step, idle, pod) for step in steps]
        return {"initContainerStatuses": statuses[:-1], "containerStatuses": statuses[-1:]}

    def _terminated(self, running: Object, ending: Ending) -> Object:
        reason = ending.reason or ("Error" if ending.exit_code else "Completed")
        state: Object = {"exitCode": ending.exit_code, "reason": reason}
        state |= {"startedAt": running["startedAt"], "finishedAt": self._now()}
        return state | ({"message": ending.message} if ending.message else {})

    def _dated(self, condition: Object) -> Object:
        return condition | {"lastTransitionTime": self._now(), "lastProbeTime": self._now()}

    def _write_job(self, job: Object, status: Object) -> None:
        self.kube.patch(JOBS, self.namespace, job["metadata"]["name"], {"status": status}, subresource="status")

    def _write_pod(self, name: str, status: Object) -> None:
        self.kube.patch(PODS, self.namespace, name, {"status": status}, subresource="status")

    def _now(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def lose_pod(self, name: str) -> None:
        """Delete a pod, as a person or a node's end does."""
        try:
            self.kube.delete(PODS, self.namespace, name)
        except NotFoundError:
            return


def _status(step: str, state: Object, pod: Object) -> Object:
    image = next(c["image"] for c in _containers(pod) if c["name"] == step)
    return {"name": step, "state": state, "image": image, "imageID": "", "ready": False, "restartCount": 0}


def _containers(pod: Object) -> list[Object]:
    return [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", ""))
