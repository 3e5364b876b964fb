"""The errors that `fetch` raises if a run does not succeed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlflow_codegen.contract import StepError
from sqlflow_codegen.errors import SQLFlowError

from sqlflow_operator.api import StepPhase
from sqlflow_operator.kube import ApiError, Kube
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepState
from sqlflow_operator.workflow.observe.step_report import LOG_BYTES, LOG_LINES, report_from_log


class RunNotFoundError(SQLFlowError):
    """The run does not exist, or not any more: another one may have its name."""


class RunFailedError(SQLFlowError):
    """A run has failed, and all its output was delivered.

    Attributes:
        run_id: the run.
        reason: the reason, a constant for programs.
        step: the name of the step that failed; "" if none did.
        attempt: the number of its last attempt; 0 if there was none.
        statement, line, column, title: the statement that failed and its place; 0 and "" if none did.
        kind: the kind of error (`sqlflow_codegen.contract.StepError`); "" if the step reported none.
        database_message: the error's own words, often the database's; "" if the step reported none.
        hint: advice; "" if there is none.
    """

    def __init__(self, run_id: str, state: RunState, error: StepError | None) -> None:
        super().__init__(f"run {run_id}: {state.message}")
        failed = _failed_step(state)
        error = error or StepError(0, 0, 0, "", "", "")
        self.run_id = run_id
        self.reason = state.reason
        self.step = failed.name if failed else ""
        self.attempt = failed.attempts if failed else 0
        self.statement, self.line, self.column = error.statement, error.line, error.column
        self.title, self.kind = error.title, error.kind
        self.database_message, self.hint = error.message, error.hint


class RunCancelledError(RunFailedError):
    """Somebody cancelled the run."""


class RunDeadlineError(RunFailedError):
    """The run took longer than it was allowed to."""


_ERRORS: Mapping[Reason, type[RunFailedError]] = {
    Reason.CANCELLED: RunCancelledError,
    Reason.DEADLINE_EXCEEDED: RunDeadlineError,
}


def failure_of(
    backend: BackendDefinition, kube: Kube, run_id: str, objects: RunObjects, state: RunState
) -> RunFailedError:
    """The error of a run that has failed.

    If the step's termination message is not enough, because it was cut short, the end of its log is read.

    Args:
        backend: the run's backend.
        kube: the cluster.
        run_id: the run.
        objects: its objects.
        state: its state.
    """
    failed = _failed_step(state)
    error = failed.outcome.error if failed else None
    if failed and error is None and failed.pod and failed.container:
        namespace = run_id.partition("/")[0]
        try:
            log = kube.read_log(namespace, failed.pod, failed.container, lines=LOG_LINES, limit_bytes=LOG_BYTES)
        except ApiError:
            log = ""  # the pod is gone: the state has all that is known
        report = report_from_log(log)
        if report.outcome.error or report.statement:
            error = report.outcome.error or StepError(report.statement, 0, 0, "", "", "")
            state = backend.observe(replace(objects, reports={(failed.pod, failed.container): report}))
    return _ERRORS.get(state.reason, RunFailedError)(run_id, state, error)


def _failed_step(state: RunState) -> StepState | None:
    return next((step for step in state.steps if step.phase is StepPhase.FAILED), None)
