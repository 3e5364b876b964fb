"""Writes the records of a step, and keeps its outcome for the termination message."""

from __future__ import annotations

import base64
import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, TextIO, TypeVar

from sqlflow_codegen.contract import (
    TERMINATION_LOG_ENV,
    WRAPPED_LIMIT,
    Outcome,
    StepError,
    StepMetrics,
    StepModel,
    dump_outcome,
    dump_record,
    wrapped_size,
)
from sqlflow_codegen.progress import StepProgress

Kept = TypeVar("Kept", StepMetrics, StepModel)

Emit = Callable[[dict[str, Any]], None]
"""Receives one record. Called from several threads, one at a time."""

LINE_LIMIT = 16 * 1024
"""Characters of one log record's message."""

LOG_LIMIT = 1024 * 1024
"""Bytes of all log records of one statement; what follows is counted, not shown."""

STEP_LOG_LIMIT = 4 * 1024 * 1024
"""Bytes of all log records of one step. A kubelet by default rotates a log at 10 MiB, and then
shows only its newest part: the output of libraries must not push out the rows."""

STEP_IMAGE_LIMIT = 3 * 1024 * 1024
"""Bytes of all pictures of one step, in base64, for the same reason."""

_LINE_OVERHEAD = 48
"""Bytes that a container runtime adds to a line: its time, its stream, a mark."""

TERMINATION_LOG = "/dev/termination-log"

PROGRESS_SECONDS = 1.0
"""Seconds between two progress records, at least."""

PROGRESS_SHARE = 1 / 600
"""Of a long training's time so far, the least time between two of them: a day makes some thousands, not 86,400, which
would push a log over the size at which a kubelet rotates it."""


class Recorder:
    """Emits records, one at a time, with the password scrubbed from every word that is not the user's data."""

    def __init__(
        self, emit: Emit, scrub: Callable[[str], str] = str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._emit = emit
        self.scrub = scrub
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._statement = 0
        self._place: tuple[int, int, str] = (0, 0, "step")
        self.latest = ""
        """The last line that was logged."""
        self._logged = 0
        self._logged_in_all = 0
        self._dropped = 0
        self._pictured = 0
        self._ended = False
        self._error: StepError | None = None
        self._metrics: list[StepMetrics] = []
        self._models: list[StepModel] = []
        self._finished: list[int] = []
        self._progress: StepProgress | None = None
        self._progress_waits = False
        self._progress_at = float("-inf")
        self._progress_since = 0.0

    def started(self, statement: int, **fields: Any) -> None:
        """Record that a statement begins; log records belong to it from now on."""
        with self._lock:
            self._statement, self._logged, self._dropped = statement, 0, 0
            self._progress_since = self._monotonic()
            self._place = (fields.get("line", 0), fields.get("column", 0), fields.get("title", ""))
            self.emit("statement_started", statement=statement, **fields)

    def finished(self, rows: int, seconds: float, **fields: Any) -> None:
        """Record that the statement is done; `rows` is the number affected, -1 if unknown."""
        with self._lock:
            self._write_progress()
            self._log_dropped()
            self._finished.append(self._statement)
            fields = {"rows": rows, "seconds": round(seconds, 3)} | fields
            self.emit("statement_finished", statement=self._statement, **fields)

    def log(self, level: str, message: str) -> None:
        """Record a message of a library, of the database or our own; each line is a record."""
        with self._lock:
            for line in self.scrub(message).splitlines() or [""]:
                if self._logged >= LOG_LIMIT or self._logged_in_all >= STEP_LOG_LIMIT:
                    self._dropped += 1
                    continue
                shown = self.latest = line if len(line) <= LINE_LIMIT else line[:LINE_LIMIT] + "…"
                fields = {"statement": self._statement, "level": level, "message": shown}
                size = len(dump_record(fields).encode(errors="replace")) + _LINE_OVERHEAD
                self._logged += size
                self._logged_in_all += size
                self.emit("log", **fields)

    def metrics(self, model: str, values: dict[str, float]) -> None:
        """Record the metrics of an EVALUATE, or the objective of a MAXIMIZE or MINIMIZE under its table's name."""
        self._keep(self._metrics, "metrics", StepMetrics(self._statement, model, values))

    def model(self, name: str, version: int, estimator: str) -> None:
        """Record the model that a TRAIN stored."""
        self._keep(self._models, "model", StepModel(self._statement, name, version, estimator))

    def progress(self, iteration: int, total: int, values: Mapping[str, float], unit: str) -> None:
        """Note how far a training is. A record is written at most once a second, and always of the last iteration.

        Args:
            iteration: rounds or epochs done, from 1.
            total: how many there will be at most; 0 if that is not known.
            values: what was measured; those that are NaN or infinite are left out.
            unit: `round` or `epoch`.
        """
        with self._lock:
            self._progress = StepProgress.of(self._statement, iteration, total, values, unit)
            self._progress_waits = True
            now = self._monotonic()
            if now - self._progress_at >= max(PROGRESS_SECONDS, (now - self._progress_since) * PROGRESS_SHARE):
                self._write_progress()

    def _write_progress(self) -> None:
        if self._progress is not None and self._progress_waits:
            self._progress_waits, self._progress_at = False, self._monotonic()
            self.emit("progress", **asdict(self._progress))

    def image(self, media_type: str, data: bytes, title: str) -> None:
        """Record a picture of an EXPLAIN. `title` says what it shows."""
        with self._lock:
            text = base64.b64encode(data).decode()
            if self._pictured + len(text) > STEP_IMAGE_LIMIT:
                limit = f"{STEP_IMAGE_LIMIT // 1024} KiB a step"
                self.log("warning", f"a picture is not shown ({title}): pictures may take {limit}")
                return
            self._pictured += len(text)
            self.emit("image", statement=self._statement, media_type=media_type, title=title, data=text)

    def _keep(self, kept: list[Kept], record_type: str, record: Kept) -> None:
        with self._lock:
            self._write_progress()
            kept.append(record)
            self.emit(record_type, **asdict(record))

    def error(self, error: StepError) -> None:
        """Record the error that ends the step. Its words are scrubbed here."""
        with self._lock:
            self._write_progress()
            self._log_dropped()
            self._error = replace(error, message=self.scrub(error.message), hint=self.scrub(error.hint))
            self.emit("error", **asdict(self._error))

    def emit(self, record_type: str, **fields: Any) -> None:
        """Write one record."""
        with self._lock:
            if not self._ended:
                self._emit({"type": record_type, **fields})

    def end(self) -> None:
        """Write the last record; later ones are dropped.

        Called from another thread where the step is abandoned: the one that runs the statement may hold the lock.
        """
        held = self._lock.acquire(timeout=1)
        try:
            if held:
                self._log_dropped()
                self.emit("end")
            self._ended = True
        finally:
            if held:
                self._lock.release()

    def outcome(self) -> Outcome:
        """The content of the termination message."""
        with self._lock:
            return self._outcome(self._error)

    def _outcome(self, error: StepError | None) -> Outcome:
        finished = tuple(self._finished)
        return Outcome(error, tuple(self._metrics), tuple(self._models), finished=finished, progress=self._progress)

    def abandon(self) -> Outcome:
        """The outcome of a step that is stopped while a library does not return.

        Called from another thread; the one that runs the statement may never give up the lock.
        """
        words = "stopped; the statement did not end by itself"
        error = StepError(self._statement, *self._place, kind="stopped", message=words)
        if self._lock.acquire(timeout=1):
            try:
                self.error(error)
            finally:
                self._lock.release()
        return self._outcome(error)

    def _log_dropped(self) -> None:
        if self._dropped:
            limits = f"{LOG_LIMIT // 1024} KiB a statement, {STEP_LOG_LIMIT // 1024} KiB a step"
            message = f"{self._dropped} further lines are not shown (limit {limits})"
            self.emit("log", statement=self._statement, level="warning", message=message)
            self._dropped = 0


def json_lines(stream: TextIO) -> Emit:
    """Write records to a stream as JSON Lines, numbered from 1, each flushed."""
    numbers = itertools.count(1)

    def emit(record: dict[str, Any]) -> None:
        record = {**record, "n": next(numbers)}
        line = dump_record(record)
        try:
            line.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, which only JSON's own escape can carry
            import json

            line = json.dumps(record, separators=(",", ":"), allow_nan=False)
        stream.write(line + "\n")
        stream.flush()

    return emit


def write_termination_message(outcome: Outcome) -> None:
    """Leave the outcome where Kubernetes, or the engine, looks for it; do nothing where that cannot be written."""
    wrapped = TERMINATION_LOG_ENV in os.environ
    text = dump_outcome(outcome, WRAPPED_LIMIT, wrapped_size) if wrapped else dump_outcome(outcome)
    path = os.environ.get(TERMINATION_LOG_ENV, TERMINATION_LOG)
    try:
        # Never create Kubernetes' own file: outside a container there is none.
        flags = os.O_WRONLY | os.O_TRUNC | (os.O_CREAT if wrapped else 0)
        with os.fdopen(os.open(path, flags, 0o644), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return
