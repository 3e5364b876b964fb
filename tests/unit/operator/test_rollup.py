"""From the steps of a run to the run: phase, reason, message and what becomes of each step, word for word."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_operator.api import Phase, StepPhase
from sqlflow_operator.workflow.observe import rollup
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, StatementPlace, StepState
from sqlflow_operator.workflow.observe.wording import sentence, without_pod_name

PENDING, RUNNING, DONE, FAILED, SKIPPED = StepPhase
TIMES = {"started_at": "2026-01-01T00:00:00Z", "finished_at": None}
PLACES = {number: StatementPlace(f"TITLE {number}", number, 1) for number in (1, 2)}
OBJECTS = RunObjects(child={}, statements=PLACES)


def step(name: str, phase: StepPhase, *statements: int, **more: Any) -> StepState:
    return StepState(name=name, kind="sql", statements=statements or (1,), phase=phase, **more)


def outline(steps: tuple[StepState, ...]) -> list[tuple[str, StepPhase, str | None]]:
    return [(one.name, one.phase, one.message) for one in steps]


def failed(*steps: StepState, why: tuple[Reason, str] = (Reason.STEP_FAILED, "why"), **more: Any) -> Any:
    return rollup.failed(OBJECTS, steps, why, TIMES, unexplained=lambda one: f"no words of {one.name}", **more)


def test_all_steps_of_a_run_that_has_succeeded_have() -> None:
    state = rollup.succeeded((step("a", RUNNING, message="m", exit_code=3), step("b", DONE)), TIMES)
    assert (state.phase, state.reason, state.message) == (Phase.SUCCEEDED, Reason.SUCCEEDED, "all steps are done")
    assert outline(state.steps) == [("a", DONE, None), ("b", DONE, None)]
    assert (state.steps[0].exit_code, state.started_at, state.finished_at) == (None, TIMES["started_at"], None)


@pytest.mark.parametrize(
    ("steps", "more", "message", "expected"),
    [
        (
            (step("a", DONE), step("b", RUNNING), step("c", FAILED, message="bad"), step("d", PENDING, message="m")),
            {},
            "step b failed: why",
            [("a", DONE, None), ("b", FAILED, "no words of b"), ("c", FAILED, "bad"), ("d", SKIPPED, None)],
        ),
        (
            (step("a", DONE), step("b", PENDING), step("c", PENDING)),
            {},
            "step b failed: why",
            [("a", DONE, None), ("b", FAILED, "no words of b"), ("c", SKIPPED, None)],
        ),
        (
            (step("a", DONE), step("b", PENDING)),
            {"blame_next": False},
            "why",
            [("a", DONE, None), ("b", SKIPPED, None)],
        ),
        ((step("a", DONE),), {}, "why", [("a", DONE, None)]),
        (
            (step("a", RUNNING, message="words"),),
            {"why": (Reason.CANCELLED, "the run was cancelled")},
            "step a failed: the run was cancelled",
            [("a", FAILED, "it was cancelled")],
        ),
        (
            (step("a", RUNNING),),
            {"why": (Reason.DEADLINE_EXCEEDED, "late")},
            "step a failed: it took longer than spec.activeDeadlineSeconds allows and was stopped",
            [("a", FAILED, "it took longer than spec.activeDeadlineSeconds allows and was stopped")],
        ),
    ],
)
def test_a_run_that_has_failed(steps: tuple[StepState, ...], more: Any, message: str, expected: list[Any]) -> None:
    state = failed(*steps, **more)
    assert (state.phase, state.reason) == (Phase.FAILED, more.get("why", (Reason.STEP_FAILED,))[0])
    assert state.message == message
    assert outline(state.steps) == expected


def test_the_steps_of_a_suspended_run_wait() -> None:
    steps = (step("a", DONE, message="m"), step("b", FAILED, message="m", exit_code=1), step("c", RUNNING))
    state = rollup.suspended(steps, "words", TIMES)
    assert (state.phase, state.reason, state.message) == (Phase.SUSPENDED, Reason.SUSPENDED, "words")
    assert outline(state.steps) == [("a", DONE, "m"), ("b", PENDING, None), ("c", PENDING, None)]
    assert state.steps[1].exit_code is None


@pytest.mark.parametrize(
    ("steps", "phase", "reason", "message"),
    [
        ((step("a", PENDING),), Phase.PENDING, Reason.STARTING, "waiting for a pod"),
        ((step("a", PENDING), step("b", PENDING, message="m")), Phase.PENDING, Reason.STARTING, "m"),
        ((step("a", RUNNING, attempts=1),), Phase.RUNNING, Reason.RUNNING, "running step a: TITLE 1"),
        ((step("a", RUNNING, 2, attempts=2),), Phase.RUNNING, Reason.RUNNING, "running step a: TITLE 2, attempt 2"),
        ((step("a", RUNNING, 1, 2, attempts=1),), Phase.RUNNING, Reason.RUNNING, "running step a"),
        ((step("a", RUNNING, 9, attempts=1),), Phase.RUNNING, Reason.RUNNING, "running step a"),
        (
            tuple(step(name, RUNNING, attempts=1) for name in "ab"),
            Phase.RUNNING,
            Reason.RUNNING,
            "running steps a, b",
        ),
        (
            tuple(step(name, RUNNING, attempts=1) for name in "abc"),
            Phase.RUNNING,
            Reason.RUNNING,
            "running steps a, b, c",
        ),
        (
            tuple(step(name, RUNNING, attempts=1) for name in "abcde"),
            Phase.RUNNING,
            Reason.RUNNING,
            "running steps a, b, c and 2 more",
        ),
        ((step("a", DONE, attempts=1), step("b", PENDING)), Phase.RUNNING, Reason.RUNNING, "starting step b"),
        ((step("a", DONE, attempts=1),), Phase.RUNNING, Reason.RUNNING, "finishing"),
        (
            (step("a", FAILED, message="bad"), step("b", RUNNING, attempts=1)),
            Phase.RUNNING,
            Reason.RUNNING,
            "step a failed (it may be tried again): bad; running step b: TITLE 1",
        ),
        (
            (step("a", FAILED, message="bad"), step("b", PENDING)),
            Phase.RUNNING,
            Reason.RUNNING,
            "step a failed (it may be tried again): bad",
        ),
        (
            (step("b", FAILED, message="bad", attempts=3),),
            Phase.RUNNING,
            Reason.RUNNING,
            "step b failed: bad",
        ),
    ],
)
def test_a_run_that_goes_on(steps: tuple[StepState, ...], phase: Phase, reason: Reason, message: str) -> None:
    state = rollup.active(OBJECTS, steps, {"a"}, (), TIMES)
    assert (state.phase, state.reason, state.message, state.steps) == (phase, reason, message, steps)
    assert state.started_at == TIMES["started_at"]


def gated(words: str) -> dict[str, Any]:
    """A pod that waits for its scheduling gates."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": words}
    return {"metadata": {"name": "p"}, "status": {"conditions": [condition]}}


def test_what_the_most_relevant_pod_waits_for_stands_at_the_next_step() -> None:
    steps = (step("a", DONE, attempts=1), step("b", PENDING), step("c", PENDING))
    state = rollup.active(OBJECTS, steps, (), (gated("first"), gated("last"), {"metadata": {"name": "q"}}), TIMES)
    words = "queued: the pod waits for its scheduling gates: last"
    assert (state.phase, state.reason, state.message) == (Phase.RUNNING, Reason.QUEUED, words)
    assert outline(state.steps) == [("a", DONE, None), ("b", PENDING, words), ("c", PENDING, None)]
    told = (steps[0], steps[1], step("c", PENDING, message="own"))
    assert rollup.active(OBJECTS, told, (), (gated("x"),), TIMES).steps == told
    nobody = (step("a", RUNNING, attempts=1),)
    assert rollup.active(OBJECTS, nobody, (), (gated("x"),), TIMES).steps == nobody


def test_a_pod_that_is_about_to_start() -> None:
    state = rollup.active(OBJECTS, (step("a", PENDING),), (), ({"metadata": {"name": "p"}},), TIMES)
    assert state.message == "waiting for the pod to start"


@pytest.mark.parametrize("end", [".", "!", "?", "…"])
def test_a_sentence_has_one_end(end: str) -> None:
    assert sentence(f"words{end}") == f"words{end}"
    assert sentence("words") == "words."
    assert without_pod_name('pods "a-1" is forbidden by pod "b"') == "the pod is forbidden by the pod"
