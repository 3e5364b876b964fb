"""Observations, actions and decisions: the values between `observe`, `decide` and `apply`. Immutable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlflow_codegen.language.ir import Program

from sqlflow_operator.api import Backend, SQLFlowJob, SQLFlowJobStatus
from sqlflow_operator.clock import from_text
from sqlflow_operator.kube.objects import EventObject
from sqlflow_operator.parsing import ParsedProgram
from sqlflow_operator.workflow.observe.state import Reason, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """An object that executes a run of the job, with what it shows."""

    name: str
    uid: str
    api_version: str
    kind: str
    backend: Backend
    deleting: bool
    state: RunState
    adjustment: Mapping[str, Any] | None = None
    """Merge patch that would give it the suspension and the deadline that the spec has now."""
    created_at: str | None = None
    unacknowledged_by: str = ""
    """Name of the engine whose controller has written nothing to it yet, or ""."""
    warnings: Sequence[EventObject] = ()
    """Warning events about it or its newest pod, if no container has been running for too long."""
    deadline_grace: int = 5
    """Seconds that its engine may take to enforce a deadline itself, which keeps more of what the pods reported."""
    suspends_running: bool = True
    """True if its engine can hold a run that has started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything that a decision needs.

    Attributes:
        job: the job.
        run_name: name of the run that its spec asks for.
        backend: what executes the run, or would execute a new one.
        backend_missing: why that cannot be had, or "".
        program: the parsed program; None if it is not needed any more.
        children: the job's own children of all runs, by name.
        config_map: True if the run's ConfigMap is there, False if not; None if that makes no difference now.
        old_pods: names of the pods of other runs that have not ended yet.
        pods: names of the pods of this run that have not ended yet.
        pods_deleted: True if every one of those is being deleted.
    """

    job: SQLFlowJob
    run_name: str
    backend: Backend
    backend_missing: str = ""
    program: ParsedProgram | None = None
    children: Mapping[str, Child] = field(default_factory=dict)
    config_map: bool | None = None
    old_pods: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    pods_deleted: bool = False


@dataclass(frozen=True, slots=True)
class CreateRun:
    """Create ConfigMap and child of the run, as far as they are missing."""

    name: str
    backend: Backend
    program: Program


@dataclass(frozen=True, slots=True)
class PatchChild:
    """Change what may be changed on a child that runs."""

    name: str
    backend: Backend
    patch: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """Delete a run's ConfigMap and child, and with it the pods; `child` is the child's UID, None if it has none."""

    name: str
    backend: Backend
    child: str | None
    why: str


Action = CreateRun | PatchChild | DeleteRun


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason for which the API server did not take a run's objects."""

    reason: Reason
    message: str
    final: bool
    """True if another try changes nothing."""
    stalled: bool = False
    """True if nothing goes on until a person changes something."""
    retry_after: float = 30.0
    """Seconds until the next try, if it is not final."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to an observation.

    Attributes:
        actions: what has to be done, in order.
        status: the new status; None if it stays as it is.
        requeue_after: seconds until the job has to be reconciled again without an event; None: never.
    """

    actions: tuple[Action, ...] = ()
    status: SQLFlowJobStatus | None = None
    requeue_after: float | None = None


def expiry(job: SQLFlowJob, finished_at: str | None) -> datetime | None:
    """The end of the time to live of a run that ended at that moment; None if it lives for ever."""
    seconds, end = job.spec.ttl_seconds_after_finished, from_text(finished_at)
    return end + timedelta(seconds=seconds) if seconds is not None and end is not None else None
