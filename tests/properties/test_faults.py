"""Every call fails in every way, its answer is lost, the operator dies at it: each life of a job has the same end."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlflow_operator.api import SQLFlowJob
from sqlflow_operator.kube import JOBS, SQLFLOWJOBS, ApiError, ForbiddenError, NotFoundError
from sqlflow_operator.kube.errors import error_from
from sqlflow_operator.run_name import run_name

from tests.unit.operator.fakes import Fault, no_fault
from tests.unit.operator.jobcontroller import Ending
from tests.unit.operator.world import World

BEGINNING = 7
"""How many calls a run takes until the status shows that its first step has succeeded."""


class Killed(BaseException):
    """The process ends here."""


def _replaced(world: World) -> None:
    world.edit(program="SELECT 42;")


def _suspended(world: World) -> None:
    world.edit(suspend=True)
    _settle(world)
    world.edit(suspend=False)


def _expired(world: World) -> None:
    _settle(world)
    world.clock.sleep(600)


def _failing(world: World) -> None:
    """The termination message of the second step is cut short: the log has to say the rest."""
    world.controller.endings["s2-train"] = [Ending(1, '{"error":{"statement":2,"li')]
    record = {"type": "error", "statement": 2, "line": 2, "column": 1, "title": "t", "kind": "data", "hint": ""}
    name = run_name(SQLFlowJob.parse(world.job))
    world.kube.store.logs[f"{name}-a", "s2-train"] = json.dumps(record | {"message": "x"})


def _lost(world: World) -> None:
    for child in world.children():
        world.kube.store.delete(JOBS, "ns", child["metadata"]["name"])


@dataclass(frozen=True)
class Life:
    """A job's life.

    Attributes:
        methods: the methods of the API that the operator calls in it.
        happens: what happens once its first step has succeeded.
        spec: what its spec has besides the program.
        cluster: what is special about its cluster.
        phase: the phase at the end.
        steps: the phases of its steps at the end.
        runs: how many runs there were.
        children: how many children are left.
    """

    methods: set[str]
    happens: Callable[[World], None] = no_fault
    spec: dict[str, Any] = field(default_factory=dict)
    cluster: Callable[[World], None] = no_fault
    phase: str = "Succeeded"
    steps: tuple[str, ...] = ("Succeeded", "Succeeded", "Succeeded")
    runs: int = 1
    children: int = 1


LIVES = {
    "succeeds": Life({"create", "patch", "log"}),
    "is replaced": Life({"create", "patch", "get", "list", "delete", "log"}, _replaced, steps=("Succeeded",), runs=2),
    "is suspended for a while": Life({"create", "patch", "log"}, _suspended),
    "expires": Life(
        {"create", "patch", "log", "get", "delete"}, _expired, {"ttlSecondsAfterFinished": 600}, children=0
    ),
    "fails": Life(
        {"create", "patch", "log"}, cluster=_failing, phase="Failed", steps=("Succeeded", "Failed", "Skipped")
    ),
    "is lost": Life(
        {"create", "patch", "get"}, _lost, phase="Failed", steps=("Succeeded", "Failed", "Skipped"), children=0
    ),
}


def _settle(world: World) -> None:
    """Until nothing moves, and once more after the time for which the operator waits after a refusal."""
    world.settle()
    world.clock.sleep(61)
    world.settle()


def live(life: Life, fault: Fault = no_fault, late_fault: Fault = no_fault) -> World:
    """A world in which a job had that life, with those faults; an operator that was killed was started again."""
    world = World(**life.spec)
    life.cluster(world)
    world.kube.fault, world.kube.late_fault = fault, late_fault

    def survive(part: Callable[[], None]) -> None:
        with contextlib.suppress(Killed):
            return part()
        world.restart()
        return part()

    def begin() -> None:
        while not any(step["phase"] == "Succeeded" for step in world.status.get("steps", ())):
            world.settle(rounds=1)
            world.clock.sleep(20)  # a refusal is tried again after half a minute

    survive(begin)
    survive(lambda: life.happens(world))
    survive(lambda: _settle(world))
    return world


def check(world: World, life: Life) -> None:
    status = world.status
    assert status["phase"] == life.phase, status
    assert [step["phase"] for step in status["steps"]] == list(life.steps)
    assert world.made("jobs") == world.made("configmaps") == life.runs
    assert len(world.children()) == life.children
    assert world.condition("Complete")["status"] == str(life.phase == "Succeeded")
    assert [entry["phase"] for entry in status.get("history", ())] == ["Cancelled"] * (life.runs - 1)
    events = [(event["reason"], event["message"]) for event in world.events()]
    assert len(events) == len(set(events))


def at(number: int, error: Callable[[], ApiError | None]) -> Fault:
    """That fault at the call of that number only."""
    return lambda call, *_: error() if call == number else None


def killed() -> None:
    raise Killed


def refusal(status: int, reason: str, message: str = "the words of the API server") -> Callable[[], ApiError]:
    return lambda: error_from(status, {"reason": reason, "message": message})


FAULTS: dict[str, list[Callable[[], ApiError]]] = {
    "forbidden": [refusal(403, "Forbidden"), refusal(401, "Unauthorized")],
    "not found": [refusal(404, "NotFound"), refusal(410, "Expired")],
    "conflict": [refusal(409, "Conflict"), refusal(409, "AlreadyExists")],
    "unavailable": [
        refusal(500, "InternalError"),
        refusal(429, "TooManyRequests"),
        refusal(0, "Unreachable", "timed out"),
        refusal(503, "ServiceUnavailable"),
        refusal(504, "Timeout", "failed calling webhook"),
    ],
}
"""The errors of calls by what the operator does about them; those of one kind take turns from call to call."""


@pytest.fixture(params=LIVES.values(), ids=LIVES.keys())
def life(request: pytest.FixtureRequest) -> Life:
    found: Life = request.param
    return found


def numbers(life: Life) -> range:
    """The numbers of the calls in it; those that every life begins with only for the first."""
    world = live(life)
    check(world, life)
    return range(0 if life is LIVES["succeeds"] else BEGINNING, len(world.kube.calls))


def test_lives_use_every_method(life: Life) -> None:
    assert {method for method, _ in live(life).kube.calls} == life.methods


def test_every_life_begins_alike() -> None:
    assert len({tuple(live(life).kube.calls[:BEGINNING]) for life in LIVES.values()}) == 1


def test_together_they_use_all_that_the_operator_has() -> None:
    assert {method for one in LIVES.values() for method in one.methods} == {
        "get", "list", "create", "patch", "delete", "log",
    }  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_each_call_fails_once(life: Life, kind: str) -> None:
    for number in numbers(life):
        error = FAULTS[kind][number % len(FAULTS[kind])]
        check(live(life, fault=at(number, error)), life)


def test_each_answer_is_lost_once(life: Life) -> None:
    for number in numbers(life):
        check(live(life, late_fault=at(number, refusal(0, "Unreachable"))), life)


def test_five_calls_fail_in_a_row() -> None:
    life = LIVES["succeeds"]
    for number in numbers(life):
        error = refusal(503, "ServiceUnavailable")
        check(live(life, fault=lambda n, *_, f=number, e=error: e() if f <= n < f + 5 else None), life)


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_the_operator_is_killed_at_each_call(life: Life, late: bool) -> None:
    for number in numbers(life):
        fault = at(number, killed)
        check(live(life, late_fault=fault) if late else live(life, fault=fault), life)


def test_events_that_cannot_be_created_hold_nothing_up() -> None:
    world = World()
    world.kube.fault = lambda _n, method, resource: (
        ForbiddenError(403, "Forbidden", "no events for you")
        if (method, resource.plural) == ("create", "events")
        else None
    )
    world.settle()
    assert world.status["phase"] == "Succeeded"
    assert world.events() == []


def test_a_job_that_vanishes_while_it_is_looked_at() -> None:
    world = World()
    world.watch()
    world.kube.store.delete(SQLFLOWJOBS, "ns", "iris")
    with pytest.raises(NotFoundError):
        world.reconciler.reconcile(("ns", "iris"))


def test_missing_right_is_told_and_tried_again() -> None:
    world = World()
    denied = ForbiddenError(403, "Forbidden", 'jobs.batch is forbidden: User "x" cannot create resource "jobs"')
    world.kube.fault = lambda _n, method, resource: denied if (method, resource.plural) == ("create", "jobs") else None
    assert world.reconcile() == pytest.approx(30)
    assert world.status["phase"] == "Pending"
    assert world.condition("Reconciling")["reason"] == "Forbidden"
    assert "role" in world.message
    world.kube.fault = no_fault
    world.settle()
    assert world.status["phase"] == "Succeeded"


def test_quota_on_jobs_is_told_and_tried_again() -> None:
    world = World()
    denied = ForbiddenError(403, "Forbidden", 'jobs.batch "x" is forbidden: exceeded quota: q, requested: count/jobs=1')
    world.kube.fault = lambda _n, method, resource: denied if (method, resource.plural) == ("create", "jobs") else None
    world.reconcile()
    assert world.condition("Reconciling")["reason"] == "QuotaExceeded"
    writes = world.writes
    for _ in range(10):
        world.clock.sleep(30)
        world.reconcile()
    assert world.writes == writes
