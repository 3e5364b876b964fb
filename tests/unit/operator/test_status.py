"""Conditions, bounds, merging and patches of the status: pure functions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlflow_codegen.contract import Outcome, StepMetrics, StepModel
from sqlflow_operator.api import (
    Backend,
    Condition,
    ConditionType,
    DiagnosticStatus,
    HistoryEntry,
    MetricStatus,
    Phase,
    SQLFlowJob,
    SQLFlowJobStatus,
    StepPhase,
    StepStatus,
)
from sqlflow_operator.kube import SQLFLOWJOBS, WORKFLOWS
from sqlflow_operator.reconcile.apply import status_json
from sqlflow_operator.reconcile.bounds import bound, size_of
from sqlflow_operator.reconcile.conditions import conditions
from sqlflow_operator.reconcile.decision import Observation
from sqlflow_operator.reconcile.job_status import failed
from sqlflow_operator.reconcile.merge import merge_metrics, merge_models, merge_steps
from sqlflow_operator.workflow.observe.state import Reason, StepState

from tests.unit.operator.world import World, kstatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def conditions_of(
    phase: Phase, stalled: bool = False, previous: SQLFlowJobStatus | None = None
) -> dict[str, Condition]:
    made = conditions(
        phase,
        Reason.RUNNING,
        "words",
        stalled=stalled,
        generation=3,
        previous=previous or SQLFlowJobStatus(),
        now=NOW,
    )
    return {condition.type: condition for condition in made}


@pytest.mark.parametrize(
    ("phase", "stalled", "expected"),
    [
        (Phase.PENDING, False, "InProgress"),
        (Phase.PENDING, True, "Failed"),
        (Phase.SUSPENDED, False, "InProgress"),
        (Phase.RUNNING, False, "InProgress"),
        (Phase.SUCCEEDED, False, "Current"),
        (Phase.FAILED, False, "Failed"),
    ],
)
def test_kstatus_understands(phase: Phase, stalled: bool, expected: str) -> None:
    made = conditions_of(phase, stalled)
    status = {"observedGeneration": 3, "conditions": [c.to_json() for c in made.values()]}
    assert kstatus({"metadata": {"generation": 3}, "status": status}) == expected
    assert kstatus({"metadata": {"generation": 4}, "status": status}) == "InProgress"
    truths = [
        made[kind].status == "True" for kind in (ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED)
    ]
    assert sum(truths) == 1
    assert (made[ConditionType.COMPLETE].status == "True") == (phase is Phase.SUCCEEDED)
    assert (made[ConditionType.FAILED].status == "True") == (phase is Phase.FAILED)
    assert {condition.observed_generation for condition in made.values()} == {3}


def test_a_job_that_nobody_has_seen_is_in_progress() -> None:
    assert kstatus({"metadata": {"generation": 1}, "status": {"observedGeneration": -1}}) == "InProgress"


def test_conditions_keep_their_time_until_they_change() -> None:
    before = tuple(
        c.model_copy(update={"last_transition_time": "2025-01-01T00:00:00Z"})
        for c in conditions_of(Phase.RUNNING).values()
    )
    after = conditions_of(Phase.SUCCEEDED, previous=SQLFlowJobStatus(conditions=before))
    assert after[ConditionType.FAILED].last_transition_time == "2025-01-01T00:00:00Z"
    assert after[ConditionType.READY].last_transition_time == "2026-01-01T00:00:00Z"


def step(number: int, message: str) -> StepStatus:
    return StepStatus(
        name=f"s{number}-train",
        kind="train",
        statements=(number,),
        phase=StepPhase.FAILED,
        attempts=11,
        started_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:00:00Z",
        exit_code=1,
        pod="p" * 63,
        message=message,
        log=f"kubectl logs -n {'n' * 63} {'p' * 63} -c s{number}-train",
    )


def test_two_hundred_failing_statements_fit() -> None:
    status = SQLFlowJobStatus(
        observed_generation=1,
        message="m" * 1024,
        steps=tuple(step(number, "é" * 1024) for number in range(1, 201)),
        metrics=tuple(MetricStatus(statement=n, model="m", name="accuracy_score", value="0.9") for n in range(400)),
        history=tuple(
            HistoryEntry(name="r" * 57, phase="Failed", message="x" * 300, finished_at="2026-01-01T00:00:00Z")
            for _ in range(30)
        ),
    )
    bounded = bound(status)
    assert size_of(bounded) <= 64 * 1024
    assert len(bounded.steps) == 200
    assert all(one.message for one in bounded.steps)
    assert [one.phase for one in bounded.steps] == [StepPhase.FAILED] * 200


def test_a_thousand_findings_fit() -> None:
    found = DiagnosticStatus(
        code="syntax-error", severity="error", statement=1, line=1, column=1, message="é" * 500, hint="h" * 300
    )
    bounded = bound(SQLFlowJobStatus(diagnostics=(found,) * 1000))
    assert size_of(bounded) <= 64 * 1024
    assert len(bounded.diagnostics) == 50


def test_what_fits_is_left_alone() -> None:
    status = SQLFlowJobStatus(steps=(step(1, "words"),))
    assert bound(status) == status


def state(phase: StepPhase, pod: str | None = None, **values: Any) -> StepState:
    return StepState(name="s1-sql", kind="sql", statements=(1,), phase=phase, pod=pod, **values)


def merged(*states: StepState) -> StepStatus:
    known: tuple[StepStatus, ...] = ()
    for one in states:
        known = merge_steps(known, (one,), "ns")
    return known[0]


def test_success_stays_when_the_pod_goes() -> None:
    done = state(StepPhase.SUCCEEDED, "a", attempts=1, started_at="t1", finished_at="t2")
    kept = merged(done, state(StepPhase.PENDING), state(StepPhase.RUNNING, "b", attempts=1, started_at="t3"))
    assert (kept.phase, kept.pod, kept.attempts, kept.finished_at) == (StepPhase.SUCCEEDED, "a", 1, "t2")


def test_failure_keeps_what_was_known_when_the_pod_is_gone() -> None:
    running = state(StepPhase.RUNNING, "a", attempts=1, started_at="t1")
    kept = merged(running, state(StepPhase.FAILED, message="its pod is gone"))
    assert (kept.phase, kept.pod, kept.started_at, kept.message) == (StepPhase.FAILED, "a", "t1", "its pod is gone")


def test_attempts_add_up_over_pods_that_are_gone() -> None:
    first = state(StepPhase.RUNNING, "a", attempts=1)
    again = state(StepPhase.RUNNING, "b", attempts=1)
    assert merged(first, state(StepPhase.PENDING), again).attempts == 2
    assert merged(first, state(StepPhase.PENDING), again, again).attempts == 2
    assert merged(first, state(StepPhase.RUNNING, "b", attempts=2)).attempts == 2


def test_a_pod_that_was_made_again_under_its_name_is_another_attempt() -> None:
    first = state(StepPhase.RUNNING, "a", attempts=1, started_at="2026-01-01T00:00:00Z")
    second = state(StepPhase.RUNNING, "a", attempts=1, started_at="2026-01-01T00:01:00Z")
    assert merged(first, first).attempts == 1
    assert merged(first, second, second).attempts == 2


@pytest.mark.parametrize("between", [[StepPhase.RUNNING, StepPhase.PENDING], [StepPhase.PENDING]])
def test_a_pod_that_was_made_again_while_its_step_waited_is_another_attempt(between: list[StepPhase]) -> None:
    """As Argo does: no pod, the engine's stale word, and a pod of the same name that waits."""
    first = state(StepPhase.RUNNING, "a", attempts=1, started_at="2026-01-01T00:00:00Z")
    second = state(StepPhase.RUNNING, "a", attempts=1, started_at="2026-01-01T00:01:00Z")
    assert merged(first, *map(state, between), second, second).attempts == 2


def test_all_steps_that_were_at_work_failed_when_the_operator_gives_a_run_up() -> None:
    run = World(backend="argo", activeDeadlineSeconds=60, program="SELECT 1;", fusion="Off")
    run.served.add(WORKFLOWS)
    run.settle(4)
    phases = [StepPhase.SUCCEEDED, StepPhase.RUNNING, StepPhase.RUNNING, StepPhase.PENDING]
    steps = [{"name": f"s{n}", "kind": "sql", "statements": [n], "phase": p} for n, p in enumerate(phases, 1)]
    run.kube.store.patch(SQLFLOWJOBS, "ns", "iris", {"status": {"steps": steps}}, subresource="status")
    job = SQLFlowJob.parse(run.job)
    given_up = failed(Observation(job=job, run_name="r", backend=Backend.ARGO), Reason.DEADLINE_EXCEEDED, "late", NOW)
    assert [step.phase for step in given_up.steps] == ["Succeeded", "Failed", "Failed", "Skipped"]
    assert given_up.message == "Step s2 failed: late"


def test_a_new_attempt_clears_what_the_old_one_left() -> None:
    failed = state(StepPhase.FAILED, "a", attempts=1, finished_at="t2", exit_code=1, message="words")
    now = merged(failed, state(StepPhase.RUNNING, "b", attempts=2, started_at="t3"))
    assert (now.phase, now.message, now.exit_code, now.finished_at) == (StepPhase.RUNNING, None, None, None)


def test_metrics_and_models_are_joined_by_statement() -> None:
    def measured(statement: int, value: float) -> StepState:
        outcome = Outcome(
            metrics=(StepMetrics(statement, "m", {"a": value, "b": float("inf")}),),
            models=(StepModel(statement, "m", int(value), "e"),),
        )
        return state(StepPhase.SUCCEEDED, outcome=outcome)

    known = merge_metrics((), (measured(2, 1.0),))
    known = merge_metrics(known, (measured(1, 0.5),))
    known = merge_metrics(known, (measured(2, 3.0),))
    assert [(m.statement, m.name, m.value) for m in known] == [(1, "a", "0.5"), (2, "a", "3.0")]
    models = merge_models(merge_models((), (measured(1, 1.0),)), (measured(1, 2.0),))
    assert [(m.statement, m.version) for m in models] == [(1, 2)]


def test_empty_lists_are_not_stored() -> None:
    assert status_json(SQLFlowJobStatus()) == {"observedGeneration": -1, "completedSteps": 0, "totalSteps": 0}
