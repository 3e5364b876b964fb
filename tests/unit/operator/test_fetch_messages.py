"""The items and messages that `fetch` makes of each record of a step, word for word; the request as text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlflow_operator.workflow.fetch.items import Columns, Finished, Item, Message, Row, value_of
from sqlflow_operator.workflow.fetch.log_reader import LogCursor
from sqlflow_operator.workflow.fetch.messages import AttemptMessages
from sqlflow_operator.workflow.fetch.request import FetchRequest, OpenAttempt, RunCursor, StepCursor

PLACE: dict[str, Any] = {"step": "s1-sql", "attempt": 2, "statement": 3}


def attempt(settled: int = 0) -> AttemptMessages:
    return AttemptMessages("[1/1]", "s1-sql", 2, settled)


def items(messages: AttemptMessages, **record: Any) -> list[Item]:
    return list(messages.items({"n": 7, "statement": 3, **record}))


def said(text: str, level: str = "info", source: str = "status", **place: Any) -> list[Message]:
    return [Message(text=f"[1/1] {text}", level=level, source=source, **{**PLACE, **place})]


# -- messages


def test_the_words_of_a_step() -> None:
    assert items(attempt(), type="log", message="m") == said("Log: m", source="log")
    assert items(attempt(), type="log", message="m", level="error") == said("Log: m", "error", "log")
    for statement in (None, "3"):
        assert items(attempt(), type="log", message="m", statement=statement) == said(
            "Log: m", source="log", statement=0
        )


WHERE = {"title": "SELECT", "line": 4, "column": 5}


def test_an_error_with_its_place_and_its_hint() -> None:
    at = "statement 3 (SELECT) at 4:5"
    assert items(attempt(), type="error", message="no", **WHERE) == said(f"Error: {at}: no", "error")
    hint = items(attempt(), type="error", message="no", hint="do", **WHERE)
    assert hint == said(f"Error: {at}: no Hint: do", "error")
    assert items(attempt(), type="error", message="no", statement=0) == said("Error: no", "error", statement=0)


def test_a_statement_begins() -> None:
    messages = attempt()
    assert items(messages, type="statement_started", **WHERE) == said("Statement 3 (SELECT) at 4:5")
    assert messages.settled == 0


def test_a_statement_that_an_earlier_attempt_did() -> None:
    messages = attempt()
    assert items(messages, type="statement_started", attempt_skipped=True, **WHERE) == said(
        "Statement 3 (SELECT) at 4:5 was done by an earlier attempt, which ended before it reported so: "
        "its result may not be complete",
        "warning",
    )
    assert messages.settled == 3


@pytest.mark.parametrize(
    ("rows", "truncated", "words"),
    [
        (-1, False, "OK (1.5 s)"),
        (-1, True, "OK, more than delivered (1.5 s)"),
        (0, False, "0 rows (1.5 s)"),
        (0, True, "0 rows, of which the first were delivered (1.5 s)"),
        (1, False, "1 row (1.5 s)"),
        (2, True, "2 rows, of which the first were delivered (1.5 s)"),
    ],
)
def test_a_statement_ends(rows: int, truncated: bool, words: str) -> None:
    done = items(attempt(), type="statement_finished", rows=rows, seconds=1.5, truncated=truncated)
    assert done == [Finished(rows=rows, seconds=1.5, truncated=truncated, **PLACE), *said(f"Statement 3: {words}")]


def test_a_statement_is_settled_unless_its_transaction_is_open() -> None:
    messages = attempt()
    items(messages, type="statement_finished", rows=1, seconds=1, open=True)
    assert messages.settled == 0
    items(messages, type="statement_finished", rows=1, seconds=1)
    assert messages.settled == 3


@pytest.mark.parametrize(("settled", "delivered"), [(2, 1), (3, 0), (4, 0)])
def test_what_is_settled_is_not_delivered_again(settled: int, delivered: int) -> None:
    messages = attempt(settled)
    for record in (
        {"type": "statement_started", **WHERE},
        {"type": "columns", "names": ["a"], "types": ["int4"]},
        {"type": "row", "values": [1]},
    ):
        assert len(items(messages, **record)) == delivered
    assert len(items(messages, type="error", message="no")) == 1
    assert len(items(messages, type="log", message="m")) == 1


def test_what_belongs_to_no_statement_is_always_delivered() -> None:
    assert len(items(attempt(9), type="row", values=[1], statement=0)) == 1
    assert len(items(attempt(1), type="row", values=[1], statement=1)) == 0


def test_a_result() -> None:
    names: dict[str, Any] = {"names": ["a", 1], "types": ["int4", "text"]}
    assert items(attempt(), type="columns", **names) == [Columns(names=("a", "1"), types=("int4", "text"), **PLACE)]
    assert items(attempt(), type="row", values=[1, {"$json": "2"}]) == [
        Row(values=(1, value_of({"$json": "2"})), **PLACE)
    ]
    assert items(attempt(), type="columns.v2") == []


@pytest.mark.parametrize(
    ("record", "error"),
    [
        ({"type": "row"}, "KeyError('values')"),
        ({"type": "image", "media_type": "image/png", "data": "A!AE="}, None),
        ({"type": "statement_finished", "rows": "x", "seconds": 1}, None),
        ({"type": "row", "values": [{"$decimal": "x"}]}, "InvalidOperation([<class 'decimal.ConversionSyntax'>])"),
        ({"type": "row", "values": 1}, None),
    ],
)
def test_a_record_that_is_not_understood(record: dict[str, Any], error: str | None) -> None:
    [message] = items(attempt(), **record)
    assert isinstance(message, Message)
    assert (message.level, message.source, message.statement) == ("warning", "status", 3)
    assert message.text.startswith(f"[1/1] record 7 ({record['type']}) of the step cannot be read: {error or ''}")


# -- cells


@pytest.mark.parametrize("cell", [[], {}, {"$a": "1", "$b": "2"}, {"$bytes": "A!AE="}, {"$decimal": "x"}])
def test_what_is_no_cell(cell: Any) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        value_of(cell)


def test_a_wrong_cell_is_quoted_up_to_its_hundredth_character() -> None:
    with pytest.raises(ValueError, match="not a cell") as caught:
        value_of(["x" * 200])
    assert str(caught.value) == "not a cell: ['" + "x" * 98


# -- the request as text


def test_a_request_is_passed_on_as_json() -> None:
    request = FetchRequest("ns/r", "c")
    assert json.loads(request.to_json()) == {"run_id": "ns/r", "cursor": "c"}
    assert FetchRequest.from_json(request.to_json()) == request


@pytest.mark.parametrize(
    "text", ["[]", '{"run_id":"r"}', '{"cursor":"c"}', '{"run_id":1,"cursor":"c"}', '{"run_id":"' + "x" * 200 + '"}']
)
def test_a_text_that_is_no_request(text: str) -> None:
    with pytest.raises(ValueError, match="not a request") as caught:
        FetchRequest.from_json(text)
    assert str(caught.value) == f"not a request of fetch: {text[:100]}"


def test_a_cursor_is_stored_whole_and_short() -> None:
    opened = {"u2": OpenAttempt(2, LogCursor(9, "t"))}
    steps = {2: StepCursor(2, 1, 1, opened, ["u1"]), 3: StepCursor()}
    cursor = RunCursor("uid", "ImagePull", {1, 4, 5}, steps)
    text = cursor.dump()
    step = '{"a":2,"s":1,"f":1,"open":{"u2":[2,9,"t"]},"closed":["u1"]}'
    assert text == f'{{"v":1,"child":"uid","waiting":"ImagePull","done":"1,4-5","steps":{{"2":{step}}}}}'
    del cursor.steps[3]
    assert RunCursor.load(text) == cursor
    assert RunCursor.load("") == RunCursor() == RunCursor("", "", set(), {})


def test_a_step_that_is_finished_needs_no_cursor() -> None:
    cursor = RunCursor()
    cursor.step(1).attempts = 1
    assert cursor.step(1).attempts == 1
    cursor.finish(1)
    cursor.finish(2)
    assert (cursor.done, cursor.steps) == ({1, 2}, {})


def test_a_cursor_of_another_version_is_quoted() -> None:
    text = '{"v":2,"x":"' + "x" * 200 + '"}'
    with pytest.raises(ValueError, match="version 2") as caught:
        RunCursor.load(text)
    assert str(caught.value) == f"the request's cursor was not made by fetch (version 2): {text[:100]}"
