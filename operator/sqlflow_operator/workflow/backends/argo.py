"""Backend `argo`: the run is an Argo Workflow, a DAG whose nodes are the steps."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlflow_codegen.contract import LABEL_STEP, Outcome

from sqlflow_operator.api import Backend, Phase, StepPhase
from sqlflow_operator.clock import from_text
from sqlflow_operator.kube import WORKFLOWS
from sqlflow_operator.kube.engine_objects import (
    ArgoNode,
    ArgoTemplate,
    ArgoWorkflow,
    ArgoWorkflowSpec,
    ArgoWorkflowStatus,
)
from sqlflow_operator.kube.objects import Pod
from sqlflow_operator.workflow.backends.argo_rights import ROLE_ADVICE, missing_right
from sqlflow_operator.workflow.backends.definition import BackendDefinition
from sqlflow_operator.workflow.observe.engine_run import EngineRun, EngineStep, observe_dag
from sqlflow_operator.workflow.observe.reasons import CANCELLED_MESSAGE, DEADLINE_MESSAGE, Explanation
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StepState
from sqlflow_operator.workflow.observe.step_attempts import steps_of_template
from sqlflow_operator.workflow.observe.step_report import report_from_message
from sqlflow_operator.workflow.observe.waiting import explain_quota
from sqlflow_operator.workflow.observe.wording import WORDS_LIMIT, clip, without_pod_name

CONTAINER = "main"
"""Argo gives the step's container this name; `wait` and `init` are its own."""

_NODE_NAME = "workflows.argoproj.io/node-name"
_ATTEMPT = re.compile(r"(?P<step>.+?)\((?P<number>[0-9]+)\)")
_SAYS_NOTHING = ("PodInitializing", "ContainerCreating")
"""Words about a pod that is about to start."""
_ENDED = {"Succeeded": Phase.SUCCEEDED, "Failed": Phase.FAILED, "Error": Phase.FAILED}
_PHASES = {
    "Pending": StepPhase.PENDING,
    "Running": StepPhase.RUNNING,
    "Succeeded": StepPhase.SUCCEEDED,
    "Failed": StepPhase.FAILED,
    "Error": StepPhase.FAILED,
    "Skipped": StepPhase.SKIPPED,
    "Omitted": StepPhase.SKIPPED,
}
_SECURITY_ADVICE = (
    "the namespace's Pod Security profile refuses Argo's own containers. Set executor.securityContext in ConfigMap "
    "workflow-controller-configmap of Argo's namespace (docs/backends.md), or spec.backend to job."
)
_DELETED = "pod deleted"
"""Argo's message at a node whose pod vanished while it was running."""


def ended(child: ArgoWorkflow) -> bool:
    """See `BackendDefinition`."""
    return (child.get("status") or {}).get("phase") in _ENDED


def adjust(child: ArgoWorkflow, suspend: bool, deadline: int | None) -> dict[str, Any] | None:
    """See `BackendDefinition`."""
    spec = child.get("spec") or {}
    if spec.get("shutdown"):
        return None
    wanted = {"suspend": suspend or None, "activeDeadlineSeconds": deadline}
    changed = {key: value for key, value in wanted.items() if value != (spec.get(key) or None)}
    return {"spec": changed} if changed else None


def places(pod: Pod) -> Mapping[str, str]:
    """See `BackendDefinition`: the step in our label or, if that is missing, in Argo's annotation."""
    metadata = pod["metadata"]
    step = (metadata.get("labels") or {}).get(LABEL_STEP)
    if step is None:
        node = str((metadata.get("annotations") or {}).get(_NODE_NAME, "")).rpartition(".")[2]
        step = _step_of(node)
    return {step: CONTAINER} if step else {}


def observe(objects: RunObjects[ArgoWorkflow]) -> RunState:
    """See `BackendDefinition`."""
    workflow = objects.child
    nodes, doubt = _nodes(workflow.get("status") or {})
    return observe_dag(objects, _planned(workflow), places, _run(workflow, nodes, doubt), _steps(nodes, workflow))


def _planned(workflow: ArgoWorkflow) -> tuple[StepState, ...]:
    # The order of the templates is one that the graph allows.
    templates = (workflow.get("spec") or {}).get("templates") or ()
    return steps_of_template({**t["container"], "name": t.get("name", "")} for t in templates if t.get("container"))


Nodes = Mapping[str, ArgoNode]


def _nodes(status: ArgoWorkflowStatus) -> tuple[Nodes, str]:
    """The nodes of a workflow, and a sentence if they cannot be read here."""
    if status.get("compressedNodes"):
        try:
            return json.loads(gzip.decompress(base64.b64decode(status["compressedNodes"]))), ""
        except (binascii.Error, OSError, EOFError, ValueError):
            return {}, "status.compressedNodes of the Workflow cannot be read; only its pods show the steps"
    if status.get("offloadNodeStatusVersion"):
        return {}, "Argo keeps the state of the nodes in its own database; only the pods show the steps"
    return status.get("nodes") or {}, ""


def _step_of(display_name: str) -> str:
    found = _ATTEMPT.fullmatch(display_name)
    return found["step"] if found else display_name


def _run(workflow: ArgoWorkflow, nodes: Nodes, doubt: str) -> EngineRun:
    spec, status = workflow.get("spec") or {}, workflow.get("status") or {}
    word = str(status.get("phase") or "")
    phase = _ENDED.get(word, Phase.RUNNING)
    if phase is Phase.RUNNING and spec.get("suspend"):
        phase = Phase.SUSPENDED
    if word not in ("", "Pending", "Running") and word not in _ENDED:
        doubt = f"Argo calls its phase {clip(word, 60)!r}, which this operator does not know"
    return EngineRun(
        phase=phase,
        why=_why(workflow, nodes) if phase is Phase.FAILED else None,
        doubt=doubt,
        retries=max((_retries(template) for template in spec.get("templates") or ()), default=0),
        started_at=status.get("startedAt") or workflow["metadata"].get("creationTimestamp"),
        finished_at=status.get("finishedAt"),
    )


def _retries(template: ArgoTemplate) -> int:
    limit = str((template.get("retryStrategy") or {}).get("limit") or "")
    return int(limit) if limit.isdigit() else 0


def _why(workflow: ArgoWorkflow, nodes: Nodes) -> Explanation | None:
    """The reason the workflow ended as a whole; None if one of its steps ended it."""
    spec, status = workflow.get("spec") or {}, workflow.get("status") or {}
    if spec.get("shutdown"):
        return Reason.CANCELLED, CANCELLED_MESSAGE
    if _is_overdue(spec, status):
        return Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE
    message = clip(str(status.get("message") or ""), WORDS_LIMIT)
    failed = any(
        node.get("type") == "Pod" and _PHASES.get(str(node.get("phase"))) is StepPhase.FAILED for node in nodes.values()
    )
    if message and (status.get("phase") == "Error" or not failed):
        return Reason.ENGINE_ERROR, f"Argo gave the Workflow up: {message}"
    return None


def _is_overdue(spec: ArgoWorkflowSpec, status: ArgoWorkflowStatus) -> bool:
    """True if a workflow took as long as it was allowed to; Argo says so only at the nodes it stopped, if at all."""
    limit = spec.get("activeDeadlineSeconds")
    start, end = from_text(status.get("startedAt")), from_text(status.get("finishedAt"))
    if limit is None or start is None or end is None:
        return False
    return (end - start).total_seconds() >= float(limit)


def _steps(nodes: Nodes, workflow: ArgoWorkflow) -> dict[str, EngineStep]:
    """The steps as the nodes show them. A step with retries is a node with children, one for each attempt."""
    steps: dict[str, EngineStep] = {}
    attempts: dict[str, int] = {}
    for node in nodes.values():
        name = str(node.get("displayName") or "")
        if node.get("type") == "Pod":
            step = _step_of(name)
            attempts[step] = attempts.get(step, 0) + _was_started(node)
        if not _ATTEMPT.fullmatch(name) and node.get("type") in ("Pod", "Retry", "Skipped"):
            steps[name] = _step(node, nodes, workflow)
    return {name: replace(step, attempts=attempts.get(name, 0)) for name, step in steps.items()}


def _was_started(node: ArgoNode) -> bool:
    """True if the container of a node's pod was started: a node is there before its pod, or without one."""
    ended = (node.get("outputs") or {}).get("exitCode") is not None or str(node.get("message")).startswith(_DELETED)
    return node.get("phase") in ("Running", "Succeeded") or ended


def _step(node: ArgoNode, nodes: Nodes, workflow: ArgoWorkflow) -> EngineStep:
    last = next((nodes[child] for child in reversed(node.get("children") or ()) if child in nodes), node)
    words = str(node.get("message") or "")
    if node.get("type") == "Retry":
        words = str(last.get("message") or words)
    reason, message = _explain(without_pod_name(words), workflow)
    code = str((node.get("outputs") or {}).get("exitCode") or "")
    return EngineStep(
        phase=_PHASES.get(str(node.get("phase"))),
        started_at=node.get("startedAt"),
        finished_at=node.get("finishedAt"),
        exit_code=int(code) if code.lstrip("-").isdigit() else None,
        message=message,
        reason=reason,
        outcome=_outcome(last),
    )


def _outcome(node: ArgoNode) -> Outcome:
    """The outcome of a step that failed: Argo puts its termination message at the end of the node's message."""
    _, brace, rest = str(node.get("message") or "").partition("{")
    report = report_from_message(brace + rest)
    return report.outcome if report else Outcome()


def _explain(words: str, workflow: ArgoWorkflow) -> Explanation:
    """The reason and message in Argo's words about a node."""
    if words in _SAYS_NOTHING:
        return Reason.STARTING, ""
    if "workflowtaskresults" in words and "forbidden" in words:
        metadata, spec = workflow["metadata"], workflow.get("spec") or {}
        namespace = metadata.get("namespace", "")
        account = f"{namespace}:{spec.get('serviceAccountName') or 'default'} -n {namespace}"
        return Reason.FORBIDDEN, f"{words}. {ROLE_ADVICE.format(account=account)}"
    if quota := explain_quota(words):
        return quota
    if "exceeded its deadline" in words or "longer than the specified deadline" in words:
        return Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE
    if words.startswith(_DELETED):
        return Reason.POD_LOST, words
    if "violates PodSecurity" in words:
        return Reason.POD_REFUSED, f"{_SECURITY_ADVICE} Argo says: {words}"
    if "OOMKilled" in words:
        return Reason.OUT_OF_MEMORY, f"out of memory: {words}. Raise spec.resources.limits.memory"
    return Reason.STEP_FAILED, words


DEFINITION = BackendDefinition(
    name=Backend.ARGO,
    title="Argo Workflows",
    generator="sqlflow_codegen.couler:CoulerCodegen",
    resource=WORKFLOWS,
    kind="Workflow",
    deadline_grace=15,  # it looks at a running workflow every ten seconds
    suspends_running=True,
    planned=_planned,
    places=places,
    observe=observe,
    ended=ended,
    adjust=adjust,
    # A suspended workflow would ignore the shutdown.
    cancellation={"spec": {"shutdown": "Terminate", "suspend": None}},
    missing_right=missing_right,
)
