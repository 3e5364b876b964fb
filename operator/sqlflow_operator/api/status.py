"""The status of a SQLFlowJob, written by the operator.

Names and values here are frozen within an API version: scripts and GitOps tools watch them. Lists are atomic on
purpose: with map lists the API server's field bookkeeping alone would take more room than the steps themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError

from sqlflow_operator.api.api_model import ApiModel, extension
from sqlflow_operator.backend_registry import Backend

ATOMIC = extension(list_type="atomic")

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A moment as Kubernetes writes it, such as 2026-01-31T09:30:00Z."""


class Phase(StrEnum):
    """The phase of a job and of its run."""

    PENDING = "Pending"
    SUSPENDED = "Suspended"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def terminal(self) -> bool:
        """True if the run has ended: no other phase follows."""
        return self in (Phase.SUCCEEDED, Phase.FAILED)


class StepPhase(StrEnum):
    """The phase of a step."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"


class ConditionType(StrEnum):
    """Types of conditions. All of them are always there."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    COMPLETE = "Complete"
    FAILED = "Failed"


class Condition(ApiModel):
    """One aspect of the job's state."""

    type: ConditionType = Field(
        description="Ready: the run succeeded. Reconciling: there is more to come. Stalled: nothing more comes until a "
        "person changes something. Complete: the run succeeded. Failed: the run failed or cannot be."
    )
    status: str = Field(description="True, False or Unknown.", json_schema_extra={"enum": ["True", "False", "Unknown"]})
    observed_generation: int = Field(description="Generation of the job that this condition speaks of.")
    last_transition_time: Timestamp = Field(description="When status last changed.")
    reason: str = Field(description="One word for programs.")
    message: str = Field(description="A sentence for people.")


class ChildReference(ApiModel):
    """The object of the backend that executes the run."""

    api_version: str = Field(description="API version of the child.")
    kind: str = Field(description="Kind of the child: Workflow, PipelineRun or Job.")
    name: str = Field(description="Name of the child.")
    uid: str = Field(description="UID of the child.")


class RunStatus(ApiModel):
    """The run that the spec asks for."""

    name: str = Field(description="Name of the run; its child and ConfigMap are called so, its pods carry it as label.")
    backend: Backend = Field(description="What executes the steps.")
    child: ChildReference = Field(description="The object that executes the steps. It may be gone after the end.")
    started_at: Timestamp | None = Field(default=None, description="When the backend took the run up.")
    finished_at: Timestamp | None = Field(default=None, description="When the run ended.")
    duration: str | None = Field(
        default=None, description="How long the run took, such as 3m4s; not set before its end."
    )


class StepStatus(ApiModel):
    """One step: one or more statements run in one container."""

    name: str = Field(description="Name of the step; its container is called so.")
    kind: str = Field(description="sql, train, predict or evaluate.")
    statements: tuple[int, ...] = Field(description="Numbers of its statements, from 1.", json_schema_extra=ATOMIC)
    phase: StepPhase = Field(description="Pending, Running, Succeeded, Failed or Skipped.")
    attempts: int = Field(default=0, description="How often the step was started.")
    started_at: Timestamp | None = Field(default=None, description="When its latest attempt started.")
    finished_at: Timestamp | None = Field(default=None, description="When its latest attempt ended.")
    exit_code: int | None = Field(default=None, description="Exit code of its latest attempt, if that failed.")
    pod: str | None = Field(default=None, description="Pod of its latest attempt.")
    message: str | None = Field(default=None, description="Why it failed or waits, in the database's own words.")
    progress: str | None = Field(
        default=None,
        description="How far its training is or came, such as round 37/100 train-merror 0.012. While it runs, read now "
        "and then.",
    )
    log: str | None = Field(default=None, description="Command that shows its log, while the pod is there.")


class MetricStatus(ApiModel):
    """One figure that a TO EVALUATE measured, or a TO MAXIMIZE or TO MINIMIZE reached."""

    statement: int = Field(description="Number of the statement.")
    model: str = Field(description="The model that was evaluated, or the result table of a TO MAXIMIZE or TO MINIMIZE.")
    name: str = Field(description="What was measured, such as accuracy_score or objective.")
    value: str = Field(description="The figure, as a decimal number in text: nothing is lost by rounding.")


class ModelStatus(ApiModel):
    """A model that a TO TRAIN stored."""

    statement: int = Field(description="Number of the statement.")
    name: str = Field(description="Name of the model.")
    version: int = Field(description="Version of the model, from 1.")
    estimator: str = Field(description="What was trained, such as xgboost.gbtree.")


class DiagnosticStatus(ApiModel):
    """One finding in the program."""

    code: str = Field(description="One word for programs, such as syntax-error.")
    severity: str = Field(description="error or warning.")
    statement: int = Field(description="Number of the statement, from 1; 0 if none can be named.")
    line: int = Field(description="Line in the program, from 1.")
    column: int = Field(description="Character in that line, from 1.")
    message: str = Field(description="What is wrong.")
    hint: str | None = Field(default=None, description="What to do about it.")


class HistoryEntry(ApiModel):
    """An earlier run, ended or stopped because the spec asked for another."""

    name: str = Field(description="Name of the run.")
    phase: str = Field(description="Succeeded, Failed or Cancelled.")
    progress: str = Field(default="0/0", description="Steps done and steps in all, such as 2/4.")
    message: str = Field(default="", description="How it ended.")
    started_at: Timestamp | None = Field(default=None, description="When it started.")
    finished_at: Timestamp = Field(description="When it ended.")


class SQLFlowJobStatus(ApiModel):
    """The state and the outcome of the job. Written by the operator only."""

    observed_generation: int = Field(
        default=-1,
        description="Generation of the spec that this status speaks of; -1 before the operator has seen the job.",
    )
    phase: Phase | None = Field(default=None, description="Pending, Suspended, Running, Succeeded or Failed.")
    message: str | None = Field(
        default=None,
        description="The state in one short line: what runs, what it waits for, what failed. The condition Ready has "
        "all of it.",
    )
    progress: str | None = Field(default=None, description="Steps done and steps in all, such as 2/4.")
    completed_steps: int = Field(default=0, description="How many steps are done.")
    total_steps: int = Field(default=0, description="How many steps the run has.")
    conditions: tuple[Condition, ...] = Field(
        default=(),
        description="Ready, Reconciling, Stalled, Complete and Failed.",
        json_schema_extra=extension(list_type="map", list_map_keys=["type"]),
    )
    run: RunStatus | None = Field(default=None, description="The run that the spec asks for, once it was started.")
    steps: tuple[StepStatus, ...] = Field(
        default=(), description="The steps of the run, in order.", json_schema_extra=ATOMIC
    )
    metrics: tuple[MetricStatus, ...] = Field(
        default=(),
        description="What TO EVALUATE measured, and the objectives of TO MAXIMIZE and TO MINIMIZE.",
        json_schema_extra=ATOMIC,
    )
    models: tuple[ModelStatus, ...] = Field(
        default=(), description="What the TO TRAIN statements stored.", json_schema_extra=ATOMIC
    )
    diagnostics: tuple[DiagnosticStatus, ...] = Field(
        default=(), description="What is wrong with the program, the first findings of it.", json_schema_extra=ATOMIC
    )
    history: tuple[HistoryEntry, ...] = Field(
        default=(), description="Earlier runs, the latest first.", json_schema_extra=ATOMIC
    )

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """The status of an object of the API server; an empty one if somebody else made it unreadable."""
        try:
            return cls.model_validate(raw)
        except ValidationError:
            return cls()

    def steps_of(self, child_uid: str) -> dict[str, StepStatus]:
        """The steps by name; none if the status is not about the run of that child."""
        same_run = self.run is not None and self.run.child.uid == child_uid
        return {step.name: step for step in self.steps} if same_run else {}

    @property
    def terminal(self) -> bool:
        """True if the outcome of the run is here."""
        return self.phase is not None and self.phase.terminal

    @property
    def whole_message(self) -> str:
        """The state in all its words, as the condition Ready has it; "" before the first status."""
        ready = self.condition(ConditionType.READY)
        return ready.message if ready else ""

    @property
    def reason(self) -> str:
        """The reason of the condition Ready; "" before the first status."""
        ready = self.condition(ConditionType.READY)
        return ready.reason if ready else ""

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of that type, or None before the first status."""
        return next((condition for condition in self.conditions if condition.type == kind), None)
