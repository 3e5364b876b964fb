"""The state of a run, in the same terms for every backend. Immutable values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic

from pydantic import Field
from sqlflow_codegen.contract import Outcome
from typing_extensions import TypeVar

from sqlflow_operator.api import Phase, StepPhase, StepStatus
from sqlflow_operator.kube.objects import ChildObject, EventObject, KubeObject, Pod
from sqlflow_operator.workflow.observe.wording import clip

PROGRESS_LIMIT = 120
"""Characters of a step's progress."""

ChildT = TypeVar("ChildT", bound=ChildObject, default=ChildObject)
PartT = TypeVar("PartT", bound=KubeObject, default=KubeObject)
ChildKind = TypeVar("ChildKind", bound=ChildObject, covariant=True, default=ChildObject)
PartKind = TypeVar("PartKind", bound=KubeObject, covariant=True, default=KubeObject)


class Reason(StrEnum):
    """The reason of a condition: one word for programs, frozen within an API version."""

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
    """The main clause of a statement and its place in the program: its name in messages."""

    title: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class StepReport:
    """The report of a step's container.

    Attributes:
        outcome: the outcome.
        statement: the statement that had started but not ended; 0 for none.
        seconds: the time that each completed statement took, as far as the log was read.
    """

    outcome: Outcome = field(default_factory=Outcome)
    statement: int = 0
    seconds: Mapping[int, float] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunObjects(Generic[ChildKind, PartKind]):
    """All that is known of one run.

    Attributes:
        child: the backend's object.
        parts: objects between the child and its pods, such as Tekton's TaskRuns.
        pods: the run's pods.
        events: Warning events about the child or its pods; read only if no pod starts.
        reports: reports read from logs, by (pod, container); read only if the termination message is not enough.
        statements: the program's statements by number, as far as they are known.
        known: the steps by name in the job's last status: a pod that is gone no longer shows its own.
    """

    child: ChildKind
    parts: Sequence[PartKind] = ()
    pods: Sequence[Pod] = ()
    events: Sequence[EventObject] = ()
    reports: Mapping[tuple[str, str], StepReport] = field(default_factory=dict)
    statements: Mapping[int, StatementPlace] = field(default_factory=dict)
    known: Mapping[str, StepStatus] = field(default_factory=dict)


class StepState(StepStatus):
    """A step as its run's objects show it: its status, and what the status does not hold.

    Attributes:
        container: the container of the pod that runs the step.
        outcome: the outcome that the step reported.
        statement: the statement at which it was stopped or failed; 0 if that is not known.
        seconds: the time that each of its completed statements took, as far as it is known.
    """

    phase: StepPhase = StepPhase.PENDING
    container: str | None = None
    outcome: Outcome = Field(default_factory=Outcome)
    statement: int = 0
    seconds: Mapping[int, float] = Field(default_factory=dict)

    def status(self, namespace: str) -> StepStatus:
        """The step in the status of a job in that namespace."""
        shown = {name: getattr(self, name) for name in StepStatus.model_fields}
        if self.phase is not StepPhase.FAILED:
            shown["exit_code"] = None
        if self.outcome.progress is not None:
            shown["progress"] = clip(self.outcome.progress.words, PROGRESS_LIMIT)
        if self.pod:
            shown["log"] = f"kubectl logs -n {namespace} {self.pod} -c {self.container or self.name}"
        return StepStatus(**shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A run as its objects show it now. `message` is one sentence for people, `reason` a constant for programs."""

    phase: Phase
    reason: Reason
    message: str
    steps: tuple[StepState, ...] = ()
    started_at: str | None = None
    finished_at: str | None = None
