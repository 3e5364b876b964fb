"""Merges what is observed now into what the status already has, so that nothing known is lost with a pod.

Pods go: with a suspension, a retry, a deadline, a time to live. What was seen of a run's steps stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlflow_operator.api import MetricStatus, ModelStatus, StepPhase, StepStatus
from sqlflow_operator.workflow.observe.state import StepState


def merge_steps(known: Sequence[StepStatus], observed: Sequence[StepState], namespace: str) -> tuple[StepStatus, ...]:
    """The steps for the status.

    Args:
        known: the steps in the status, of the same run.
        observed: the steps as the run's objects show them.
        namespace: that of the pods.
    """
    by_name = {step.name: step for step in known}
    return tuple(_merge(by_name.get(step.name), step, namespace) for step in observed)


def _merge(known: StepStatus | None, observed: StepState, namespace: str) -> StepStatus:
    now = observed.status(namespace)
    if known is None:
        return now
    if known.phase is StepPhase.SUCCEEDED:
        return known
    attempts = _attempts(known, now)
    if now.pod is None and observed.phase is StepPhase.PENDING:
        return now.model_copy(update={"attempts": attempts, "pod": known.pod})
    if now.pod is None:
        kept = {name: getattr(known, name) for name in ("started_at", "finished_at", "exit_code", "pod", "progress")}
        return now.model_copy(update=kept | {"attempts": attempts, "message": known.message or now.message})
    same_start = now.pod == known.pod and now.started_at == known.started_at
    progress = now.progress or (known.progress if same_start else None)
    return now.model_copy(update={"attempts": attempts, "progress": progress})


def _attempts(known: StepStatus, now: StepStatus) -> int:
    """The number of starts of a step, pods that are gone included.

    A pod that was seen and is still there is among those counted now; one that is gone is not. Argo makes a pod that
    was deleted again under its name: then only the time of its start shows it.
    """
    if now.pod is None or known.pod is None:
        return max(known.attempts, now.attempts)
    # A step that waits for a pod has no start, so one that has a start again was started again.
    waited = known.phase is StepPhase.PENDING and known.attempts > 0 and known.started_at is None
    other_start = now.started_at is not None and (waited or known.started_at not in (None, now.started_at))
    again = now.pod != known.pod or other_start
    return max(known.attempts + 1 if again else known.attempts, now.attempts)


def merge_metrics(known: Iterable[MetricStatus], observed: Iterable[StepState]) -> tuple[MetricStatus, ...]:
    """All metrics of the run, by statement; what was measured again replaces what was known."""
    new = [
        MetricStatus(statement=found.statement, model=found.model, name=name, value=repr(float(value)))
        for step in observed
        for found in step.outcome.metrics
        for name, value in found.values.items()
        if math.isfinite(value)
    ]
    again = {metric.statement for metric in new}
    return tuple(sorted([*(m for m in known if m.statement not in again), *new], key=lambda metric: metric.statement))


def merge_models(known: Iterable[ModelStatus], observed: Iterable[StepState]) -> tuple[ModelStatus, ...]:
    """All models of the run, by statement; what was trained again replaces what was known."""
    new = [ModelStatus(**asdict(model)) for step in observed for model in step.outcome.models]
    again = {model.statement for model in new}
    return tuple(sorted([*(m for m in known if m.statement not in again), *new], key=lambda model: model.statement))
