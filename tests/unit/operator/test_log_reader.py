"""Reading a container's log from a cursor on: which lines are records, where a read stops, when a log is read again."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from sqlflow_operator.kube import ApiError, InvalidError, NotFoundError, UnavailableError
from sqlflow_operator.workflow.fetch import log_reader
from sqlflow_operator.workflow.fetch.log_reader import Budget, LogBatch, LogCursor, read_batch, records

SECOND = "2026-01-01T00:00:05Z"
AMPLE = Budget(1000, 10**6)


def line(number: int, kind: str = "row", time: str = "2026-01-01T00:00:05.123456789Z") -> bytes:
    return b'%s {"type":"%s","n":%d}' % (time.encode(), kind.encode(), number)


class Log:
    """A log of those lines; `recent` is how many of the newest a read with a time gets."""

    def __init__(self, *lines: bytes, recent: int = 1000, error: ApiError | None = None) -> None:
        self.lines, self.recent, self.error = lines, recent, error
        self.opened: list[str] = []
        self.closed = 0

    def open(self, since: str) -> Generator[bytes, None, None]:
        self.opened.append(since)
        try:
            for one in self.lines[-self.recent :] if since else self.lines:
                yield one + b"\n"
            if self.error:
                raise self.error
        finally:
            self.closed += 1

    def read(self, cursor: LogCursor | None = None, budget: Budget = AMPLE, *, ended: bool = False) -> LogBatch:
        batch = read_batch(self.open, cursor or LogCursor(), budget, ended=ended)
        assert self.closed == len(self.opened), "each connection is closed"
        return batch


def numbers(batch: LogBatch) -> list[int]:
    return [record["n"] for record in batch.records]


# -- lines


@pytest.mark.parametrize(
    ("text", "second"),
    [
        (b"2026-01-01T00:00:05Z", SECOND),
        (b"2026-01-01T00:00:05.123456789Z", SECOND),
        (b"2026-01-01T00:00:05.5+05:30", "2026-01-01T00:00:05+05:30"),
        (b"2026-01-01 00:00:05Z", None),
        (b"2026-01-01T00:00:05.5", ""),
        (b"\xff", ""),
    ],
)
def test_the_time_of_a_record(text: bytes, second: str | None) -> None:
    record = {"type": "log", "message": "a b\ufffd", "n": 1}
    whole = text + b' {"type":"log","message":"a b\xff","n":1}'
    assert list(records([whole])) == ([] if second is None else [(second, record, len(whole))])


@pytest.mark.parametrize("number", ["0", "-1", "true", '"1"', "1.0", "null"])
def test_a_record_without_a_number_is_no_record(number: str) -> None:
    bad = f'{SECOND} {{"type":"row","n":{number}}}\n'.encode()
    assert [record["n"] for _, record, _ in records([bad, line(1)])] == [1]


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_the_longest_line_that_is_read(monkeypatch: pytest.MonkeyPatch, end: bytes, piece: int) -> None:
    first, last = line(1), line(2)
    data = first + b"\n" + first[:-1] + b" }\n" + last + end
    monkeypatch.setattr(log_reader, "LINE_LIMIT", len(first))
    pieces = [data[start : start + piece] for start in range(0, len(data), piece)]
    found = list(records(pieces))
    assert [(record["n"], size) for _, record, size in found] == [(1, len(first)), (2, len(last))]


# -- where a read stops


def test_all_that_the_log_holds() -> None:
    batch = Log(line(1), b"words of a library", line(2)).read()
    assert batch == LogBatch(
        records=[{"type": "row", "n": 1}, {"type": "row", "n": 2}],
        cursor=LogCursor(2, SECOND),
        at_end=True,
        size=2 * len(line(1)),
    )


@pytest.mark.parametrize(
    ("budget", "read"),
    [
        (Budget(2, 10**6), 2),
        (Budget(10, len(line(1))), 1),
        (Budget(10, len(line(1)) + 1), 2),
        (Budget(10, 0), 1),
    ],
)
def test_a_budget_ends_a_read(budget: Budget, read: int) -> None:
    batch = Log(line(1), line(2), line(3)).read(budget=budget)
    assert (numbers(batch), batch.at_end, batch.complete) == (list(range(1, read + 1)), False, False)
    assert batch.cursor.number == read


def test_the_last_record_of_the_step_completes_its_log() -> None:
    batch = Log(line(1), line(2, "end"), line(3)).read(budget=Budget(2, 10**6))
    assert (numbers(batch), batch.at_end, batch.complete) == ([1, 2], True, True)


def test_records_that_are_lost_stand_before_the_next_one() -> None:
    batch = Log(line(3), line(4), line(6), line(5), line(9)).read()
    assert numbers(batch) == [3, 4, 6, 9]
    assert batch.lost == {0: (1, 2), 2: (5, 5), 3: (7, 8)}


def test_a_record_without_a_time_keeps_the_last_one() -> None:
    assert Log(line(1), line(2, time="soon")).read().cursor == LogCursor(2, SECOND)


# -- errors


def test_a_log_that_is_gone() -> None:
    batch = Log(line(1), error=NotFoundError(404, "NotFound", "x")).read()
    assert (numbers(batch), batch.gone, batch.at_end, batch.error) == ([1], True, False, None)


def test_a_container_that_has_not_started() -> None:
    batch = Log(error=InvalidError(400, "BadRequest", "x")).read()
    assert (numbers(batch), batch.gone, batch.at_end, batch.error) == ([], False, True, None)


def test_a_connection_that_breaks_keeps_what_was_read() -> None:
    error = UnavailableError(502, "", "away")
    batch = Log(line(1), error=error).read()
    assert (numbers(batch), batch.gone, batch.at_end, batch.error) == ([1], False, False, error)


# -- when a log is read again from its beginning


@pytest.mark.parametrize("ended", [False, True])
def test_a_first_read_is_of_the_whole_log(ended: bool) -> None:
    log = Log(line(2))
    assert log.read(ended=ended).lost == {0: (1, 1)}
    assert log.opened == [""]


def test_a_gap_after_the_time_is_looked_for_in_the_whole_log() -> None:
    log = Log(line(1), line(2), line(3), recent=1)
    batch = log.read(LogCursor(1, SECOND))
    assert (numbers(batch), batch.lost, batch.at_end) == ([2, 3], {}, True)
    assert log.opened == [SECOND, ""]


def test_a_gap_that_the_whole_log_has_too_is_believed() -> None:
    batch = Log(line(4)).read(LogCursor(1, SECOND))
    assert (numbers(batch), batch.lost) == ([4], {0: (2, 3)})


@pytest.mark.parametrize(
    ("last", "ended", "again"),
    [("row", False, False), ("row", True, True), ("end", True, False)],
)
def test_the_end_of_a_log_without_its_last_record_is_looked_for_in_the_whole_log(
    last: str, ended: bool, again: bool
) -> None:
    log = Log(line(1), line(2, last))
    batch = log.read(LogCursor(1, SECOND), ended=ended)
    assert (numbers(batch), batch.at_end) == ([2], True)
    assert log.opened == ([SECOND, ""] if again else [SECOND])


def test_a_read_that_its_budget_ended_is_no_end_of_the_log() -> None:
    log = Log(line(1), line(2), line(3))
    batch = log.read(LogCursor(1, SECOND), Budget(1, 10**6), ended=True)
    assert (numbers(batch), batch.at_end, log.opened) == ([2], False, [SECOND])


def test_a_second_read_that_its_budget_ends_is_no_end_of_the_log() -> None:
    log = Log(line(1), line(2), line(3), line(1), recent=1)
    batch = log.read(LogCursor(1, SECOND), Budget(1, 10**6), ended=True)
    assert (numbers(batch), batch.at_end, batch.cursor) == ([2], False, LogCursor(2, SECOND))
    assert log.opened == [SECOND, ""]


@pytest.mark.parametrize("piece", [16 * 1024, 1024 * 1024])
def test_a_picture_of_a_megabyte(piece: int) -> None:
    """One line, which a container runtime cuts into pieces of 16 KiB and the kubelet puts together again."""
    data = "A" * (3 * 1024 * 1024)
    text = f'2026-01-01T00:00:05Z {{"type":"image","n":2,"statement":1,"data":"{data}"}}'.encode()
    log = b"\n".join([line(1), text, line(3, "end"), b""])

    def opened(_second: str) -> Generator[bytes, None, None]:
        for start in range(0, len(log), piece):
            yield log[start : start + piece]

    batch = read_batch(opened, LogCursor(), Budget(), ended=True)
    assert numbers(batch) == [1, 2], "larger than a read's limit, and read all the same"
    assert batch.records[1]["data"] == data
    assert numbers(read_batch(opened, batch.cursor, Budget(), ended=True)) == [3]
