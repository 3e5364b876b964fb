"""Reads the logs of one step of a run, attempt after attempt, and reports its phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlflow_codegen.contract import EXIT_LOST, EXIT_OK, EXIT_STOPPED, OWN_FAILURES

from sqlflow_operator.api import StepPhase
from sqlflow_operator.kube import ApiError, Kube
from sqlflow_operator.kube.objects import ContainerState, Pod
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.fetch.items import Item, Message
from sqlflow_operator.workflow.fetch.log_reader import Budget, LogBatch, read_batch
from sqlflow_operator.workflow.fetch.messages import AttemptMessages
from sqlflow_operator.workflow.fetch.request import OpenAttempt, StepCursor
from sqlflow_operator.workflow.observe.pods import status_of
from sqlflow_operator.workflow.observe.state import StepState
from sqlflow_operator.workflow.observe.step_attempts import Attempt, attempts_of

_WITH_LAST_RECORD = (EXIT_OK, *OWN_FAILURES, EXIT_LOST, EXIT_STOPPED)
"""Exit codes of a step that wrote its last record; any other is of a process that was killed."""


@dataclass(slots=True)
class _Log:
    """The log of one attempt: of a container, since it was started or restarted."""

    key: str
    pod: str
    container: str
    state: ContainerState
    previous: bool = False

    @property
    def exit_code(self) -> int | None:
        """The exit code of a container that has ended."""
        terminated = self.state.get("terminated")
        return int(terminated.get("exitCode", 0)) if terminated else None


@dataclass(slots=True)
class StepLogs:
    """Collects the new items of the steps of a run.

    Attributes:
        kube: the cluster.
        backend: the run's backend.
        namespace: the run's namespace.
        pods: the run's pods, the oldest first.
        ended: True if the run has ended.
        left: the rest of the budget.
        items: the new items.
        error: the error if a log could not be read now.
    """

    kube: Kube
    backend: BackendDefinition
    namespace: str
    pods: Sequence[Pod]
    ended: bool
    left: Budget
    items: list[Item] = field(default_factory=list)
    error: ApiError | None = None

    def read(self, messages: AttemptMessages, step: StepState, cursor: StepCursor, share: Budget) -> bool:
        """Collect the new items of a step; True if there will be no more.

        Args:
            messages: the messages of the step.
            step: its state.
            cursor: its cursor, which moves on.
            share: the budget of its log while it is running.
        """
        attempts = attempts_of(step.name, self.pods, self.backend.places)
        logs = [log for attempt in attempts for log in _logs(attempt)]
        self._close_vanished(messages, cursor, {log.key for log in logs})
        for log in logs:
            if log.key not in cursor.closed:
                if log.key not in cursor.open:
                    self._open(messages, cursor, log.key)
                if not self._read_log(messages, log, cursor, share):
                    return False
            if log.exit_code == 0:
                break  # later attempts, of the whole run in one pod, only find that it is done
        final = self.ended or step.phase in (StepPhase.SUCCEEDED, StepPhase.SKIPPED)
        expected = max(step.attempts, 1 if step.phase is StepPhase.SUCCEEDED else 0)
        # A pod whose container never started has no log either.
        if final and len(logs) < expected and all(attempt.started for attempt in attempts):
            self._skip_unseen(messages, cursor, expected)
        self._report_phase(messages, step, cursor, final=final)
        return final

    def _open(self, messages: AttemptMessages, cursor: StepCursor, key: str) -> None:
        """Report that an attempt has begun."""
        cursor.attempts = number = cursor.attempts + 1
        cursor.open[key] = OpenAttempt(number)
        self.items.append(messages.of_attempt(number).message(_status("Running", number)))

    def _read_log(self, messages: AttemptMessages, log: _Log, cursor: StepCursor, share: Budget) -> bool:
        """Read on in a log and collect its items; True if it was read to its end."""
        attempt = cursor.open[log.key]
        if self.left.records <= 0 or self.left.size <= 0:
            return False
        ended = log.exit_code is not None
        stream = partial(self.kube.stream_log, self.namespace, log.pod, log.container, previous=log.previous)
        budget = self.left if ended else share
        batch = read_batch(lambda since: stream(since=since), attempt.cursor, budget, ended=ended)
        self.left = Budget(self.left.records - len(batch.records), self.left.size - batch.size)
        messages = messages.of_attempt(attempt.number)
        messages.settled = cursor.settled
        for index, record in enumerate(batch.records):
            if index in batch.lost:
                self.items.append(_lost(messages, *batch.lost[index]))
            self.items += messages.items(record)
        cursor.settled, attempt.cursor = messages.settled, batch.cursor
        self.error = self.error or batch.error
        closed = batch.complete or batch.gone or (batch.at_end and ended)
        if closed:
            self._close(messages, log, cursor, batch)
        return closed

    def _close(self, messages: AttemptMessages, log: _Log, cursor: StepCursor, batch: LogBatch) -> None:
        number, code = cursor.open.pop(log.key).cursor.number, log.exit_code
        cursor.closed.append(log.key)
        if batch.gone:
            self.items.append(_gone(messages, number))
        elif not batch.complete and (code == 0 or (number and code in _WITH_LAST_RECORD)):
            words = f"the log of the attempt ends after record {number}: what it wrote after that is lost"
            self.items.append(messages.message(words, "warning"))

    def _close_vanished(self, messages: AttemptMessages, cursor: StepCursor, visible: set[str]) -> None:
        """Warn of pods that are gone and whose logs had not been read to the end."""
        for key in [key for key in cursor.open if key not in visible]:
            attempt = cursor.open.pop(key)
            self.items.append(_gone(messages.of_attempt(attempt.number), attempt.cursor.number))
            cursor.closed.append(key)

    def _skip_unseen(self, messages: AttemptMessages, cursor: StepCursor, last: int) -> None:
        """Warn of the attempts up to that one whose logs were never there to be read."""
        first = cursor.attempts + 1
        if first <= last:
            which = f"attempt {first}" if first == last else f"attempts {first} to {last}"
            words = f"nothing is known of {which}: there is no pod any more, and so no log"
            self.items.append(messages.of_attempt(last).message(words, "warning"))
            cursor.attempts = last

    def _report_phase(self, messages: AttemptMessages, step: StepState, cursor: StepCursor, *, final: bool) -> None:
        number = cursor.attempts
        messages = messages.of_attempt(number)
        if step.phase is StepPhase.FAILED and cursor.failed != number:
            cursor.failed = number
            self.items.append(messages.message(f"{_status('Failed', number)}: {step.message}", "error"))
        elif final and step.phase in (StepPhase.SUCCEEDED, StepPhase.SKIPPED):
            self.items.append(messages.message(_status(step.phase.value, number)))


def _logs(attempt: Attempt) -> list[_Log]:
    """The logs of a container that was started, the one before its last restart first."""
    status = status_of(attempt.pod, attempt.container)
    restarts, uid = int(status.get("restartCount") or 0), attempt.pod["metadata"]["uid"]
    found = []
    if restarts:
        key = f"{uid}/{restarts - 1}" if restarts > 1 else uid
        found.append(_Log(key, attempt.pod_name, attempt.container, status.get("lastState") or {}, previous=True))
    if attempt.started:
        key = f"{uid}/{restarts}" if restarts else uid
        found.append(_Log(key, attempt.pod_name, attempt.container, attempt.state))
    return found


def _status(phase: str, attempt: int) -> str:
    return f"Status: {phase}" + (f", attempt {attempt}" if attempt > 1 else "")


def _lost(messages: AttemptMessages, first: int, last: int) -> Message:
    which = f"record {first}" if first == last else f"records {first} to {last}"
    return messages.message(f"{which} of the attempt are lost: its log was rotated or cut off", "warning")


def _gone(messages: AttemptMessages, number: int) -> Message:
    read_so_far = f"after record {number} of its log" if number else "before its log was read"
    return messages.message(f"the attempt's pod is gone: what it wrote {read_so_far} is lost", "warning")
