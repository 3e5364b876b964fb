"""`fetch`: everything that a run told, once, in order, whatever happens in between."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlflow_operator.kube import JOBS, ApiError, UnavailableError
from sqlflow_operator.workflow.fetch.items import (
    Columns,
    Finished,
    Image,
    Json,
    Message,
    Metrics,
    Model,
    Row,
    Text,
    value_of,
)
from sqlflow_operator.workflow.fetch.log_reader import Budget
from sqlflow_operator.workflow.fetch.outcomes import (
    RunCancelledError,
    RunDeadlineError,
    RunFailedError,
    RunNotFoundError,
)
from sqlflow_operator.workflow.fetch.request import FetchRequest, RunCursor
from sqlflow_operator.workflow.fetch.response import fetch

from tests.unit.operator.fakes import no_fault
from tests.unit.operator.kubelet import Run, failed, skipped, statement

DEADLOCK = '{"error":{"statement":2,"line":2,"column":15,"title":"SELECT","kind":"database","message":"deadlock"}}'


def texts(items: list[Any]) -> list[str]:
    return [str(item) for item in items if isinstance(item, Message)]


def rows(items: list[Any]) -> list[tuple[int, int, Any]]:
    return [(item.attempt, item.statement, item.values[0]) for item in items if isinstance(item, Row)]


def warnings(items: list[Any]) -> list[str]:
    return [item.text for item in items if isinstance(item, Message) and item.level == "warning"]


def started(*steps: str, **options: Any) -> Run:
    run = Run(steps or ("s1-sql",), **options)
    run.start_pod()
    run.start(run.steps[0])
    return run


def test_the_loop_of_the_design() -> None:
    run = started("s1-sql", "s2-sql")
    run.write(*statement(1, 7, 8))
    run.end()
    run.start("s2-sql")
    run.write(*statement(2, 9), step="s2-sql")
    run.end(step="s2-sql")
    run.succeed()
    messages, values = [], []
    workflow, request = run.workflow, FetchRequest("ns/r")
    while True:
        response = fetch(workflow.definition, run.kube, request)
        messages += [str(message) for message in response.messages]
        values += [row.values for row in response.rows]
        if response.eof:
            break
        request = response.updated_request_since
    assert values == [(7,), (8,), (9,)]
    assert messages == [
        "SQLFlow Step: [1/2] Status: Running",
        "SQLFlow Step: [1/2] Statement 1 (SELECT) at 1:1",
        "SQLFlow Step: [1/2] Statement 1: 2 rows (0.5 s)",
        "SQLFlow Step: [1/2] Status: Succeeded",
        "SQLFlow Step: [2/2] Status: Running",
        "SQLFlow Step: [2/2] Statement 2 (SELECT) at 2:1",
        "SQLFlow Step: [2/2] Statement 2: 1 row (0.5 s)",
        "SQLFlow Step: [2/2] Status: Succeeded",
    ]


def test_records_arrive_while_the_step_runs() -> None:
    run = started()
    run.write(*statement(1, 7)[:3])
    assert rows(list(run.fetch().items)) == [(1, 1, 7)]
    assert run.fetch().items == ()
    assert run.waited == [1.0], "where there is nothing new it waits, once"
    run.write(*statement(1, 8)[2:])
    assert rows(list(run.fetch().items)) == [(1, 1, 8)]


def test_every_kind_of_record_is_typed() -> None:
    run = started()
    run.write(
        {"type": "log", "statement": 1, "level": "warning", "message": "careful"},
        {"type": "metrics", "statement": 1, "model": "m", "values": {"accuracy": 1}},
        {"type": "model", "statement": 1, "name": "m", "version": 2, "estimator": "xgboost.gbtree"},
        {"type": "image", "statement": 1, "media_type": "image/png", "title": "m, version 1", "data": "AAE="},
        {"type": "row", "statement": 1, "values": ["ab"], "truncated": [0]},
        {"type": "statement_finished", "statement": 1, "rows": 5, "seconds": 2, "truncated": True},
        {"type": "from_the_future", "statement": 1},
        {"type": "row", "statement": 2},
    )
    place: dict[str, Any] = {"step": "s1-sql", "attempt": 1, "statement": 1}
    _, log, *items, words, broken = run.all()
    assert log == Message(text="SQLFlow Step: [1/1] Log: careful", level="warning", source="log", **place)
    assert items == [
        Metrics(model="m", values={"accuracy": 1.0}, **place),
        Model(name="m", version=2, estimator="xgboost.gbtree", **place),
        Image(media_type="image/png", title="m, version 1", data=b"\0\1", **place),
        Row(values=("ab",), truncated=(0,), **place),
        Finished(rows=5, seconds=2.0, truncated=True, **place),
    ]
    assert str(words) == "SQLFlow Step: [1/1] Statement 1: 5 rows, of which the first were delivered (2 s)"
    assert "record 8 (row) of the step cannot be read" in str(broken)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (1.5, 1.5),
        ({"$float": "-inf"}, float("-inf")),
        ({"$decimal": "1.10"}, Decimal("1.10")),
        ("$", "$"),
        ({"$bytes": "AAE="}, b"\0\1"),
        ({"$date": "2024-02-29"}, date(2024, 2, 29)),
        ({"$date": "infinity"}, Text("date", "infinity")),
        ({"$date": "0044-03-15 BC"}, Text("date", "0044-03-15 BC")),
        ({"$time": "23:59:59.5"}, time(23, 59, 59, 500_000)),
        ({"$time": "24:00:00"}, Text("time", "24:00:00")),
        ({"$timestamp": "2024-02-29 12:00:00.123456"}, datetime(2024, 2, 29, 12, 0, 0, 123456)),
        ({"$timestamp": "2024-02-29 12:00:00.123456789"}, Text("timestamp", "2024-02-29 12:00:00.123456789")),
        (
            {"$timestamp": "2024-02-29 12:00:00+05:30"},
            datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        ),
        ({"$timestamp": "2024-02-29 12:00:00+01"}, datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(hours=1)))),
        ({"$timestamp": "12024-02-29 12:00:00"}, Text("timestamp", "12024-02-29 12:00:00")),
        ({"$timestamp": "0000-00-00 00:00:00"}, Text("timestamp", "0000-00-00 00:00:00")),
        ({"$interval": "1 mon"}, Text("interval", "1 mon")),
        ({"$json": "[1, null]"}, Json("[1, null]")),
        ({"$new": "x"}, Text("new", "x")),
    ],
)
def test_cells_become_values(cell: Any, expected: Any) -> None:
    value = value_of(cell)
    assert value == expected
    assert type(value) is type(expected)


def test_not_a_number_is_one() -> None:
    value = value_of({"$float": "nan"})
    assert isinstance(value, float)
    assert value != value
    assert Json("[1, null]").value == [1, None]
    with pytest.raises(ValueError, match="not a cell"):
        value_of({"$date": "1", "$time": "2"})


def test_lines_that_are_no_records_are_left_out() -> None:
    run = started()
    run.kube.piece = 100_000
    run.line(b'time="2026-01-01T00:00:00Z" level=info msg="capturing logs" argo=true')
    run.line(b'{"type": "row", "statement": 1, "values": [1]}')
    run.line(b'{"type": "row", "statement": 1, "values": [2], "n": true}')
    run.line(b"\xff" + b'{"a":' * 100_000)
    run.line(b'{"a":' * 100_000)
    run.write(*statement(1, 3))
    assert rows(run.all()) == [(1, 1, 3)]


def test_parallel_steps_are_told_apart_and_share_what_is_delivered() -> None:
    run = started("s1-sql", "s2-sql")
    run.start("s2-sql")
    for number in range(50):
        run.write({"type": "row", "statement": 1, "values": [number]}, step="s1-sql", seconds=0.001)
        run.write({"type": "row", "statement": 2, "values": [number]}, step="s2-sql", seconds=0.001)
    first = run.fetch(Budget(20, 10**6))
    assert [(row.step, len(list(group))) for row, group in _runs(first.rows)] == [("s1-sql", 10), ("s2-sql", 10)]
    rest = run.all(Budget(20, 10**6))
    delivered = [*first.rows, *(item for item in rest if isinstance(item, Row))]
    for step in run.steps:
        assert [row.values[0] for row in delivered if row.step == step] == list(range(50))


def _runs(found: Any) -> Any:
    import itertools

    for _, group in itertools.groupby(found, key=lambda row: row.step):
        members = list(group)
        yield members[0], members


def test_a_response_is_bounded_by_bytes_too() -> None:
    run = started()
    run.kube.piece = 4096
    run.write(*({"type": "row", "statement": 1, "values": ["x" * 10_000]} for _ in range(20)), seconds=0.001)
    first = run.fetch(Budget(1000, 50_000))
    assert len(first.rows) == 5
    assert run.kube.served < 60_000, "no more is read than is delivered"
    assert len(first.rows) + len(rows(run.all(Budget(1000, 50_000)))) == 20


def test_a_failure_is_raised_where_the_end_would_be() -> None:
    run = started(retries=0)
    run.write(*statement(1, 7), *failed(2, 'relation "nope" does not exist'))
    run.end(1, message='{"error":{"statement":2,"line":2,"column":15,"title":"SELECT","kind":"database",'
                       '"message":"relation \\"nope\\" does not exist"}}')  # fmt: skip
    run.finish("Failed", reason="BackoffLimitExceeded")
    response = run.fetch()
    assert not response.eof
    assert [row.values for row in response.rows] == [(7,)]
    assert texts(list(response.items))[-2:] == [
        'SQLFlow Step: [1/1] Error: statement 2 (SELECT) at 2:15: relation "nope" does not exist',
        'SQLFlow Step: [1/1] Status: Failed: statement 2 (SELECT) at 2:15: relation "nope" does not exist',
    ]
    for _ in range(2):
        with pytest.raises(RunFailedError) as caught:
            run.fetch()
        error = caught.value
        assert (error.step, error.attempt, error.statement, error.line, error.column) == ("s1-sql", 1, 2, 2, 15)
        assert (error.reason, error.kind) == ("StepFailed", "database")
        assert error.database_message == 'relation "nope" does not exist'
        assert str(error).startswith("run ns/r: step s1-sql failed: statement 2 (SELECT) at 2:15: relation")


def test_a_message_that_was_cut_short_is_completed_from_the_log() -> None:
    run = started(retries=0)
    run.write(*failed(2, "division by zero"))
    run.end(1, message='{"error":{"statem')
    run.finish("Failed", reason="BackoffLimitExceeded")
    run.fetch()
    with pytest.raises(RunFailedError, match=r"statement 2 \(SELECT\) at 2:15: division by zero") as caught:
        run.fetch()
    assert caught.value.database_message == "division by zero"


def test_cancellation_and_deadline_have_errors_of_their_own() -> None:
    for annotation, expected in (({}, RunDeadlineError), ({"sqlflow.org/cancelled": "true"}, RunCancelledError)):
        run = started()
        run.write(*statement(1, 7)[:3])
        run.end(143)
        run.kube.store.patch(JOBS, "ns", "r", {"metadata": {"annotations": annotation}})
        run.finish("Failed", reason="DeadlineExceeded")
        assert rows(list(run.fetch().items)) == [(1, 1, 7)]
        with pytest.raises(expected):
            run.fetch()


def test_a_run_that_is_not_there() -> None:
    run = started()
    with pytest.raises(RunNotFoundError, match="there is no run ns/other"):
        fetch(run.workflow.definition, run.kube, FetchRequest("ns/other"))
    run.fetch()
    job = run.kube.store.get(JOBS, "ns", "r")
    run.kube.store.delete(JOBS, "ns", "r")
    with pytest.raises(RunNotFoundError, match="deleted before all of it was fetched"):
        run.fetch()
    run.kube.store.create(JOBS, "ns", job)
    with pytest.raises(RunNotFoundError, match="another has its name now"):
        run.fetch()


@pytest.mark.parametrize("cursor", ["x", "[]", "{}", '{"v":1}', '{"v":2,"child":"","waiting":"","done":"","steps":{}}'])
def test_a_cursor_that_nobody_made(cursor: str) -> None:
    run = started()
    with pytest.raises(ValueError, match="was not made by fetch"):
        fetch(run.workflow.definition, run.kube, FetchRequest("ns/r", cursor))
    with pytest.raises(ValueError, match="not a request of fetch"):
        FetchRequest.from_json('["ns/r"]')


def test_a_retry_repeats_no_result_and_loses_none() -> None:
    """Attempt 1: an INSERT, a SELECT, a failure. The ledger knows the INSERT; the SELECT runs again."""
    run = started()
    run.write(*statement(1), *statement(2, 7), *failed(3, "deadlock"))
    run.end(1, message=DEADLOCK.replace("2", "3"))
    first = run.all()
    assert rows(first) == [(1, 2, 7)]
    assert "SQLFlow Step: [1/1] Status: Failed: statement 3 (SELECT) at 3:15: deadlock" in texts(first)
    run.start_pod()
    run.start()
    run.write(*skipped(1), *statement(2, 7), *statement(3, 8))
    run.end()
    run.succeed()
    items = run.all()
    assert rows(items) == [(2, 3, 8)]
    assert texts(items) == [
        "SQLFlow Step: [1/1] Status: Running, attempt 2",
        "SQLFlow Step: [1/1] Statement 3 (SELECT) at 3:1",
        "SQLFlow Step: [1/1] Statement 3: 1 row (0.5 s)",
        "SQLFlow Step: [1/1] Status: Succeeded, attempt 2",
    ]


def test_what_a_transaction_took_back_is_told_anew() -> None:
    run = started()
    opened = statement(2, 7, open=True)
    run.write(*statement(1, open=True), *opened, *failed(3, "deadlock"))
    run.end(1)
    run.all()
    run.start_pod()
    run.start()
    run.write(*statement(1, open=True), *statement(2, 8, open=True), *statement(3), *statement(4, 9))
    run.end()
    run.succeed()
    items = run.all()
    assert rows(items) == [(2, 2, 8), (2, 4, 9)]
    assert [item.statement for item in items if isinstance(item, Columns)] == [1, 2, 3, 4]


def test_a_result_that_an_interrupted_attempt_never_told_is_missed() -> None:
    run = started()
    run.write(*statement(1, 7)[:3])
    run.end(137, tell=False)
    run.all()
    run.start_pod()
    run.start()
    run.write(*skipped(1))
    (message,) = warnings(run.all())
    assert "Statement 1 (SELECT) at 1:1 was done by an earlier attempt" in message
    assert "may not be complete" in message


def test_a_step_that_is_done_is_not_told_again_by_later_pods() -> None:
    for late in (False, True):
        run = started("s1-sql", "s2-sql")
        run.write(*statement(1, 7))
        run.end()
        run.start("s2-sql")
        run.write(*failed(2, "deadlock"), step="s2-sql")
        run.end(1, "s2-sql", message=DEADLOCK)
        items = [] if late else run.all()
        run.start_pod()
        run.start()
        run.write(*skipped(1))
        run.end()
        run.start("s2-sql")
        run.write(*statement(2, 8), step="s2-sql")
        run.end(step="s2-sql")
        run.succeed()
        items += run.all()
        assert rows(items) == [(1, 1, 7), (2, 2, 8)]
        assert not warnings(items)
        assert [t for t in texts(items) if "Status" in t] == [
            "SQLFlow Step: [1/2] Status: Running",
            "SQLFlow Step: [1/2] Status: Succeeded",
            "SQLFlow Step: [2/2] Status: Running",
            *([] if late else ["SQLFlow Step: [2/2] Status: Failed: statement 2 (SELECT) at 2:15: deadlock"]),
            "SQLFlow Step: [2/2] Status: Running, attempt 2",
            "SQLFlow Step: [2/2] Status: Succeeded, attempt 2",
        ]


def test_a_kubelet_that_gives_no_answer() -> None:
    run = started()
    run.write(*statement(1, 7))
    run.fetch()
    run.kube.cut = 3
    with pytest.raises(ApiError, match="cut"):
        run.fetch()
    run.kube.fault = lambda number, method, resource: UnavailableError(502, "", "away") if method == "log" else None
    with pytest.raises(ApiError, match="away"):
        run.fetch()
    run.kube.fault = no_fault
    run.write(*statement(2, 8))
    assert rows(list(run.fetch().items)) == [(1, 2, 8)]


def test_what_a_run_waits_for_is_told_once() -> None:
    run = Run()
    run.start_pod()
    with run.status() as status:
        status["state"] = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    (message,) = run.fetch().messages
    assert message.text.startswith("SQLFlow Step: [1/1] Status: Pending: image of the step cannot be pulled")
    assert run.fetch().items == ()


def test_the_cursor_of_a_long_run_is_small() -> None:
    run = started(*(f"s{n}-sql" for n in range(1, 201)))
    for number, step in enumerate(run.steps[:-1], 1):
        if number > 1:
            run.start(step)
        run.write(*statement(number, 1), step=step, seconds=0.001)
        run.end(step=step)
    run.all()
    assert len(run.request.to_json()) < 500
    cursor = RunCursor.load(run.request.cursor)
    assert cursor.done == set(range(1, 200))
    assert RunCursor.load(cursor.dump()) == cursor
