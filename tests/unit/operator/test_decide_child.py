"""`decide`, row by row, where the run has its child: what was observed, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_operator.api import Phase, StepPhase
from sqlflow_operator.reconcile.decide import decide
from sqlflow_operator.reconcile.decision import Observation, PatchChild
from sqlflow_operator.workflow.observe.state import Reason

from tests.unit.operator.observations import (
    FAILED,
    JOB,
    NOTHING,
    NOW,
    PENDING,
    RUN,
    RUNNING,
    SUCCEEDED,
    SUSPENDED,
    Row,
    ago,
    check,
    child,
    create,
    job,
    observation,
    parsed,
    running,
    status,
    step,
    stored_step,
)

LATE = "the run took longer than spec.activeDeadlineSeconds allows"
NEW = observation()
GONE = {"unacknowledged_by": "Kubernetes"}
TEKTON = {"suspends_running": False, "kind": "PipelineRun"}


def waiting(seconds: float, phase: Phase = RUNNING) -> Observation:
    """A run that started so many seconds ago and has no running step."""
    return running(child(phase, steps=(step(StepPhase.PENDING),), started_at=ago(seconds)))


def overdue(seconds: float, **more: Any) -> Observation:
    """A run whose deadline of 60 seconds and whose engine's grace of 5 are over since so many seconds."""
    of_child = {"started_at": ago(65 + seconds), **more.pop("child", {})}
    return running(child(**of_child), spec={"activeDeadlineSeconds": 60}, **more)


ROWS = [
    # -- is its child there?
    Row("running", running(child()), NOTHING, RUNNING, "Running", None, "Running as observed"),
    Row("its first status", observation(None, child()), NOTHING, RUNNING, "Running"),
    Row("no step runs", waiting(0), NOTHING, RUNNING, "Running", 5),
    Row("no step runs for a while", waiting(100), NOTHING, RUNNING, "Running", 25),
    Row("no step runs for long", waiting(1000), NOTHING, RUNNING, "Running", 60),
    Row("pending", observation(None, child(PENDING, started_at=None)), NOTHING, PENDING, "Starting", 5),
    Row("between two attempts", running(child(PENDING, started_at=None)), NOTHING, RUNNING, "Starting", 5),
    Row("suspended", running(child(SUSPENDED)), NOTHING, SUSPENDED, "Suspended"),
    Row("succeeded", running(child(SUCCEEDED)), NOTHING, SUCCEEDED, "Succeeded", None, "1 of 1 steps done in 59m"),
    Row("failed", running(child(FAILED)), NOTHING, FAILED, "StepFailed", None, "Failed as observed"),
    Row(
        "ended just now, with a time to live",
        running(child(SUCCEEDED), spec={"ttlSecondsAfterFinished": 600}),
        NOTHING,
        SUCCEEDED,
        "Succeeded",
        590,
    ),
    Row(
        "suspension or deadline to be passed on",
        running(child(adjustment={"spec": {"suspend": True}})),
        (PatchChild(RUN, JOB, {"spec": {"suspend": True}}),),
        RUNNING,
        "Running",
    ),
    Row(
        "nothing is passed on after the end", running(child(FAILED, adjustment={"a": 1})), NOTHING, FAILED, "StepFailed"
    ),
    Row("ConfigMap lost", running(child(), config_map=False), (create(NEW),), RUNNING, "Running"),
    Row(
        "ConfigMap lost, and something to be passed on",
        running(child(adjustment={"a": 1}), config_map=False),
        (PatchChild(RUN, JOB, {"a": 1}), create(NEW)),
        RUNNING,
        "Running",
    ),
    Row("ConfigMap lost after the end", running(child(FAILED), config_map=False), NOTHING, FAILED, "StepFailed"),
    Row(
        "ConfigMap lost, program unknown", running(child(), config_map=False, program=None), NOTHING, RUNNING, "Running"
    ),
    Row(
        "ConfigMap lost, program no longer valid",
        running(child(), config_map=False, program=parsed(job(program="SELECT 1 TO TRAIN"))),
        NOTHING,
        RUNNING,
        "Running",
    ),
    # -- ... with notes of what its objects cannot know
    Row(
        "not taken up for 15 seconds",
        observation(None, child(PENDING, created_at=ago(15), started_at=None, **GONE)),
        NOTHING,
        PENDING,
        "BackendUnavailable",
        5,
        "Kubernetes has not taken up the Job: is its controller running?",
    ),
    Row(
        "not taken up for 14 seconds",
        observation(None, child(PENDING, created_at=ago(14), started_at=None, **GONE)),
        NOTHING,
        PENDING,
        "Starting",
        5,
    ),
    Row(
        "not taken up, of unknown age",
        observation(None, child(PENDING, created_at=None, started_at=None, **GONE)),
        NOTHING,
        PENDING,
        "Starting",
        5,
    ),
    Row("ended though not taken up", running(child(SUCCEEDED, **GONE)), NOTHING, SUCCEEDED, "Succeeded"),
    *(
        Row(
            f"to be suspended, which its engine cannot ({phase})",
            running(child(phase, **TEKTON), spec={"suspend": True}, stored={"reason": "x"}),
            NOTHING,
            RUNNING,
            reason,
            again,
            f"{phase} as observed; spec.suspend has no effect: a PipelineRun that has started cannot be suspended",
        )
        for phase, reason, again in ((RUNNING, "Running", None), (PENDING, "Starting", 10))
    ),
    Row(
        "to be suspended after its end",
        running(child(FAILED, **TEKTON), spec={"suspend": True}),
        NOTHING,
        FAILED,
        "StepFailed",
        None,
        "Failed as observed",
    ),
    # -- ... and its deadline
    Row("deadline in 30 seconds and the grace", overdue(-30), NOTHING, RUNNING, "Running", 30),
    Row("deadline over", overdue(0), NOTHING, FAILED, "DeadlineExceeded", 0, f"{LATE}, and the operator ends it"),
    Row("deadline over, after its end", overdue(9, child={"phase": SUCCEEDED}), NOTHING, SUCCEEDED, "Succeeded", 0),
    Row("deadline over while suspended", overdue(9, child={"phase": SUSPENDED}), NOTHING, SUSPENDED, "Suspended"),
    Row(
        "deadline over, its engine takes longer",
        overdue(9, child={"deadline_grace": 30}),
        NOTHING,
        RUNNING,
        "Running",
        16,
    ),
    Row(
        "deadline over, its pods are ending",
        overdue(59, pods=("p",), pods_deleted=True),
        NOTHING,
        RUNNING,
        "Stopping",
        5,
        "The run took longer than spec.activeDeadlineSeconds allows; waiting for p to end",
    ),
    Row(
        "deadline just over, its pods are ending",
        overdue(0, pods=("p",), pods_deleted=True),
        NOTHING,
        RUNNING,
        "Stopping",
        5,
    ),
    Row(
        "deadline over, its pods do not end",
        overdue(60, pods=("p",), pods_deleted=True),
        NOTHING,
        FAILED,
        "DeadlineExceeded",
        0,
    ),
    Row(
        "deadline over, its pods are not being deleted", overdue(5, pods=("p",)), NOTHING, FAILED, "DeadlineExceeded", 0
    ),
    # -- ... and its end
    Row(
        "child being deleted",
        running(child(deleting=True)),
        NOTHING,
        RUNNING,
        "Stopping",
        5,
        f"Job {RUN} is being deleted; waiting until it is gone",
    ),
    Row(
        "child being deleted before anything was running",
        observation(job(status(PENDING)), child(PENDING, deleting=True)),
        NOTHING,
        PENDING,
        "Stopping",
        5,
    ),
    *(
        Row(
            f"child being deleted, its pods at work ({phase})",
            running(child(phase, deleting=True), pods=("p1", "p2", "p3", "p4")),
            NOTHING,
            RUNNING,
            "Stopping",
            5,
            f"Job {RUN} is being deleted; waiting for p1, p2, p3 to end",
        )
        for phase in (RUNNING, FAILED)
    ),
    Row("child being deleted after a failure", running(child(FAILED, deleting=True)), NOTHING, FAILED, "StepFailed"),
    Row(
        "child being deleted after success",
        running(child(SUCCEEDED, deleting=True), pods=("p",)),
        NOTHING,
        SUCCEEDED,
        "Succeeded",
    ),
    *(
        Row(
            f"stopped ({reason}), its pods at work",
            running(child(FAILED, reason=reason, finished_at=finished), pods=("p",)),
            NOTHING,
            RUNNING,
            "Stopping",
            5,
            f"{words}; waiting for p to end",
        )
        for reason, words in (
            (Reason.DEADLINE_EXCEEDED, "The run took longer than spec.activeDeadlineSeconds allows"),
            (Reason.CANCELLED, "The run was cancelled"),
        )
        for finished in (ago(59), None)
    ),
    Row(
        "stopped, its pods at work for a minute",
        running(child(FAILED, reason=Reason.CANCELLED, finished_at=ago(60)), pods=("p",)),
        NOTHING,
        FAILED,
        "Cancelled",
    ),
    Row("stopped, no pod at work", running(child(FAILED, reason=Reason.CANCELLED)), NOTHING, FAILED, "Cancelled"),
    Row("failed by itself, a pod at work", running(child(FAILED), pods=("p",)), NOTHING, FAILED, "StepFailed"),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_the_table(row: Row) -> None:
    check(row)


def test_the_deadline_is_about_the_newest_that_the_child_shows() -> None:
    """The stored status is about a step before the one that runs now."""
    observed = overdue(0, stored={"steps": [stored_step("s1-sql", StepPhase.PENDING)]})
    failed = decide(observed, NOW).status
    assert failed is not None
    assert [(one.name, one.phase, one.finished_at) for one in failed.steps] == [("s1-sql", StepPhase.FAILED, ago(0))]


@pytest.mark.parametrize(
    ("suspend", "suspends_running"), [(True, True), (False, True), (False, False)], ids=["able", "neither", "not asked"]
)
def test_a_suspension_that_has_an_effect_gets_no_note(suspend: bool, suspends_running: bool) -> None:
    decided = decide(running(child(suspends_running=suspends_running), spec={"suspend": suspend}), NOW).status
    assert decided is not None
    assert decided.whole_message == "Running as observed"
