"""`fetch` over attempts, budgets and the errors of a run that has failed, word for word."""

from __future__ import annotations

import pytest
from sqlflow_operator.api import StepPhase
from sqlflow_operator.kube import JOBS
from sqlflow_operator.workflow.fetch.items import Message
from sqlflow_operator.workflow.fetch.log_reader import Budget
from sqlflow_operator.workflow.fetch.messages import AttemptMessages
from sqlflow_operator.workflow.fetch.outcomes import RunFailedError, RunNotFoundError
from sqlflow_operator.workflow.fetch.request import FetchRequest, StepCursor
from sqlflow_operator.workflow.fetch.step_logs import StepLogs
from sqlflow_operator.workflow.observe.state import StepState

from tests.unit.operator.kubelet import Run, statement

ROW = {"type": "row", "statement": 1, "values": [1]}


def started() -> Run:
    run = Run(retries=0)
    run.start_pod()
    run.start()
    return run


@pytest.mark.parametrize("size", [1, 10**6])
def test_a_budget_that_is_used_up_leaves_the_next_attempt_to_the_next_response(size: int) -> None:
    run = started()
    run.write(ROW)
    run.end(1)
    run.start_pod()
    run.start()
    run.write(ROW)
    run.end()
    run.succeed()
    attempts: list[int] = []
    for _ in range(10):
        response = run.fetch(Budget(1, size))
        assert len(response.rows) <= 1
        attempts += [row.attempt for row in response.rows]
        if response.eof:
            break
    assert (attempts, response.eof) == ([1, 2], True)


@pytest.mark.parametrize(
    ("phase", "attempts", "read", "words"),
    [
        (StepPhase.FAILED, 1, 0, "attempt 1"),
        (StepPhase.FAILED, 3, 0, "attempts 1 to 3"),
        (StepPhase.FAILED, 3, 2, "attempt 3"),
        (StepPhase.SUCCEEDED, 0, 0, "attempt 1"),
        (StepPhase.FAILED, 0, 0, None),
        (StepPhase.SKIPPED, 0, 0, None),
        (StepPhase.FAILED, 2, 2, None),
    ],
)
def test_attempts_whose_pods_nobody_read(phase: StepPhase, attempts: int, read: int, words: str | None) -> None:
    run = started()
    logs = StepLogs(run.kube, run.workflow.definition, "ns", pods=(), ended=True, left=Budget())
    step = StepState(name="s1-sql", kind="sql", statements=(1,), phase=phase, attempts=attempts)
    cursor = StepCursor(attempts=read)
    assert logs.read(AttemptMessages("[1/1]", "s1-sql"), step, cursor, Budget())
    said = [(item.attempt, item.text) for item in logs.items if isinstance(item, Message) and item.level == "warning"]
    unknown = f"[1/1] nothing is known of {words}: there is no pod any more, and so no log"
    last = max(attempts, 1)
    assert said == ([(last, unknown)] if words else [])
    assert cursor.attempts == (last if words else read)


def failure(run: Run) -> RunFailedError:
    """The error that follows all the output of a run that has failed."""
    run.finish("Failed", reason="BackoffLimitExceeded")
    while True:
        try:
            run.fetch()
        except RunFailedError as error:
            return error


def blamed(error: RunFailedError) -> tuple[object, ...]:
    return error.statement, error.line, error.column, error.title, error.kind, error.database_message, error.hint


def test_a_step_that_was_killed_names_the_statement_in_its_log() -> None:
    run = started()
    run.write(*statement(1), statement(2)[0])
    run.end(137, tell=False)
    error = failure(run)
    assert (error.run_id, error.reason, error.step, error.attempt) == ("ns/r", "OutOfMemory", "s1-sql", 1)
    assert blamed(error) == (2, 0, 0, "", "", "", "")
    assert str(error).startswith("run ns/r: step s1-sql failed: statement 2: the process was killed")


def test_a_step_that_reported_nothing() -> None:
    run = started()
    run.end(1, tell=False)
    error = failure(run)
    assert (error.step, error.attempt, blamed(error)) == ("s1-sql", 1, (0, 0, 0, "", "", "", ""))


def test_a_run_that_failed_before_its_first_step() -> None:
    run = Run(steps=())
    error = failure(run)
    assert (error.step, error.attempt, blamed(error)) == ("", 0, (0, 0, 0, "", "", "", ""))


def test_a_run_that_is_not_there_in_full() -> None:
    run = started()
    run.request = FetchRequest("ns/x")
    with pytest.raises(RunNotFoundError) as never:
        run.fetch()
    assert str(never.value) == "there is no run ns/x: it was never there or deleted"
    run.request = FetchRequest("ns/r")
    run.fetch()
    run.kube.store.delete(JOBS, "ns", "r")
    with pytest.raises(RunNotFoundError) as gone:
        run.fetch()
    assert str(gone.value) == "there is no run ns/r: it was deleted before all of it was fetched"
