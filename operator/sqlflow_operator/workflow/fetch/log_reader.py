"""Reads a container's log as records, from a cursor on.

The kubelet knows lines by their time, to the second, and only those of the log's newest file. So the number that the
step gave each record identifies it: the time only saves reading again what was read. If a number is missing, the whole
log is read once more before that is believed, because a node's clock may have been set back.
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
"""Opens a log from a moment on, or all of it for ""."""


@dataclass(frozen=True, slots=True)
class LogCursor:
    """The place up to which the log of a container was read: the number of the last record, and its second."""

    number: int = 0
    second: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of one read; it returns at least one record."""

    records: int = 1000
    size: int = 2 * 1024 * 1024
    """Bytes of the log."""


@dataclass(slots=True)
class LogBatch:
    """The records of one read.

    Attributes:
        records: in order, without a gap between them but for those that `lost` names.
        cursor: the place up to which the log was read.
        lost: first and last number of the records missing before the one with that position in `records`.
        complete: the step's last record was read.
        at_end: all that the log holds now was read.
        gone: the pod or the log does not exist any more.
        error: the error that ended the read early.
        size: bytes of the records.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    cursor: LogCursor = field(default_factory=LogCursor)
    lost: dict[int, tuple[int, int]] = field(default_factory=dict)
    complete: bool = False
    at_end: bool = False
    gone: bool = False
    error: ApiError | None = None
    size: int = 0


def read_batch(open_log: Open, cursor: LogCursor, budget: Budget, *, ended: bool) -> LogBatch:
    """Read the records after a cursor.

    Args:
        open_log: opens the log.
        cursor: the end of the last read.
        budget: the limits.
        ended: the container has ended, so that its log grows no more.
    """
    batch = LogBatch(cursor=cursor)
    try:
        sound = _read_pass(open_log, batch, budget, whole=not cursor.second)
        if cursor.second and (not sound or (ended and batch.at_end and not batch.complete)):
            batch.at_end, batch.cursor = False, replace(batch.cursor, second="")
            _read_pass(open_log, batch, budget, whole=True)
    except NotFoundError:
        batch.gone = True
    except InvalidError:
        # The container has not started, or its log is not there yet.
        batch.at_end = True
    except ApiError as error:
        batch.error = error
    return batch


def _read_pass(open_log: Open, batch: LogBatch, budget: Budget, *, whole: bool) -> bool:
    """Read the log once; False if records are missing, which is believed only of a `whole` log."""
    with closing(open_log(batch.cursor.second)) as pieces:
        for second, record, size in records(pieces):
            number = record["n"]
            expected = batch.cursor.number + 1
            if number < expected:
                continue
            if number > expected:
                if not whole:
                    return False
                batch.lost[len(batch.records)] = (expected, number - 1)
            batch.records.append(record)
            batch.cursor = LogCursor(number, second or batch.cursor.second)
            batch.size += size
            if record["type"] == "end":
                batch.complete = batch.at_end = True
                return True
            if len(batch.records) >= budget.records or batch.size >= budget.size:
                return True
    batch.at_end = True
    return True


def records(pieces: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any], int]]:
    """Second, record and size in bytes of each line that is a record with a number; all other lines are skipped.

    Half a line is no record, so a log may be cut off anywhere.
    """
    for line in _lines(pieces):
        moment, _, text = line.partition(b" ")
        record = parse_record(text.decode(errors="replace"))
        number = record.get("n") if record else None
        if record and type(number) is int and number > 0:
            found = _SECOND.fullmatch(moment.decode(errors="replace"))
            yield "".join(found.groups()) if found else "", record, len(line)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, the last one even without its end. Lines that are too long are left out."""
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
