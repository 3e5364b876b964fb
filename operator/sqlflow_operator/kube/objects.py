"""The fields that the operator reads of Kubernetes objects, as their APIs name them, for mypy.

Objects have many more fields. Merge patches and what the operator creates are plain JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Required, TypedDict

from typing_extensions import ReadOnly, TypeVar


class OwnerReference(TypedDict, total=False):
    kind: str
    name: Required[str]
    uid: Required[str]


class ObjectMeta(TypedDict, total=False):
    name: str
    namespace: str
    uid: str
    generation: int
    resourceVersion: str
    creationTimestamp: str
    deletionTimestamp: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    ownerReferences: Sequence[OwnerReference]


class ObjectCondition(TypedDict, total=False):
    type: str
    status: str
    reason: str
    message: str
    lastTransitionTime: str | None


class ObjectStatus(TypedDict, total=False):
    """The fields of a `status` that objects of several kinds have."""

    phase: str
    conditions: Sequence[ObjectCondition]
    completionTime: str


class KubeObject(TypedDict, total=False):
    """An object of any kind."""

    apiVersion: str
    kind: str
    metadata: Required[ObjectMeta]
    status: ReadOnly[ObjectStatus]


class ChildSpec(TypedDict, total=False):
    """The fields of a `spec` that children of several backends have."""

    suspend: bool
    serviceAccountName: str


class ChildObject(KubeObject, total=False):
    """The child of a run, of any backend."""

    spec: ReadOnly[ChildSpec]


class SecretKeySelector(TypedDict, total=False):
    name: str
    key: str


class EnvSource(TypedDict, total=False):
    secretKeyRef: SecretKeySelector


class ContainerEnv(TypedDict, total=False):
    name: str
    valueFrom: EnvSource


class ContainerResources(TypedDict, total=False):
    limits: Mapping[str, str]


class PodContainer(TypedDict, total=False):
    """A container in a pod's spec, or a step in a Tekton task's."""

    name: str
    image: str
    args: Sequence[str]
    env: Sequence[ContainerEnv]
    resources: ContainerResources


class PodSpec(TypedDict, total=False):
    initContainers: Sequence[PodContainer]
    containers: Sequence[PodContainer]


class WaitingState(TypedDict, total=False):
    reason: str
    message: str


class RunningState(TypedDict, total=False):
    startedAt: str | None


class TerminatedState(TypedDict, total=False):
    exitCode: int
    reason: str
    message: str
    startedAt: str
    finishedAt: str
    containerID: str


class ContainerState(TypedDict, total=False):
    """A container's `state`, which has one of these fields; also an entry of `status.steps` of a TaskRun."""

    waiting: WaitingState
    running: RunningState
    terminated: TerminatedState


class ContainerStatus(TypedDict, total=False):
    name: str
    state: ContainerState
    lastState: ContainerState
    restartCount: int


class PodStatus(ObjectStatus, total=False):
    reason: str
    message: str
    initContainerStatuses: Sequence[ContainerStatus]
    containerStatuses: Sequence[ContainerStatus]


class Pod(KubeObject, total=False):
    spec: PodSpec
    status: PodStatus


class ExitCodesRule(TypedDict, total=False):
    operator: str
    values: Sequence[int]


class FailureRule(TypedDict, total=False):
    action: str
    onExitCodes: ExitCodesRule


class FailurePolicy(TypedDict, total=False):
    rules: Sequence[FailureRule]


class PodTemplateSpec(TypedDict, total=False):
    spec: PodSpec


class BatchJobSpec(ChildSpec, total=False):
    template: PodTemplateSpec
    activeDeadlineSeconds: int
    backoffLimit: int
    podFailurePolicy: FailurePolicy


class BatchJobStatus(ObjectStatus, total=False):
    startTime: str


class BatchJob(ChildObject, total=False):
    spec: BatchJobSpec
    status: BatchJobStatus


class InvolvedObject(TypedDict, total=False):
    uid: str


class EventSeries(TypedDict, total=False):
    lastObservedTime: str


class EventObject(KubeObject, total=False):
    involvedObject: InvolvedObject
    reason: str
    message: str
    lastTimestamp: str
    eventTime: str
    series: EventSeries


class ConfigMapObject(KubeObject, total=False):
    data: Mapping[str, str]


class AccessReviewStatus(ObjectStatus, total=False):
    allowed: bool
    evaluationError: str


class AccessReview(KubeObject, total=False):
    status: AccessReviewStatus


class JobRun(TypedDict, total=False):
    finishedAt: str


class SQLFlowJobFields(TypedDict, total=False):
    """The fields of a SQLFlowJob's `spec` that are read before it is validated."""

    suspend: bool
    ttlSecondsAfterFinished: int


class SQLFlowJobState(ObjectStatus, total=False):
    """The fields of a SQLFlowJob's `status` that are read before it is validated."""

    observedGeneration: int
    run: JobRun
    history: Sequence[JobRun]


class SQLFlowJobObject(KubeObject, total=False):
    spec: SQLFlowJobFields
    status: SQLFlowJobState


class StatusDetails(TypedDict, total=False):
    retryAfterSeconds: float


class ErrorStatus(TypedDict, total=False):
    """The `Status` object with which the API server reports an error."""

    reason: str
    message: str
    details: StatusDetails


Thing = TypeVar("Thing", bound=KubeObject)
"""The kind of an object that is read."""
Kind = TypeVar("Kind", bound=KubeObject, covariant=True, default=KubeObject)
"""The kind of the objects at a resource's path."""
