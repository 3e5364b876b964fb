"""The cache under events that come late, twice, out of order or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_operator.kube import CONFIG_MAPS, JOBS, PODS, SQLFLOWJOBS, TASK_RUNS, Object, UnavailableError
from sqlflow_operator.kube.watch_cache import WatchCache

from tests.unit.operator.fakes import Clock, FakeKube

LABELS = {"sqlflow.org/job-uid": "job"}
ANNOTATIONS = {"sqlflow.org/job": "iris"}


def thing(name: str = "p", uid: str = "u", version: int = 1, **more: Any) -> Object:
    owners = [{"uid": owner} for owner in more.pop("owners", ())]
    metadata = {"name": name, "namespace": "ns", "uid": uid, "resourceVersion": str(version), "labels": LABELS}
    metadata["annotations"] = ANNOTATIONS
    return {"metadata": {**metadata, "ownerReferences": owners}, **more}


def test_objects_are_found_by_name_owner_and_job() -> None:
    cache = WatchCache()
    cache.put(JOBS, thing("child", "c", owners=["job"]))
    cache.put(PODS, thing("p", "u", owners=["c"]))
    cache.put(TASK_RUNS, thing("p", "t", owners=["c"]))
    assert cache.get(PODS, "ns", "p") == thing("p", "u", owners=["c"])
    assert [found["metadata"]["uid"] for found in cache.owned(PODS, None, {"c"})] == ["u"]
    assert [found["metadata"]["uid"] for found in cache.owned(TASK_RUNS, None, {"c", "job"})] == ["t"]
    assert {found["metadata"]["uid"] for found in cache.of_job(PODS, "ns", "iris")} == {"u"}
    assert cache.get(PODS, "elsewhere", "p") is None
    assert cache.owned(JOBS, None, {"nobody"}) == []


def test_an_older_state_never_replaces_a_newer_one() -> None:
    cache = WatchCache()
    cache.put(PODS, thing(version=10, status={"phase": "Succeeded"}))
    cache.put(PODS, thing(version=9, status={"phase": "Running"}))
    found = cache.get(PODS, "ns", "p")
    assert found is not None
    assert found["status"] == {"phase": "Succeeded"}


def test_what_comes_late_about_a_deleted_object_does_not_bring_it_back() -> None:
    cache = WatchCache()
    cache.put(PODS, thing(version=5, owners=["c"]))
    cache.remove("u", "7")
    cache.put(PODS, thing(version=6, owners=["c"]))
    assert cache.get(PODS, "ns", "p") is None
    assert cache.owned(PODS, None, {"c"}) == cache.of_job(PODS, "ns", "iris") == []
    cache.put(PODS, thing(version=8))
    assert cache.get(PODS, "ns", "p") is not None, "it had only lost its label"


def test_an_object_made_again_under_its_name_takes_the_place_of_the_old_one() -> None:
    cache = WatchCache()
    cache.put(JOBS, thing("child", "old", 5, owners=["job"]))
    cache.put(JOBS, thing("child", "new", 9, owners=["job"]))
    cache.put(JOBS, thing("child", "old", 6, owners=["job"]))
    cache.remove("old", "8")
    assert [found["metadata"]["uid"] for found in cache.owned(JOBS, None, {"job"})] == ["new"]
    found = cache.get(JOBS, "ns", "child")
    assert found is not None
    assert found["metadata"]["uid"] == "new"


def test_a_list_removes_what_it_lacks_but_not_what_came_meanwhile() -> None:
    cache = WatchCache()
    cache.put(PODS, thing("gone", "g"))
    cache.put(JOBS, thing("child", "c"))
    before = set(cache.objects())
    cache.put(PODS, thing("fresh", "f", 20))
    cache.replace(PODS, [thing("listed", "l")], before)
    assert {found.name for found in cache.objects().values()} == {"child", "fresh", "listed"}


def test_nothing_is_decided_before_a_kind_was_listed() -> None:
    cache = WatchCache()
    cache.replace(PODS, [], set())
    with pytest.raises(UnavailableError, match="not listed yet: jobs"):
        cache.require([PODS, JOBS])
    cache.replace(JOBS, [thing("child", "c")], set())
    cache.require([PODS, JOBS])
    cache.forget(JOBS)
    assert not cache.objects()
    with pytest.raises(UnavailableError):
        cache.require([JOBS])


def test_what_nobody_reads_is_not_kept_and_what_is_read_is_a_copy() -> None:
    cache = WatchCache()
    raw = thing()
    raw["metadata"] |= {"managedFields": [{"x": 1}]}
    raw["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"}
    cache.put(PODS, raw)
    found = cache.get(PODS, "ns", "p")
    assert found is not None
    assert "managedFields" not in found["metadata"]
    assert found["metadata"]["annotations"] == {"a": "b"}
    found["metadata"]["name"] = "changed"
    assert cache.get(PODS, "ns", "p") != found
    assert "managedFields" in raw["metadata"], "the caller's object stays as it is"


def test_warnings_are_found_by_the_object_that_they_are_about() -> None:
    cache = WatchCache()
    cache.put(PODS, thing())
    event = {"metadata": {"uid": "e"}, "involvedObject": {"uid": "u"}, "message": "no room"}
    about = cache.put_warning(event)
    assert about is not None
    assert about.name == "p"
    cache.put_warning({**event, "message": "still no room"})
    assert [found["message"] for found in cache.warnings("u")] == ["still no room"]
    assert cache.put_warning({"metadata": {"uid": "f"}, "involvedObject": {"uid": "x"}}) is None


def test_what_was_written_is_seen_at_once() -> None:
    client, cache = FakeKube(Clock()), WatchCache()
    client.on_object = cache.put_answer
    client.create(JOBS, "ns", {"metadata": {"name": "child", "labels": LABELS}})
    client.patch(JOBS, "ns", "child", {"spec": {"suspend": True}})
    assert cache.get(JOBS, "ns", "child") == client.store.get(JOBS, "ns", "child")
    client.create(SQLFLOWJOBS, "ns", {"metadata": {"name": "iris"}})
    assert cache.get(SQLFLOWJOBS, "ns", "iris") is not None
    client.create(CONFIG_MAPS, "ns", {"metadata": {"name": "child", "labels": LABELS}})
    client.create(JOBS, "ns", {"metadata": {"name": "foreign"}})
    assert {found.name for found in cache.objects().values()} == {"child", "iris"}, "only what watches show too"
