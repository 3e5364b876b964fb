"""What pods and engine show of a run of a DAG, joined: which of the two is believed of what."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_codegen.contract import Outcome, StepError
from sqlflow_operator.api import Phase, StepPhase, StepStatus
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.observe.engine_run import EngineRun, EngineStep, observe_dag
from sqlflow_operator.workflow.observe.reasons import CANCELLED_MESSAGE, DEADLINE_MESSAGE
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepState

PENDING, RUNNING, DONE, FAILED, SKIPPED = StepPhase
PLANNED = tuple(StepState(name=name, kind="sql", statements=(number,)) for number, name in enumerate("abc", 1))
AT_WORK = EngineRun(phase=Phase.RUNNING, started_at="S", finished_at="F")
OVER = EngineRun(phase=Phase.FAILED, started_at="S", finished_at="F")
GONE = "was interrupted: its pod is gone, and its log with it."


def pod(step: str, state: Object, phase: str = "", **metadata: Any) -> Object:
    ended = state.get("terminated")
    shown = phase or ("Running" if ended is None else "Failed" if ended["exitCode"] else "Succeeded")
    status = {"phase": shown, "containerStatuses": [{"name": "main", "state": state}]}
    return {"metadata": {"name": f"p-{step}", "labels": {"step": step}, **metadata}, "status": status}


def exited(code: int, **fields: str) -> Object:
    return {"terminated": {"exitCode": code, "startedAt": "s", "finishedAt": "e", **fields}}


def observed(
    run: EngineRun, *pods: Object, planned: tuple[StepState, ...] = PLANNED, known: Any = None, **steps: EngineStep
) -> RunState:
    objects = RunObjects(child={}, pods=pods, known=known or {})
    return observe_dag(objects, planned, lambda one: {one["metadata"]["labels"]["step"]: "main"}, run, steps)


def first(state: RunState) -> tuple[Any, ...]:
    step = state.steps[0]
    return step.phase, step.attempts, step.exit_code, step.message


def phases(state: RunState) -> tuple[StepPhase, ...]:
    return tuple(step.phase for step in state.steps)


STARTED = {"running": {"startedAt": "s"}}
WAITING: Object = {"waiting": {}}


@pytest.mark.parametrize(
    ("state", "engine", "expected"),
    [
        (None, EngineStep(phase=PENDING, message="m"), (PENDING, 0, None, "m")),
        (None, EngineStep(phase=RUNNING, attempts=2), (RUNNING, 2, None, None)),
        (None, EngineStep(phase=None, attempts=2, message="m"), (PENDING, 0, None, None)),
        (None, EngineStep(phase=DONE, attempts=1, exit_code=0, message="m"), (DONE, 1, None, None)),
        (None, EngineStep(phase=SKIPPED, message="m"), (SKIPPED, 0, None, None)),
        (WAITING, EngineStep(phase=RUNNING, attempts=3, message="m"), (PENDING, 0, None, "m")),
        (STARTED, EngineStep(phase=PENDING, message="m"), (RUNNING, 1, None, None)),
        (STARTED, EngineStep(phase=DONE), (DONE, 1, None, None)),
        (exited(0), EngineStep(phase=RUNNING), (DONE, 1, None, None)),
        (exited(6), EngineStep(phase=FAILED, exit_code=6, message="m"), (SKIPPED, 1, None, None)),
        (None, EngineStep(phase=FAILED, exit_code=6, message="m"), (SKIPPED, 0, None, None)),
        (exited(9), EngineStep(phase=FAILED, exit_code=1, message="m"), (FAILED, 1, 9, "statement 1: exit code 9, ")),
        (None, EngineStep(phase=FAILED, exit_code=1, message="m"), (FAILED, 0, 1, "m")),
    ],
)
def test_a_step_that_pod_and_engine_show(state: Object | None, engine: EngineStep, expected: tuple[Any, ...]) -> None:
    *seen, message = first(observed(AT_WORK, *([pod("a", state)] if state else []), a=engine))
    assert tuple(seen) == expected[:3]
    assert message == expected[3] or (expected[2] == 9 and str(message).startswith(expected[3]))


def test_the_times_of_a_step() -> None:
    engine = EngineStep(phase=RUNNING, started_at="es", finished_at="ee")
    for pods, times in (((), ("es", "ee")), ((pod("a", STARTED),), ("s", "ee")), ((pod("a", exited(0)),), ("s", "e"))):
        step = observed(AT_WORK, *pods, a=engine).steps[0]
        assert (step.started_at, step.finished_at) == times


def test_a_container_that_succeeded_in_a_pod_that_has_not_still_runs() -> None:
    for phase, expected in (("Running", RUNNING), ("Failed", RUNNING), ("Succeeded", DONE)):
        step = observed(AT_WORK, pod("a", exited(0), phase)).steps[0]
        assert (step.phase, step.started_at) == (expected, "s")


def outcome(kind: str) -> Outcome:
    return Outcome(error=StepError(1, 2, 3, "T", kind, "words", ""))


ENGINES_WORDS = EngineStep(phase=FAILED, message="engine's words")
TOO_LATE = EngineStep(phase=FAILED, reason=Reason.DEADLINE_EXCEEDED, message=DEADLINE_MESSAGE)


@pytest.mark.parametrize(
    ("state", "engine", "reason", "message"),
    [
        (exited(1), ENGINES_WORDS, Reason.STEP_FAILED, "statement 1: exit code 1, no error was reported. "),
        (exited(143), ENGINES_WORDS, Reason.POD_LOST, "statement 1 was interrupted: something stopped its process"),
        (exited(143), TOO_LATE, Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE),
        (exited(0), ENGINES_WORDS, Reason.STEP_FAILED, "engine's words"),
        (None, ENGINES_WORDS, Reason.STEP_FAILED, "engine's words"),
        (None, EngineStep(phase=FAILED), Reason.POD_LOST, f"statement 1 {GONE}"),
        (
            None,
            EngineStep(phase=FAILED, message="gone", reason=Reason.POD_LOST),
            Reason.POD_LOST,
            "statement 1 was interrupted: its pod was deleted.",
        ),
        (
            None,
            EngineStep(phase=FAILED, message="m", outcome=outcome("data")),
            Reason.STEP_FAILED,
            "statement 1 (T) at 2:3: words",
        ),
        (
            None,
            EngineStep(phase=FAILED, message="m", exit_code=143),
            Reason.POD_LOST,
            "statement 1 was interrupted: its pod was deleted.",
        ),
        (
            None,
            EngineStep(phase=FAILED, message="m", exit_code=143, outcome=outcome("stopped")),
            Reason.POD_LOST,
            "statement 1 (T) at 2:3 was interrupted: its pod was deleted.",
        ),
    ],
)
def test_a_step_that_failed_for_its_engine(
    state: Object | None, engine: EngineStep, reason: Reason, message: str
) -> None:
    found = observed(OVER, *([pod("a", state, "Failed")] if state else []), a=engine)
    step = found.steps[0]
    assert (found.phase, found.reason, step.phase) == (Phase.FAILED, reason, FAILED)
    code = state["terminated"]["exitCode"] if state else engine.exit_code
    assert step.exit_code == (code or None)
    if reason is not Reason.DEADLINE_EXCEEDED:
        assert (step.message or "").startswith(message)
        assert found.message == f"step a failed: {step.message}"


def test_the_status_knows_more_than_the_engines_words() -> None:
    known = {"a": StepStatus(name="a", kind="sql", statements=(1,), phase=FAILED, exit_code=1, message="known")}
    assert observed(OVER, known=known, a=ENGINES_WORDS).message == "step a failed: known"


def test_the_end_of_a_run_is_the_engines() -> None:
    done = observed(EngineRun(phase=Phase.SUCCEEDED, started_at="S", finished_at="F"))
    assert (done.phase, done.started_at, done.finished_at, phases(done)) == (Phase.SUCCEEDED, "S", "F", (DONE,) * 3)
    lost = observed(OVER)
    assert (lost.reason, lost.started_at, lost.finished_at) == (Reason.POD_LOST, "S", "F")
    assert (lost.message, phases(lost)) == ("its pod is gone, and its log with it.", (SKIPPED,) * 3)


def test_a_run_that_failed_while_a_step_ran_blames_it() -> None:
    state = observed(OVER, pod("a", exited(0)), pod("b", STARTED))
    assert (state.reason, state.message) == (Reason.POD_LOST, f"step b failed: statement 2 {GONE}")
    assert phases(state) == (DONE, FAILED, SKIPPED)


@pytest.mark.parametrize(
    ("why", "blamed"),
    [
        ((Reason.CANCELLED, CANCELLED_MESSAGE), True),
        ((Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE), True),
        ((Reason.ENGINE_ERROR, "no graph"), False),
    ],
)
def test_the_engines_reason_for_the_whole_run(why: tuple[Reason, str], blamed: bool) -> None:
    """A deadline and a cancellation stopped the next step, if none was at work; any other reason is about no step."""
    run = EngineRun(phase=Phase.FAILED, why=why)
    state = observed(run)
    assert (state.reason, state.message) == (why[0], f"step a failed: {why[1]}" if blamed else why[1])
    assert phases(state) == (FAILED if blamed else SKIPPED, SKIPPED, SKIPPED)
    at_work = observed(run, pod("a", exited(0)), pod("b", STARTED))
    assert phases(at_work) == (DONE, FAILED, SKIPPED)
    assert blamed or at_work.steps[1].message == why[1]


def test_all_steps_are_done_before_the_engine_says_so() -> None:
    pods = [pod(name, exited(0, finishedAt=f"e{name}")) for name in "abc"]
    state = observed(AT_WORK, *pods)
    assert (state.phase, state.started_at, state.finished_at) == (Phase.SUCCEEDED, "S", "ec")
    finish = (*PLANNED, StepState(name="finish", kind="", statements=()))
    assert observed(AT_WORK, *pods, planned=finish).phase is Phase.RUNNING
    cleared = observed(AT_WORK, *pods, pod("finish", exited(0, finishedAt="ef")), planned=finish)
    assert (cleared.phase, cleared.finished_at, len(cleared.steps)) == (Phase.SUCCEEDED, "ef", 3)
    assert observed(AT_WORK, planned=()).phase is Phase.PENDING


def test_a_suspended_run_is_suspended_when_nothing_runs() -> None:
    held = EngineRun(phase=Phase.SUSPENDED, doubt="not said", started_at="S")
    state = observed(held, pod("a", exited(0)))
    assert (state.phase, state.message) == (Phase.SUSPENDED, "suspended; set spec.suspend to false to go on")
    assert (state.started_at, state.finished_at) == ("S", None)
    running = observed(held, pod("a", STARTED))
    assert (running.phase, running.message) == (
        Phase.RUNNING,
        "running step a; suspended: what runs ends, nothing else starts until spec.suspend is false",
    )


@pytest.mark.parametrize(
    ("retries", "code", "engine", "again"),
    [
        (0, 3, None, False),
        (1, 3, None, True),
        (1, 3, EngineStep(phase=RUNNING), True),
        (1, 3, EngineStep(phase=FAILED), False),
        (1, 2, None, False),
    ],
)
def test_a_step_that_may_be_tried_again(retries: int, code: int, engine: EngineStep | None, again: bool) -> None:
    run = EngineRun(phase=Phase.RUNNING, retries=retries, doubt="doubt")
    state = observed(run, pod("a", exited(code)), **({"a": engine} if engine else {}))
    assert state.message.startswith(f"step a failed{' (it may be tried again)' if again else ''}: statement 1: ")
    assert state.message.endswith("; doubt")


def test_only_the_pods_of_steps_that_wait_show_what_is_waited_for() -> None:
    gated = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "kueue"}]
    waiting = pod("b", WAITING)
    waiting["status"]["conditions"] = gated
    state = observed(AT_WORK, pod("a", STARTED), waiting)
    words = "queued: the pod waits for its scheduling gates: kueue"
    assert (state.reason, state.message, state.steps[1].message) == (Reason.QUEUED, words, words)
    waiting["status"] |= {"phase": "Succeeded", "containerStatuses": [{"name": "main", "state": exited(0)}]}
    assert observed(AT_WORK, pod("a", STARTED), waiting).reason is Reason.RUNNING
