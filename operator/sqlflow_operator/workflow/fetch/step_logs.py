"""Follows one step of a run: its attempts one after the other, each by its log, and what becomes of the step."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlflow_codegen.contract import (
    EXIT_DATABASE_UNREACHABLE,
    EXIT_LOST,
    EXIT_OK,
    EXIT_STATEMENT_FAILED,
    EXIT_STOPPED,
    EXIT_TRY_AGAIN,
    EXIT_USAGE,
)

from sqlflow_operator.api import StepPhase
from sqlflow_operator.kube import ApiError, Kube
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.fetch.items import Item, Message
from sqlflow_operator.workflow.fetch.log_reader import Budget, Reading, read
from sqlflow_operator.workflow.fetch.messages import Teller
from sqlflow_operator.workflow.fetch.request import OpenAttempt, StepPosition
from sqlflow_operator.workflow.observe.attempts import attempts_of
from sqlflow_operator.workflow.observe.pods import statuses
from sqlflow_operator.workflow.observe.state import StepState

_TELLS_ITS_END = (
    EXIT_OK,
    EXIT_STATEMENT_FAILED,
    EXIT_USAGE,
    EXIT_DATABASE_UNREACHABLE,
    EXIT_TRY_AGAIN,
    EXIT_LOST,
    EXIT_STOPPED,
)
"""Exit codes of a step that wrote its last record; any other is of a process that was killed."""


@dataclass(slots=True)
class _Source:
    """The log of one attempt: of a container, since it was started or restarted."""

    key: str
    pod: str
    container: str
    state: Mapping[str, Any]
    previous: bool

    @property
    def exit_code(self) -> int | None:
        """That of a container that has ended."""
        terminated = self.state.get("terminated")
        return int(terminated.get("exitCode", 0)) if terminated else None


@dataclass(slots=True)
class Follower:
    """Collects what is new of the steps of a run.

    Attributes:
        kube: the cluster.
        backend: the run's backend.
        namespace: the run's.
        pods: its pods, the oldest first.
        ended: the run has ended.
        left: how much of logs may still be read.
        items: what is new.
        error: why a log could not be read now.
    """

    kube: Kube
    backend: BackendDefinition
    namespace: str
    pods: Sequence[Mapping[str, Any]]
    ended: bool
    left: Budget
    items: list[Item] = field(default_factory=list)
    error: ApiError | None = None

    def follow(self, teller: Teller, step: StepState, position: StepPosition, share: Budget) -> bool:
        """Tell what is new of a step; True where there will be nothing more.

        Args:
            teller: of the step.
            step: as the objects show it.
            position: how far it was told; changed.
            share: how much of its log may be read, where the step is still at work.
        """
        sources = self._sources(step.name)
        self._tell_vanished(teller, position, {source.key for source in sources})
        for index, source in enumerate(sources):
            if source.key not in position.closed:
                self._begin(teller, step, position, sources, index)
                if not self._deliver(teller, source, position, share):
                    return False
            if source.exit_code == 0:
                break  # later attempts, of the whole run in one pod, only find that it is done
        final = self.ended or step.phase in (StepPhase.SUCCEEDED, StepPhase.SKIPPED)
        if final and len(sources) < (expected := _least(step)) and not self._waits(step.name):
            self._tell_unseen(teller, position, expected)
        self._tell_phase(teller, step, position, final=final)
        return final

    def _begin(
        self, teller: Teller, step: StepState, position: StepPosition, sources: Sequence[_Source], index: int
    ) -> None:
        """Tell that an attempt has begun, once."""
        key = sources[index].key
        if key not in position.open:
            number = max(position.attempts + 1, step.attempts - len(sources) + index + 1)
            self._tell_unseen(teller, position, number - 1)
            position.attempts = number
            position.open[key] = OpenAttempt(number)
            self.items.append(self._at(teller, number).say(_status("Running", number)))

    def _sources(self, step: str) -> list[_Source]:
        """The logs of a step's attempts that were started, the oldest first."""
        found = []
        for attempt in attempts_of(step, self.pods, self.backend.places):
            status: Mapping[str, Any] = next(
                (s for s in statuses(attempt.pod) if s.get("name") == attempt.container), {}
            )
            restarts, uid = int(status.get("restartCount") or 0), attempt.pod["metadata"]["uid"]
            last = status.get("lastState") or {}
            if restarts:
                key = f"{uid}/{restarts - 1}" if restarts > 1 else uid
                found.append(_Source(key, attempt.pod_name, attempt.container, last, previous=True))
            if attempt.started:
                key = f"{uid}/{restarts}" if restarts else uid
                found.append(_Source(key, attempt.pod_name, attempt.container, attempt.state, previous=False))
        return found

    def _deliver(self, teller: Teller, source: _Source, position: StepPosition, share: Budget) -> bool:
        """Read on in a log and tell what it says; True where it was read to its end."""
        attempt = position.open[source.key]
        if self.left.records <= 0 or self.left.size <= 0:
            return False
        ended = source.exit_code is not None
        reading = read(partial(self._open, source), attempt.mark, self.left if ended else share, ended=ended)
        self.left = Budget(self.left.records - len(reading.records), self.left.size - reading.size)
        at = self._at(teller, attempt.number)
        at.settled = position.settled
        for index, record in enumerate(reading.records):
            if index in reading.lost:
                self.items.append(_tell_lost(at, *reading.lost[index]))
            self.items += at.tell(record)
        position.settled, attempt.mark = at.settled, reading.mark
        self.error = self.error or reading.error
        closed = reading.complete or reading.gone or (reading.at_end and ended)
        if closed:
            self._close(at, source, position, reading)
        return closed

    def _open(self, source: _Source, since: str) -> Generator[bytes, None, None]:
        return self.kube.stream_log(self.namespace, source.pod, source.container, since=since, previous=source.previous)

    def _close(self, at: Teller, source: _Source, position: StepPosition, reading: Reading) -> None:
        attempt = position.open.pop(source.key)
        position.closed.append(source.key)
        number, code = attempt.mark.number, source.exit_code
        if reading.gone:
            self.items.append(_tell_gone(at, number))
        elif not reading.complete and (code == 0 or (number and code in _TELLS_ITS_END)):
            words = f"the log of the attempt ends after record {number}: what it told after that is lost"
            self.items.append(at.say(words, "warning"))

    def _tell_vanished(self, teller: Teller, position: StepPosition, visible: set[str]) -> None:
        """Say of pods that are gone that their logs had not been read to the end."""
        for key, attempt in list(position.open.items()):
            if key not in visible:
                self.items.append(_tell_gone(self._at(teller, attempt.number), attempt.mark.number))
                del position.open[key]
                position.closed.append(key)

    def _tell_unseen(self, teller: Teller, position: StepPosition, last: int) -> None:
        """Say of the attempts up to that one that nobody has seen their logs."""
        first = position.attempts + 1
        if first <= last:
            which = f"attempt {first}" if first == last else f"attempts {first} to {last}"
            words = f"nothing can be told of {which}: there is no pod any more, and so no log"
            self.items.append(self._at(teller, last).say(words, "warning"))
            position.attempts = last

    def _tell_phase(self, teller: Teller, step: StepState, position: StepPosition, *, final: bool) -> None:
        number = position.attempts
        at = self._at(teller, number)
        if step.phase is StepPhase.FAILED and position.failed != number:
            position.failed = number
            self.items.append(at.say(f"{_status('Failed', number)}: {step.message}", "error"))
        elif final and step.phase in (StepPhase.SUCCEEDED, StepPhase.SKIPPED):
            self.items.append(at.say(_status(step.phase.value, number)))

    def _waits(self, step: str) -> bool:
        """True where a pod of the step is there whose container never started: then it has no log either."""
        return any(not attempt.started for attempt in attempts_of(step, self.pods, self.backend.places))

    @staticmethod
    def _at(teller: Teller, attempt: int) -> Teller:
        return Teller(teller.prefix, teller.step, attempt)


def _status(phase: str, attempt: int) -> str:
    return f"Status: {phase}" + (f", attempt {attempt}" if attempt > 1 else "")


def _tell_lost(at: Teller, first: int, last: int) -> Message:
    which = f"record {first}" if first == last else f"records {first} to {last}"
    return at.say(f"{which} of the attempt are lost: its log was rotated or cut off", "warning")


def _tell_gone(at: Teller, number: int) -> Message:
    read_so_far = f"after record {number} of its log" if number else "before its log was read"
    return at.say(f"the attempt's pod is gone: what it told {read_so_far} is lost", "warning")


def _least(step: StepState) -> int:
    """How many attempts there must have been."""
    return max(step.attempts, 1 if step.phase is StepPhase.SUCCEEDED else 0)
