"""Asks `fetch` for all that a run told, from its beginning to its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlflow_codegen.errors import SQLFlowError
from sqlflow_operator.workflow import FetchRequest, RunFailedError, RunNotFoundError, Workflow
from sqlflow_operator.workflow.fetch.items import Message, Row


@dataclass
class Fetched:
    """What all responses together held; `error` is what ended them in place of `eof`."""

    messages: list[Message] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    error: SQLFlowError | None = None


def fetch_all(workflow: Workflow, run_id: str, calls: int = 500) -> Fetched:
    """Everything that a run told; fails where it does not come to an end within so many calls."""
    fetched = Fetched()
    request = FetchRequest(run_id)
    for _ in range(calls):
        try:
            response = workflow.fetch(request)
        except (RunFailedError, RunNotFoundError) as error:
            fetched.error = error
            return fetched
        fetched.messages += response.messages
        fetched.rows += response.rows
        if response.eof:
            return fetched
        request = response.updated_request_since
    raise AssertionError(f"no end of {run_id} after {calls} calls; last messages: {fetched.messages[-3:]}")
