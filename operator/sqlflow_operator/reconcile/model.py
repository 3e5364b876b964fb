"""What reconciling speaks of: what was observed, what is to be done, what was decided. Immutable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlflow_codegen.language.ir import Program

from sqlflow_operator.api import Backend, SQLFlowJob, SQLFlowJobStatus
from sqlflow_operator.reconcile.program import ParsedProgram
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
    untouched_by: str = ""
    """Name of the engine whose controller has written nothing to it yet, or ""."""
    deadline_grace: int = 5
    """Seconds that its engine may take to enforce a deadline itself, which keeps more of what the pods had to tell."""
    suspends_running: bool = True
    """Whether its engine can hold a run that has started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything that a decision needs to know, read at one time.

    Attributes:
        job: the job.
        run_name: name of the run that its spec asks for.
        backend: what executes the run, or would execute a new one.
        backend_missing: why that cannot be had, or "".
        program: the parsed program; None where it is not needed any more.
        children: the job's own children of all runs, by name.
        conflict: an object of the run's name that belongs to somebody else, such as "Job iris-1a2b", or "".
        config_map: True where the run's ConfigMap is there.
        old_pods: names of the pods of other runs that have not ended yet.
        pods: names of the pods of this run that have not ended yet.
        pods_deleted: True where every one of those is being deleted.
    """

    job: SQLFlowJob
    run_name: str
    backend: Backend
    backend_missing: str = ""
    program: ParsedProgram | None = None
    children: Mapping[str, Child] = field(default_factory=dict)
    conflict: str = ""
    config_map: bool = False
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
    """Delete a run's ConfigMap and child, and with it the pods."""

    name: str
    backend: Backend
    why: str


Action = CreateRun | PatchChild | DeleteRun


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the API server did not take a run's objects."""

    reason: Reason
    message: str
    final: bool
    """True where trying again changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows from an observation.

    Attributes:
        actions: to be done, in order.
        status: what the status has to be, None where it stays as it is.
        requeue_after: seconds until the job must be looked at again without being asked; None: never.
    """

    actions: tuple[Action, ...] = ()
    status: SQLFlowJobStatus | None = None
    requeue_after: float | None = None
