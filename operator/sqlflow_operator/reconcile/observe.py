"""Observes a job in the cache; calls the API server only where a stale answer would do harm."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlflow_codegen.contract import LABEL_JOB_UID, LABEL_RUN

from sqlflow_operator.api import Backend, Phase, SQLFlowJob
from sqlflow_operator.clock import from_text
from sqlflow_operator.kube import CONFIG_MAPS, PODS, Kube, NotFoundError, owner_uids
from sqlflow_operator.kube.objects import ChildObject, EventObject, KubeObject, Pod
from sqlflow_operator.kube.watch_cache import WatchCache
from sqlflow_operator.parsing import ParsedProgram
from sqlflow_operator.reconcile.decision import Child, Observation, expiry
from sqlflow_operator.reconcile.program_cache import ProgramCache, statement_places
from sqlflow_operator.reconcile.progress_cache import ProgressCache
from sqlflow_operator.reconcile.report_cache import ReportCache
from sqlflow_operator.run_name import run_name
from sqlflow_operator.workflow import Workflow
from sqlflow_operator.workflow.backends.detection import Detector
from sqlflow_operator.workflow.observe.gather import LiveReader, gather
from sqlflow_operator.workflow.observe.pods import has_ended, is_deleting, last_end, statuses
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState
from sqlflow_operator.workflow.observe.waiting import last_seen

SLOW_START = timedelta(seconds=5)
"""After so long without a running container, Warning events say why."""

_RECORDED = RunState(phase=Phase.FAILED, reason=Reason.STEP_FAILED, message="the outcome is in the status")
"""The state of a run that has ended and whose outcome the job's status has: nothing more is asked of it."""

_ENDED_FROM_OUTSIDE = (Reason.CHILD_LOST, Reason.DEADLINE_EXCEEDED, Reason.CANCELLED)
"""The reasons of runs that have ended while their pods may still be at work."""

Workflows = Mapping[Backend, Workflow]


@dataclass(frozen=True, slots=True)
class _Look:
    """One observation of a job; `recorded` are the names of the runs whose outcome the job's status has."""

    job: SQLFlowJob
    now: datetime
    program: ParsedProgram | None
    recorded: Collection[str]


class Observer:
    """Collects observations. Safe to use from many threads.

    Args:
        kube: the cluster; the objects that it returns have to go into the cache.
        cache: filled by the watches.
        workflows: of each backend.
        programs: the parsed programs.
        detector: which backends the cluster can run.
    """

    def __init__(
        self, kube: Kube, cache: WatchCache, workflows: Workflows, programs: ProgramCache, detector: Detector
    ) -> None:
        self._kube, self._cache = kube, cache
        self._workflows, self._programs, self._detector = workflows, programs, detector
        self._reports = ReportCache(kube)
        self._progress = ProgressCache(kube)

    def observe(self, job: SQLFlowJob, now: datetime) -> Observation:
        """Everything that a decision about a job needs at this time.

        Raises:
            ApiError: the API server refused or gave no answer, or a kind has not been listed yet.
        """
        name = run_name(job)
        current = job.status.run if job.status.run and job.status.run.name == name else None
        ended = current is not None and job.status.terminal
        backend = current.backend if current else self._detector.choose(job.spec.backend)
        # Asked first: what counts as served below must be no older than what is said to be missing.
        missing = "" if ended else self._detector.missing(backend)
        program = None if ended else self._programs.get(job, backend)
        recorded = {entry.name for entry in job.status.history}
        if job.status.run and job.status.terminal:
            recorded.add(job.status.run.name)
        look = _Look(job, now, program, recorded)
        found = self._children(job, name if current and not ended else "", backend)
        children = {raw["metadata"]["name"]: self._child(look, raw, workflow) for raw, workflow in found}
        at_work = [] if ended else self._pods_at_work(job, name, name in children)
        own = [pod for pod in at_work if _run_of(pod) == name]
        return Observation(
            job=job,
            run_name=name,
            backend=backend,
            backend_missing=missing,
            program=program,
            children=children,
            config_map=self._config_map(job, name, children.get(name), ended, now),
            old_pods=tuple(pod["metadata"]["name"] for pod in at_work if _run_of(pod) != name),
            pods=tuple(pod["metadata"]["name"] for pod in own),
            pods_deleted=bool(own) and all(map(is_deleting, own)),
        )

    def _children(self, job: SQLFlowJob, confirm: str, backend: Backend) -> list[tuple[ChildObject, Workflow]]:
        """The job's own children of all backends; the run named `confirm` is not believed to have none."""
        served = self._detector.served()
        self._cache.require(
            [PODS, *(resource for engine in served for resource in self._workflows[engine].definition.kinds)]
        )
        found = [
            (child, workflow)
            for workflow in self._workflows.values()
            if workflow.backend in served
            for child in self._cache.owned(workflow.definition.resource, None, {job.uid})
        ]
        workflow = self._workflows[backend]
        if not confirm or backend not in served or any(child["metadata"]["name"] == confirm for child, _ in found):
            return found
        try:
            child = self._kube.get(workflow.definition.resource, job.namespace, confirm)
        except NotFoundError:
            if backend not in self._detector.served(fresh=True):
                raise  # its kind went with it: the next look finds the backend missing
            return found
        return [*found, (child, workflow)] if job.uid in owner_uids(child) else found

    def _pods_at_work(self, job: SQLFlowJob, name: str, started: bool) -> list[Pod]:
        """The pods that have not ended, of the job and of a deleted one that had its name.

        Before a run has started, those of an earlier run are gone only if the API server has none.
        """
        pods = self._cache.of_job(PODS, job.namespace, job.name)
        if not started and _replaces_a_run(job, name) and all(has_ended(pod) or _run_of(pod) == name for pod in pods):
            pods = self._kube.list(PODS, job.namespace, labels=f"{LABEL_JOB_UID}={job.uid}")
        return [pod for pod in pods if not has_ended(pod)]

    def _config_map(self, job: SQLFlowJob, name: str, child: Child | None, ended: bool, now: datetime) -> bool | None:
        """True if the run's ConfigMap is there; None if that makes no difference now."""
        if ended:
            due = expiry(job, job.status.run.finished_at if job.status.run else None)
            matters = child is None and due is not None and now >= due
        else:
            missing = f'configmap "{name}" not found'
            matters = child is not None and any(missing in str(event.get("message")) for event in child.warnings)
        if not matters:
            return None
        try:
            return job.uid in owner_uids(self._kube.get(CONFIG_MAPS, job.namespace, name, metadata_only=True))
        except NotFoundError:
            return False

    def _child(self, look: _Look, raw: ChildObject, workflow: Workflow) -> Child:
        metadata, backend = raw["metadata"], workflow.definition
        recorded = metadata["name"] in look.recorded
        known_to_have_ended = recorded and backend.ended(raw)
        objects = RunObjects(child=raw) if known_to_have_ended else self._run_objects(look, raw, workflow, recorded)
        spec = look.job.spec
        return Child(
            name=metadata["name"],
            uid=metadata["uid"],
            api_version=raw.get("apiVersion") or backend.resource.api.removeprefix("apis/"),
            kind=raw.get("kind") or backend.kind,
            backend=workflow.backend,
            deleting=is_deleting(raw),
            state=_RECORDED if known_to_have_ended else workflow.observe(objects),
            adjustment=backend.adjust(raw, spec.suspend, spec.active_deadline_seconds),
            created_at=metadata.get("creationTimestamp"),
            unacknowledged_by=backend.title if not raw.get("status") else "",
            warnings=objects.events,
            deadline_grace=backend.deadline_grace,
            suspends_running=backend.suspends_running,
        )

    def _run_objects(self, look: _Look, raw: ChildObject, workflow: Workflow, recorded: bool) -> RunObjects:
        objects = gather(self._cache, raw, workflow.definition.parts)
        if recorded:
            return objects
        if workflow.definition.ended(raw):
            objects = self._caught_up(objects, workflow)
        return replace(
            objects,
            events=self._warnings(objects, workflow, look.now),
            reports=self._reports.read(objects, workflow, look.now) | self._progress.read(objects, workflow, look.now),
            statements=statement_places(look.program),
            known=look.job.status.steps_of(raw["metadata"]["uid"]),
        )

    def _caught_up(self, objects: RunObjects, workflow: Workflow) -> RunObjects:
        """The objects of a run that has ended, read again as far as their watches lag: its outcome is written once."""
        if not objects.pods:
            return gather(LiveReader(self._kube), objects.child, workflow.definition.parts)
        behind = [part["metadata"]["uid"] for part in objects.parts if not _is_complete(part)]
        behind += [pod["metadata"]["uid"] for pod in objects.pods if not has_ended(pod)]
        for uid in behind:
            self._read_again(uid)
        return gather(self._cache, objects.child, workflow.definition.parts) if behind else objects

    def _read_again(self, uid: str) -> None:
        known = self._cache.find(uid)
        if known is None:
            return
        try:
            self._kube.get(known.resource, known.namespace, known.name)
        except NotFoundError:
            self._cache.drop(uid)

    def _warnings(self, objects: RunObjects, workflow: Workflow, now: datetime) -> list[EventObject]:
        """Warning events about the child or its newest pod, if no container has been running for too long."""
        child = objects.child
        if workflow.definition.ended(child) or (child.get("spec") or {}).get("suspend"):
            return []
        newest = objects.pods[-1] if objects.pods else None
        if newest is not None and (_is_running(newest) or has_ended(newest)):
            return []
        about = newest or child
        idle_since = from_text(last_end(*objects.pods[-1:]) or about["metadata"].get("creationTimestamp"))
        if idle_since is None or now - idle_since < SLOW_START:
            return []
        events = self._cache.warnings(about["metadata"]["uid"])
        # What was in the way of an earlier step is over.
        return [event for event in events if (from_text(last_seen(event)) or now) >= idle_since]


def _replaces_a_run(job: SQLFlowJob, name: str) -> bool:
    """True if the status shows an earlier run that has not ended by itself, or that is being stopped."""
    run = job.status.run
    if run is not None:
        return run.name != name and (not job.status.terminal or job.status.reason in _ENDED_FROM_OUTSIDE)
    return job.status.reason == Reason.STOPPING


def _run_of(pod: Pod) -> str:
    return str((pod["metadata"].get("labels") or {}).get(LABEL_RUN, ""))


def _is_complete(part: KubeObject) -> bool:
    """True if an object between a child and its pods has ended."""
    return (part.get("status") or {}).get("completionTime") is not None


def _is_running(pod: Pod) -> bool:
    """True if one of a pod's containers is running."""
    return any((status.get("state") or {}).get("running") is not None for status in statuses(pod))
