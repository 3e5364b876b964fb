"""What the operator sees of a run beyond its objects' status: Warning events, logs, a controller that is away."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_codegen.contract import Outcome, StepError, dump_outcome
from sqlflow_operator.kube import EVENTS, JOBS, PIPELINE_RUNS, PODS, WORKFLOWS, NotFoundError, Object

from tests.unit.operator.jobcontroller import Ending
from tests.unit.operator.world import World


def warn(world: World, about: Object, **times: Any) -> None:
    """A Warning event about an object."""
    words = 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0'
    event = {"metadata": {"name": f"e{len(world.kube.store.created)}"}, "type": "Warning", "reason": "FailedCreate"}
    event |= {"message": words, "involvedObject": {"uid": about["metadata"]["uid"]}, **times}
    world.kube.store.create(EVENTS, "ns", event)


def shown(seconds: int) -> list[dict[str, Any]]:
    """The ways in which an event says when it was seen last, counted from 2026-01-01."""
    moment = f"2026-01-01T00:{seconds // 60:02}:{seconds % 60:02}"
    return [
        {"lastTimestamp": f"{moment}Z"},
        {"lastTimestamp": None, "eventTime": f"{moment}.000000Z"},
        {"eventTime": "2026-01-01T00:00:00.000000Z", "series": {"count": 3, "lastObservedTime": f"{moment}.000000Z"}},
    ]


@pytest.mark.parametrize("way", [0, 1, 2], ids=["lastTimestamp", "eventTime", "series"])
def test_what_was_in_the_way_of_an_earlier_step_is_over(way: int) -> None:
    world = World()
    world.clock.sleep(120)
    world.reconcile()
    world.controller.tick()
    [child] = world.children()
    warn(world, child, **shown(119)[way])
    world.clock.sleep(60)
    world.reconcile()
    assert world.condition("Reconciling")["reason"] != "QuotaExceeded"
    warn(world, child, **shown(121)[way])
    world.clock.sleep(60)
    world.reconcile()
    assert world.condition("Reconciling")["reason"] == "QuotaExceeded"


def test_a_log_that_is_gone_with_its_pod_holds_nothing_up() -> None:
    world = World()
    world.controller.endings["s2-train"] = [Ending(1, '{"error":{"statement":2,"li')]
    world.kube.fault = lambda _, method, resource: NotFoundError(404, "NotFound", "gone") if method == "log" else None
    world.settle()
    assert (world.status["phase"], world.condition("Failed")["reason"]) == ("Failed", "StepFailed")
    assert "exit code 1" in world.message
    assert ("log", "pods") in world.kube.calls


@pytest.mark.parametrize(
    ("backend", "kind", "engine"),
    [
        ("job", "Job", "Kubernetes"),
        ("argo", "Workflow", "Argo Workflows"),
        ("tekton", "PipelineRun", "Tekton Pipelines"),
    ],
)
def test_a_child_that_nobody_takes_up(backend: str, kind: str, engine: str) -> None:
    world = World(backend=backend)
    world.served = {WORKFLOWS, PIPELINE_RUNS}
    world.reconcile()
    words = f"{engine} has not taken up the {kind}: is its controller running?"
    for seconds, said in ((14, False), (2, True)):
        world.clock.sleep(seconds)
        world.reconcile()
        assert (words in world.message) == said
    assert world.condition("Reconciling")["reason"] == "BackendUnavailable"


def test_a_child_that_comes_back_after_it_was_lost_is_stopped() -> None:
    """Such as one restored from a backup: SQL must not run behind the back of a job that has failed."""
    world = World()
    world.advance(4)
    [child] = world.children()
    world.kube.store.delete(JOBS, "ns", child["metadata"]["name"])
    world.settle()
    assert world.condition("Failed")["reason"] == "ChildLost"
    world.kube.store.create(JOBS, "ns", child)
    world.clock.sleep(2)
    world.reconcile()
    assert world.children() == []
    assert world.condition("Failed")["reason"] == "ChildLost"


def test_suspension_comes_before_a_missing_backend() -> None:
    world = World(backend="argo", suspend=True)
    world.settle()
    assert (world.status["phase"], world.condition("Ready")["reason"]) == ("Suspended", "Suspended")
    world.edit(suspend=False)
    world.settle()
    assert world.condition("Stalled")["reason"] == "BackendUnavailable"


def at_the_end(world: World) -> None:
    """The watch shows that the Job has ended, and of its pod only what was so before its second step ended."""
    while not any(step["name"] == "s2-train" and step["phase"] == "Running" for step in world.status.get("steps", ())):
        world.advance()
    while world.controller.tick():
        world.clock.sleep(1.5)
    [child] = world.children()
    world.cache.put(JOBS, child)
    world.clock.sleep(2)


def test_a_pod_whose_watch_lags_is_read_again_at_the_end_of_its_run() -> None:
    """The outcome is written once: what the pod says of its failure must be in it."""
    world = World()
    error = StepError(2, 2, 1, "TO TRAIN x", "database", "no rows", "")
    world.controller.endings["s2-train"] = [Ending(1, dump_outcome(Outcome(error=error)))]
    at_the_end(world)
    calls = len(world.kube.calls)
    world.reconciler.reconcile((world.namespace, world.name))
    assert ("get", "pods") in world.kube.calls[calls:]
    assert world.message == "Step s2-train failed: statement 2 (TO TRAIN x) at 2:1: no rows"


def test_a_pod_that_is_gone_at_the_end_of_its_run_is_forgotten() -> None:
    world = World()
    at_the_end(world)
    [pod] = world.pods()
    world.kube.store.delete(PODS, "ns", pod["metadata"]["name"])
    world.reconciler.reconcile((world.namespace, world.name))
    assert world.status["phase"] == "Succeeded"
    assert world.cache.find(pod["metadata"]["uid"]) is None
