"""Reads a container's log as records, from where the last reader stopped.

The kubelet knows lines by their time, to the second, and only those of the log's newest file. So what tells records
apart is the number that the step gave each: time only saves reading again what was read. Whoever finds a number missing
reads the whole log once more before believing it, because a node's clock may have been set back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from sqlflow_codegen.contract import parse_record

from sqlflow_operator.kube import ApiError, InvalidError, NotFoundError

LINE_LIMIT = 16 * 1024 * 1024
"""Bytes of the longest line that is read; no record is that long."""

_SECOND = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")

Open = Callable[[str], Generator[bytes, None, None]]
"""Opens a log: from that moment on, or all of it where that is ""."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the log of one container was read: the number of the last record, and the second it was written in."""

    number: int = 0
    second: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is read at once; one record more than nothing always is."""

    records: int = 1000
    size: int = 2 * 1024 * 1024
    """Bytes of the log."""


@dataclass(slots=True)
class Reading:
    """What was read.

    Attributes:
        size: bytes of the records.
        records: in order, without a gap between them but for those that `lost` names.
        mark: how far.
        lost: first and last number of the records missing before the one with that position in `records`.
        complete: the step's last record was read.
        at_end: all that the log holds now was read.
        gone: there is no such pod or log any more.
        error: what ended the reading early.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    mark: Mark = field(default_factory=Mark)
    lost: dict[int, tuple[int, int]] = field(default_factory=dict)
    complete: bool = False
    at_end: bool = False
    gone: bool = False
    error: ApiError | None = None
    size: int = 0


def read(open_log: Open, mark: Mark, budget: Budget, *, ended: bool) -> Reading:
    """Read on.

    Args:
        open_log: opens the log.
        mark: where the last reading stopped.
        budget: how much to read.
        ended: the container has ended, so that its log grows no more.
    """
    reading = Reading(mark=mark)
    try:
        sound = _read_pass(open_log, reading, budget, whole=not mark.second)
        if mark.second and (not sound or (ended and reading.at_end and not reading.complete)):
            reading.at_end, reading.mark = False, replace(reading.mark, second="")
            _read_pass(open_log, reading, budget, whole=True)
    except NotFoundError:
        reading.gone = True
    except InvalidError:
        # The container has not started, or its log is not there yet.
        reading.at_end = True
    except ApiError as error:
        reading.error = error
    return reading


def _read_pass(open_log: Open, reading: Reading, budget: Budget, *, whole: bool) -> bool:
    """Read the log once; False where records are missing, which is believed only of a `whole` log."""
    with closing(open_log(reading.mark.second)) as pieces:
        for second, record, size in records(pieces):
            number = record["n"]
            expected = reading.mark.number + 1
            if number < expected:
                continue
            if number > expected:
                if not whole:
                    return False
                reading.lost[len(reading.records)] = (expected, number - 1)
            reading.records.append(record)
            reading.mark = Mark(number, second or reading.mark.second)
            reading.size += size
            if record["type"] == "end":
                reading.complete = reading.at_end = True
                return True
            if len(reading.records) >= budget.records or reading.size >= budget.size:
                return True
    reading.at_end = True
    return True


def records(pieces: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any], int]]:
    """Second, record and size in bytes of each line that is a record with a number; all other lines are skipped.

    Half a line is none, so a log may be cut off anywhere.
    """
    for line in _lines(pieces):
        moment, _, text = line.partition(b" ")
        record = parse_record(text.decode(errors="replace"))
        number = record.get("n") if record else None
        if record and type(number) is int and number > 0:
            found = _SECOND.fullmatch(moment.decode(errors="replace"))
            yield "".join(found.groups()) if found else "", record, len(line)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines; the last one also where its end is missing. Those that are too long are left out."""
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        *ends, rest = piece.split(b"\n")
        for end in ends:
            if size + len(end) <= LINE_LIMIT:
                yield b"".join([*parts, end])
            parts, size = [], 0
        size += len(rest)
        parts = [*parts, rest] if size <= LINE_LIMIT else []
    if parts and size <= LINE_LIMIT:
        yield b"".join(parts)
