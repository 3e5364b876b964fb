"""Lets the operator live through a recorded run once more: its own objects, the engine's recorded deeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlflow_codegen.contract import LABEL_JOB_UID
from sqlflow_operator.kube import SQLFLOWJOBS, Object, Resource
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.kube.watch_cache import WatchCache
from sqlflow_operator.reconcile import Defaults, Reconciler
from sqlflow_operator.resync import Resync
from sqlflow_operator.workflow import Workflow, available, new
from sqlflow_operator.workflow.backends.detection import Detector
from sqlflow_operator.workqueue import WorkQueue

from tests.conformance.cases import TABLE, Case
from tests.conformance.player import CHILDREN, Player
from tests.conformance.recording import RUN
from tests.conformance.watching import Seen
from tests.e2e.kube import sqlflow_job

JOB = TABLE.replace("_", "-")
"""Name of the SQLFlowJob in every replay."""

Step = Callable[[float], None]
"""Lets the operator act; the argument is the recording's time in seconds."""


class RecordedTimes:
    """The API server, but objects are as old as in the recording: a replay takes no time.

    What calls return goes into the operator's cache.
    """

    def __init__(self, kube: KubeClient, created: dict[tuple[str, str], str], cache: WatchCache) -> None:
        self._kube, self._created, self._cache = kube, created, cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kube, name)

    def get(self, resource: Resource, namespace: str, name: str, **options: Any) -> Object:
        return self._kept(resource, self._kube.get(resource, namespace, name, **options))

    def create(self, resource: Resource, namespace: str, body: Object) -> Object:
        return self._kept(resource, self._kube.create(resource, namespace, body))

    def patch(self, resource: Resource, namespace: str, name: str, patch: Object, **options: Any) -> Object:
        return self._kept(resource, self._kube.patch(resource, namespace, name, patch, **options))

    def list(self, resource: Resource, namespace: str | None, **options: Any) -> Sequence[Object]:
        return [self._aged(resource, thing) for thing in self._kube.list(resource, namespace, **options)]

    def _kept(self, resource: Resource, thing: Object) -> Object:
        self._cache.put_answer(resource, self._aged(resource, thing))
        return thing

    def _aged(self, resource: Resource, thing: Object) -> Object:
        created = self._created.get((resource.plural, thing["metadata"].get("name", "")))
        if created:
            thing["metadata"]["creationTimestamp"] = created
        return thing


@dataclass
class SteppedOperator:
    """The operator's reconcile loop on the real API server, with a clock that follows the recording."""

    kube: KubeClient
    namespace: str
    created: dict[tuple[str, str], str]
    start: datetime
    moment: datetime = field(init=False)
    reconciler: Reconciler = field(init=False)
    detector: Detector = field(init=False)
    resync: Resync = field(init=False)
    """Plays the watches: it lists everything before each step."""

    def __post_init__(self) -> None:
        self.moment = self.start
        cache = WatchCache()
        kube: Any = RecordedTimes(self.kube, self.created, cache)
        self.detector = Detector(self.kube.serves, clock=self._monotonic)
        self.resync = Resync(kube, (self.namespace,), WorkQueue(), cache, interval=0)
        self.reconciler = Reconciler(
            kube,
            cache,
            {backend: new(backend, kube) for backend in available()},
            detector=self.detector,
            defaults=Defaults("step:1"),
            now=lambda: self.moment,
            monotonic=self._monotonic,
        )

    def _monotonic(self) -> float:
        return self.moment.timestamp()

    def step(self, seconds: float) -> None:
        """Move the clock to that time of the recording and look at the job as often as it asks to be looked at then."""
        self.moment = max(self.moment, self.start + timedelta(seconds=seconds))
        for _ in range(5):
            self.resync.fill(self.detector.served())
            if self.reconciler.reconcile((self.namespace, JOB)) != 0.0:
                return


def start_of(entries: Sequence[Seen]) -> datetime:
    """When the recording began."""
    child = next(seen for seen in entries if seen.object.get("kind") in CHILDREN)
    created = datetime.fromisoformat(child.object["metadata"]["creationTimestamp"])
    before = child.seconds if any(seen.event == "ACTION" for seen in entries[:1]) else 0.0
    return created - timedelta(seconds=before)


SKEW = 0.3
"""Seconds by which the watches of two kinds may be apart."""


def in_order(entries: Sequence[Seen]) -> list[Seen]:
    """The events in an order in which the operator can see them, each kind having had a watch of its own.

    No object is seen before its owner, and none lags behind what its owner tells: the operator reads owners first.
    """
    waiting = sorted(entries, key=lambda seen: seen.seconds + SKEW * (seen.object.get("kind") in CHILDREN))
    ordered: list[Seen] = []
    while waiting:
        seen = waiting.pop(0)
        owner = _first_of(_owners(seen), waiting) if not _known(seen, ordered) else None
        if owner is None:
            ordered.append(seen)
            continue
        waiting.remove(owner)
        waiting[:0] = [owner, seen]
    return ordered


def _owners(seen: Seen) -> set[str]:
    return {o["uid"] for o in seen.object.get("metadata", {}).get("ownerReferences") or ()}


def _first_of(uids: set[str], entries: Sequence[Seen]) -> Seen | None:
    return next((seen for seen in entries if seen.object.get("metadata", {}).get("uid") in uids), None)


def _known(seen: Seen, ordered: Sequence[Seen]) -> bool:
    """True where one of its owners was seen already."""
    return _first_of(_owners(seen), ordered) is not None


def create_job(kube: KubeClient, namespace: str, case: Case, backend: str) -> Object:
    """The case's SQLFlowJob."""
    manifest = sqlflow_job(JOB, case.program, **{**case.spec, "backend": backend})
    return kube.create(SQLFLOWJOBS, namespace, manifest)


def replay(entries: Sequence[Seen], player: Player, workflow: Workflow, job: Object, step: Step) -> list[Object]:
    """Play all of a recording and return every status that the job was seen to have.

    Args:
        entries: the recording.
        player: plays the engine's part.
        workflow: of the backend; plays the person who cancels.
        job: the SQLFlowJob.
        step: lets the operator act.
    """
    kube, namespace = player.kube, player.namespace
    statuses: list[Object] = []

    def look(seconds: float) -> None:
        step(seconds)
        statuses.append(kube.get(SQLFLOWJOBS, namespace, JOB).get("status") or {})

    look(0.0)
    for seen in in_order(entries):
        if seen.event == "ACTION":
            if seen.object["action"] == "resume":
                kube.patch(SQLFLOWJOBS, namespace, JOB, {"spec": {"suspend": False}})
            elif seen.object["action"] == "cancel":
                workflow.cancel(f"{namespace}/{player.names[RUN]}")
        else:
            _adopt(player, job, seen.object, statuses[-1])
            player.play(seen)
        look(seen.seconds)
    return statuses


def _adopt(player: Player, job: Object, recorded: Object, status: Object) -> None:
    """Learn the run's real name, and the real UID of the job that owns it."""
    if RUN not in player.names:
        player.names[RUN] = status["run"]["name"]
    uid = (recorded["metadata"].get("labels") or {}).get(LABEL_JOB_UID)
    if uid:
        player.names.setdefault(uid, job["metadata"]["uid"])
