"""Kubernetes Events about a job: few, and each only once, also after a restart of the operator.

An event's name is derived from what it tells, so telling it again creates nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlflow_operator.api import GROUP, KIND, VERSION, SQLFlowJob, SQLFlowJobStatus
from sqlflow_operator.clock import to_text
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.explain import clip
from sqlflow_operator.workflow.state import Reason

COMPONENT = "sqlflow-operator"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell about a job."""

    reason: str
    message: str
    warning: bool = False


def notices(old: SQLFlowJobStatus, new: SQLFlowJobStatus) -> tuple[Notice, ...]:
    """What is worth telling about the change from one status to the next."""
    told: list[Notice] = []
    same_run = old.run is not None and new.run is not None and old.run.name == new.run.name
    if new.run is not None and not same_run:
        told.append(
            Notice("Started", f"started run {new.run.name} with {new.total_steps} steps on backend {new.run.backend}")
        )
    ended_before = (same_run or old.run == new.run) and old.phase == new.phase
    if new.phase is not None and new.phase.finished and not ended_before:
        told.append(_end(new))
    elif _stalled(new) and not _stalled(old):
        told.append(Notice(_stalled(new), new.message or "", warning=True))
    return tuple(told)


def _end(status: SQLFlowJobStatus) -> Notice:
    reason = status.conditions[0].reason if status.conditions else str(status.phase)
    if reason == Reason.SUCCEEDED:
        return Notice("Succeeded", status.message or "")
    name = reason if reason in (Reason.INVALID_PROGRAM, Reason.INVALID_SPEC) else "Failed"
    return Notice(name, status.message or "", warning=True)


def _stalled(status: SQLFlowJobStatus) -> str:
    return next((c.reason for c in status.conditions if c.type == "Stalled" and c.status == "True"), "")


def event(job: SQLFlowJob, run: str, notice: Notice, now: datetime) -> Object:
    """The Event object that tells a notice about a run ("" where there is none: then about a generation)."""
    key = f"{job.uid}/{run or job.generation}/{notice.reason}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    moment = to_text(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{job.name[:200].rstrip('.-')}.{digest}", "namespace": job.namespace},
        "involvedObject": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "namespace": job.namespace,
            "name": job.name,
            "uid": job.uid,
            "resourceVersion": job.resource_version,
        },
        "type": "Warning" if notice.warning else "Normal",
        "reason": notice.reason,
        "message": clip(notice.message, 1000),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": COMPONENT,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
