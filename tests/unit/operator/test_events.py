"""Events about a job: what happened to it, each time that it happened, and once only."""

from __future__ import annotations

from sqlflow_codegen.contract import Outcome, StepError, dump_outcome

from tests.unit.operator.jobcontroller import Ending
from tests.unit.operator.world import World


def reasons(world: World) -> list[str]:
    return [event["reason"] for event in world.events()]


def test_suspend_and_resume_are_reported_as_often_as_they_happen() -> None:
    world = World(retries=1)
    world.advance(2)
    for _ in range(2):
        world.edit(suspend=True)
        world.advance(4)
        assert world.status["phase"] == "Suspended"
        world.edit(suspend=False)
        world.advance(4)
    world.settle()
    assert sorted(reasons(world)) == ["Resumed", "Resumed", "Started", "Succeeded", "Suspended", "Suspended"]


def test_a_job_suspended_before_its_start() -> None:
    world = World(suspend=True)
    world.advance(3)
    world.edit(suspend=False)
    world.settle()
    assert sorted(reasons(world)) == ["Resumed", "Started", "Succeeded", "Suspended"]


def test_a_replaced_run_is_named() -> None:
    world = World()
    world.advance(2)
    old = world.status["run"]["name"]
    world.edit(program="SELECT 42;")
    world.settle()
    [replaced] = [event for event in world.events() if event["reason"] == "Replaced"]
    assert replaced["message"] == f"run {old} is replaced: the spec asks for another run"
    assert sorted(reasons(world)) == ["Replaced", "Started", "Started", "Succeeded"]


def test_a_run_after_one_that_has_ended_replaces_nothing() -> None:
    world = World()
    world.settle()
    world.edit(program="SELECT 42;")
    world.settle()
    assert sorted(reasons(world)) == ["Started", "Started", "Succeeded", "Succeeded"]


def test_status_has_the_line_and_conditions_and_events_the_whole_text() -> None:
    words = "relation t does not exist, and this is said at great length: " + "long " * 60
    world = World()
    error = StepError(2, 2, 15, "TO TRAIN xgboost.gbtree INTO m", "database", words, "Create it first.")
    world.controller.endings["s2-train"] = [Ending(1, dump_outcome(Outcome(error=error)))]
    world.settle()
    assert len(world.status["message"]) <= 80
    assert world.status["message"].startswith("Statement 2 at 2:15: relation t does not exist")
    whole = world.message
    assert whole.endswith("long. Create it first.")
    assert {world.condition(kind)["message"] for kind in ("Ready", "Stalled", "Failed")} == {whole}
    [event] = [event for event in world.events() if event["reason"] == "Failed"]
    assert event["message"] == whole


def test_the_run_says_how_long_it_took_once_it_has_ended() -> None:
    world = World()
    while world.status.get("phase") != "Running":
        world.advance()
    assert "duration" not in world.status["run"]
    world.settle()
    took = world.status["run"]["duration"]
    assert took == "12s"
    assert world.status["message"] == f"3 of 3 steps done in {took}"
