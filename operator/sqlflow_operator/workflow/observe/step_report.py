"""Reads a step's report: its termination message, or the records at the end of its log.

A kubelet keeps 4 KiB per container and 12 KiB per pod, shared evenly among its containers: with many steps in one
pod a message is cut short anywhere, and where a process was killed its place is taken by the end of the log. So
whatever arrives is read as far as it goes, and `needs_log` says when the log must be asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from sqlflow_codegen.contract import (
    OUTCOME_RESULT,
    Outcome,
    StepError,
    StepMetrics,
    StepModel,
    parse_outcome,
    parse_record,
)
from sqlflow_codegen.progress import StepProgress

from sqlflow_operator.kube.objects import TerminatedState
from sqlflow_operator.workflow.observe.state import StepReport

LOG_LINES = 200
LOG_BYTES = 512 * 1024
"""The part of a log's end that is read: the records that matter are the last ones."""

_KINDS_WITH_RESULTS = ("train", "evaluate", "optimize")

T = TypeVar("T", StepError, StepMetrics, StepModel)


def report_from_message(message: str) -> StepReport | None:
    """The report in a termination message, or None if there is none."""
    try:
        data = json.loads(message)
    except ValueError:
        data = None
    if isinstance(data, list):
        # Tekton wraps a step's message into a list of its own: the step's part is one result of its task.
        return next((report_from_message(str(e.get("value"))) for e in data if _is_outcome(e)), None)
    if isinstance(data, dict) and "type" not in data:
        outcome = parse_outcome(message)
        return StepReport(outcome) if outcome else None
    report = report_from_log(message)
    return report if report != StepReport() else None


def _is_outcome(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("key") == OUTCOME_RESULT


def report_from_log(log: str) -> StepReport:
    """The report in the records at the end of a log."""
    error: StepError | None = None
    metrics: list[StepMetrics] = []
    models: list[StepModel] = []
    finished: list[int] = []
    seconds: dict[int, float] = {}
    progress: StepProgress | None = None
    started = 0
    for record in filter(None, map(parse_record, log.splitlines())):
        match record["type"]:
            case "statement_started":
                started = _number(record)
            case "statement_finished":
                finished.append(_number(record))
                seconds[_number(record)] = _seconds(record)
                started = 0
            case "error":
                error = _build(StepError, record, hint="") or error
            case "metrics":
                metrics += _listed(_build(StepMetrics, record))
            case "model":
                models += _listed(_build(StepModel, record))
            case "progress":
                progress = _progress(record) or progress
    outcome = Outcome(error, tuple(metrics), tuple(models), finished=tuple(finished), progress=progress)
    return StepReport(outcome, started, seconds)


def needs_log(kind: str, terminated: TerminatedState) -> bool:
    """True if the log of a container that has ended has more than its termination message.

    Args:
        kind: the step's kind.
        terminated: the container's `state.terminated`.
    """
    report = report_from_message(terminated.get("message") or "")
    if terminated.get("exitCode", 0) != 0:
        never_ran = terminated.get("reason") in ("StartError", "ContainerCannotRun")
        error = report.outcome.error if report else None
        # A step that was stopped names its statement; how long the others took is only in the log.
        return not never_ran and (error is None or error.kind == "stopped")
    return kind in _KINDS_WITH_RESULTS and (report is None or report.outcome.truncated)


def _number(record: Mapping[str, Any]) -> int:
    number = record.get("statement")
    return number if isinstance(number, int) else 0


def _seconds(record: Mapping[str, Any]) -> float:
    seconds = record.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def _progress(record: Mapping[str, Any]) -> StepProgress | None:
    try:
        return StepProgress.read(record)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _build(kind: type[T], record: Mapping[str, Any], **defaults: Any) -> T | None:
    """The value of a record, or None if a field is missing: an older or newer step wrote it."""
    values = defaults | {field.name: record[field.name] for field in fields(kind) if field.name in record}
    try:
        return kind(**values)
    except TypeError:
        return None


def _listed(value: T | None) -> Iterable[T]:
    return () if value is None else (value,)
