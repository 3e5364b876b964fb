"""Builds the status of a job. Pure; `decide` says which of these states holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter

from sqlflow_operator.api import (
    ChildReference,
    ConditionType,
    DiagnosticStatus,
    HistoryEntry,
    Phase,
    RunStatus,
    SQLFlowJobStatus,
    StepPhase,
    StepStatus,
)
from sqlflow_operator.clock import duration, from_text, to_text
from sqlflow_operator.reconcile.bounds import bound
from sqlflow_operator.reconcile.conditions import conditions
from sqlflow_operator.reconcile.decision import Child, Observation
from sqlflow_operator.reconcile.headline import headline
from sqlflow_operator.reconcile.merge import merge_metrics, merge_models, merge_steps
from sqlflow_operator.reconcile.program_cache import planned_steps, statement_places
from sqlflow_operator.workflow.observe.reasons import where
from sqlflow_operator.workflow.observe.rollup import end_steps
from sqlflow_operator.workflow.observe.state import EXTERNAL_REASONS, Reason, RunState, StatementPlace
from sqlflow_operator.workflow.observe.wording import MESSAGE_LIMIT, SHORT_LIMIT, WORDS_LIMIT, clip


def same_run(o: Observation) -> bool:
    """True if the status already speaks of the run that the spec asks for."""
    return o.job.status.run is not None and o.job.status.run.name == o.run_name


def without_run(
    o: Observation, reason: Reason, message: str, now: datetime, *, phase: Phase = Phase.PENDING, stalled: bool = False
) -> SQLFlowJobStatus:
    """The status of a job whose run has not been started: it waits, is suspended, or cannot be."""
    planned = merge_steps((), planned_steps(o.program), o.job.namespace)
    steps = () if phase is Phase.FAILED else planned
    base = SQLFlowJobStatus(
        steps=steps, history=history(o, now), diagnostics=_diagnostics(o) if reason is Reason.INVALID_PROGRAM else ()
    )
    return _finish(o, base, phase, reason, message, now, stalled=stalled)


def of_run(o: Observation, child: Child, state: RunState, now: datetime) -> SQLFlowJobStatus:
    """The status of a job whose run is there."""
    known = o.job.status if same_run(o) else SQLFlowJobStatus()
    steps = merge_steps(known.steps, state.steps, o.job.namespace)
    phase = state.phase
    if phase is Phase.PENDING and known.phase is Phase.RUNNING:
        phase = Phase.RUNNING  # between two attempts; nobody who watches should see it go back
    finished = (state.finished_at or to_text(now)) if phase.terminal else None
    start = (known.run.started_at if known.run else None) or state.started_at
    run = _timed(_run(child).model_copy(update={"started_at": start, "finished_at": finished}))
    base = SQLFlowJobStatus(
        run=run,
        steps=steps,
        metrics=merge_metrics(known.metrics, state.steps),
        models=merge_models(known.models, state.steps),
        history=history(o, now),
    )
    message = _success(run, steps) if phase is Phase.SUCCEEDED else state.message
    if state.reason is Reason.DEADLINE_EXCEEDED:
        message = _late(known, message)
    return _finish(o, base, phase, state.reason, message, now)


def without_engine(o: Observation, reason: Reason, message: str, now: datetime) -> SQLFlowJobStatus:
    """The status of a run whose engine the cluster has no more: what was known of it stays."""
    return _finish(o, o.job.status, o.job.status.phase or Phase.PENDING, reason, message, now, stalled=True)


def stopping(o: Observation, child: Child, state: RunState, message: str, now: datetime) -> SQLFlowJobStatus:
    """The status of a run that is being ended while its pods are still at work: its steps as they were known."""
    base = o.job.status if same_run(o) else of_run(o, child, state, now)
    phase = Phase.PENDING if base.phase is Phase.PENDING else Phase.RUNNING
    return _finish(o, base, phase, Reason.STOPPING, message, now)


def failed(o: Observation, reason: Reason, message: str, now: datetime) -> SQLFlowJobStatus:
    """The status of a run that the operator gives up: what was known of its steps stays."""
    known = o.job.status
    places = statement_places(o.program)
    run = _timed(known.run.model_copy(update={"finished_at": to_text(now)})) if known.run else None
    if reason is Reason.DEADLINE_EXCEEDED:
        steps = _give_up(known.steps, lambda step: _overdue(step, places, message, now), now)
        failing = next((step for step in steps if step.phase is StepPhase.FAILED), None)
        message = _late(known, f"step {failing.name} failed: {failing.message}" if failing else message)
    else:
        steps = _give_up(known.steps, lambda _: message, now)
    base = known.model_copy(update={"run": run, "steps": steps})
    return _finish(o, base, Phase.FAILED, reason, message, now)


def _late(known: SQLFlowJobStatus, message: str) -> str:
    """The message of a run that took too long, with the reason for which it waited last."""
    ready = known.condition(ConditionType.READY)
    if ready is None or ready.reason not in EXTERNAL_REASONS or not ready.message:
        return message
    return f"{message}; it was waiting: {ready.message[:1].lower()}{ready.message[1:]}"


def observed_again(o: Observation) -> SQLFlowJobStatus:
    """The status of a run that has ended: the outcome stays; only what it speaks of may be a newer generation."""
    known = o.job.status
    generation = o.job.generation
    again = tuple(c.model_copy(update={"observed_generation": generation}) for c in known.conditions)
    return known.model_copy(update={"observed_generation": generation, "conditions": again})


def history(o: Observation, now: datetime) -> tuple[HistoryEntry, ...]:
    """Earlier runs, the latest first; the run that the spec no longer asks for becomes one."""
    known = o.job.status
    if same_run(o):
        return known.history
    others = [_history_entry(o, SQLFlowJobStatus(run=_run(child)), now) for child in unrecorded(o)]
    last = [] if known.run is None else [_history_entry(o, known, now)]
    return (*others, *last, *known.history)


def _recorded(status: SQLFlowJobStatus) -> dict[str, str]:
    """The runs that a status has, by name, with the latest moment that is known of each, or ""."""
    known = {entry.name: entry.finished_at for entry in status.history}
    if status.run is not None:
        known[status.run.name] = status.run.finished_at or status.run.started_at or ""
    return known


def unrecorded(o: Observation) -> list[Child]:
    """Children of runs whose start no status has: the spec was changed before it was written. The latest first.

    They are newer than all runs that the status has; what is older was in the history once.
    """
    if same_run(o):
        return []
    known = _recorded(o.job.status)
    found = [
        (child.created_at or "", child)
        for name, child in o.children.items()
        if name != o.run_name and name not in known and (child.created_at or "") >= max(known.values(), default="")
    ]
    return [child for _, child in sorted(found, key=itemgetter(0), reverse=True)]


def _history_entry(o: Observation, known: SQLFlowJobStatus, now: datetime) -> HistoryEntry:
    """The run that a status speaks of, as an earlier one."""
    assert known.run is not None
    child = o.children.get(known.run.name)
    steps = known.steps
    if child is not None and not known.terminal:
        steps = merge_steps(steps, child.state.steps, o.job.namespace)
    phase, message, finished = _end_of_old_run(known, child, steps)
    return HistoryEntry(
        name=known.run.name,
        phase=phase,
        progress=_progress(steps) or "0/0",
        message=clip(message, SHORT_LIMIT),
        started_at=known.run.started_at,
        finished_at=known.run.finished_at or finished or to_text(now),
    )


def _run(child: Child) -> RunStatus:
    """A run as its child shows it, before its end."""
    return RunStatus(
        name=child.name,
        backend=child.backend,
        child=ChildReference(api_version=child.api_version, kind=child.kind, name=child.name, uid=child.uid),
        started_at=child.state.started_at,
    )


def _end_of_old_run(
    known: SQLFlowJobStatus, child: Child | None, steps: Sequence[StepStatus]
) -> tuple[str, str, str | None]:
    """Phase, message and end of the run that the status still speaks of."""
    if known.phase is not None and known.terminal:
        return known.phase, known.whole_message, None
    if steps and all(step.phase is StepPhase.SUCCEEDED for step in steps):
        ends = [step.finished_at for step in steps if step.finished_at]
        return Phase.SUCCEEDED, f"{len(steps)} of {len(steps)} steps done", max(ends, default=None)
    if child is not None and child.state.phase is Phase.FAILED:
        return child.state.phase, child.state.message, child.state.finished_at
    return "Cancelled", "stopped: the spec asked for another run", None


def _progress(steps: Sequence[StepStatus]) -> str | None:
    done = sum(step.phase is StepPhase.SUCCEEDED for step in steps)
    return f"{done}/{len(steps)}" if steps else None


def _finish(
    o: Observation,
    base: SQLFlowJobStatus,
    phase: Phase,
    reason: Reason,
    message: str,
    now: datetime,
    *,
    stalled: bool = False,
) -> SQLFlowJobStatus:
    text = _capitalized(clip(message, MESSAGE_LIMIT))
    done = sum(step.phase is StepPhase.SUCCEEDED for step in base.steps)
    status = base.model_copy(
        update={
            "observed_generation": o.job.generation,
            "phase": phase,
            "message": headline(text),
            "completed_steps": done,
            "total_steps": len(base.steps),
            "progress": _progress(base.steps),
            "conditions": conditions(
                phase, reason, text, stalled=stalled, generation=o.job.generation, previous=o.job.status, now=now
            ),
        }
    )
    return bound(status)


def _diagnostics(o: Observation) -> tuple[DiagnosticStatus, ...]:
    found = o.program.diagnostics if o.program else ()
    return tuple(
        DiagnosticStatus(
            code=d.code,
            severity=d.severity,
            statement=d.statement,
            line=d.line,
            column=d.column,
            message=clip(d.message, WORDS_LIMIT),
            hint=clip(d.hint, SHORT_LIMIT) or None,
        )
        for d in found
    )


def invalid_program_message(o: Observation) -> str:
    """The first diagnostic, and the number of further ones."""
    found = o.program.diagnostics if o.program else ()
    if not found:
        return "invalid program"
    more = f" ({len(found) - 1} more in status.diagnostics)" if len(found) > 1 else ""
    return f"invalid program: {found[0]}{more}"


def _overdue(step: StepStatus, places: Mapping[int, StatementPlace], message: str, now: datetime) -> str:
    """The deadline's message for a step: the statements that it was at, and how long."""
    start = from_text(step.started_at)
    if step.phase is StepPhase.FAILED:
        return f"{where(step.statements, 0, places)}: {message}"
    if start is None or step.phase is not StepPhase.RUNNING:
        return message
    return f"{where(step.statements, 0, places)} had run for {duration((now - start).total_seconds())}: {message}"


def _give_up(
    steps: Sequence[StepStatus], message: Callable[[StepStatus], str], now: datetime
) -> tuple[StepStatus, ...]:
    """The steps of a run that the operator gives up."""
    ended = end_steps(steps, message)
    return tuple(s.replace(finished_at=to_text(now)) if s.phase is StepPhase.FAILED else s for s in ended)


def _success(run: RunStatus, steps: Sequence[StepStatus]) -> str:
    took = f" in {run.duration}" if run.duration else ""
    return f"{len(steps)} of {len(steps)} steps done{took}"


def _timed(run: RunStatus) -> RunStatus:
    """The run with its duration, if it has ended."""
    start, end = from_text(run.started_at), from_text(run.finished_at)
    took = duration((end - start).total_seconds()) if start and end else None
    return run.model_copy(update={"duration": took})


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
