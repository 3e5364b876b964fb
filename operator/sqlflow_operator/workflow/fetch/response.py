"""`fetch`: the output of a run since the last request, from its objects and the logs of its pods.

It keeps no state: the request has a cursor, so that any process may continue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlflow_operator.api import KIND, Phase, SQLFlowJobStatus, StepPhase, StepStatus
from sqlflow_operator.kube import SQLFLOWJOBS, ForbiddenError, Kube, NotFoundError
from sqlflow_operator.kube.objects import ChildObject
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.fetch.items import Columns, Item, Message, Row
from sqlflow_operator.workflow.fetch.log_reader import Budget
from sqlflow_operator.workflow.fetch.messages import AttemptMessages
from sqlflow_operator.workflow.fetch.outcomes import RunNotFoundError, failure_of
from sqlflow_operator.workflow.fetch.request import FetchRequest, RunCursor
from sqlflow_operator.workflow.fetch.step_logs import StepLogs
from sqlflow_operator.workflow.observe.gather import LiveReader, gather
from sqlflow_operator.workflow.observe.state import EXTERNAL_REASONS, RunObjects, RunState

POLL_SECONDS = 1.0
"""The time that a call waits, once, if there is no new output."""

T = TypeVar("T", bound=Item)


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """The output of a run since a request.

    Attributes:
        updated_request_since: the next request.
        eof: True if the run has succeeded and there is no more output.
        items: messages, results and all else, in order.
    """

    updated_request_since: FetchRequest
    eof: bool = False
    items: tuple[Item, ...] = ()

    def of(self, kind: type[T]) -> tuple[T, ...]:
        """The items of one kind."""
        return tuple(item for item in self.items if isinstance(item, kind))

    @property
    def messages(self) -> tuple[Message, ...]:
        """The lines for a person."""
        return self.of(Message)

    @property
    def columns(self) -> tuple[Columns, ...]:
        """The beginnings of results."""
        return self.of(Columns)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Rows of results."""
        return self.of(Row)


def fetch(
    backend: BackendDefinition,
    kube: Kube,
    request: FetchRequest,
    *,
    budget: Budget | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> FetchResponse:
    """The output of a run since the last request; waits at most `POLL_SECONDS` if there is none.

    Args:
        backend: the run's backend.
        kube: the cluster.
        request: of the run, or the last response's `updated_request_since`. The same request gets the same answer.
        budget: the limits of what one response reads of logs; the next one has the rest.
        wait: waits for so many seconds.

    Raises:
        RunFailedError: the run has failed (`RunCancelledError`, `RunDeadlineError`: or was stopped), and all its output
            was delivered; raised when a run that succeeded has its `eof`.
        RunNotFoundError: the run does not exist any more.
        ApiError: the API server or a kubelet gave no answer; repeat the same request.
        ValueError: the request was not made by `FetchRequest(run_id)` or `fetch`.
    """
    response = _respond(backend, kube, request, budget or Budget())
    if response.items or response.eof:
        return response
    if response.updated_request_since == request:
        wait(POLL_SECONDS)
    return _respond(backend, kube, response.updated_request_since, budget or Budget())


def _respond(backend: BackendDefinition, kube: Kube, request: FetchRequest, budget: Budget) -> FetchResponse:
    cursor = RunCursor.load(request.cursor)
    objects, state = _observe(backend, kube, request.run_id, cursor)
    namespace = request.run_id.partition("/")[0]
    logs = StepLogs(kube, backend, namespace, objects.pods, state.phase.terminal, budget)
    logs.items += _waiting(state, cursor)
    # No running step takes so much of a response that a parallel one starves.
    running = max(1, sum(step.phase is StepPhase.RUNNING for step in state.steps))
    share = Budget(max(1, budget.records // running), max(1, budget.size // running))
    for index, step in enumerate(state.steps, 1):
        if index not in cursor.done and logs.read(_messages(state, index), step, cursor.step(index), share):
            cursor.finish(index)
    if logs.error and not logs.items:
        raise logs.error
    complete = state.phase.terminal and len(cursor.done) == len(state.steps)
    if complete and state.phase is Phase.FAILED and not logs.items:
        raise failure_of(backend, kube, request.run_id, objects, state)
    since = FetchRequest(request.run_id, cursor.dump())
    return FetchResponse(since, complete and state.phase is Phase.SUCCEEDED, tuple(logs.items))


def _observe(backend: BackendDefinition, kube: Kube, run_id: str, cursor: RunCursor) -> tuple[RunObjects, RunState]:
    """The objects of a run and its state."""
    namespace, _, name = run_id.partition("/")
    try:
        child = kube.get(backend.resource, namespace, name)
    except NotFoundError as error:
        began = "it was deleted before all of it was fetched" if cursor.child else "it was never there or deleted"
        raise RunNotFoundError(f"there is no run {run_id}: {began}") from error
    uid = str(child["metadata"]["uid"])
    if cursor.child not in ("", uid):
        raise RunNotFoundError(f"run {run_id} was deleted before all of it was fetched; another has its name now")
    cursor.child = uid
    objects = gather(LiveReader(kube), child, backend.parts)
    state = backend.observe(objects)
    if state.phase is not Phase.FAILED:
        return objects, state
    # A pod takes what it showed of its steps with it; the job's status still has it.
    objects = replace(objects, known=_steps_in_status(kube, child))
    return objects, backend.observe(objects)


def _steps_in_status(kube: Kube, child: ChildObject) -> Mapping[str, StepStatus]:
    """The steps of a run in the status of its SQLFlowJob; none if there is no such job or the caller may not read it.

    Raises:
        ApiError: the API server gave no answer.
    """
    metadata = child["metadata"]
    owner = next((o for o in metadata.get("ownerReferences") or () if o.get("kind") == KIND), None)
    if owner is None:
        return {}
    try:
        job = kube.get(SQLFLOWJOBS, metadata["namespace"], owner["name"])
    except (NotFoundError, ForbiddenError):
        return {}
    return SQLFlowJobStatus.read(job.get("status") or {}).steps_of(metadata["uid"])


def _messages(state: RunState, index: int) -> AttemptMessages:
    """The messages of the step at that position, from 1."""
    return AttemptMessages(f"SQLFlow Step: [{index}/{len(state.steps)}]", state.steps[index - 1].name)


def _waiting(state: RunState, cursor: RunCursor) -> list[Item]:
    """A message with the reason the run waits, if that has changed."""
    reason = state.reason if state.reason in EXTERNAL_REASONS and not state.phase.terminal else ""
    known, cursor.waiting = cursor.waiting, reason
    if reason in ("", known) or not state.steps:
        return []
    index = next((i for i, step in enumerate(state.steps, 1) if step.phase is StepPhase.PENDING), 1)
    return [_messages(state, index).message(f"Status: Pending: {state.message}", "warning")]
