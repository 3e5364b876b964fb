"""Every call fails once in every way, and the operator dies at every call: the end is right and there is one child."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from sqlflow_operator.kube import ApiError, ForbiddenError, NotFoundError, Resource, UnavailableError

from tests.unit.operator.fakes import conflict, no_fault, unavailable
from tests.unit.operator.world import World


class Killed(BaseException):
    """The process ends here."""


def _calls_of_a_run() -> int:
    world = World()
    world.settle()
    assert world.status["phase"] == "Succeeded"
    return len(world.kube.calls)


CALLS = _calls_of_a_run()

FAULTS: dict[str, Callable[[], ApiError]] = {
    "409": conflict,
    "429": lambda: UnavailableError(429, "TooManyRequests", "slow down", 1.0),
    "500": lambda: unavailable(500),
    "503": lambda: unavailable(503),
    "timeout": lambda: unavailable(0),
    "401": lambda: ForbiddenError(401, "Unauthorized", "token has expired"),
    "404": lambda: NotFoundError(404, "NotFound", "not found"),
}


def check(world: World) -> None:
    assert world.status["phase"] == "Succeeded", world.status
    assert world.status["progress"] == "3/3"
    assert world.made("jobs") == world.made("configmaps") == 1
    assert world.condition("Complete")["status"] == "True"
    reasons = [event["reason"] for event in world.events()]
    assert len(reasons) == len(set(reasons))


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"404"}))
def test_each_call_fails_once(fault: str) -> None:
    for failing in range(CALLS):
        world = World()
        world.kube.fault = lambda number, *_, failing=failing: FAULTS[fault]() if number == failing else None
        world.settle()
        check(world)


def test_each_answer_is_lost_once() -> None:
    for failing in range(CALLS):
        world = World()
        world.kube.late_fault = lambda number, *_, failing=failing: unavailable(0) if number == failing else None
        world.settle()
        check(world)


def test_objects_vanish_between_two_calls() -> None:
    """A lying 404 for the job, its child or its ConfigMap must not start a second run."""
    for failing in range(CALLS):
        world = World()

        def fault(number: int, method: str, _: Resource, failing: int = failing) -> ApiError | None:
            return FAULTS["404"]() if number == failing and method in ("patch", "delete", "log") else None

        world.kube.fault = fault
        world.settle()
        check(world)


def test_a_second_of_outage_everywhere() -> None:
    for failing in range(CALLS):
        world = World()
        world.kube.fault = lambda n, *_, f=failing: unavailable(503) if f <= n < f + 5 else None
        world.settle(rounds=100)
        check(world)


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_killed_at_each_call_and_started_again(late: bool) -> None:
    for failing in range(CALLS):
        world = World()

        def kill(number: int, *_: object, failing: int = failing) -> ApiError | None:
            if number == failing:
                raise Killed
            return None

        setattr(world.kube, "late_fault" if late else "fault", kill)
        for _ in range(3):
            with contextlib.suppress(Killed):
                world.settle()
            world.restart()
        world.settle()
        check(world)


def test_killed_at_each_call_of_a_change_of_program() -> None:
    def run(failing: int) -> World:
        world = World()
        world.reconcile()
        world.advance(4)
        world.edit(program="SELECT 42;")
        start = len(world.kube.calls)

        def kill(number: int, *_: object) -> ApiError | None:
            if number == start + failing:
                raise Killed
            return None

        world.kube.fault = kill
        for _ in range(3):
            with contextlib.suppress(Killed):
                world.settle()
            world.restart()
        return world

    for failing in range(30):
        world = run(failing)
        assert world.status["phase"] == "Succeeded"
        assert world.made("jobs") == 2
        assert len(world.children()) == 1
        assert [entry["phase"] for entry in world.status["history"]] == ["Cancelled"]


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
