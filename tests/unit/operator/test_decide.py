"""`decide`, row by row of its table: what was observed, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlflow_operator.api import StepPhase
from sqlflow_operator.reconcile.decide import decide
from sqlflow_operator.reconcile.decision import Decision, Observation, PatchChild, Refusal
from sqlflow_operator.workflow.observe.state import Reason

from tests.unit.operator.observations import (
    FAILED,
    JOB,
    NOTHING,
    NOW,
    OLD,
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
    delete,
    history,
    job,
    observation,
    running,
    status,
    stored_step,
)

REPLACED = "the spec asks for another run"
EARLIER = "it is an earlier run"


def ended(reason: str = "Succeeded", *children: Any, ttl: int | None = None, **more: Any) -> Observation:
    """A job whose run has ended 100 seconds ago, as its status shows."""
    phase = SUCCEEDED if reason == "Succeeded" else FAILED
    spec = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
    return observation(job(status(phase, reason=reason), **spec), *children, program=None, **more)


def refused_before(reason: str, *, generation: int = 3, true: bool = True) -> Observation:
    stored = status(FAILED if true else PENDING, reason=reason, generation=generation)
    del stored["run"]
    return observation(job(stored))


OLD_ENDED = child(SUCCEEDED, OLD)
UNKNOWN_OLD = observation(job(status(RUNNING)), child(), OLD_ENDED)
KNOWN_OLD = status(RUNNING, history=[history(OLD, finished=500)])
LOST = "What it had done stays done; set spec.rerunToken to a new value to run the program again."
NEW = observation()

ROWS = [
    # -- is the job being deleted?
    Row("deleting", observation(job(deleting=True), child(name=OLD)), NOTHING, None),
    # -- does an earlier run still go on?
    Row(
        "old run at work",
        observation(job(status(RUNNING, run=OLD)), child(name=OLD)),
        (delete(OLD, REPLACED),),
        PENDING,
        "Stopping",
        5,
        f"Stopping the earlier run before the next one starts: waiting for {OLD} to end.",
    ),
    Row(
        "old run suspended",
        observation(job(status(RUNNING, run=OLD)), child(SUSPENDED, OLD)),
        (delete(OLD, REPLACED),),
        PENDING,
        "Stopping",
        5,
    ),
    Row(
        "several old runs at work, beside one that is stopped already",
        observation(
            job(status(RUNNING, run=OLD, history=[history(name, finished=0) for name in "abc"])),
            child(name="a"),
            child(name="b", deleting=True),
            child(PENDING, "c"),
            old_pods=("p",),
        ),
        (delete("a", REPLACED), delete("c", REPLACED)),
        PENDING,
        "Stopping",
        5,
        "waiting for p to end",
    ),
    Row(
        "old run that no status has: first it is recorded",
        observation(None, child(name="a")),
        NOTHING,
        PENDING,
        "Stopping",
        0,
    ),
    Row(
        "old run that no status has, beside the run of the status",
        observation(job(status(RUNNING)), child(), child(name="a", created_at=ago(1))),
        (delete("a", REPLACED),),
        PENDING,
        "Stopping",
        5,
    ),
    Row(
        "pods of an old run, whose child is gone",
        observation(None, child(), old_pods=("p1", "p2", "p3", "p4")),
        NOTHING,
        PENDING,
        "Stopping",
        5,
        "waiting for p1, p2, p3 to end. A pod whose node is lost must be deleted with --force.",
    ),
    # -- has the run of the spec ended, as the status tells?
    Row("ended", ended("Succeeded", child(SUCCEEDED)), NOTHING, SUCCEEDED, "Succeeded"),
    Row("ended, whatever its child shows now", ended("StepFailed", child(RUNNING)), NOTHING, FAILED, "StepFailed"),
    Row("ended, its child gone", ended("Succeeded"), NOTHING, SUCCEEDED, "Succeeded"),
    Row("time to live goes on", ended("Succeeded", child(SUCCEEDED), ttl=600), NOTHING, SUCCEEDED, "Succeeded", 500),
    Row(
        "time to live is over",
        ended("Succeeded", child(SUCCEEDED), ttl=100),
        (delete(RUN, "its time to live is over"),),
        SUCCEEDED,
        "Succeeded",
    ),
    Row(
        "time to live is over, only the ConfigMap is left",
        ended("Succeeded", ttl=99, config_map=True),
        (delete(RUN, "its time to live is over", child=False),),
        SUCCEEDED,
        "Succeeded",
    ),
    Row(
        "time to live is over, nothing is left",
        ended("Succeeded", ttl=99, config_map=False),
        NOTHING,
        SUCCEEDED,
        "Succeeded",
    ),
    *(
        Row(
            f"given up ({reason}), and its child is (again) at work",
            ended(reason, child(phase), ttl=0),
            (delete(RUN, "the run was given up"),),
            FAILED,
            reason,
        )
        for reason in ("DeadlineExceeded", "ChildLost")
        for phase in (PENDING, RUNNING, SUSPENDED)
    ),
    Row("given up, and its child has ended", ended("ChildLost", child(FAILED)), NOTHING, FAILED, "ChildLost"),
    Row(
        "ended without the operator, and its child is at work: only time to live",
        ended("StepFailed", child(RUNNING), ttl=100),
        (delete(RUN, "its time to live is over"),),
        FAILED,
        "StepFailed",
    ),
    # -- was its child there, and is not?
    Row("lost", running(), NOTHING, FAILED, "ChildLost", None, f"Job {RUN} was deleted while it ran. {LOST}"),
    Row(
        "lost during a step",
        running(stored={"steps": [stored_step("s1", StepPhase.SUCCEEDED), stored_step("s2", StepPhase.RUNNING)]}),
        NOTHING,
        FAILED,
        "ChildLost",
        None,
        f"Job {RUN} was deleted while step s2 ran. {LOST}",
    ),
    Row(
        "lost during two steps",
        running(stored={"steps": [stored_step(name, StepPhase.RUNNING) for name in ("s1", "s2")]}),
        NOTHING,
        FAILED,
        "ChildLost",
        None,
        f"Job {RUN} was deleted while steps s1, s2 ran. {LOST}",
    ),
    Row(
        "lost during many steps",
        running(stored={"steps": [stored_step(f"s{n}", StepPhase.RUNNING) for n in range(1, 6)]}),
        NOTHING,
        FAILED,
        "ChildLost",
        None,
        f"Job {RUN} was deleted while steps s1, s2, s3 ran. {LOST}",
    ),
    Row(
        "its engine is gone",
        running(backend_missing="no engine"),
        NOTHING,
        RUNNING,
        "BackendUnavailable",
        60,
        "No engine",
    ),
    # -- is the program invalid?
    Row(
        "invalid program",
        observation(job(program="SELECT 1 TO TRAIN", suspend=True), backend_missing="x"),
        NOTHING,
        FAILED,
        "InvalidProgram",
        None,
        "Invalid program: ",
    ),
    # -- is the spec suspended?
    Row(
        "suspended before its start",
        observation(job(suspend=True), backend_missing="x"),
        NOTHING,
        SUSPENDED,
        "Suspended",
        None,
        "Suspended before its start; set spec.suspend to false to start it",
    ),
    # -- is the backend missing, or does the API server refuse the run?
    Row(
        "backend missing",
        observation(backend_missing="no engine"),
        NOTHING,
        PENDING,
        "BackendUnavailable",
        60,
        "No engine",
    ),
    Row(
        "name taken",
        NEW,
        NOTHING,
        PENDING,
        "NameConflict",
        60,
        "Job x is somebody else's",
        Refusal(Reason.NAME_CONFLICT, "Job x is somebody else's", final=False, stalled=True, retry_after=60),
    ),
    Row("refused for good", refused_before("InvalidSpec"), NOTHING, FAILED, "InvalidSpec"),
    Row(
        "the API server refuses for good",
        NEW,
        NOTHING,
        FAILED,
        "InvalidSpec",
        None,
        "No such field",
        Refusal(Reason.INVALID_SPEC, "no such field", final=True),
    ),
    Row(
        "the API server refuses now",
        NEW,
        NOTHING,
        PENDING,
        "QuotaExceeded",
        30,
        "Later",
        Refusal(Reason.QUOTA_EXCEEDED, "later", final=False),
    ),
    # -- else
    Row("new", NEW, (create(NEW),), None),
    Row("new, after one that ended", observation(job(status(SUCCEEDED, run=OLD)), OLD_ENDED), (create(NEW),), None),
    Row("another generation was refused", refused_before("InvalidSpec", generation=2), (create(NEW),), None),
    Row("refused for another reason", refused_before("NameConflict"), (create(NEW),), None),
    Row("the refusal is over", refused_before("InvalidSpec", true=False), (create(NEW),), None),
    # -- and whatever the answer, earlier runs go that nobody remembers
    Row("earlier run not in the history", UNKNOWN_OLD, (delete(OLD, EARLIER),), RUNNING, "Running"),
    Row("earlier run in the history", observation(job(KNOWN_OLD), child(), OLD_ENDED), NOTHING, RUNNING, "Running"),
    Row(
        "earlier run in the history, its time to live goes on",
        observation(job(KNOWN_OLD, ttlSecondsAfterFinished=600), child(), OLD_ENDED),
        NOTHING,
        RUNNING,
        "Running",
        100,
    ),
    Row(
        "several earlier runs in the history, their time to live goes on",
        observation(
            job(
                status(RUNNING, history=[history(OLD, finished=500), history("a", finished=50)]),
                ttlSecondsAfterFinished=600,
            ),
            child(),
            OLD_ENDED,
            child(SUCCEEDED, "a"),
        ),
        NOTHING,
        RUNNING,
        "Running",
        100,
    ),
    Row(
        "earlier run in the history, its time to live is over",
        observation(job(KNOWN_OLD, ttlSecondsAfterFinished=500), child(), OLD_ENDED),
        (delete(OLD, EARLIER),),
        RUNNING,
        "Running",
    ),
    Row(
        "earlier run being deleted",
        observation(job(status(RUNNING)), child(), child(SUCCEEDED, OLD, deleting=True)),
        NOTHING,
        RUNNING,
        "Running",
    ),
    Row(
        "several earlier runs, one remembered, beside what the run itself needs",
        observation(
            job(KNOWN_OLD, ttlSecondsAfterFinished=600),
            child(SUCCEEDED, "z"),
            OLD_ENDED,
            child(SUCCEEDED, "a", deleting=True),
            child(adjustment={"a": 1}, steps=()),
            child(FAILED, "y"),
        ),
        (PatchChild(RUN, JOB, {"a": 1}), delete("z", EARLIER), delete("y", EARLIER)),
        RUNNING,
        "Running",
        10,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_the_table(row: Row) -> None:
    check(row)


def test_what_ended_keeps_its_status() -> None:
    observed = ended("StepFailed", child(RUNNING))
    assert decide(observed, NOW) == Decision(status=observed.job.status)


def test_an_earlier_generation_is_observed_again() -> None:
    """What steers a run, such as its time to live, was changed: every condition speaks of the new generation."""
    for observed in (
        observation(job(status(SUCCEEDED, generation=2)), child(SUCCEEDED), program=None),
        replace(ended("StepFailed"), job=job(status(FAILED, generation=2))),
    ):
        again = decide(observed, NOW).status
        assert again is not None
        assert {again.observed_generation, *(c.observed_generation for c in again.conditions)} == {3}
        assert again.run == observed.job.status.run


def test_a_run_that_is_not_started_needs_its_program() -> None:
    with pytest.raises(ValueError, match=r"^a run that has not started needs its program parsed$"):
        decide(observation(program=None), NOW)


def test_what_waits_keeps_what_is_known_of_its_engine_and_steps() -> None:
    steps = [stored_step("s1", StepPhase.RUNNING)]
    waiting_for = decide(running(backend_missing="no engine", stored={"steps": steps}), NOW).status
    assert waiting_for is not None
    assert [(one.name, one.phase) for one in waiting_for.steps] == [("s1", StepPhase.RUNNING)]
    assert waiting_for.condition("Stalled").status == "True"  # type: ignore[arg-type, union-attr]


@pytest.mark.parametrize(
    ("observed", "truths"),
    [
        (observation(backend_missing="x"), {"Stalled": "True", "Failed": "False", "Reconciling": "False"}),
        (observation(job(suspend=True)), {"Stalled": "False", "Failed": "False", "Reconciling": "True"}),
        (observation(job(program="SELECT 1 TO TRAIN")), {"Stalled": "True", "Failed": "True", "Reconciling": "False"}),
        (running(), {"Stalled": "True", "Failed": "True", "Reconciling": "False"}),
    ],
    ids=["backend missing", "suspended", "invalid", "lost"],
)
def test_what_needs_a_person_is_stalled(observed: Observation, truths: dict[str, str]) -> None:
    decided = decide(observed, NOW).status
    assert decided is not None
    assert {c.type: c.status for c in decided.conditions if c.type in truths} == truths
