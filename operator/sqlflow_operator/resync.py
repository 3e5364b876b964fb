"""Checks from time to time that the watch streams have told everything, and makes up for what they have not.

A watch stream can die without a sign: no error, no event. Whatever a plain list shows and no event has shown is
put into the queue, so a dead stream costs at most two rounds; and a stream that stays silent about changes for too
long turns the liveness probe red, so that the kubelet restarts the operator.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlflow_codegen.contract import LABEL_JOB_UID

from sqlflow_operator.api import Backend
from sqlflow_operator.handlers import watched
from sqlflow_operator.kube import SQLFLOWJOBS, ApiError, Kube, NotFoundError, Object, Resource
from sqlflow_operator.reconcile import Key
from sqlflow_operator.registry import Registry, key_of_job, key_of_part
from sqlflow_operator.workqueue import WorkQueue

logger = logging.getLogger(__name__)


class Resync:
    """One thread that lists, compares and reports.

    Args:
        kube: the cluster.
        namespaces: which to list; empty for all.
        queue, seen: where missed changes go, and what events have shown.
        engines: which engines' kinds there are to be listed.
        interval: seconds between two rounds.
        clock: monotonic seconds; for tests.
    """

    def __init__(
        self,
        kube: Kube,
        namespaces: Sequence[str],
        queue: WorkQueue[Key],
        seen: Registry,
        engines: Callable[[], Iterable[Backend]] = lambda: (Backend.JOB,),
        *,
        interval: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kube, self._queue, self._seen, self._engines = kube, queue, seen, engines
        self._namespaces: Sequence[str | None] = list(namespaces) or [None]
        self._interval, self._clock = interval, clock
        self._suspects: dict[str, str] = {}
        """What events had shown of the objects about which the latest list showed something else."""
        self._silent_since: float | None = None
        self._reached = clock()
        self._completed = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="resync", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end."""
        self._stop.set()

    @property
    def completed(self) -> bool:
        """True once a first round was completed."""
        return self._completed

    def silent_seconds(self) -> float:
        """For how long the streams have kept changes back; 0 where they have not."""
        return self._clock() - self._silent_since if self._silent_since is not None else 0.0

    def unreached_seconds(self) -> float:
        """Seconds since the API server last answered a round."""
        return self._clock() - self._reached

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.round()
            except ApiError as error:
                logger.warning("the API server does not answer: %s", error)

    def round(self) -> None:
        """List everything once and compare.

        Raises:
            ApiError: the API server refused or gave no answer.
        """
        listed = {
            raw["metadata"]["uid"]: (raw["metadata"].get("resourceVersion", ""), key) for raw, key in self._list()
        }
        known = self._seen.known()
        suspects: dict[str, str] = {}
        missed = [
            key
            for uid, (version, key) in listed.items()
            if self._is_missed(uid, version, known[uid].version if uid in known else "", suspects)
        ]
        for uid in known.keys() - listed.keys():
            if self._is_missed(uid, "gone", known[uid].version, suspects):
                self._seen.lost(uid)
                missed.append(known[uid].key)
        for key in missed:
            self._queue.add(key)
        self._suspects = suspects
        if missed and self._silent_since is None:
            logger.warning("the watch streams keep changes back; what they missed is taken up now")
            self._silent_since = self._clock()
        if not missed:
            self._silent_since = None
        self._reached = self._clock()
        self._completed = True

    def _is_missed(self, uid: str, listed: str, seen: str, suspects: dict[str, str]) -> bool:
        """True where events lag behind a list, and have not moved since they did so in the round before."""
        if listed == seen:
            return False
        suspects[uid] = seen
        return self._suspects.get(uid) == seen

    def _list(self) -> Iterator[tuple[Object, Key]]:
        """All jobs, children and pods, as metadata, with the key of the job."""
        for namespace in self._namespaces:
            for raw in self._kube.list(SQLFLOWJOBS, namespace, metadata_only=True):
                yield raw, key_of_job(raw)
            for resource in watched(self._engines()):
                for raw in self._list_parts(resource, namespace):
                    key = key_of_part(raw)
                    if key is not None:
                        yield raw, key

    def _list_parts(self, resource: Resource, namespace: str | None) -> list[Object]:
        try:
            return self._kube.list(resource, namespace, labels=LABEL_JOB_UID, metadata_only=True)
        except NotFoundError:
            return []  # an engine that was removed a moment ago
