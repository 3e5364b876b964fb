"""The progress of trainings that run, read now and then from the ends of their logs.

Nothing else says it while a container runs, and a read costs the API server a call to the kubelet. So only the logs of
steps that train are read, not in their first seconds, and the less often the longer they have been running: at a
training of a minute five times, at one of an hour once a minute. What is known is shown meanwhile.
"""

from __future__ import annotations

import threading
from datetime import datetime

from cachetools import LRUCache
from sqlflow_codegen.contract import Outcome

from sqlflow_operator.api import StepPhase
from sqlflow_operator.clock import from_text
from sqlflow_operator.kube import ApiError, Kube
from sqlflow_operator.kube.objects import Pod
from sqlflow_operator.workflow import Workflow
from sqlflow_operator.workflow.observe.pods import status_of, statuses
from sqlflow_operator.workflow.observe.state import RunObjects, RunState, StepReport
from sqlflow_operator.workflow.observe.step_report import report_from_log

FIRST_LOOK = 10.0
"""Seconds after its start at which a training's progress is read first, and seconds between two reads, at least."""
LAST_INTERVAL = 60.0
"""Seconds between two reads, at most."""
_LINES = 50
_BYTES = 64 * 1024
_KEPT = 1000
_TRAINING = "train"


def interval(running: float) -> float:
    """Seconds between two looks at a training that has been running for so many seconds."""
    return min(LAST_INTERVAL, max(FIRST_LOOK, running / 4))


def next_look(state: RunState, now: datetime) -> float | None:
    """Seconds until the next look at a run's trainings; None if none is running."""
    waits = [
        max(FIRST_LOOK - ran, 1.0) if ran < FIRST_LOOK else interval(ran)
        for step in state.steps
        if step.kind == _TRAINING and step.phase is StepPhase.RUNNING
        for ran in _seconds(step.started_at, now)
    ]
    return min(waits, default=None)


def _seconds(start: str | None, now: datetime) -> list[float]:
    """Seconds since a start; empty if there was none."""
    moment = from_text(start)
    return [(now - moment).total_seconds()] if moment else []


class ProgressCache:
    """Progress of containers that run, by pod UID, container and start. Safe to use from many threads."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._known: LRUCache[tuple[str, str, int], tuple[datetime, StepReport]] = LRUCache(_KEPT)
        self._lock = threading.Lock()

    def read(self, objects: RunObjects, workflow: Workflow, now: datetime) -> dict[tuple[str, str], StepReport]:
        """Reports with the progress alone, by pod and container, of those trainings of a run that are running."""
        training = {step.name for step in workflow.definition.steps(objects.child) if step.kind == _TRAINING}
        found = {}
        for pod in objects.pods:
            containers = {name for step, name in workflow.definition.places(pod).items() if step in training}
            for status in statuses(pod):
                name, running = status.get("name", ""), (status.get("state") or {}).get("running") or {}
                for ran in _seconds(running.get("startedAt"), now):
                    if name in containers and ran >= FIRST_LOOK:
                        found[pod["metadata"]["name"], name] = self._report(pod, name, now, ran)
        return found

    def _report(self, pod: Pod, container: str, now: datetime, ran: float) -> StepReport:
        """The report of a container that has been running for so many seconds; read again if it is old."""
        metadata = pod["metadata"]
        start = status_of(pod, container).get("restartCount") or 0
        key = (metadata["uid"], container, start)
        with self._lock:
            read_at, known = self._known.get(key, (None, StepReport()))
        if read_at is not None and (now - read_at).total_seconds() < interval(ran) - 1:
            return known
        try:
            log = self._kube.read_log(
                metadata["namespace"], metadata["name"], container, lines=_LINES, limit_bytes=_BYTES
            )
        except ApiError:  # the state does without it; the next look comes in any case
            log = ""
        progress = report_from_log(log).outcome.progress or known.outcome.progress
        known = StepReport(Outcome(progress=progress))
        with self._lock:
            self._known[key] = (now, known)
        return known
