"""Reports from the ends of step logs, each log read once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from cachetools import LRUCache

from sqlflow_operator.clock import from_text
from sqlflow_operator.kube import ApiError, Kube, UnavailableError
from sqlflow_operator.kube.objects import Pod, TerminatedState
from sqlflow_operator.workflow import Workflow
from sqlflow_operator.workflow.observe.pods import statuses
from sqlflow_operator.workflow.observe.state import RunObjects, StepReport
from sqlflow_operator.workflow.observe.step_report import LOG_BYTES, LOG_LINES, needs_log, report_from_log

REPORTS_KEPT = 1000
PATIENCE = timedelta(seconds=60)
"""For so long after a container's end its log is waited for: the outcome, which needs it, is written once."""


class ReportCache:
    """Reports of containers that have ended, by pod UID and container. Safe to use from many threads."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._reports: LRUCache[tuple[str, str], StepReport] = LRUCache(REPORTS_KEPT)
        self._lock = threading.Lock()

    def read(self, objects: RunObjects, workflow: Workflow, now: datetime) -> dict[tuple[str, str], StepReport]:
        """Reports by pod and container, of those containers whose termination message is not enough.

        Raises:
            UnavailableError: a log cannot be read now, and its container has ended a moment ago; try again later.
        """
        kinds = {step.name: step.kind for step in workflow.definition.steps(objects.child)}
        reports = {}
        for pod in objects.pods:
            steps = {container: step for step, container in workflow.definition.places(pod).items() if step in kinds}
            for status in statuses(pod):
                terminated = (status.get("state") or {}).get("terminated")
                name = status.get("name", "")
                if terminated and name in steps and needs_log(kinds[steps[name]], terminated):
                    reports[pod["metadata"]["name"], name] = self._report(pod, name, terminated, now)
        return {key: report for key, report in reports.items() if report is not None}

    def _report(self, pod: Pod, container: str, ended: TerminatedState, now: datetime) -> StepReport | None:
        """The report at the end of a container's log; None if the log cannot be had."""
        metadata = pod["metadata"]
        key = (metadata["uid"], container)
        with self._lock:
            known = self._reports.get(key)
        if known is not None:
            return known
        try:
            log = self._kube.read_log(
                metadata["namespace"], metadata["name"], container, lines=LOG_LINES, limit_bytes=LOG_BYTES
            )
        except ApiError as error:
            end = from_text(ended.get("finishedAt"))
            if isinstance(error, UnavailableError) and end is not None and now - end < PATIENCE:
                raise
            # The node or the pod is gone, or the kubelet does not answer: the state has to do without it.
            return None
        report = report_from_log(log)
        with self._lock:
            self._reports[key] = report
        return report
