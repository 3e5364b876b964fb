"""The reconcile loop on a cache that lags behind the API server: nothing wrong is done or said."""

from __future__ import annotations

import pytest
from sqlflow_operator.kube import JOBS, PODS, SQLFLOWJOBS, ConflictError, NotFoundError, UnavailableError
from sqlflow_operator.kube.watch_cache import WatchCache

from tests.unit.operator.jobcontroller import Ending
from tests.unit.operator.world import PROGRAM, World, job_manifest


def stale_reconcile(world: World) -> float | None:
    """Reconcile with what the cache has, without a new event."""
    return world.reconciler.reconcile((world.namespace, world.name))


def calls_of(world: World, start: int) -> list[tuple[str, str]]:
    return world.kube.calls[start:]


def test_a_whole_run_costs_ten_calls_at_most_and_no_list() -> None:
    """Also with ten kept runs and other pods around; each further event of a run costs nothing."""
    world = World(program="SELECT 1;")
    for number in range(10):
        world.settle()
        world.edit(rerunToken=str(number))
    for number in range(500):
        world.kube.store.create(PODS, "ns", {"metadata": {"name": f"other-{number}"}, "spec": {}})
    start = len(world.kube.calls)
    world.settle()
    assert world.status["phase"] == "Succeeded"
    assert len(world.status["history"]) == 10
    counted = calls_of(world, start)
    assert not [call for call in counted if call[0] == "list"]
    assert len(counted) <= 10
    world.reconcile()
    assert len(world.kube.calls) == start + len(counted)


def test_an_empty_cache_decides_nothing() -> None:
    world = World()
    assert stale_reconcile(world) is None
    assert world.kube.calls == []
    world.cache.put(SQLFLOWJOBS, world.job)
    with pytest.raises(UnavailableError, match="not listed yet"):
        stale_reconcile(world)
    assert world.kube.calls == []


def test_a_child_that_the_cache_lacks_is_not_lost() -> None:
    world = World()
    world.settle(3)
    child = world.children()[0]
    world.cache.remove(child["metadata"]["uid"])
    stale_reconcile(world)
    assert world.status["phase"] in ("Pending", "Running")
    world.kube.store.delete(JOBS, "ns", child["metadata"]["name"])
    world.reconcile()
    assert world.condition("Failed")["reason"] == "ChildLost"


def test_what_was_created_is_not_created_again_before_the_watch_shows_it() -> None:
    world = World()
    world.reconcile()
    for _ in range(3):
        world.clock.sleep(2)
        stale_reconcile(world)
    assert world.kube.calls.count(("create", "jobs")) == 1


def test_a_run_of_a_job_that_was_changed_meanwhile_is_not_deleted() -> None:
    """The cache has the spec that asks for another run; the API server has it back as it was."""
    world = World()
    world.settle(4)
    run = world.children()[0]["metadata"]["name"]
    world.edit(program="SELECT 42;")
    world.watch()
    world.edit(program=PROGRAM)
    with pytest.raises(ConflictError, match="changed since the watch showed it"):
        stale_reconcile(world)
    assert [child["metadata"]["name"] for child in world.children()] == [run]
    world.settle()
    assert world.made("jobs") == 1


def test_what_has_taken_the_name_of_an_earlier_run_is_not_deleted() -> None:
    """The cache still has the run's child; another object has its name by now."""
    world = World()
    world.settle(4)
    run = world.children()[0]["metadata"]["name"]
    world.edit(program="SELECT 42;")
    world.watch()
    world.kube.store.delete(JOBS, "ns", run)
    world.kube.store.create(JOBS, "ns", {"metadata": {"name": run}, "spec": {}})
    stale_reconcile(world)
    world.settle()
    assert world.kube.store.get(JOBS, "ns", run)["spec"] == {}
    assert world.status["phase"] == "Succeeded"


def test_a_job_not_seen_for_long_is_read_before_its_run_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.watch()
    world.kube.store.delete(SQLFLOWJOBS, "ns", "iris")
    monkeypatch.setattr(WatchCache, "age", lambda *_: 60.0)
    with pytest.raises(NotFoundError):
        stale_reconcile(world)
    assert world.made("jobs") == 0


def test_the_next_run_waits_for_pods_that_only_the_api_server_shows() -> None:
    world = World(program="SELECT 1;")
    world.reconcile()
    world.advance(2)
    [pod] = world.pods()
    world.edit(program="SELECT 42;")
    world.reconcile()
    del pod["metadata"]["ownerReferences"]  # no garbage collector has taken it yet
    world.kube.store.create(PODS, "ns", pod)
    world.clock.sleep(2)
    world.watch()
    world.cache.remove(world.kube.store.get(PODS, "ns", pod["metadata"]["name"])["metadata"]["uid"])
    start = len(world.kube.calls)
    stale_reconcile(world)
    assert calls_of(world, start)[0] == ("list", "pods")
    assert world.made("jobs") == 1
    assert pod["metadata"]["name"] in world.message
    world.kube.store.delete(PODS, "ns", pod["metadata"]["name"])
    world.settle()
    assert world.made("jobs") == 2


def test_an_outcome_is_written_from_pods_that_have_ended_too() -> None:
    """The watch of pods lags: the Job has failed, and the cache still shows its pod at work."""
    world = World(program="SELECT 1;")
    world.controller.endings["s1-sql"] = [Ending(2, "", "Error")]
    world.reconcile()
    world.advance(3)
    while world.controller.tick():
        pass
    [job] = world.children()
    world.cache.put(JOBS, job)
    start = len(world.kube.calls)
    world.clock.sleep(2)
    stale_reconcile(world)
    assert calls_of(world, start)[:2] == [("get", "pods"), ("log", "pods")]
    assert world.status["phase"] == "Failed"
    assert world.status["steps"][0]["exitCode"] == 2


def test_a_conflict_reads_the_job_for_the_next_try() -> None:
    world = World()
    world.watch()
    world.kube.store.patch(SQLFLOWJOBS, "ns", "iris", {"metadata": {"labels": {"a": "b"}}})
    with pytest.raises(ConflictError):
        stale_reconcile(world)
    world.clock.sleep(2)
    stale_reconcile(world)
    assert world.status["phase"] == "Pending"
    assert world.made("jobs") == 1


def with_a_run_that_no_status_has() -> tuple[World, str]:
    """The spec is changed between the creation of the run, whose name is returned, and the write of its status."""
    world = World(program="SELECT 1;")
    world.watch()
    world.edit(rerunToken="1")
    with pytest.raises(ConflictError):
        stale_reconcile(world)
    [name] = world.made_names("jobs")
    return world, name


def test_a_run_whose_start_no_status_has_is_kept_in_the_history() -> None:
    world, first = with_a_run_that_no_status_has()
    world.settle()
    assert world.status["phase"] == "Succeeded"
    assert [(entry["name"], entry["phase"]) for entry in world.status["history"]] == [(first, "Cancelled")]


def test_a_run_that_ended_before_a_status_had_it_is_kept_in_the_history() -> None:
    world, first = with_a_run_that_no_status_has()
    while world.controller.tick():
        world.clock.sleep(1)
    world.settle()
    assert world.status["phase"] == "Succeeded"
    [entry] = world.status["history"]
    assert (entry["name"], entry["phase"], entry["progress"]) == (first, "Succeeded", "1/1")
    assert entry["startedAt"] <= entry["finishedAt"]
    assert first in [child["metadata"]["name"] for child in world.children()]


def test_a_job_that_is_made_again_under_its_name_waits_for_the_pods_of_the_deleted_one() -> None:
    world = World(program="SELECT 1;")
    world.reconcile()
    world.advance(2)
    [pod] = world.pods()
    world.kube.store.delete(SQLFLOWJOBS, "ns", "iris")
    del pod["metadata"]["ownerReferences"]  # no garbage collector has taken it yet
    world.kube.store.create(PODS, "ns", pod)
    world.kube.store.create(SQLFLOWJOBS, "ns", job_manifest(program="SELECT 1;"))
    world.settle(3)
    assert world.made("jobs") == 1
    assert pod["metadata"]["name"] in world.message
    world.kube.store.delete(PODS, "ns", pod["metadata"]["name"])
    world.settle()
    assert world.made("jobs") == 2
    assert world.status["phase"] == "Succeeded"
    assert "history" not in world.status


def test_the_api_server_is_asked_once_for_the_pods_of_a_run_that_is_replaced() -> None:
    world = World(program="SELECT 1;")
    world.settle(3)
    world.edit(program="SELECT 42;")
    start = len(world.kube.calls)
    world.settle()
    assert world.status["phase"] == "Succeeded"
    assert calls_of(world, start).count(("list", "pods")) == 1


def test_a_child_that_a_dead_stream_still_shows_is_deleted_once() -> None:
    world = World()
    world.settle(4)
    world.edit(program="SELECT 42;")
    world.watch()
    for pod in world.pods():
        world.cache.remove(pod["metadata"]["uid"])
    world.kube.store.delete(JOBS, "ns", world.children()[0]["metadata"]["name"])
    for _ in range(3):
        world.clock.sleep(2)
        stale_reconcile(world)
    assert world.kube.calls.count(("delete", "jobs")) == 1
    assert world.made("jobs") == 2


def test_a_child_that_a_dead_stream_still_shows_is_patched_once() -> None:
    world = World()
    world.settle(4)
    world.edit(suspend=True)
    world.watch()
    world.kube.store.delete(JOBS, "ns", world.children()[0]["metadata"]["name"])
    with pytest.raises(NotFoundError):
        stale_reconcile(world)
    world.clock.sleep(2)
    stale_reconcile(world)
    assert world.condition("Failed")["reason"] == "ChildLost"


def test_the_run_after_a_lost_one_waits_for_pods_that_only_the_api_server_shows() -> None:
    world = World(program="SELECT 1;")
    world.reconcile()
    world.advance(2)
    [pod] = world.pods()
    world.kube.store.delete(JOBS, "ns", world.children()[0]["metadata"]["name"])
    world.settle(3)
    assert world.condition("Failed")["reason"] == "ChildLost"
    del pod["metadata"]["ownerReferences"]  # no garbage collector has taken it yet
    world.kube.store.create(PODS, "ns", pod)
    world.edit(rerunToken="1")
    world.watch()
    world.cache.remove(world.kube.store.get(PODS, "ns", pod["metadata"]["name"])["metadata"]["uid"])
    stale_reconcile(world)
    assert world.made("jobs") == 1
    assert pod["metadata"]["name"] in world.message
    world.kube.store.delete(PODS, "ns", pod["metadata"]["name"])
    world.settle()
    assert world.status["phase"] == "Succeeded"
