"""What happens to watch events, and to those that never come."""

from __future__ import annotations

import logging

import pytest
from sqlflow_operator.api import Backend
from sqlflow_operator.clock import now, to_text
from sqlflow_operator.handlers import job_event, part_event, settings
from sqlflow_operator.kube import JOBS, PODS, SQLFLOWJOBS, ApiError, Object
from sqlflow_operator.kube.watch_cache import WatchCache
from sqlflow_operator.reconcile import Key
from sqlflow_operator.resync import Resync
from sqlflow_operator.workers import Workers
from sqlflow_operator.workqueue import WorkQueue

from tests.unit.operator.fakes import Clock, FakeKube, conflict, unavailable
from tests.unit.operator.world import job_manifest


@pytest.fixture
def queue() -> WorkQueue[Key]:
    return WorkQueue()


@pytest.fixture
def cache() -> WatchCache:
    return WatchCache()


def stored_job(version: str = "1", **status: object) -> Object:
    raw = job_manifest()
    raw["metadata"] |= {"namespace": "ns", "uid": "u1", "resourceVersion": version, "generation": 1}
    return raw | {"status": status}


def pod(annotations: object = None) -> Object:
    metadata = {"name": "p", "namespace": "ns", "uid": "u2", "resourceVersion": "5", "annotations": annotations}
    return {"metadata": metadata}


@pytest.mark.parametrize("kind", [None, "ADDED", "MODIFIED"])
def test_a_job_is_looked_at(kind: str | None, queue: WorkQueue[Key], cache: WatchCache) -> None:
    job_event(kind, stored_job(), queue, cache)
    assert queue.get() == ("ns", "iris")
    assert cache.phases() == {"Pending": 1}


def test_a_deleted_job_is_forgotten(queue: WorkQueue[Key], cache: WatchCache) -> None:
    job_event("ADDED", stored_job(phase="Running"), queue, cache)
    assert cache.phases() == {"Running": 1}
    job_event("DELETED", stored_job(), queue, cache)
    assert not cache.phases()


@pytest.mark.parametrize(
    ("status", "looked_at"),
    [
        ({"phase": "Succeeded", "observedGeneration": 1}, 0),
        ({"phase": "Failed", "observedGeneration": 1}, 0),
        ({"phase": "Failed", "observedGeneration": 0}, 1),
        ({"phase": "Running", "observedGeneration": 1}, 1),
        ({"observedGeneration": -1}, 1),
    ],
)
def test_settled_jobs_cost_nothing_at_start(
    status: dict[str, object], looked_at: int, queue: WorkQueue[Key], cache: WatchCache
) -> None:
    job_event(None, stored_job(**status), queue, cache)
    assert len(queue) == looked_at


@pytest.mark.parametrize("suspend", [True, False])
def test_suspended_jobs_cost_nothing_until_they_are_released(
    suspend: bool, queue: WorkQueue[Key], cache: WatchCache
) -> None:
    raw = stored_job(phase="Suspended", observedGeneration=1)
    raw["spec"]["suspend"] = suspend
    job_event(None, raw, queue, cache)
    assert len(queue) == (0 if suspend else 1)


@pytest.mark.parametrize(("ttl", "looked_at"), [(0, 1), (3600, 0)])
def test_a_settled_job_is_looked_at_when_its_time_to_live_is_over(
    ttl: int, looked_at: int, queue: WorkQueue[Key], cache: WatchCache
) -> None:
    raw = stored_job(phase="Succeeded", observedGeneration=1)
    raw["spec"]["ttlSecondsAfterFinished"] = ttl
    raw["status"]["run"] = {"finishedAt": to_text(now())}
    job_event(None, raw, queue, cache)
    assert len(queue) == looked_at


@pytest.mark.parametrize("kind", [None, "ADDED", "MODIFIED", "DELETED"])
def test_a_pod_wakes_its_job(kind: str | None, queue: WorkQueue[Key], cache: WatchCache) -> None:
    part_event(kind, PODS, pod({"sqlflow.org/job": "iris"}), queue, cache)
    assert queue.get() == ("ns", "iris")


def test_a_pod_that_does_not_tell_wakes_nobody(queue: WorkQueue[Key], cache: WatchCache) -> None:
    part_event("ADDED", PODS, pod(), queue, cache)
    assert len(queue) == 0


def test_kopf_needs_no_rights_beyond_the_role() -> None:
    chosen = settings([Backend.JOB])
    assert chosen.scanning.disabled
    assert chosen.peering.standalone
    assert not chosen.posting.enabled
    assert chosen.watching.inactivity_timeout <= 75


class Cluster:
    """A job with a child and a pod on an API server in memory, and the events that have come so far."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.kube = FakeKube(self.clock)
        self.queue: WorkQueue[Key] = WorkQueue()
        self.cache = WatchCache()
        self.resync = Resync(self.kube, (), self.queue, self.cache, interval=30, clock=self.clock.monotonic)
        self.kube.store.create(SQLFLOWJOBS, "ns", job_manifest())
        part = {"labels": {"sqlflow.org/job-uid": "u"}, "annotations": {"sqlflow.org/job": "iris"}}
        self.kube.store.create(JOBS, "ns", {"metadata": {"name": "c", **part}})
        self.kube.store.create(PODS, "ns", {"metadata": {"name": "p", **part}})

    def tell_all(self) -> None:
        job_event("MODIFIED", self.kube.store.get(SQLFLOWJOBS, "ns", "iris"), self.queue, self.cache)
        part_event("MODIFIED", JOBS, self.kube.store.get(JOBS, "ns", "c"), self.queue, self.cache)
        part_event("MODIFIED", PODS, self.kube.store.get(PODS, "ns", "p"), self.queue, self.cache)
        while len(self.queue):
            key = self.queue.get()
            assert key is not None
            self.queue.done(key)

    def round(self) -> None:
        self.clock.sleep(30)
        self.resync.round()


def test_nothing_is_missed_while_the_streams_live() -> None:
    cluster = Cluster()
    cluster.tell_all()
    for _ in range(5):
        cluster.round()
    assert len(cluster.queue) == 0
    assert cluster.resync.silent_seconds() == 0


def test_an_event_on_its_way_is_not_missed() -> None:
    cluster = Cluster()
    cluster.tell_all()
    cluster.kube.store.patch(PODS, "ns", "p", {"status": {"phase": "Running"}}, subresource="status")
    cluster.round()
    cluster.tell_all()
    cluster.round()
    assert len(cluster.queue) == 0
    assert cluster.resync.silent_seconds() == 0


@pytest.mark.parametrize("plural", ["sqlflowjobs", "jobs", "pods"])
def test_changes_that_no_event_told_are_taken_up(plural: str, caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster()
    cluster.tell_all()
    resource = {"sqlflowjobs": SQLFLOWJOBS, "jobs": JOBS, "pods": PODS}[plural]
    name = {"sqlflowjobs": "iris", "jobs": "c", "pods": "p"}[plural]
    with caplog.at_level(logging.WARNING):
        for number in range(4):  # it even changes from round to round
            cluster.kube.store.patch(resource, "ns", name, {"status": {"phase": f"p{number}"}}, subresource="status")
            cluster.round()
    assert cluster.queue.get() == ("ns", "iris")
    assert cluster.resync.silent_seconds() >= 60
    assert "keep changes back" in caplog.text
    cached = cluster.cache.get(resource, "ns", name)
    assert cached is not None
    assert cached["status"]["phase"] == "p3"
    cluster.tell_all()
    cluster.round()
    assert cluster.resync.silent_seconds() == 0


def test_objects_that_vanished_unseen_are_taken_up() -> None:
    cluster = Cluster()
    cluster.tell_all()
    cluster.kube.store.delete(PODS, "ns", "p")
    cluster.round()
    assert len(cluster.queue) == 0
    cluster.round()
    assert cluster.queue.get() == ("ns", "iris")
    assert len(cluster.cache.objects()) == 2


def test_an_api_server_that_does_not_answer_is_noticed() -> None:
    cluster = Cluster()
    cluster.round()
    assert cluster.resync.unreached_seconds() == 0
    cluster.kube.fault = lambda *_: unavailable(0)
    for _ in range(3):
        with pytest.raises(ApiError):
            cluster.round()
    assert cluster.resync.unreached_seconds() == 90


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(conflict(), "conflict"), (unavailable(503), "unavailable"), (RuntimeError("boom"), "error")],
)
def test_failed_work_comes_again(error: Exception, outcome: str, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    queue: WorkQueue[Key] = WorkQueue(clock=clock.monotonic)

    def fail(_: Key) -> float | None:
        raise error

    workers = Workers(queue, fail, 1)
    key = ("ns", "iris")
    assert workers.work(key) == outcome
    clock.sleep(6)
    assert queue.get() == key
    assert ("boom" in caplog.text) == (outcome == "error")


def test_work_says_itself_when_to_come_again() -> None:
    clock = Clock()
    queue: WorkQueue[Key] = WorkQueue(clock=clock.monotonic)
    workers = Workers(queue, lambda _: 7.0, 1)
    assert workers.work(("ns", "iris")) == "ok"
    clock.sleep(7)
    assert queue.get() == ("ns", "iris")


def test_workers_work_and_stop() -> None:
    queue: WorkQueue[Key] = WorkQueue()
    outcomes: list[str] = []
    workers = Workers(queue, lambda _: None, 2, lambda outcome, _: outcomes.append(outcome))
    workers.start()
    for number in range(20):
        queue.add(("ns", str(number)))
    while len(outcomes) < 20:
        pass
    assert workers.alive()
    workers.stop()
    assert not workers.alive()
    assert outcomes == ["ok"] * 20
    assert workers.longest() == 0
