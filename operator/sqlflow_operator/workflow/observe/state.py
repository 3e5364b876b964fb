"""What a backend's objects say about a run, in the same terms for every backend. Pure values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlflow_codegen.contract import Outcome

from sqlflow_operator.api import Phase, StepPhase, StepStatus


class Reason(StrEnum):
    """Reasons of conditions: one word for programs, frozen within an API version."""

    STARTING = "Starting"
    STOPPING = "Stopping"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    UNSCHEDULABLE = "Unschedulable"
    QUEUED = "Queued"
    IMAGE_PULL = "ImagePull"
    CONFIGURATION = "MissingConfiguration"
    POD_REFUSED = "PodRefused"
    QUOTA_EXCEEDED = "QuotaExceeded"
    STEP_FAILED = "StepFailed"
    OUT_OF_MEMORY = "OutOfMemory"
    POD_LOST = "PodLost"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    CHILD_LOST = "ChildLost"
    INVALID_PROGRAM = "InvalidProgram"
    INVALID_SPEC = "InvalidSpec"
    NAME_CONFLICT = "NameConflict"
    BACKEND_UNAVAILABLE = "BackendUnavailable"
    FORBIDDEN = "Forbidden"
    CANCELLED = "Cancelled"
    ENGINE_ERROR = "EngineError"


EXTERNAL_REASONS = frozenset(
    {
        Reason.UNSCHEDULABLE,
        Reason.QUEUED,
        Reason.IMAGE_PULL,
        Reason.CONFIGURATION,
        Reason.POD_REFUSED,
        Reason.QUOTA_EXCEEDED,
        Reason.FORBIDDEN,
        Reason.BACKEND_UNAVAILABLE,
        Reason.SUSPENDED,
    }
)
"""Reasons for which a run that has not ended waits for something outside of it."""


@dataclass(frozen=True, slots=True)
class StatementPlace:
    """How messages name a statement: its main clause and where it stands in the program."""

    title: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class StepReport:
    """What a step's container left behind: its outcome, and the statement that had started but not ended (0: none)."""

    outcome: Outcome = field(default_factory=Outcome)
    statement: int = 0
    seconds: Mapping[int, float] = field(default_factory=dict, compare=False)
    """How long the statements took that are done, as far as the log was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunObjects:
    """All that is known of one run.

    Attributes:
        child: the backend's object.
        parts: objects between the child and its pods, such as Tekton's TaskRuns.
        pods: the run's pods.
        events: Warning events about the child or its pods; read only where no pod gets going.
        reports: what was read from logs, by (pod, container); only where the termination message does not tell.
        statements: the program's statements by number, as far as they are known.
        known: the steps by name as the job's status last showed them: a pod that is gone can no longer show its own.
    """

    child: Mapping[str, Any]
    parts: Sequence[Mapping[str, Any]] = ()
    pods: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    reports: Mapping[tuple[str, str], StepReport] = field(default_factory=dict)
    statements: Mapping[int, StatementPlace] = field(default_factory=dict)
    known: Mapping[str, StepStatus] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """One step of a run. `message` says why it failed or what it waits for."""

    name: str
    kind: str
    statements: tuple[int, ...]
    phase: StepPhase = StepPhase.PENDING
    attempts: int = 0
    started_at: str | None = None
    finished_at: str | None = None
    exit_code: int | None = None
    pod: str | None = None
    container: str | None = None
    """Of that pod, the one that runs the step."""
    message: str = ""
    outcome: Outcome = field(default_factory=Outcome)
    statement: int = 0
    """The statement at which it was stopped or failed; 0 if that is not known."""
    seconds: Mapping[int, float] = field(default_factory=dict)
    """How long its statements took that are done, as far as that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A run, as its objects show it now. `message` is one sentence; `reason` a constant for programs."""

    phase: Phase
    reason: Reason
    message: str
    steps: tuple[StepState, ...] = ()
    started_at: str | None = None
    finished_at: str | None = None
