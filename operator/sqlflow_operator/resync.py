"""Lists what is watched: once before the watches start, and from time to time to find what they have missed.

A watch stream can die without a sign: no error, no event. What a plain list shows and no event has shown is read into
the cache and its job is put into the queue, so a dead stream costs at most two rounds; and a stream that stays silent
about changes for too long turns the liveness probe red, so that the kubelet restarts the operator.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlflow_codegen.contract import LABEL_JOB_UID

from sqlflow_operator.api import Backend
from sqlflow_operator.backend_registry import definition
from sqlflow_operator.kube import PODS, SQLFLOWJOBS, ApiError, Kube, NotFoundError, Resource
from sqlflow_operator.kube.objects import KubeObject, ObjectMeta
from sqlflow_operator.kube.watch_cache import CachedObject, WatchCache, job_of
from sqlflow_operator.reconcile import Key
from sqlflow_operator.workqueue import WorkQueue

logger = logging.getLogger(__name__)


def watched(engines: Iterable[Backend]) -> tuple[Resource, ...]:
    """The kinds of children, of what is between them and their pods, and of the pods."""
    return (*(resource for engine in sorted(engines) for resource in definition(engine).kinds), PODS)


class Resync:
    """Fills the cache, and one thread that compares it with lists.

    Args:
        kube: the cluster.
        namespaces: which to list; empty for all.
        queue: takes the keys of jobs about which something was missed.
        cache: what the watches have shown.
        engines: the engines whose kinds are there.
        interval: seconds between two rounds.
        clock: monotonic seconds; for tests.
    """

    def __init__(
        self,
        kube: Kube,
        namespaces: Sequence[str],
        queue: WorkQueue[Key],
        cache: WatchCache,
        engines: Callable[[], Iterable[Backend]] = lambda: (Backend.JOB,),
        *,
        interval: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kube, self._queue, self._cache, self._engines = kube, queue, cache, engines
        self._namespaces: Sequence[str | None] = list(namespaces) or [None]
        self._interval, self._clock = interval, clock
        self._suspects: dict[str, str] = {}
        """The versions that the watches have shown of the objects of which the latest list showed another one."""
        self._read_here: dict[str, tuple[CachedObject | None, str]] = {}
        """Objects as this thread has read them, with the versions that the watches had shown before."""
        self._silent_since: float | None = None
        self._reached = clock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="resync", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end."""
        self._stop.set()

    def silent_seconds(self) -> float:
        """Seconds since the streams began to keep changes back; 0 if they do not."""
        return self._clock() - self._silent_since if self._silent_since is not None else 0.0

    def unreached_seconds(self) -> float:
        """Seconds since the API server last answered a round."""
        return self._clock() - self._reached

    def fill(self, engines: Iterable[Backend]) -> None:
        """List all jobs and the kinds of these engines into the cache; kinds of other engines leave it.

        Raises:
            ApiError: the API server refused or gave no answer.
        """
        kinds = (SQLFLOWJOBS, *watched(engines))
        for resource in set(watched(Backend)).difference(kinds):
            self._cache.forget(resource)
        for resource in kinds:
            before = set(self._cache.objects())
            self._cache.replace(resource, list(self._list(resource)), before)

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
        kinds = (SQLFLOWJOBS, *watched(self._engines()))
        known = {uid: thing for uid, thing in self._cache.objects().items() if thing.resource in kinds}
        listed = {
            raw["metadata"]["uid"]: (resource, raw["metadata"])
            for resource in kinds
            for raw in self._list(resource, metadata_only=True)
        }
        suspects: dict[str, str] = {}
        missed: list[Key | None] = []
        shown = {uid: self._shown(uid, thing) for uid, thing in known.items()}
        self._read_here = {uid: read for uid, read in self._read_here.items() if read[0] is known.get(uid)}
        for uid, (resource, metadata) in listed.items():
            seen = shown.get(uid, "")
            if self._is_missed(uid, metadata.get("resourceVersion", ""), seen, suspects):
                self._read(resource, metadata, seen)
                missed.append(job_of(resource, metadata))
        for uid in known.keys() - listed.keys():
            if self._is_missed(uid, "gone", known[uid].version, suspects):
                self._cache.remove(uid)
                missed.append(known[uid].job)
        for key in filter(None, missed):
            self._queue.add(key)
        self._suspects = suspects
        self._note(bool(missed))

    def _note(self, missed: bool) -> None:
        if missed and self._silent_since is None:
            logger.warning("the watch streams keep changes back; what they missed is read now")
            self._silent_since = self._clock()
        if not missed:
            self._silent_since = None
        self._reached = self._clock()

    def _is_missed(self, uid: str, listed: str, seen: str, suspects: dict[str, str]) -> bool:
        """True if the cache lags behind a list, and has not changed since it did so in the round before."""
        if listed == seen:
            return False
        suspects[uid] = seen
        return self._suspects.get(uid) == seen

    def _shown(self, uid: str, known: CachedObject) -> str:
        """The version that the watches have shown of an object."""
        read, before = self._read_here.get(uid, (None, ""))
        return before if read is known else known.version

    def _read(self, resource: Resource, metadata: ObjectMeta, seen: str) -> None:
        uid = metadata["uid"]
        known = self._cache.find(uid)
        try:
            if known is None or known.version != metadata.get("resourceVersion"):
                self._cache.put(resource, self._kube.get(resource, metadata.get("namespace", ""), metadata["name"]))
            self._read_here[uid] = (self._cache.find(uid), seen)
        except NotFoundError:
            self._cache.remove(uid, metadata.get("resourceVersion", ""))

    def _list(self, resource: Resource, *, metadata_only: bool = False) -> Iterator[KubeObject]:
        """All objects of a kind that are watched."""
        labels = "" if resource == SQLFLOWJOBS else LABEL_JOB_UID
        for namespace in self._namespaces:
            try:
                yield from self._kube.list(resource, namespace, labels=labels, metadata_only=metadata_only)
            except NotFoundError:
                return  # an engine that was removed a moment ago
