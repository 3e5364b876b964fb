"""`fetch` and the logs of kubelets: nothing is lost or repeated, and where something is, it is said."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_operator.kube import UnavailableError
from sqlflow_operator.workflow.fetch import log_reader
from sqlflow_operator.workflow.fetch.items import Item, Message, Row
from sqlflow_operator.workflow.fetch.log_reader import Budget, LogCursor, records

from tests.unit.operator.kubelet import Run, statement


def row(number: int) -> dict[str, Any]:
    return {"type": "row", "statement": 1, "values": [number]}


def told(items: list[Item]) -> list[Any]:
    return [item.values[0] for item in items if isinstance(item, Row)]


def warnings(items: list[Item]) -> list[str]:
    return [item.text for item in items if isinstance(item, Message) and item.level == "warning"]


def started() -> Run:
    run = Run(retries=100)
    run.start_pod()
    run.start()
    return run


def test_a_rotation_between_two_fetches_is_told_with_its_numbers() -> None:
    run = started()
    run.write(*map(row, range(1, 4)))
    run.all()
    run.write(*map(row, range(4, 9)))
    run.rotate(keep=2)
    items = run.all()
    assert told(items) == [7, 8]
    assert warnings(items) == [
        "SQLFlow Step: [1/1] records 4 to 6 of the attempt are lost: its log was rotated or cut off"
    ]
    run.write(row(9))
    run.end()
    assert told(run.all()) == [9]


def test_a_rotation_just_before_the_end_is_told() -> None:
    run = started()
    run.write(*map(row, range(1, 4)))
    run.all()
    run.write(row(4))
    run.end()
    run.rotate(keep=0)
    (message,) = warnings(run.all())
    assert message == (
        "SQLFlow Step: [1/1] the log of the attempt ends after record 3: what it wrote after that is lost"
    )


def test_a_failed_step_that_did_not_tell_its_end_is_missed() -> None:
    run = started()
    run.write(*map(row, range(1, 4)))
    run.end(1, tell=False)
    assert "ends after record 3" in warnings(run.all())[0]


def test_a_first_fetch_that_comes_too_late_says_what_is_missing() -> None:
    run = started()
    run.write(*map(row, range(1, 4)))
    run.rotate(keep=1)
    items = run.all()
    assert told(items) == [3]
    assert "records 1 to 2 of the attempt are lost" in warnings(items)[0]


def test_a_clock_that_is_set_back_loses_nothing() -> None:
    run = started()
    run.write(*map(row, range(1, 4)))
    run.all()
    run.clock.sleep(-3600)
    run.write(row(4))
    assert told(run.all()) == [], "not seen yet, for its time is before the last one's"
    run.end()
    items = run.all()
    assert told(items) == [4]
    assert not warnings(items)


def test_a_clock_that_goes_back_and_forth_loses_nothing() -> None:
    run = started()
    run.write(row(1))
    run.all()
    run.clock.sleep(-3600)
    run.write(row(2))
    run.clock.sleep(7200)
    run.write(row(3))
    items = run.all()
    assert told(items) == [2, 3]
    assert not warnings(items)


def test_times_of_a_node_in_another_zone() -> None:
    run = started()
    run.kube.zone = "+00:00"
    run.write(*map(row, range(1, 9)))
    assert told(run.all()) == list(range(1, 9))
    before = run.kube.served
    run.write(row(9))
    assert told(run.all()) == [9]
    assert run.kube.served - before < 1200, "what was read is not read again, but for the last second"


def test_a_pod_that_is_gone_before_its_log_was_read_to_the_end() -> None:
    run = started()
    run.write(*map(row, range(1, 4)))
    run.all()
    run.delete_pod()
    run.start_pod()
    run.start()
    run.write(*statement(1, 7))
    items = run.all()
    assert warnings(items) == [
        "SQLFlow Step: [1/1] the attempt's pod is gone: what it wrote after record 3 of its log is lost"
    ]
    assert [item.attempt for item in items if isinstance(item, Row)] == [2]


def test_a_pod_that_is_gone_when_all_was_read_is_not_missed() -> None:
    run = started()
    run.write(row(1))
    run.write({"type": "end"})
    run.all()
    run.delete_pod()
    run.finish("Complete")
    response = run.fetch()
    assert response.eof
    assert [str(message) for message in response.messages] == ["SQLFlow Step: [1/1] Status: Succeeded"]


def test_a_pod_that_nobody_ever_read() -> None:
    run = started()
    run.delete_pod()
    run.finish("Complete")
    assert warnings(run.all()) == [
        "SQLFlow Step: [1/1] nothing is known of attempt 1: there is no pod any more, and so no log"
    ]


def test_a_pod_that_goes_while_its_log_is_asked_for() -> None:
    run = started()
    run.write(row(1))
    run.all()
    run.vanish_on_read()
    assert "after record 1 of its log is lost" in warnings(run.all())[0]


def test_a_process_that_was_killed_has_no_last_record_to_miss() -> None:
    run = started()
    run.write(*map(row, range(1, 4)))
    run.line(b'{"type":"row","statement":1,"val')
    run.end(137, tell=False)
    items = run.all()
    assert told(items) == [1, 2, 3]
    assert not warnings(items)


def test_a_container_that_is_started_again_in_its_pod() -> None:
    run = started()
    run.write(row(1), row(2))
    run.all()
    run.write(row(3))
    run.restart(137)
    run.write(row(4))
    items = run.all()
    assert [(item.attempt, item.values[0]) for item in items if isinstance(item, Row)] == [(1, 3), (2, 4)]
    assert not warnings(items)
    run.restart(137)
    run.restart(137)
    run.write(row(5))
    items = run.all()
    assert told(items) == [5]
    assert warnings(items)[0].endswith("what it wrote after record 1 of its log is lost")


def test_a_line_that_is_too_long_is_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "LINE_LIMIT", 1000)
    long = b"2026-01-01T00:00:00.1Z " + b"x" * 5000 + b"\n"
    record = b'2026-01-01T00:00:01.2Z {"type":"row","n":1}\n'
    pieces = [long[:700], long[700:1500], long[1500:] + record, long + record[:-1]]
    assert list(records(pieces)) == [("2026-01-01T00:00:01Z", {"type": "row", "n": 1}, len(record) - 1)] * 2


def test_records_that_are_already_read_are_not_kept() -> None:
    data = b"".join(b'2026-01-01T00:00:00.1Z {"type":"row","n":%d}\n' % n for n in range(1, 2001))
    batch = log_reader.read_batch(
        lambda since: (data[i : i + 9] for i in range(0, len(data), 9)), LogCursor(1500), Budget(3, 10**6), ended=True
    )
    assert [record["n"] for record in batch.records] == [1501, 1502, 1503]
    assert not batch.at_end


ACTIONS = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 30), st.sampled_from([0.0, 0.001, 0.3, 0.7, 2.5])),
    st.tuples(st.just("foreign"), st.sampled_from(["{", '{"type":"row","values":[0]}', "time=x level=info", ""])),
    st.tuples(st.just("half"), st.integers(1, 60)),
    st.tuples(st.just("fetch"), st.integers(1, 40), st.integers(1, 3000)),
    st.tuples(st.just("cut"), st.integers(0, 4000)),
    st.tuples(st.just("rotate")),
    st.tuples(st.just("retry")),
    st.tuples(st.just("restart")),
)


@given(st.lists(ACTIONS, max_size=40), st.integers(1, 500))
def test_all_that_was_written_is_told_once_and_in_order(actions: list[tuple[Any, ...]], piece: int) -> None:
    run = started()
    run.kube.piece = piece
    written: list[int] = []
    items: list[Item] = []

    def fetch(budget: Budget) -> None:
        with contextlib.suppress(UnavailableError):  # the cut, where nothing was read before it
            items.extend(run.fetch(budget).items)

    for action in actions:
        match action:
            case ("write", count, seconds):
                numbers = range(len(written), len(written) + count)
                run.write(*map(row, numbers), seconds=seconds)
                written += numbers
            case ("foreign", text):
                run.line(text.encode())
            case ("half", size):
                run.half(row(len(written)), size)
            case ("fetch", count, size):
                fetch(Budget(count, size))
            case ("cut", size):
                run.kube.cut = size
                fetch(Budget())
            case ("rotate",):
                run.rotate_what_was_told(told(items))
            case ("retry",):
                run.end(1)
                run.start_pod()
                run.start()
            case ("restart",):
                run.kube.cut = None
                items += run.all()
                run.restart(137)
    run.kube.cut = None
    run.end()
    run.succeed()
    items += run.all()
    assert told(items) == written
    assert not warnings(items)
