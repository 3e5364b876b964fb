"""Short ways to say what was observed of a job, for the tests of `decide` and of the status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlflow_operator.api import Backend, Phase, SQLFlowJob, StepPhase
from sqlflow_operator.clock import to_text
from sqlflow_operator.parsing import ParsedProgram, parse
from sqlflow_operator.reconcile.decide import decide
from sqlflow_operator.reconcile.decision import Action, Child, CreateRun, DeleteRun, Observation, Refusal
from sqlflow_operator.reconcile.program_cache import ProgramCache
from sqlflow_operator.workflow.observe.state import Reason, RunState, StepState

from tests.unit.operator.world import job_manifest

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUN, OLD = "iris-new", "iris-old"
GENERATION = 3
PENDING, SUSPENDED, RUNNING, SUCCEEDED, FAILED = Phase
JOB = Backend.JOB
NOTHING: tuple[Action, ...] = ()


def ago(seconds: float) -> str:
    """A moment before NOW, as Kubernetes writes it."""
    return to_text(NOW - timedelta(seconds=seconds))


def status(
    phase: Phase, *, run: str = RUN, reason: str = "", generation: int = GENERATION, **more: Any
) -> dict[str, Any]:
    """A stored status about a run that started an hour ago; `reason` is that of every condition."""
    child = {"apiVersion": "batch/v1", "kind": "Job", "name": run, "uid": f"{run}-uid"}
    stalled = phase is Phase.FAILED
    truths = {"Ready": phase is Phase.SUCCEEDED, "Stalled": stalled, "Failed": stalled}
    conditions = [
        {
            "type": kind,
            "status": str(truth),
            "observedGeneration": generation,
            "lastTransitionTime": ago(60),
            "reason": reason or phase.value,
            "message": f"{phase.value} as stored",
        }
        for kind, truth in truths.items()
    ]
    about = {"name": run, "backend": "job", "child": child, "startedAt": ago(3600)}
    if phase.terminal:
        about["finishedAt"] = ago(100)
    return {"observedGeneration": generation, "phase": phase.value, "conditions": conditions, "run": about, **more}


def stored_step(name: str, phase: StepPhase, **more: Any) -> dict[str, Any]:
    """A step as a stored status shows it."""
    return {"name": name, "kind": "sql", "statements": [1], "phase": phase.value, "attempts": 1, **more}


def history(name: str, *, finished: float) -> dict[str, Any]:
    """An earlier run, which ended so many seconds ago."""
    return {"name": name, "phase": "Succeeded", "finishedAt": ago(finished)}


def job(stored: dict[str, Any] | None = None, *, deleting: bool = False, **spec: Any) -> SQLFlowJob:
    """A job of two statements with that status."""
    raw = job_manifest(**{"program": "SELECT 1; SELECT 2", **spec})
    raw["metadata"] |= {"namespace": "ns", "uid": "u", "generation": GENERATION, "resourceVersion": "7"}
    if deleting:
        raw["metadata"]["deletionTimestamp"] = ago(1)
    return SQLFlowJob.parse(raw | ({"status": stored} if stored else {}))


def parsed(of: SQLFlowJob) -> ParsedProgram:
    """The job's program."""
    return ProgramCache(parse).get(of, Backend.JOB)


def step(phase: StepPhase, name: str = "s1-sql", **more: Any) -> StepState:
    """A step as the run's objects show it."""
    return StepState(name=name, kind="sql", statements=(1,), phase=phase, **more)


def child(phase: Phase = Phase.RUNNING, name: str = RUN, *, reason: Reason | None = None, **more: Any) -> Child:
    """A Job that shows that phase, with one step of it; its run started 40 seconds ago."""
    of_run = {key: more.pop(key) for key in ("steps", "started_at", "finished_at", "message") if key in more}
    if phase.terminal:
        of_run.setdefault("finished_at", ago(10))
    shown = {"steps": (step(StepPhase(phase) if phase is not Phase.SUSPENDED else StepPhase.PENDING),)}
    state = {"started_at": ago(40), "message": f"{phase.value} as observed", **shown, **of_run}
    fields: dict[str, Any] = {"api_version": "batch/v1", "kind": "Job", "backend": Backend.JOB, "deleting": False}
    fields["created_at"] = ago(50)
    about = RunState(phase=phase, reason=reason or Reason(_REASONS[phase]), **state)
    return Child(name=name, uid=f"{name}-uid", state=about, **(fields | more))


_REASONS = {
    Phase.PENDING: "Starting",
    Phase.SUSPENDED: "Suspended",
    Phase.RUNNING: "Running",
    Phase.SUCCEEDED: "Succeeded",
    Phase.FAILED: "StepFailed",
}


def observation(of: SQLFlowJob | None = None, *children: Child, **more: Any) -> Observation:
    """All that was observed: the job with its program parsed and its ConfigMap there, and those children."""
    about = of or job()
    fields = {"program": parsed(about), **more}
    return Observation(
        job=about, run_name=RUN, backend=Backend.JOB, children={each.name: each for each in children}, **fields
    )


def running(*children: Any, **more: Any) -> Observation:
    """A job whose status shows a run that goes on."""
    spec = more.pop("spec", {})
    return observation(job(status(Phase.RUNNING, **more.pop("stored", {})), **spec), *children, **more)


@dataclass(frozen=True)
class Row:
    """What was observed and what `decide` must answer: actions, phase, reason, seconds to the next look, message.

    `phase` None: the status stays as it is. `message` is part of what the condition Ready says.
    """

    name: str
    observed: Observation
    actions: tuple[Action, ...]
    phase: Phase | None
    reason: str = ""
    again: float | None = None
    message: str = ""
    refusal: Refusal | None = None


def check(row: Row) -> None:
    """Fail where `decide` answers anything else than the row says."""
    decision = decide(row.observed, NOW, row.refusal)
    assert decision.actions == row.actions
    assert decision.requeue_after == row.again
    if row.phase is None:
        assert decision.status is None
    else:
        assert decision.status is not None
        assert decision.status.phase is row.phase
        assert decision.status.conditions[0].reason == row.reason
        assert row.message in decision.status.whole_message
        assert decision.status.observed_generation == GENERATION


def delete(name: str, why: str, *, child: bool = True) -> DeleteRun:
    """The action that deletes a run, with its child or, if that is gone, without."""
    return DeleteRun(name, Backend.JOB, f"{name}-uid" if child else None, why)


def create(observed: Observation) -> CreateRun:
    assert observed.program is not None
    assert observed.program.program is not None
    return CreateRun(RUN, Backend.JOB, observed.program.program)
