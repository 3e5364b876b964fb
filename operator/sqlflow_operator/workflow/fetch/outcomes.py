"""How a run ends other than well, as the errors that `fetch` raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlflow_codegen.contract import StepError
from sqlflow_codegen.errors import SQLFlowError

from sqlflow_operator.api import StepPhase
from sqlflow_operator.kube import ApiError, Kube
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepState
from sqlflow_operator.workflow.observe.step_report import LOG_BYTES, LOG_LINES, report_from_log


class RunNotFoundError(SQLFlowError):
    """There is no such run, or no longer the one that the request was about."""


class RunFailedError(SQLFlowError):
    """A run has failed, and all that it told was delivered.

    Attributes:
        run_id: the run.
        reason: why, a constant for programs.
        step: name of the step that failed; "" if none did.
        attempt: the last attempt at it; 0 if there was none.
        statement, line, column, title: the statement that failed and where it stands; 0 and "" if none is to blame.
        kind: what kind of error it is (`sqlflow_codegen.contract.StepError`); "" if the step told none.
        database_message: the error's own words, the database's where it was the database; "" if the step told none.
        hint: what to do; "" if there is nothing to add.
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


def failure_of(kube: Kube, run_id: str, objects: RunObjects, state: RunState, observe: Any) -> RunFailedError:
    """The error for a run that has failed.

    Where the step's termination message does not tell, because it was cut short, the end of its log is asked.

    Args:
        kube: the cluster.
        run_id: the run.
        objects: its objects.
        state: what they show.
        observe: the backend's reading of objects.
    """
    failed = _failed_step(state)
    error = failed.outcome.error if failed else None
    if failed and error is None and failed.pod and failed.container:
        try:
            log = kube.read_log(
                run_id.partition("/")[0], failed.pod, failed.container, lines=LOG_LINES, limit_bytes=LOG_BYTES
            )
        except ApiError:
            log = ""  # the pod is gone: the state says what is known
        report = report_from_log(log)
        if report.outcome.error or report.statement:
            error = report.outcome.error or StepError(report.statement, 0, 0, "", "", "")
            state = observe(replace(objects, reports={(failed.pod, failed.container): report}))
    return _ERRORS.get(state.reason, RunFailedError)(run_id, state, error)


def _failed_step(state: RunState) -> StepState | None:
    return next((step for step in state.steps if step.phase is StepPhase.FAILED), None)
