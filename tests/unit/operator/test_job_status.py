"""The parts of a status, each from what was observed: runs, history, diagnostics, messages, durations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlflow_codegen.errors import Diagnostic
from sqlflow_operator.api import ConditionType, HistoryEntry, Phase, SQLFlowJobStatus, StepPhase
from sqlflow_operator.parsing import ParsedProgram
from sqlflow_operator.reconcile import job_status
from sqlflow_operator.reconcile.conditions import conditions
from sqlflow_operator.workflow.observe.state import Reason

from tests.unit.operator.observations import (
    NOW,
    OLD,
    RUN,
    ago,
    child,
    history,
    job,
    observation,
    status,
    step,
    stored_step,
)

DONE, RUNNING = StepPhase.SUCCEEDED, StepPhase.RUNNING


def steps(**phases: StepPhase) -> dict[str, Any]:
    return {"steps": [stored_step(name, phase, finishedAt=ago(20)) for name, phase in phases.items()]}


# -- the run


def test_the_run_is_that_of_the_child() -> None:
    shown = child(Phase.SUCCEEDED, started_at=ago(70))
    made = job_status.of_run(observation(None, shown), shown, shown.state, NOW)
    assert made.run is not None
    assert made.run.to_json() == {
        "name": RUN,
        "backend": "job",
        "child": {"apiVersion": "batch/v1", "kind": "Job", "name": RUN, "uid": f"{RUN}-uid"},
        "startedAt": ago(70),
        "finishedAt": ago(10),
        "duration": "60s",
    }
    assert (made.progress, made.completed_steps, made.total_steps) == ("1/1", 1, 1)
    assert made.whole_message == "1 of 1 steps done in 60s"


def test_a_run_keeps_its_first_start_and_gets_an_end_of_its_own() -> None:
    shown = child(Phase.FAILED, started_at=ago(70), finished_at=None)
    made = job_status.of_run(observation(job(status(Phase.RUNNING)), shown), shown, shown.state, NOW)
    assert made.run is not None
    assert (made.run.started_at, made.run.finished_at, made.run.duration) == (ago(3600), ago(0), "60m")


def test_a_run_that_goes_on_has_neither_end_nor_duration() -> None:
    shown = child(started_at=None)
    made = job_status.of_run(observation(None, shown), shown, shown.state, NOW)
    assert made.run is not None
    assert (made.run.started_at, made.run.finished_at, made.run.duration) == (None, None, None)


def test_success_of_a_run_without_times() -> None:
    shown = child(Phase.SUCCEEDED, started_at=None)
    made = job_status.of_run(observation(None, shown), shown, shown.state, NOW)
    assert made.whole_message == "1 of 1 steps done"


def test_nothing_of_another_run_is_taken_over() -> None:
    old = status(Phase.RUNNING, run=OLD, **steps(a=DONE))
    shown = child()
    made = job_status.of_run(observation(job(old), shown), shown, shown.state, NOW)
    assert [one.name for one in made.steps] == ["s1-sql"]
    assert made.run is not None
    assert made.run.started_at == ago(40)


@pytest.mark.parametrize(
    ("reason", "said"),
    [(Reason.IMAGE_PULL, "; it was waiting: pending as stored"), (Reason.RUNNING, ""), (Reason.STEP_FAILED, "")],
)
def test_a_deadline_says_what_the_run_was_waiting_for(reason: Reason, said: str) -> None:
    known = job(status(Phase.PENDING, reason=reason))
    shown = child(Phase.FAILED, reason=Reason.DEADLINE_EXCEEDED, message="took too long")
    for late in (
        job_status.of_run(observation(known, shown), shown, shown.state, NOW),
        job_status.failed(observation(known, shown), Reason.DEADLINE_EXCEEDED, "took too long", NOW),
    ):
        assert late.whole_message == f"Took too long{said}"


def test_what_a_run_was_waiting_for_counts_only_for_a_deadline() -> None:
    known = job(status(Phase.PENDING, reason=Reason.IMAGE_PULL))
    shown = child(Phase.FAILED, message="failed")
    made = job_status.of_run(observation(known, shown), shown, shown.state, NOW)
    assert made.whole_message == "Failed"


def test_a_run_that_is_being_ended_keeps_what_is_known_of_its_steps() -> None:
    shown = child()
    known = observation(job(status(Phase.RUNNING, **steps(a=DONE))), shown)
    assert [one.name for one in job_status.stopping(known, shown, shown.state, "m", NOW).steps] == ["a"]
    new = observation(None, shown)
    made = job_status.stopping(new, shown, shown.state, "m", NOW)
    assert [one.name for one in made.steps] == ["s1-sql"]
    assert (made.phase, made.conditions[0].reason, made.whole_message) == (Phase.RUNNING, "Stopping", "M")


# -- a run that is given up


def test_the_steps_that_were_at_work_say_how_long() -> None:
    at_work = stored_step("a", RUNNING, startedAt=ago(75), statements=[2])
    known = observation(job(status(Phase.RUNNING, steps=[stored_step("z", DONE), at_work])))
    made = job_status.failed(known, Reason.DEADLINE_EXCEEDED, "too long", NOW)
    where = "statement 2 (SELECT) at 1:11"
    assert made.steps[1].message == f"{where} had run for 75s: too long"
    assert (made.steps[0].finished_at, made.steps[1].finished_at) == (None, ago(0))
    assert made.whole_message == f"Step a failed: {where} had run for 75s: too long"
    assert made.run is not None
    assert (made.run.finished_at, made.run.duration) == (ago(0), "60m")
    assert made.conditions[0].reason == "DeadlineExceeded"


@pytest.mark.parametrize(
    ("phase", "started", "message"),
    [
        (StepPhase.FAILED, ago(75), "statement 1 (SELECT) at 1:1: too long"),
        (RUNNING, None, "too long"),
        (StepPhase.PENDING, ago(75), "too long"),
    ],
)
def test_other_steps_do_not_say_how_long(phase: StepPhase, started: str | None, message: str) -> None:
    known = observation(job(status(Phase.RUNNING, steps=[stored_step("a", phase, startedAt=started)])))
    assert job_status.failed(known, Reason.DEADLINE_EXCEEDED, "too long", NOW).steps[0].message == message


def test_a_lost_run_says_so_at_its_steps() -> None:
    known = observation(job(status(Phase.RUNNING, reason=Reason.QUEUED, **steps(a=RUNNING))))
    made = job_status.failed(known, Reason.CHILD_LOST, "lost", NOW)
    assert (made.whole_message, made.steps[0].message, made.phase) == ("Lost", "lost", Phase.FAILED)


def test_a_job_without_a_run_can_be_given_up() -> None:
    made = job_status.failed(observation(), Reason.DEADLINE_EXCEEDED, "late", NOW)
    assert (made.run, made.steps, made.whole_message) == (None, (), "Late")


# -- earlier runs


def entry(stored: dict[str, Any], *children: Any) -> HistoryEntry:
    """The history's first entry, where the spec asks for another run than the status."""
    first, *rest = job_status.history(observation(job(stored), *children), NOW)
    assert [one.name for one in rest] == [one["name"] for one in stored.get("history", ())]
    return first


KEPT = {"name": OLD, "startedAt": ago(3600)}


@pytest.mark.parametrize(
    ("stored", "children", "expected"),
    [
        (
            status(Phase.FAILED, run=OLD, **steps(a=DONE, b=StepPhase.FAILED), history=[history("x", finished=9)]),
            (child(Phase.RUNNING, OLD),),
            {"phase": "Failed", "progress": "1/2", "message": "Failed as stored", "finishedAt": ago(100)},
        ),
        (
            status(Phase.RUNNING, run=OLD, **steps(a=DONE, b=DONE)),
            (),
            {"phase": "Succeeded", "progress": "2/2", "message": "2 of 2 steps done", "finishedAt": ago(20)},
        ),
        (
            status(Phase.RUNNING, run=OLD, steps=[stored_step("a", DONE)]),
            (),
            {"phase": "Succeeded", "progress": "1/1", "message": "1 of 1 steps done", "finishedAt": ago(0)},
        ),
        (
            status(Phase.RUNNING, run=OLD),
            (child(Phase.RUNNING, OLD, steps=(step(DONE, finished_at=ago(7)),)),),
            {"phase": "Succeeded", "progress": "1/1", "message": "1 of 1 steps done", "finishedAt": ago(7)},
        ),
        (
            status(Phase.RUNNING, run=OLD, **steps(a=DONE, b=RUNNING)),
            (),
            {
                "phase": "Cancelled",
                "progress": "1/2",
                "message": "stopped: the spec asked for another run",
                "finishedAt": ago(0),
            },
        ),
        (
            status(Phase.RUNNING, run=OLD),
            (),
            {
                "phase": "Cancelled",
                "progress": "0/0",
                "message": "stopped: the spec asked for another run",
                "finishedAt": ago(0),
            },
        ),
        (
            status(Phase.RUNNING, run=OLD),
            (child(Phase.FAILED, OLD, message="m" * 400),),
            {"phase": "Failed", "progress": "0/1", "message": "m" * 297 + "…", "finishedAt": ago(10)},
        ),
    ],
    ids=[
        "ended",
        "all done",
        "all done, no end known",
        "done as seen now",
        "at work",
        "nothing known",
        "failed unseen",
    ],
)
def test_a_run_that_is_replaced_becomes_history(
    stored: dict[str, Any], children: tuple[Any, ...], expected: dict[str, str]
) -> None:
    assert entry(stored, *children).to_json() == KEPT | expected


def test_the_run_of_the_spec_is_no_history() -> None:
    stored = status(Phase.RUNNING, history=[history(OLD, finished=9)])
    assert [one.name for one in job_status.history(observation(job(stored), child()), NOW)] == [OLD]
    assert job_status.history(observation(), NOW) == ()


# -- what is wrong with the program


def test_diagnostics_are_clipped() -> None:
    long = Diagnostic("c", "m" * 600, 2, 3, 4, "h" * 400)
    program = ParsedProgram(diagnostics=(long, Diagnostic("w", "m", 1, 1, 1)))
    made = job_status.without_run(observation(program=program), Reason.INVALID_PROGRAM, "m", NOW, phase=Phase.FAILED)
    place = {"severity": "error", "code": "c", "statement": 2, "line": 3, "column": 4}
    assert made.diagnostics[0].to_json() == place | {"message": "m" * 497 + "…", "hint": "h" * 297 + "…"}
    assert made.diagnostics[1].hint is None
    assert made.steps == ()
    other = job_status.without_run(observation(program=program), Reason.SUSPENDED, "m", NOW)
    assert other.diagnostics == ()


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "invalid program"),
        (1, "invalid program: {first}"),
        (2, "invalid program: {first} (1 more in status.diagnostics)"),
        (3, "invalid program: {first} (2 more in status.diagnostics)"),
    ],
)
def test_the_message_names_the_first_of_them(count: int, expected: str) -> None:
    found = tuple(Diagnostic("c", f"m{n}", n, 1, 1) for n in range(1, count + 1))
    observed = observation(program=ParsedProgram(diagnostics=found) if found else None)
    assert job_status.invalid_program_message(observed) == expected.format(first=found[0] if found else "")


# -- conditions


def test_a_status_without_run_shows_the_planned_steps() -> None:
    made = job_status.without_run(observation(), Reason.SUSPENDED, "wait", NOW, phase=Phase.SUSPENDED)
    assert [(one.phase, one.statements) for one in made.steps] == [(StepPhase.PENDING, (1, 2))]
    assert (made.progress, made.total_steps, made.message) == ("0/1", 1, "Wait")


def test_a_run_that_cannot_be_has_no_steps_and_keeps_the_history() -> None:
    known = observation(job(status(Phase.SUCCEEDED, run=OLD)))
    made = job_status.without_run(known, Reason.INVALID_SPEC, "no", NOW, phase=Phase.FAILED)
    assert (made.steps, made.progress, [one.name for one in made.history]) == ((), None, [OLD])


def test_messages_have_a_limit_and_a_capital() -> None:
    made = job_status.without_run(observation(), Reason.QUEUED, "é" + "x" * 2000, NOW)
    assert made.whole_message.startswith("Éxx")
    assert len(made.whole_message.encode()) == 1024


def test_conditions_say_why_only_where_something_is_so() -> None:
    def made(phase: Phase, *, stalled: bool = False) -> dict[str, tuple[str, str]]:
        found = conditions(
            phase, Reason.QUEUED, "m" * 2000, stalled=stalled, generation=7, previous=SQLFlowJobStatus(), now=NOW
        )
        assert {(c.reason, c.observed_generation, c.last_transition_time) for c in found} == {("Queued", 7, ago(0))}
        return {c.type: (c.status, c.message) for c in found}

    text = "m" * 1021 + "…"
    silent = ("False", "")
    assert made(Phase.RUNNING) == {
        "Ready": ("Unknown", text),
        "Reconciling": ("True", text),
        "Stalled": silent,
        "Complete": silent,
        "Failed": silent,
    }
    assert made(Phase.PENDING, stalled=True) == {
        "Ready": ("False", text),
        "Reconciling": silent,
        "Stalled": ("True", text),
        "Complete": silent,
        "Failed": silent,
    }
    assert made(Phase.SUCCEEDED)["Complete"] == ("True", text)
    assert made(Phase.FAILED)["Failed"] == made(Phase.FAILED)["Stalled"] == ("True", text)


def test_a_condition_that_changes_gets_the_present_time() -> None:
    first = job_status.without_run(observation(), Reason.QUEUED, "m", NOW)
    known = job(first.to_json())
    later = job_status.without_run(observation(known, backend_missing="x"), Reason.QUEUED, "m", NOW + timedelta(60))
    assert later.conditions == first.conditions
    done = job_status.without_run(observation(known), Reason.QUEUED, "m", NOW + timedelta(minutes=1), stalled=True)
    times = {c.type: c.last_transition_time == ago(-60) for c in done.conditions}
    assert times == {kind: kind in ("Ready", "Reconciling", "Stalled") for kind in ConditionType}
