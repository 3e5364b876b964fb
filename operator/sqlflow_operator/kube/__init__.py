"""The kinds of objects that the operator uses, the calls that it makes, and their errors; no client."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol

from sqlflow_operator.api import GROUP, PLURAL, VERSION
from sqlflow_operator.kube.engine_objects import ArgoWorkflow, TektonPipelineRun, TektonTaskRun
from sqlflow_operator.kube.errors import AlreadyExistsError as AlreadyExistsError
from sqlflow_operator.kube.errors import ApiError as ApiError
from sqlflow_operator.kube.errors import ConflictError as ConflictError
from sqlflow_operator.kube.errors import ForbiddenError as ForbiddenError
from sqlflow_operator.kube.errors import InvalidError as InvalidError
from sqlflow_operator.kube.errors import NotFoundError as NotFoundError
from sqlflow_operator.kube.errors import UnavailableError as UnavailableError
from sqlflow_operator.kube.objects import (
    AccessReview,
    BatchJob,
    ConfigMapObject,
    EventObject,
    Kind,
    KubeObject,
    Pod,
    SQLFlowJobObject,
    Thing,
)

Object = dict[str, Any]
"""Plain JSON: a merge patch, or an object to create."""


@dataclass(frozen=True, slots=True)
class Resource(Generic[Kind]):
    """A kind of object, by its path."""

    api: str
    plural: str

    @property
    def group_version_plural(self) -> tuple[str, str, str]:
        """Its three names, the group of the core API being ""."""
        group, _, version = self.api.removeprefix("apis/").removeprefix("api/").rpartition("/")
        return group, version, self.plural


SQLFLOWJOBS: Resource[SQLFlowJobObject] = Resource(f"apis/{GROUP}/{VERSION}", PLURAL)
JOBS: Resource[BatchJob] = Resource("apis/batch/v1", "jobs")
WORKFLOWS: Resource[ArgoWorkflow] = Resource("apis/argoproj.io/v1alpha1", "workflows")
PIPELINE_RUNS: Resource[TektonPipelineRun] = Resource("apis/tekton.dev/v1", "pipelineruns")
TASK_RUNS: Resource[TektonTaskRun] = Resource("apis/tekton.dev/v1", "taskruns")
CONFIG_MAPS: Resource[ConfigMapObject] = Resource("api/v1", "configmaps")
PODS: Resource[Pod] = Resource("api/v1", "pods")
LOCAL_ACCESS_REVIEWS: Resource[AccessReview] = Resource("apis/authorization.k8s.io/v1", "localsubjectaccessreviews")
EVENTS: Resource[EventObject] = Resource("api/v1", "events")


def owner_uids(thing: KubeObject) -> set[str]:
    """UIDs of the owners of an object."""
    return {str(owner.get("uid")) for owner in thing["metadata"].get("ownerReferences") or ()}


class Kube(Protocol):
    """The calls that the operator makes to a cluster. Each raises `ApiError` if it fails."""

    def get(self, resource: Resource[Thing], namespace: str, name: str, *, metadata_only: bool = False) -> Thing:
        """One object."""

    def list(
        self,
        resource: Resource[Thing],
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> list[Thing]:
        """All objects that match the selectors; of one namespace, or of all if it is None."""

    def create(self, resource: Resource[Thing], namespace: str, body: Mapping[str, Any]) -> Thing:
        """Create an object and return it as it was stored."""

    def patch(
        self, resource: Resource[Thing], namespace: str, name: str, patch: Mapping[str, Any], *, subresource: str = ""
    ) -> Thing:
        """Apply a JSON merge patch and return the object as it was stored."""

    def delete(self, resource: Resource, namespace: str, name: str, *, uid: str | None = None) -> None:
        """Delete an object, and what it owns in the background. With `uid`, only if it still has that UID."""

    def read_log(self, namespace: str, pod: str, container: str, *, lines: int, limit_bytes: int) -> str:
        """The last lines of a container's log, as many of them as fit into so many bytes."""

    def stream_log(
        self, namespace: str, pod: str, container: str, *, since: str = "", previous: bool = False
    ) -> Generator[bytes, None, None]:
        """A container's log as it stands, in pieces cut anywhere; each line begins with its time and a blank.

        Nothing is asked for before the first piece is; closing the generator ends the call.

        Args:
            namespace: the pod's.
            pod: its name.
            container: the container's name.
            since: leave out lines before that moment (RFC 3339, whole seconds); "" for none.
            previous: that of the container before its last restart.
        """
