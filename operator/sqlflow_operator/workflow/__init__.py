"""The uniform interface over the backends: `codegen, workflow = new("job")`."""

from __future__ import annotations

from sqlflow_codegen.backend import Codegen
from sqlflow_codegen.errors import SQLFlowError

from sqlflow_operator.api import Backend
from sqlflow_operator.backend_registry import definition
from sqlflow_operator.kube import Kube
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.fetch.outcomes import (
    RunCancelledError,
    RunDeadlineError,
    RunFailedError,
    RunNotFoundError,
)
from sqlflow_operator.workflow.fetch.request import FetchRequest
from sqlflow_operator.workflow.fetch.response import FetchResponse, fetch
from sqlflow_operator.workflow.observe.state import RunObjects, RunState
from sqlflow_operator.workflow.submit import NameConflictError, submit_documents

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


class Workflow:
    """The runs of one backend in a cluster. A run's id is `namespace/name`."""

    def __init__(self, definition: BackendDefinition, kube: Kube) -> None:
        self.definition = definition
        self._kube = kube

    @property
    def backend(self) -> Backend:
        """The name of the backend."""
        return self.definition.name

    def missing_right(self, namespace: str, account: str | None) -> str:
        """The right that the steps' service account lacks, as a sentence with advice; or "" if none is known.

        Args:
            namespace: the namespace of the run.
            account: the service account that the job names, or None.
        """
        return self.definition.missing_right(self._kube, namespace, account)

    def submit(self, yaml: str) -> str:
        """Create the objects of a run and return its id. A second call changes nothing.

        Raises:
            NameConflictError: an object of that name has another owner.
            ApiError: the API server refused or gave no answer.
            ValueError: the YAML holds another kind of object, or no child.
        """
        return submit_documents(self._kube, yaml, self.definition)

    def observe(self, objects: RunObjects) -> RunState:
        """The state of a run from its objects. Pure."""
        return self.definition.observe(objects)

    def fetch(self, request: FetchRequest) -> FetchResponse:
        """The messages, rows and other output of a run since the request; waits at most a second for more.

        Raises:
            RunFailedError: the run has failed or was stopped, and all its output was delivered.
            RunNotFoundError: the run does not exist any more.
            ApiError: the API server or a kubelet gave no answer; repeat the same request.
            ValueError: the request was not made by `FetchRequest(run_id)` or `fetch`.
        """
        return fetch(self.definition, self._kube, request)

    def cancel(self, run_id: str) -> None:
        """Stop a run and keep its child, which shows that it was cancelled. A second call changes nothing.

        Raises:
            NotFoundError: the run does not exist.
            ApiError: the API server refused or gave no answer.
        """
        namespace, _, name = run_id.partition("/")
        self._kube.patch(self.definition.resource, namespace, name, self.definition.cancellation)

    def stop(self, run_id: str, *, uid: str | None = None) -> None:
        """Delete the child of a run, with `uid` only if it has that UID; its pods get SIGTERM.

        Raises:
            NotFoundError: the child does not exist.
            ConflictError: the object of that name has another UID.
            ApiError: the API server refused or gave no answer.
        """
        namespace, _, name = run_id.partition("/")
        self._kube.delete(self.definition.resource, namespace, name, uid=uid)


class BackendUnavailableError(SQLFlowError):
    """This operator has no such backend."""


def available() -> tuple[Backend, ...]:
    """The backends of this operator, in the order in which it prefers them."""
    return tuple(Backend)


def new(backend: str, kube: Kube | None = None) -> tuple[Codegen, Workflow]:
    """The code generator and the workflow of a backend.

    Args:
        backend: argo, tekton or job.
        kube: the cluster; None connects to the one of the pod's service account or the kubeconfig.

    Raises:
        BackendUnavailableError: this operator has no such backend; the message names those that it has.
    """
    if backend not in available():
        known = ", ".join(available())
        raise BackendUnavailableError(f"backend {backend} is not available in this version; it has: {known}")
    if kube is None:
        # Imported on use: the client is slow to import, and a generator alone needs none.
        from sqlflow_operator.kube.client import KubeClient

        kube = KubeClient()
    found = definition(Backend(backend))
    return found.codegen(), Workflow(found, kube)
