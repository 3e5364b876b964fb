"""Records Kubernetes Events about a job: few, and each only once, also after a restart of the operator.

An event's name is derived from what it reports, so reporting it again creates nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlflow_operator.api import GROUP, KIND, VERSION, Phase, SQLFlowJob, SQLFlowJobStatus
from sqlflow_operator.clock import to_text
from sqlflow_operator.kube import EVENTS, AlreadyExistsError, ApiError, Kube, Object
from sqlflow_operator.workflow.observe.state import Reason
from sqlflow_operator.workflow.observe.wording import clip

COMPONENT = "sqlflow-operator"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to report about a job.

    Attributes:
        reason: one word for programs.
        message: the whole sentence.
        warning: it is one.
        about: the run or the generation; with the reason it identifies the notice, which is recorded once.
    """

    reason: str
    message: str
    warning: bool = False
    about: str = ""


class EventRecorder:
    """Creates Events."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    def record(self, job: SQLFlowJob, status: SQLFlowJobStatus, now: datetime) -> None:
        """Create the Events for the change to that status. One that cannot be created changes nothing for the job."""
        for notice in notices(job.status, status):
            body = event(job, notice, now)
            try:
                self._kube.create(EVENTS, job.namespace, body)
            except AlreadyExistsError:
                pass
            except ApiError as error:
                logger.warning("event not created: %s", error, extra={"event": body["metadata"]["name"]})


def notices(old: SQLFlowJobStatus, new: SQLFlowJobStatus) -> tuple[Notice, ...]:
    """The notices about the change from one status to the next."""
    found: list[Notice] = []
    same_run = old.run is not None and new.run is not None and old.run.name == new.run.name
    run = new.run.name if new.run else ""
    if old.run is not None and not same_run and old.phase is not None and not old.phase.terminal:
        message = f"run {old.run.name} is replaced: the spec asks for another run"
        found.append(Notice("Replaced", message, about=old.run.name))
    if new.run is not None and not same_run:
        steps = f"{new.total_steps} step" + ("" if new.total_steps == 1 else "s")
        message = f"started run {run} with {steps} on backend {new.run.backend}"
        found.append(Notice("Started", message, about=run))
    found += _suspension(old, new)
    ended_before = (same_run or old.run == new.run) and old.phase == new.phase
    if new.terminal and not ended_before:
        found.append(_end(new))
    elif _stalled(new) and not _stalled(old):
        found.append(Notice(_stalled(new), new.whole_message, warning=True, about=run))
    return tuple(found)


def _suspension(old: SQLFlowJobStatus, new: SQLFlowJobStatus) -> Iterator[Notice]:
    """The notice about a suspension or its end, one for each edit."""
    generation = f"generation {new.observed_generation}"
    if new.phase is Phase.SUSPENDED and old.phase is not Phase.SUSPENDED:
        yield Notice("Suspended", new.whole_message, about=generation)
    elif old.phase is Phase.SUSPENDED and new.phase in (Phase.PENDING, Phase.RUNNING):
        yield Notice("Resumed", "spec.suspend is false: the job goes on", about=generation)


def _end(status: SQLFlowJobStatus) -> Notice:
    run = status.run.name if status.run else ""
    reason = status.conditions[0].reason if status.conditions else str(status.phase)
    if reason == Reason.SUCCEEDED:
        return Notice("Succeeded", status.whole_message, about=run)
    name = reason if reason in (Reason.INVALID_PROGRAM, Reason.INVALID_SPEC) else "Failed"
    return Notice(name, status.whole_message, warning=True, about=run)


def _stalled(status: SQLFlowJobStatus) -> str:
    return next((c.reason for c in status.conditions if c.type == "Stalled" and c.status == "True"), "")


def event(job: SQLFlowJob, notice: Notice, now: datetime) -> Object:
    """The Event object for a notice; one that is about nothing in particular is about the job's generation."""
    key = f"{job.uid}/{notice.about or job.generation}/{notice.reason}"
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
