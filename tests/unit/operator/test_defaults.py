"""What jobs get from the operator's administrator: requests of steps, time to live of children."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlflow_codegen.contract import MODEL_STORE_ENV
from sqlflow_operator.clock import from_text
from sqlflow_operator.config import Config, ConfigError
from sqlflow_operator.handlers import next_look
from sqlflow_operator.kube import CONFIG_MAPS, SQLFLOWJOBS
from sqlflow_operator.reconcile import Defaults
from sqlflow_operator.run_options import parse_requests

from tests.unit.operator.world import World

REQUESTS = {"cpu": "100m", "memory": "256Mi"}


def world_with(defaults: Defaults, **spec: Any) -> World:
    world = World(**spec)
    world.defaults = defaults
    world.restart()
    return world


def resources(world: World) -> Any:
    world.reconcile()
    [child] = world.children()
    pod = child["spec"]["template"]["spec"]
    found = [container.get("resources") for container in (*pod["initContainers"], *pod["containers"])]
    assert all(one == found[0] for one in found)
    return found[0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, {"requests": REQUESTS}),
        ({"requests": {"cpu": "2"}}, {"requests": {"cpu": "2", "memory": "256Mi"}}),
        ({"limits": {"memory": "120Mi"}}, {"limits": {"memory": "120Mi"}, "requests": {"cpu": "100m"}}),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, {"limits": {"cpu": "1", "memory": "1Gi"}}),
    ],
)
def test_what_a_job_neither_requests_nor_limits_is_requested_by_default(given: Any, expected: Any) -> None:
    spec = {"resources": given} if given else {}
    assert resources(world_with(Defaults("step:1", requests=REQUESTS), **spec)) == expected


def test_no_default_requests() -> None:
    assert not resources(world_with(Defaults("step:1")))


def test_default_time_to_live_ends_child_and_keeps_the_outcome() -> None:
    world = world_with(Defaults("step:1", ttl_seconds_after_finished=600))
    name = world.reconcile() and world.status["run"]["name"]
    world.settle()
    assert (world.status["phase"], len(world.children())) == ("Succeeded", 1)
    world.outlive(600)
    assert world.children() == world.kube.store.list(CONFIG_MAPS, "ns") == []
    world.settle()
    assert (world.status["phase"], world.status["run"]["name"]) == ("Succeeded", name)
    assert world.made("jobs") == 1
    assert "ttlSecondsAfterFinished" not in world.job["spec"], "the operator writes no spec"


def test_a_jobs_own_time_to_live_counts() -> None:
    world = world_with(Defaults("step:1", ttl_seconds_after_finished=1), ttlSecondsAfterFinished=100_000)
    world.settle()
    world.clock.sleep(50_000)
    world.settle()
    assert len(world.children()) == 1


def test_another_default_starts_no_run() -> None:
    world = world_with(Defaults("step:1", ttl_seconds_after_finished=600))
    world.settle()
    world.defaults = Defaults("step:2", requests=REQUESTS, ttl_seconds_after_finished=6000)
    world.restart()
    world.settle()
    assert world.made("jobs") == 1


def moment(text: str) -> datetime:
    found = from_text(text)
    assert found is not None
    return found


def test_a_finished_job_is_looked_at_until_its_run_is_surely_gone() -> None:
    world = World()
    world.settle()
    job = world.kube.get(SQLFLOWJOBS, "ns", "iris")
    assert job["status"]["run"]["finishedAt"].startswith("2026-01-01")
    job["status"]["run"]["finishedAt"] = "2026-01-01T12:00:00Z"
    for now, ttl, delay in (
        ("2026-01-02T00:00:00Z", None, None),
        ("2026-01-01T12:20:00Z", 3600, 2400),
        ("2026-01-02T00:00:00Z", 3600, 0),
        ("2026-01-03T02:00:00Z", 3600, None),
    ):
        assert next_look(job, ttl=ttl, now=moment(now)) == delay
    job["status"]["history"] = [{"finishedAt": "2026-01-01T11:50:00Z"}]
    assert next_look(job, ttl=3600, now=moment("2026-01-01T12:20:00Z")) == 1800, "the earlier run goes first"
    job["spec"]["ttlSecondsAfterFinished"] = 7 * 86400
    assert next_look(job, ttl=None, now=moment("2026-01-03T02:00:00Z")) == 5 * 86400 + 9 * 3600 + 50 * 60


def test_requests_are_read_as_they_are_written() -> None:
    assert parse_requests(" cpu=100m, memory=1.5Gi ,nvidia.com/gpu=1") == {
        "cpu": "100m",
        "memory": "1.5Gi",
        "nvidia.com/gpu": "1",
    }
    assert parse_requests("") == {}
    for text in ("cpu", "cpu=", "=1", "memory=much", "cpu=100m memory=1Gi"):
        with pytest.raises(ValueError, match="no resource and amount"):
            parse_requests(text)


def test_configuration() -> None:
    shipped = Config.from_environment({})
    assert (dict(shipped.step_requests), shipped.ttl_seconds_after_finished) == (REQUESTS, 604800)
    own = {"SQLFLOW_STEP_REQUESTS": "", "SQLFLOW_TTL_SECONDS_AFTER_FINISHED": "never"}
    changed = Config.from_environment(own)
    assert (dict(changed.step_requests), changed.ttl_seconds_after_finished) == ({}, None)
    assert Config.from_environment({"SQLFLOW_TTL_SECONDS_AFTER_FINISHED": "60"}).ttl_seconds_after_finished == 60
    with pytest.raises(ConfigError, match=r"SQLFLOW_STEP_REQUESTS is 'x': 'x' is no resource and amount"):
        Config.from_environment({"SQLFLOW_STEP_REQUESTS": "x"})


def store_of(world: World) -> list[str]:
    """The model stores that the steps of the world's children are given."""
    (child,) = world.children()
    containers = [
        *child["spec"]["template"]["spec"]["initContainers"],
        *child["spec"]["template"]["spec"]["containers"],
    ]
    return [
        variable["value"]
        for one in containers
        for variable in one.get("env", ())
        if variable["name"] == MODEL_STORE_ENV
    ]


def test_the_model_store_of_the_job_and_the_operators_default() -> None:
    defaults = Defaults("step:1", model_store="s3://shared/models")
    for world, expected in (
        (world_with(Defaults("step:1")), set()),
        (world_with(defaults), {"s3://shared/models"}),
        (world_with(defaults, modelStore="s3://own/models"), {"s3://own/models"}),
    ):
        world.settle()
        assert set(store_of(world)) == expected


def test_the_configured_model_store() -> None:
    assert Config.from_environment({}).model_store == ""
    assert Config.from_environment({MODEL_STORE_ENV: "s3://a/b"}).model_store == "s3://a/b"
    for url in ("s3://key:secret@a/b", "s3://a b", "$(HOME)"):
        with pytest.raises(ConfigError, match=MODEL_STORE_ENV) as caught:
            Config.from_environment({MODEL_STORE_ENV: url})
        assert "secret" not in str(caught.value)
