"""Reads all that a decision about one job needs. Only reads; every read is fresh, so nothing depends on a cache."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlflow_codegen.contract import LABEL_JOB_UID, LABEL_RUN

from sqlflow_operator.api import Backend, SQLFlowJob
from sqlflow_operator.clock import from_text
from sqlflow_operator.kube import CONFIG_MAPS, EVENTS, PODS, ApiError, Kube, NotFoundError, Object, owner_uids
from sqlflow_operator.reconcile.model import Child, Observation
from sqlflow_operator.reconcile.program import ParsedProgram, ProgramCache
from sqlflow_operator.run_name import run_name
from sqlflow_operator.workflow import Workflow
from sqlflow_operator.workflow.backends.detection import Detector
from sqlflow_operator.workflow.observe.pods import last_end, statuses
from sqlflow_operator.workflow.observe.state import RunObjects, StepReport
from sqlflow_operator.workflow.observe.step_report import LOG_BYTES, LOG_LINES, needs_log, report_from_log

SLOW_START = timedelta(seconds=5)
"""After so long without a running container, Warning events are asked why."""

Workflows = Mapping[Backend, Workflow]


class Observer:
    """Reads jobs with everything that belongs to them. Safe to use from many threads."""

    def __init__(self, kube: Kube, workflows: Workflows, programs: ProgramCache, detector: Detector) -> None:
        self._kube = kube
        self._workflows = workflows
        self._programs = programs
        self._detector = detector
        self._reports: OrderedDict[tuple[str, str], StepReport] = OrderedDict()
        self._lock = threading.Lock()

    def observe(self, job: SQLFlowJob, now: datetime) -> Observation:
        """Everything about a job at this time.

        Raises:
            ApiError: the API server refused or gave no answer.
        """
        name = run_name(job)
        current = job.status.run if job.status.run and job.status.run.name == name else None
        ended = current is not None and job.status.phase is not None and job.status.phase.terminal
        backend = current.backend if current else self._detector.choose(job.spec.backend)
        # Asked first: what counts as served below must be no older than what is said to be missing.
        missing = "" if ended else self._detector.missing(backend)
        raw, conflict = self._children(job, name, backend, look_for_name=not ended)
        pods = [] if ended else self._kube.list(PODS, job.namespace, labels=f"{LABEL_JOB_UID}={job.uid}")
        program = None if ended else self._programs.get(job, backend)
        children = {
            child["metadata"]["name"]: self._child(job, child, workflow, pods, program, now) for child, workflow in raw
        }
        has_config_map, foreign = self._config_map(
            job, name, needed=not ended or job.spec.ttl_seconds_after_finished is not None
        )
        at_work = [pod for pod in pods if _goes_on(pod)]
        own = [pod for pod in at_work if _run_of(pod) == name]
        return Observation(
            job=job,
            run_name=name,
            backend=backend,
            backend_missing=missing,
            program=program,
            children=children,
            conflict=conflict or foreign,
            config_map=has_config_map,
            old_pods=tuple(pod["metadata"]["name"] for pod in at_work if _run_of(pod) != name),
            pods=tuple(pod["metadata"]["name"] for pod in own),
            pods_deleted=bool(own) and all("deletionTimestamp" in pod["metadata"] for pod in own),
        )

    def _children(
        self, job: SQLFlowJob, name: str, backend: Backend, *, look_for_name: bool
    ) -> tuple[list[tuple[Object, Workflow]], str]:
        """The job's own children of all backends, and what else has the run's name."""
        served = self._detector.served()
        found = [
            (child, workflow)
            for workflow in self._workflows.values()
            if workflow.backend in served
            for child in self._kube.list(
                workflow.definition.resource, job.namespace, labels=f"{LABEL_JOB_UID}={job.uid}"
            )
            if _owned_by(child, job.uid)
        ]
        workflow = self._workflows[backend]
        if backend not in served or not look_for_name or any(child["metadata"]["name"] == name for child, _ in found):
            return found, ""
        try:
            child = self._kube.get(workflow.definition.resource, job.namespace, name)
        except NotFoundError:
            return found, ""
        if _owned_by(child, job.uid):
            return [*found, (child, workflow)], ""
        return found, f"{child.get('kind', 'an object')} {name}"

    def _config_map(self, job: SQLFlowJob, name: str, *, needed: bool) -> tuple[bool, str]:
        if not needed:
            return False, ""
        try:
            found = self._kube.get(CONFIG_MAPS, job.namespace, name, metadata_only=True)
        except NotFoundError:
            return False, ""
        return (True, "") if _owned_by(found, job.uid) else (False, f"ConfigMap {name}")

    def _child(
        self,
        job: SQLFlowJob,
        raw: Object,
        workflow: Workflow,
        pods: Sequence[Object],
        program: ParsedProgram | None,
        now: datetime,
    ) -> Child:
        metadata = raw["metadata"]
        parts = self._parts(job, raw, workflow)
        owners = {metadata["uid"], *(part["metadata"]["uid"] for part in parts)}
        own = [pod for pod in pods if owner_uids(pod) & owners]
        objects = RunObjects(
            child=raw,
            parts=parts,
            pods=own,
            events=self._events(raw, own, workflow, now),
            reports=self._read_logs(raw, own, workflow),
            statements=program.places if program else {},
            known=job.status.steps_of(metadata["uid"]),
        )
        return Child(
            name=metadata["name"],
            uid=metadata["uid"],
            api_version=raw.get("apiVersion") or workflow.definition.resource.api.removeprefix("apis/"),
            kind=raw.get("kind") or workflow.definition.kind,
            backend=workflow.backend,
            deleting="deletionTimestamp" in metadata,
            state=workflow.observe(objects),
            adjustment=workflow.definition.adjust(raw, job.spec.suspend, job.spec.active_deadline_seconds),
            created_at=metadata.get("creationTimestamp"),
            untouched_by=workflow.definition.title if not raw.get("status") else "",
            deadline_grace=workflow.definition.deadline_grace,
            suspends_running=workflow.definition.suspends_running,
        )

    def _parts(self, job: SQLFlowJob, child: Object, workflow: Workflow) -> list[Object]:
        """The objects between a child and its pods."""
        uid = child["metadata"]["uid"]
        return [
            part
            for resource in workflow.definition.parts
            for part in self._kube.list(resource, job.namespace, labels=f"{LABEL_JOB_UID}={job.uid}")
            if _owned_by(part, uid)
        ]

    def _events(self, child: Object, pods: Sequence[Object], workflow: Workflow, now: datetime) -> list[Object]:
        """Warning events about the child or its newest pod, where no container runs for too long."""
        metadata = child["metadata"]
        if workflow.definition.ended(child) or (child.get("spec") or {}).get("suspend"):
            return []
        subject = max(pods, key=lambda pod: pod["metadata"].get("creationTimestamp") or "", default=None)
        if subject is not None and (_is_running(subject) or not _goes_on(subject)):
            return []
        about = subject or child
        idle_since = from_text(last_end(about) or about["metadata"].get("creationTimestamp"))
        if idle_since is None or now - idle_since < SLOW_START:
            return []
        fields = f"involvedObject.uid={about['metadata']['uid']},type=Warning"
        events = self._kube.list(EVENTS, metadata["namespace"], fields=fields)
        # What was in the way of an earlier step is over.
        return [event for event in events if (from_text(event.get("lastTimestamp")) or now) >= idle_since]

    def _read_logs(
        self, child: Object, pods: Sequence[Object], workflow: Workflow
    ) -> dict[tuple[str, str], StepReport]:
        """Reports from the logs of those containers whose termination message does not tell enough."""
        kinds = {step.name: step.kind for step in workflow.definition.steps(child)}
        reports = {}
        for pod in pods:
            steps = {container: step for step, container in workflow.definition.places(pod).items() if step in kinds}
            for status in statuses(pod):
                terminated = (status.get("state") or {}).get("terminated")
                name = status.get("name", "")
                if terminated and name in steps and needs_log(kinds[steps[name]], terminated):
                    reports[pod["metadata"]["name"], name] = self._report(pod, name)
        return {key: report for key, report in reports.items() if report is not None}

    def _report(self, pod: Object, container: str) -> StepReport | None:
        """What the end of a container's log tells, read once; None where the log cannot be had."""
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
        except ApiError:
            # The node or the pod is gone, or the kubelet does not answer: the state is told without it.
            return None
        report = report_from_log(log)
        with self._lock:
            self._reports[key] = report
            while len(self._reports) > 1000:
                self._reports.popitem(last=False)
        return report


def _owned_by(raw: Mapping[str, Any], uid: str) -> bool:
    return uid in owner_uids(raw)


def _run_of(pod: Mapping[str, Any]) -> str:
    return str((pod["metadata"].get("labels") or {}).get(LABEL_RUN, ""))


def _goes_on(pod: Mapping[str, Any]) -> bool:
    """True where a pod may still have a running container."""
    return (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def _is_running(pod: Mapping[str, Any]) -> bool:
    """True where one of a pod's containers is running."""
    return any("running" in (status.get("state") or {}) for status in statuses(pod))
