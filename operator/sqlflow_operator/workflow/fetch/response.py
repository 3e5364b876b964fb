"""`fetch`: what a run told since the last time, from its objects and the logs of its pods.

Nothing is remembered here: the request carries how far it came, so any process may go on with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlflow_operator.api import KIND, Phase, SQLFlowJobStatus, StepPhase, StepStatus
from sqlflow_operator.kube import SQLFLOWJOBS, ForbiddenError, Kube, NotFoundError
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.fetch.items import Columns, Item, Message, Row
from sqlflow_operator.workflow.fetch.log_reader import Budget
from sqlflow_operator.workflow.fetch.messages import Teller
from sqlflow_operator.workflow.fetch.outcomes import RunNotFoundError, failure_of
from sqlflow_operator.workflow.fetch.request import FetchRequest, Position
from sqlflow_operator.workflow.fetch.step_logs import Follower
from sqlflow_operator.workflow.observe.gather import LiveReader, gather
from sqlflow_operator.workflow.observe.state import EXTERNAL_REASONS, RunObjects, RunState

POLL_SECONDS = 1.0
"""How long a call waits, once, where there is nothing new."""

T = TypeVar("T", bound=Item)


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """What is new.

    Attributes:
        updated_request_since: ask this next.
        eof: the run has succeeded, and there is nothing more.
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
        """The results that begin."""
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
    """What a run told since the last request; waits `POLL_SECONDS` at most where there is nothing.

    Args:
        backend: the run's backend.
        kube: the cluster.
        request: of the run, or the last response's `updated_request_since`. Asking the same again answers the same.
        budget: how much of logs one response holds; the next one has the rest.
        wait: given seconds, lets them pass.

    Raises:
        RunFailedError: the run has failed (`RunCancelledError`, `RunDeadlineError`: or was stopped), and all that it
            told was delivered; raised where a run that succeeded has its `eof`.
        RunNotFoundError: there is no such run any more.
        ApiError: the API server or a kubelet gave no answer; the same request may be asked again.
        ValueError: the request is none that `FetchRequest(run_id)` or `fetch` has made.
    """
    response = _Look(backend, kube, request, budget or Budget()).response()
    if response.items or response.eof:
        return response
    if response.updated_request_since == request:
        wait(POLL_SECONDS)
    return _Look(backend, kube, response.updated_request_since, budget or Budget()).response()


@dataclass(slots=True)
class _Look:
    """One look at a run."""

    backend: BackendDefinition
    kube: Kube
    request: FetchRequest
    budget: Budget

    def response(self) -> FetchResponse:
        """What is new since the request."""
        position = Position.load(self.request.position)
        objects = self._objects(position)
        state = self.backend.observe(objects)
        if state.phase is Phase.FAILED:
            # A pod takes what it showed of its steps with it; the job's status still has it.
            objects = replace(objects, known=_steps_in_status(self.kube, objects.child))
            state = self.backend.observe(objects)
        ended = state.phase.terminal
        namespace = self.request.run_id.partition("/")[0]
        follower = Follower(self.kube, self.backend, namespace, objects.pods, ended, self.budget)
        follower.items += _waiting(state, position)
        share = self._share(state)
        for index, step in enumerate(state.steps, 1):
            teller = Teller(f"SQLFlow Step: [{index}/{len(state.steps)}]", step.name, 0)
            if index not in position.done and follower.follow(teller, step, position.step(index), share):
                position.finish(index)
        if follower.error and not follower.items:
            raise follower.error
        complete = ended and len(position.done) == len(state.steps)
        if complete and state.phase is Phase.FAILED and not follower.items:
            raise failure_of(self.kube, self.request.run_id, objects, state, self.backend.observe)
        since = FetchRequest(self.request.run_id, position.dump())
        return FetchResponse(since, complete and state.phase is Phase.SUCCEEDED, tuple(follower.items))

    def _share(self, state: RunState) -> Budget:
        """What one step at work may take of a response, so that no parallel step starves."""
        running = max(1, sum(step.phase is StepPhase.RUNNING for step in state.steps))
        return Budget(max(1, self.budget.records // running), max(1, self.budget.size // running))

    def _objects(self, position: Position) -> RunObjects:
        """The run's objects."""
        run_id = self.request.run_id
        namespace, _, name = run_id.partition("/")
        try:
            child = self.kube.get(self.backend.resource, namespace, name)
        except NotFoundError as error:
            began = "it was deleted before all of it was fetched" if position.child else "it was never there or deleted"
            raise RunNotFoundError(f"there is no run {run_id}: {began}") from error
        uid = str(child["metadata"]["uid"])
        if position.child not in ("", uid):
            raise RunNotFoundError(f"run {run_id} was deleted before all of it was fetched; another has its name now")
        position.child = uid
        return gather(LiveReader(self.kube), child, self.backend.parts)


def _steps_in_status(kube: Kube, child: Mapping[str, Any]) -> Mapping[str, StepStatus]:
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


def _waiting(state: RunState, position: Position) -> list[Item]:
    """What the run waits for, where that is news."""
    reason = state.reason if state.reason in EXTERNAL_REASONS and not state.phase.terminal else ""
    known, position.told = position.told, reason
    if reason in ("", known) or not state.steps:
        return []
    index = next((i for i, step in enumerate(state.steps) if step.phase is StepPhase.PENDING), 0)
    teller = Teller(f"SQLFlow Step: [{index + 1}/{len(state.steps)}]", state.steps[index].name, 0)
    return [teller.say(f"Status: Pending: {state.message}", "warning")]
