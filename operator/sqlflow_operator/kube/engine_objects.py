"""The fields that the operator reads of objects of Argo Workflows and Tekton Pipelines; see `objects`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from sqlflow_operator.kube.objects import ChildObject, ChildSpec, ContainerState, KubeObject, ObjectStatus, PodContainer


class RetryStrategy(TypedDict, total=False):
    limit: int | str


class ArgoTemplate(TypedDict, total=False):
    name: str
    container: PodContainer
    retryStrategy: RetryStrategy


class ArgoWorkflowSpec(ChildSpec, total=False):
    templates: Sequence[ArgoTemplate]
    activeDeadlineSeconds: int | str
    shutdown: str


class ArgoOutputs(TypedDict, total=False):
    exitCode: str


class ArgoNode(TypedDict, total=False):
    """A node of an Argo Workflow, by its id in `status.nodes`."""

    type: str
    phase: str
    displayName: str
    message: str
    startedAt: str
    finishedAt: str
    children: Sequence[str]
    outputs: ArgoOutputs


class ArgoWorkflowStatus(ObjectStatus, total=False):
    message: str
    startedAt: str
    finishedAt: str
    nodes: Mapping[str, ArgoNode]
    compressedNodes: str
    offloadNodeStatusVersion: str


class ArgoWorkflow(ChildObject, total=False):
    spec: ArgoWorkflowSpec
    status: ArgoWorkflowStatus


class TektonTaskSpec(TypedDict, total=False):
    steps: Sequence[PodContainer]


class TektonTask(TypedDict, total=False):
    name: str
    retries: int
    taskSpec: TektonTaskSpec


class TektonPipelineSpec(TypedDict, total=False):
    tasks: Sequence[TektonTask]


class PipelineRunSpec(ChildSpec, total=False):
    status: str
    pipelineSpec: TektonPipelineSpec


class TaskRunReference(TypedDict, total=False):
    name: str
    pipelineTaskName: str


class SkippedTask(TypedDict, total=False):
    name: str


class PipelineRunState(ObjectStatus, total=False):
    startTime: str
    childReferences: Sequence[TaskRunReference]
    skippedTasks: Sequence[SkippedTask]


class TektonPipelineRun(ChildObject, total=False):
    spec: PipelineRunSpec
    status: PipelineRunState


class TaskRunResult(TypedDict, total=False):
    name: str
    value: str


class TaskRunStep(ContainerState, total=False):
    name: str


class TaskRunState(ObjectStatus, total=False):
    """A TaskRun's `status`, and that of one of its earlier attempts."""

    podName: str
    startTime: str
    steps: Sequence[TaskRunStep]
    results: Sequence[TaskRunResult]
    retriesStatus: Sequence[TaskRunState]


class TektonTaskRun(KubeObject, total=False):
    status: TaskRunState
