"""The uniform interface over the backends: `codegen, workflow = new("job")`.

A backend is one module here and one in `sqlflow_codegen`, entered into `_BACKENDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sqlflow_codegen.backend import Codegen
from sqlflow_codegen.errors import SQLFlowError

from sqlflow_operator.api import Backend
from sqlflow_operator.kube import Kube, Resource
from sqlflow_operator.workflow.backends.argo import ArgoWorkflow
from sqlflow_operator.workflow.backends.job import JobWorkflow
from sqlflow_operator.workflow.backends.tekton import TektonWorkflow
from sqlflow_operator.workflow.fetch.outcomes import (
    RunCancelledError,
    RunDeadlineError,
    RunFailedError,
    RunNotFoundError,
)
from sqlflow_operator.workflow.fetch.request import FetchRequest
from sqlflow_operator.workflow.fetch.response import FetchResponse
from sqlflow_operator.workflow.observe.state import RunObjects, RunState, StepState
from sqlflow_operator.workflow.submit import NameConflictError

__all__ = [
    "BackendUnavailableError",
    "FetchRequest",
    "FetchResponse",
    "NameConflictError",
    "RunCancelledError",
    "RunDeadlineError",
    "RunFailedError",
    "RunNotFoundError",
    "Workflow",
    "available",
    "new",
]


class Workflow(Protocol):
    """What a backend does with a run. A run's id is `namespace/name`."""

    backend: Backend
    resource: Resource
    kind: str
    """The kind of the run's child, and where the API server has it."""
    parts: tuple[Resource, ...]
    """The kinds of the objects between a child and its pods, found by the job's UID as their label."""
    deadline_grace: int
    """Seconds that the engine may take to enforce a deadline, before the operator does."""
    suspends_running: bool
    """Whether the engine can hold a run that has started."""

    def missing_right(self, namespace: str, account: str | None) -> str:
        """What the steps' service account may not do that the engine needs; "" where nothing is missing or known.

        Args:
            namespace: where the run would be.
            account: the service account that the job names, if it names one.
        """

    def submit(self, yaml: str) -> str:
        """Create the objects of a run and return its id. Doing it again changes nothing.

        Raises:
            NameConflictError: an object of that name belongs to somebody else.
            ApiError: the API server refused or gave no answer.
        """

    def observe(self, objects: RunObjects) -> RunState:
        """The state of a run from its objects. Pure: no call to the cluster, no clock."""

    def steps(self, child: Mapping[str, Any]) -> tuple[StepState, ...]:
        """The steps that a child runs, in order, nothing done yet. Pure."""

    def places(self, pod: Mapping[str, Any]) -> Mapping[str, str]:
        """The steps that a pod of a run executes: a step's name to the name of its container. Pure."""

    def ended(self, child: Mapping[str, Any]) -> bool:
        """True where the engine says that the child has ended. Pure."""

    def adjust(self, child: Mapping[str, Any], *, suspend: bool, deadline: int | None) -> dict[str, Any] | None:
        """The merge patch that gives the child this suspension and deadline, None where it has them. Pure."""

    def fetch(self, request: FetchRequest) -> FetchResponse:
        """What the run told since the request: messages, rows and all else; waits a second at most for news.

        Raises:
            RunFailedError: the run has failed or was stopped, and all that it told was delivered.
            RunNotFoundError: there is no such run any more.
            ApiError: the API server or a kubelet gave no answer; the same request may be asked again.
        """

    def cancel(self, run_id: str) -> None:
        """Stop a run and keep its child, which tells that it was cancelled. Doing it again changes nothing.

        Raises:
            NotFoundError: there is no such run.
            ApiError: the API server refused or gave no answer.
        """

    def stop(self, run_id: str) -> None:
        """Delete the child; its pods are stopped by SIGTERM.

        Raises:
            NotFoundError: there is none.
            ApiError: the API server refused or gave no answer.
        """


class BackendUnavailableError(SQLFlowError):
    """This operator has no such backend."""


def _job(kube: Kube) -> tuple[Codegen, Workflow]:
    # Imported when asked for: a backend's generator is not paid for by those who do not use it.
    from sqlflow_codegen.job import JobCodegen

    return JobCodegen(), JobWorkflow(kube)


def _argo(kube: Kube) -> tuple[Codegen, Workflow]:
    from sqlflow_codegen.couler import CoulerCodegen

    return CoulerCodegen(), ArgoWorkflow(kube)


def _tekton(kube: Kube) -> tuple[Codegen, Workflow]:
    from sqlflow_codegen.fluid import FluidCodegen

    return FluidCodegen(), TektonWorkflow(kube)


_BACKENDS: Mapping[Backend, Callable[[Kube], tuple[Codegen, Workflow]]] = {
    Backend.ARGO: _argo,
    Backend.TEKTON: _tekton,
    Backend.JOB: _job,
}


def available() -> tuple[Backend, ...]:
    """The backends that this operator has."""
    return tuple(_BACKENDS)


def new(backend: str, kube: Kube | None = None) -> tuple[Codegen, Workflow]:
    """The code generator and the workflow of a backend.

    Args:
        backend: argo, tekton or job.
        kube: the cluster; None connects to the one of the pod's service account or the kubeconfig.

    Raises:
        BackendUnavailableError: this operator has no such backend; the message names those that it has.
    """
    make = _BACKENDS.get(Backend(backend)) if backend in set(Backend) else None
    if make is None:
        known = ", ".join(available())
        raise BackendUnavailableError(f"backend {backend} is not available in this version; it has: {known}")
    if kube is None:
        # Imported when asked for: the client is slow to import, and a generator alone needs none.
        from sqlflow_operator.kube.client import KubeClient

        kube = KubeClient()
    return make(kube)
