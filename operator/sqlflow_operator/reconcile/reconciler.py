"""The reconcile loop: one level-triggered `reconcile(key)` for every event of a job or of what belongs to it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from cachetools import TTLCache
from pydantic import ValidationError

from sqlflow_operator import clock
from sqlflow_operator.api import SQLFlowJob, SQLFlowJobStatus
from sqlflow_operator.kube import SQLFLOWJOBS, Kube
from sqlflow_operator.kube.watch_cache import WatchCache
from sqlflow_operator.reconcile.apply import Applier, Backends, status_patch
from sqlflow_operator.reconcile.decide import decide
from sqlflow_operator.reconcile.decision import CreateRun, Decision
from sqlflow_operator.reconcile.event_recorder import EventRecorder
from sqlflow_operator.reconcile.observe import Observer
from sqlflow_operator.reconcile.program_cache import ProgramCache
from sqlflow_operator.run_options import Defaults
from sqlflow_operator.workflow.backends.detection import Detector

logger = logging.getLogger(__name__)

Key = tuple[str, str]
"""Namespace and name of a job."""

WRITE_INTERVAL = 1.0
"""Seconds between two writes of one job's status, at least."""


class Reconciler:
    """Brings jobs to the state that their spec asks for. It keeps nothing that a new process could not find again.

    Args:
        kube: the cluster; the objects that it returns have to go into the cache (`WatchCache.put_answer`).
        cache: filled by the watches.
        backends: generator and workflow of each backend.
        detector: which backends the cluster can run, and which one a job gets that names none.
        defaults: for jobs that leave them out.
        programs: the parsed programs.
        now, monotonic: clocks, for tests.
    """

    def __init__(
        self,
        kube: Kube,
        cache: WatchCache,
        backends: Backends,
        *,
        detector: Detector,
        defaults: Defaults,
        programs: ProgramCache | None = None,
        now: Callable[[], datetime] = clock.now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        workflows = {backend: workflow for backend, (_, workflow) in backends.items()}
        self._cache, self._defaults = cache, defaults
        self._observer = Observer(kube, cache, workflows, programs or ProgramCache(), detector)
        self._applier = Applier(kube, cache, backends, defaults, monotonic)
        self._recorder = EventRecorder(kube)
        self._now, self._monotonic = now, monotonic
        self._written: TTLCache[str, float] = TTLCache(100_000, WRITE_INTERVAL, monotonic)
        self._lock = threading.Lock()

    def reconcile(self, key: Key) -> float | None:
        """Observe a job, decide, act and write its status; seconds until the next time without an event, or None.

        Never called for one key by two threads at once.

        Raises:
            ApiError: the API server refused or gave no answer; try again later.
        """
        job = self._job(key)
        if job is None:
            return None
        decision = self._act(job)
        if decision.status is None:
            return decision.requeue_after
        wait = self._write(job, decision.status)
        return decision.requeue_after if wait is None else min(wait, decision.requeue_after or wait)

    def _job(self, key: Key) -> SQLFlowJob | None:
        raw = self._cache.get(SQLFLOWJOBS, *key)
        try:
            return self._defaults.applied(SQLFlowJob.parse(raw)) if raw else None
        except ValidationError as error:
            logger.error("job cannot be read: %s", error, extra={"job": "/".join(key)})
            return None

    def _act(self, job: SQLFlowJob) -> Decision:
        """Observe, decide and carry out the actions; after a run was created, once more, for the status to show it."""
        observation = self._observer.observe(job, self._now())
        decision = decide(observation, self._now())
        for action in decision.actions:
            refusal = self._applier.apply(job, action)
            if refusal is not None:
                return decide(observation, self._now(), refusal)
        if not any(isinstance(action, CreateRun) for action in decision.actions):
            return decision
        again = decide(self._observer.observe(job, self._now()), self._now())
        # Further actions are left to the next time; here only the status counts.
        return Decision(status=again.status, requeue_after=0.0 if again.actions else again.requeue_after)

    def _write(self, job: SQLFlowJob, status: SQLFlowJobStatus) -> float | None:
        """Record Events and write a status; seconds to wait if it is too early for another write."""
        patch = status_patch(job.raw_status, status)
        if not patch:
            return None
        with self._lock:
            written = self._written.get(job.uid)
        if written is not None:
            return max(0.0, written + WRITE_INTERVAL - self._monotonic())
        # Before the status: an operator killed in between records them again under the same names, never not at all.
        self._recorder.record(job, status, self._now())
        self._applier.write_status(job, patch)
        with self._lock:
            self._written[job.uid] = self._monotonic()
        return None
