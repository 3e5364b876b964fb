"""How far a training is: read from its log now and then while it runs, from its outcome when it has ended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlflow_codegen.contract import Outcome, dump_outcome
from sqlflow_codegen.progress import StepProgress
from sqlflow_operator.kube import UnavailableError
from sqlflow_operator.reconcile.progress_cache import FIRST_LOOK, LAST_INTERVAL, interval
from sqlflow_operator.workflow.fetch.items import Message, Progress
from sqlflow_operator.workflow.fetch.messages import AttemptMessages

from tests.unit.operator.jobcontroller import Ending
from tests.unit.operator.world import World

STEP = "s2-train"


def progress(iteration: int, **values: float) -> dict[str, Any]:
    return {"type": "progress", "statement": 2, "iteration": iteration, "total": 100, "unit": "round", "values": values}


def training() -> World:
    """A run whose training has just started."""
    world = World()
    for _ in range(20):
        world.advance()
        if step(world).get("phase") == "Running":
            return world
    raise AssertionError(world.status)


def step(world: World) -> dict[str, Any]:
    return next((one for one in world.status.get("steps", ()) if one["name"] == STEP), {})


def write(world: World, iteration: int, **values: float) -> None:
    [pod] = world.pods()
    log = world.kube.store.logs
    key = pod["metadata"]["name"], STEP
    log[key] = log.get(key, "") + json.dumps(progress(iteration, **values)) + "\n"


def reads(world: World) -> int:
    return world.kube.calls.count(("log", "pods"))


def test_the_status_shows_how_far_a_training_is() -> None:
    world = training()
    write(world, 7, error=0.25)
    world.reconcile()
    assert "progress" not in step(world)  # too early: a short training is not asked at all
    assert reads(world) == 0
    world.clock.sleep(FIRST_LOOK)
    world.reconcile()
    assert step(world)["progress"] == "round 7/100 error 0.25"


def test_a_log_is_read_again_only_after_a_while_and_nothing_new_is_no_write() -> None:
    world = training()
    world.clock.sleep(FIRST_LOOK)
    write(world, 7)
    wait = world.reconcile()
    assert wait == pytest.approx(FIRST_LOOK, abs=2.5)
    write(world, 8)
    for _ in range(5):
        world.clock.sleep(1)
        world.reconcile()
    assert (reads(world), step(world)["progress"]) == (1, "round 7/100")
    world.clock.sleep(wait or 0)
    writes = world.writes
    world.reconcile()
    assert (reads(world), step(world)["progress"], world.writes) == (2, "round 8/100", writes + 1)
    world.clock.sleep(3600)
    assert world.reconcile() == LAST_INTERVAL
    assert world.writes == writes + 1


def test_the_interval_grows_with_the_time() -> None:
    assert [interval(seconds) for seconds in (0, 40, 80, 10_000)] == [10, 10, 20, 60]


def test_a_new_operator_and_a_log_that_cannot_be_read_take_nothing_back() -> None:
    world = training()
    world.clock.sleep(FIRST_LOOK)
    write(world, 7)
    world.reconcile()
    world.restart()

    def fault(_: object, method: str, __: object) -> Exception | None:
        return UnavailableError(0, "Unreachable", "no kubelet") if method == "log" else None

    world.kube.fault = fault
    world.clock.sleep(60)
    world.reconcile()
    assert step(world)["progress"] == "round 7/100"


def test_the_outcome_has_the_last_progress() -> None:
    world = World()
    done = StepProgress(2, 100, 100, "round", {"error": 0.0})
    world.controller.endings[STEP] = [Ending(0, dump_outcome(Outcome(finished=(2,), progress=done)))]
    world.settle()
    assert (world.status["phase"], step(world)["progress"]) == ("Succeeded", "round 100/100 error 0")


def test_another_attempt_begins_anew() -> None:
    world = World(retries=1)
    failed = StepProgress(2, 40, 100, "round")
    world.controller.endings[STEP] = [Ending(4, dump_outcome(Outcome(progress=failed)))]
    world.settle(12)
    shown = [step(world).get("progress")]
    for _ in range(20):
        world.advance()
        shown.append(step(world).get("progress"))
    assert world.status["phase"] == "Succeeded"
    assert shown[-1] is None
    assert set(shown) <= {None, "round 40/100"}


def test_fetch_delivers_it_as_an_item_and_as_words() -> None:
    messages = AttemptMessages("[1/1]", STEP, 1)
    item, said = messages.items({"n": 3, **progress(7, error=0.25)})
    place = {"step": STEP, "attempt": 1, "statement": 2}
    assert item == Progress(iteration=7, total=100, unit="round", values={"error": 0.25}, **place)
    assert said == Message(text="[1/1] Statement 2: round 7/100 error 0.25", level="info", source="progress", **place)
    [warning] = messages.items({"n": 4, **progress(8), "unit": "mile"})
    assert isinstance(warning, Message)
    assert warning.level == "warning"
