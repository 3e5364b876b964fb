"""Keeps a status small: etcd, watchers and people all pay for every byte, on every change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from sqlflow_operator.api import SQLFlowJobStatus
from sqlflow_operator.workflow.observe.wording import clip

STATUS_BYTES = 60 * 1024
"""Below the 64 KiB that a status may have, so that a change of a few figures never goes over it."""

HISTORY_ENTRIES = 10
DIAGNOSTICS = 50
METRICS = 200


def size_of(status: SQLFlowJobStatus) -> int:
    """Bytes of a status as JSON."""
    return len(json.dumps(status.to_json(), ensure_ascii=False, separators=(",", ":")).encode())


def bound(status: SQLFlowJobStatus, limit: int = STATUS_BYTES) -> SQLFlowJobStatus:
    """The status, shortened step by step until it fits: what can be had elsewhere goes first."""
    status = status.model_copy(
        update={
            "history": status.history[:HISTORY_ENTRIES],
            "diagnostics": status.diagnostics[:DIAGNOSTICS],
            "metrics": status.metrics[:METRICS],
        }
    )
    for shorten in _measures():
        if size_of(status) <= limit:
            break
        status = shorten(status)
    return status


def _measures() -> Iterator[Callable[[SQLFlowJobStatus], SQLFlowJobStatus]]:
    yield lambda status: _clip_messages(status, 300)
    yield _drop_log_commands
    yield _drop_progress
    yield _merge_statement_lists
    for length in (160, 80, 40):
        yield lambda status, length=length: _clip_messages(status, length)  # type: ignore[misc]
    yield lambda status: status.model_copy(update={"metrics": status.metrics[:50], "history": status.history[:3]})
    yield _drop_pods


def _clip_messages(status: SQLFlowJobStatus, length: int) -> SQLFlowJobStatus:
    steps = tuple(
        step.model_copy(update={"message": clip(step.message, length)}) if step.message else step
        for step in status.steps
    )
    diagnostics = tuple(
        found.model_copy(
            update={"message": clip(found.message, length), "hint": clip(found.hint, length) if found.hint else None}
        )
        for found in status.diagnostics
    )
    history = tuple(entry.model_copy(update={"message": clip(entry.message, length)}) for entry in status.history)
    return status.model_copy(update={"steps": steps, "diagnostics": diagnostics, "history": history})


def _drop_log_commands(status: SQLFlowJobStatus) -> SQLFlowJobStatus:
    """The command can be put together from pod and step."""
    return status.model_copy(update={"steps": tuple(step.model_copy(update={"log": None}) for step in status.steps)})


def _drop_progress(status: SQLFlowJobStatus) -> SQLFlowJobStatus:
    """The log has it."""
    steps = tuple(step.model_copy(update={"progress": None}) for step in status.steps)
    return status.model_copy(update={"steps": steps})


def _drop_pods(status: SQLFlowJobStatus) -> SQLFlowJobStatus:
    """The pods carry the run's name as a label."""
    return status.model_copy(update={"steps": tuple(step.model_copy(update={"pod": None}) for step in status.steps)})


def _merge_statement_lists(status: SQLFlowJobStatus) -> SQLFlowJobStatus:
    """A step of very many statements keeps the first and the last of them."""
    steps = tuple(
        step.model_copy(update={"statements": (step.statements[0], step.statements[-1])})
        if len(step.statements) > 20
        else step
        for step in status.steps
    )
    return status.model_copy(update={"steps": steps})
