"""One level-triggered `reconcile(key)`: observe, decide, apply."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from sqlflow_operator import clock
from sqlflow_operator.api import SQLFlowJob, SQLFlowJobStatus
from sqlflow_operator.kube import SQLFLOWJOBS, Kube, NotFoundError
from sqlflow_operator.reconcile.apply import Applier, Backends, status_patch
from sqlflow_operator.reconcile.decide import decide
from sqlflow_operator.reconcile.event_recorder import event, notices
from sqlflow_operator.reconcile.model import CreateRun, Decision
from sqlflow_operator.reconcile.observe import Observer
from sqlflow_operator.reconcile.program import ProgramCache
from sqlflow_operator.run_options import Defaults
from sqlflow_operator.workflow.backends.detection import Detector

logger = logging.getLogger(__name__)

Key = tuple[str, str]
"""Namespace and name of a job."""

WRITE_INTERVAL = 1.0
"""Seconds between two writes of one job's status, at least."""


class Reconciler:
    """Brings jobs to where their spec wants them. It keeps no state that matters: everything is read again.

    Args:
        kube: the cluster.
        backends: generator and workflow of each backend.
        detector: which backends the cluster can run, and which one a job gets that names none.
        defaults: what jobs get that do not say it.
        now, monotonic: clocks, for tests.
        on_write: called after each written status; for metrics.
    """

    def __init__(
        self,
        kube: Kube,
        backends: Backends,
        *,
        detector: Detector,
        defaults: Defaults,
        programs: ProgramCache | None = None,
        now: Callable[[], datetime] = clock.now,
        monotonic: Callable[[], float] = time.monotonic,
        on_write: Callable[[], None] = lambda: None,
    ) -> None:
        workflows = {backend: workflow for backend, (_, workflow) in backends.items()}
        self._kube = kube
        self._defaults = defaults
        self._observer = Observer(kube, workflows, programs or ProgramCache(), detector)
        self._applier = Applier(kube, backends, defaults)
        self._now = now
        self._monotonic = monotonic
        self._on_write = on_write
        self._written: dict[str, float] = {}
        self._lock = threading.Lock()

    def reconcile(self, key: Key) -> float | None:
        """Look at a job and do what follows; seconds until it must be looked at again, None for never.

        Never called for one key by two threads at once.

        Raises:
            ApiError: the API server refused or gave no answer; try again later.
        """
        namespace, name = key
        try:
            raw = self._kube.get(SQLFLOWJOBS, namespace, name)
        except NotFoundError:
            return None
        try:
            job = self._defaults.applied(SQLFlowJob.parse(raw))
        except ValidationError as error:
            logger.error("job cannot be read: %s", error, extra={"job": f"{namespace}/{name}"})
            return None
        decision = self._act(job)
        if decision.status is None:
            return decision.requeue_after
        wait = self._write(job, decision.status)
        return decision.requeue_after if wait is None else min(wait, decision.requeue_after or wait)

    def _act(self, job: SQLFlowJob) -> Decision:
        """Observe, decide and carry out the actions; after a run was created, once more, to tell of it."""
        observation = self._observer.observe(job, self._now())
        decision = decide(observation, self._now())
        created = False
        for action in decision.actions:
            refusal = self._applier.apply(job, action)
            if refusal is not None:
                return decide(observation, self._now(), refusal)
            created = created or isinstance(action, CreateRun)
        if not created:
            return decision
        again = decide(self._observer.observe(job, self._now()), self._now())
        # What else there is to do is done next time; here only the status counts.
        return Decision(status=again.status, requeue_after=0.0 if again.actions else again.requeue_after)

    def _write(self, job: SQLFlowJob, status: SQLFlowJobStatus) -> float | None:
        """Write a status and tell of the change; seconds to wait where it is too early for another write."""
        if not status_patch(job.raw_status, status):
            return None
        with self._lock:
            wait = self._written.get(job.uid, float("-inf")) + WRITE_INTERVAL - self._monotonic()
        if wait > 0:
            return wait
        now = self._now()
        for notice in notices(job.status, status):
            # Before the status: an operator killed in between tells it again under the same name, never not at all.
            self._applier.tell(event(job, notice, now))
        self._applier.write_status(job, status)
        with self._lock:
            self._written[job.uid] = self._monotonic()
            self._forget_old_writes()
        self._on_write()
        return None

    def _forget_old_writes(self) -> None:
        """Writes of long ago hold nothing up."""
        if len(self._written) > 10_000:
            limit = self._monotonic() - WRITE_INTERVAL
            self._written = {uid: moment for uid, moment in self._written.items() if moment > limit}
