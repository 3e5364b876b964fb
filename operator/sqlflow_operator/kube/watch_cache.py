"""The objects that the watches have shown, by name, by owner and by job.

Objects are kept as compressed JSON: those of thousands of runs that have ended stay in memory for days, and a caller
that changes what it got changes nothing here.
"""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from cachetools import LRUCache
from sqlflow_codegen.contract import ANNOTATION_JOB, LABEL_JOB_UID

from sqlflow_operator.kube import (
    CONFIG_MAPS,
    EVENTS,
    LOCAL_ACCESS_REVIEWS,
    SQLFLOWJOBS,
    Object,
    Resource,
    owner_uids,
)
from sqlflow_operator.kube.errors import UnavailableError
from sqlflow_operator.kube.objects import EventObject, KubeObject, ObjectMeta, Thing

DELETIONS_KEPT = 10_000
"""UIDs of deleted objects that are remembered: what comes late about one of them must not bring it back."""
WARNINGS_KEPT = 5_000
"""Warning events that are remembered."""

K = TypeVar("K")

_UNWATCHED = (CONFIG_MAPS, EVENTS, LOCAL_ACCESS_REVIEWS)
_UNREAD_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class CachedObject:
    """One object as it was last seen.

    Attributes:
        resource: its kind.
        namespace: its namespace.
        name: its name.
        version: its resourceVersion.
        job: namespace and name of its SQLFlowJob; None if it names none.
        owners: UIDs of its owners.
        phase: the phase in its status, or "".
        content: the object as compressed JSON, without what nobody reads.
        put_at: when it was put here, in seconds of a monotonic clock.
    """

    resource: Resource
    namespace: str
    name: str
    version: str
    job: tuple[str, str] | None
    owners: frozenset[str]
    phase: str
    content: bytes
    put_at: float

    def load(self) -> Any:
        """A copy of the object."""
        return json.loads(zlib.decompress(self.content))


class WatchCache:
    """SQLFlowJobs, children of all backends, what lies between a child and its pods, and pods; and Warning events.

    Safe to use from many threads.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._objects: dict[str, CachedObject] = {}
        self._names: dict[tuple[Resource, str, str], str] = {}
        self._by_owner: defaultdict[str, set[str]] = defaultdict(set)
        self._by_job: defaultdict[tuple[str, str] | None, set[str]] = defaultdict(set)
        self._deleted: LRUCache[str, str] = LRUCache(DELETIONS_KEPT)
        self._warnings: LRUCache[str, EventObject] = LRUCache(WARNINGS_KEPT)
        self._synced: set[Resource] = set()

    def put(self, resource: Resource, raw: KubeObject) -> None:
        """Keep an object, unless a newer state of it is here or it is known to be gone."""
        uid, fresh = raw["metadata"]["uid"], _cached(resource, raw)
        name = (resource, fresh.namespace, fresh.name)
        with self._lock:
            namesake = self._names.get(name)
            known = self._objects.get(namesake) if namesake else None
            if known and _is_older(fresh.version, known.version):
                return
            if uid in self._deleted and not _is_older(self._deleted[uid], fresh.version):
                return
            if namesake is not None:
                self._drop(namesake)
            self._objects[uid], self._names[name] = fresh, uid
            self._by_job[fresh.job].add(uid)
            for owner in fresh.owners:
                self._by_owner[owner].add(uid)

    def put_answer(self, resource: Resource, raw: KubeObject) -> None:
        """Keep an object that a call has returned, if the watches show it too: what was written is seen at once."""
        labelled = LABEL_JOB_UID in (raw["metadata"].get("labels") or {})
        if resource == SQLFLOWJOBS or (labelled and resource not in _UNWATCHED):
            self.put(resource, raw)

    def remove(self, uid: str, version: str = "") -> None:
        """Drop an object that was deleted, or lost its label, at that resourceVersion; earlier states stay away."""
        with self._lock:
            known = self._objects.get(uid)
            self._deleted[uid] = version or (known.version if known else "")
            self._drop(uid)

    def drop(self, uid: str) -> None:
        """Drop an object that a call did not find; if a watch or a list shows it again, it is back."""
        with self._lock:
            self._drop(uid)

    def replace(self, resource: Resource, listed: Iterable[KubeObject], before: Collection[str]) -> None:
        """Take over a whole list of a kind; from now on that kind is complete.

        Args:
            resource: the kind.
            listed: all its objects.
            before: UIDs that were here before the list was asked for: what it does not have of them is gone.
        """
        listed = list(listed)
        there = {raw["metadata"]["uid"] for raw in listed}
        with self._lock:
            for uid in before:
                if uid not in there and uid in self._objects and self._objects[uid].resource == resource:
                    self.remove(uid)
            for raw in listed:
                self.put(resource, raw)
            self._synced.add(resource)

    def forget(self, resource: Resource) -> None:
        """Drop a kind that is watched no more."""
        with self._lock:
            self._synced.discard(resource)
            for uid in [uid for uid, known in self._objects.items() if known.resource == resource]:
                self._drop(uid)

    def require(self, resources: Iterable[Resource]) -> None:
        """Make sure that those kinds are complete.

        Raises:
            UnavailableError: one of them has not been listed yet; to be tried again.
        """
        with self._lock:
            waiting = [resource.plural for resource in resources if resource not in self._synced]
        if waiting:
            raise UnavailableError(0, "NotSynced", f"not listed yet: {', '.join(waiting)}")

    def get(self, resource: Resource[Thing], namespace: str, name: str) -> Thing | None:
        """The object of that name, or None."""
        with self._lock:
            found = self._objects.get(self._names.get((resource, namespace, name), ""))
        return found.load() if found else None

    def find(self, uid: str) -> CachedObject | None:
        """The object of that UID, or None."""
        with self._lock:
            return self._objects.get(uid)

    def age(self, uid: str) -> float:
        """Seconds since the object of that UID was last seen; infinite if it is not here."""
        known = self.find(uid)
        return time.monotonic() - known.put_at if known else float("inf")

    def owned(self, resource: Resource[Thing], child: object, owners: Collection[str]) -> list[Thing]:
        """The objects of that kind that have an owner with one of those UIDs; see `RunReader`."""
        with self._lock:
            uids = {uid for owner in owners for uid in self._by_owner.get(owner, ())}
            found = [self._objects[uid] for uid in uids]
        return [known.load() for known in found if known.resource == resource]

    def of_job(self, resource: Resource[Thing], namespace: str, job: str) -> list[Thing]:
        """The objects of that kind that name that SQLFlowJob, also those of one that had its name before."""
        with self._lock:
            found = [self._objects[uid] for uid in self._by_job.get((namespace, job), ())]
        return [known.load() for known in found if known.resource == resource]

    def objects(self) -> dict[str, CachedObject]:
        """All objects by UID."""
        with self._lock:
            return dict(self._objects)

    def phases(self) -> Counter[str]:
        """The number of SQLFlowJobs in each phase."""
        return Counter(known.phase or "Pending" for known in self.objects().values() if known.resource == SQLFLOWJOBS)

    def put_warning(self, event: EventObject) -> CachedObject | None:
        """Keep a Warning event; the object that it is about, if that is here."""
        about = (event.get("involvedObject") or {}).get("uid", "")
        with self._lock:
            self._warnings[event["metadata"]["uid"]] = event
            return self._objects.get(about)

    def warnings(self, uid: str) -> list[EventObject]:
        """The Warning events about the object of that UID."""
        with self._lock:
            return [event for event in self._warnings.values() if event["involvedObject"].get("uid") == uid]

    def _drop(self, uid: str) -> None:
        known = self._objects.pop(uid, None)
        if known is None:
            return
        del self._names[known.resource, known.namespace, known.name]
        _discard(self._by_job, known.job, uid)
        for owner in known.owners:
            _discard(self._by_owner, owner, uid)


def _discard(index: dict[K, set[str]], key: K, uid: str) -> None:
    index[key].discard(uid)
    if not index[key]:
        del index[key]


def job_of(resource: Resource, metadata: ObjectMeta) -> tuple[str, str] | None:
    """Namespace and name of the SQLFlowJob that an object is or belongs to, or None."""
    name = metadata["name"] if resource == SQLFLOWJOBS else (metadata.get("annotations") or {}).get(ANNOTATION_JOB)
    return (metadata.get("namespace", ""), name) if name else None


def _cached(resource: Resource, raw: KubeObject) -> CachedObject:
    metadata = raw["metadata"]
    annotations = metadata.get("annotations") or {}
    kept: Object = {key: value for key, value in metadata.items() if key != "managedFields"}
    if _UNREAD_ANNOTATION in annotations:
        kept["annotations"] = {k: v for k, v in annotations.items() if k != _UNREAD_ANNOTATION}
    content = json.dumps({**raw, "metadata": kept}, separators=(",", ":")).encode()
    return CachedObject(
        resource=resource,
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        version=metadata.get("resourceVersion", ""),
        job=job_of(resource, metadata),
        owners=frozenset(owner_uids(raw)),
        phase=str((raw.get("status") or {}).get("phase") or ""),
        content=zlib.compress(content, 1),
        put_at=time.monotonic(),
    )


def _is_older(version: str, known: str) -> bool:
    """True if a resourceVersion is older than another; if they are no numbers, the last one put counts as newer."""
    return version.isdigit() and known.isdigit() and int(version) < int(known)
