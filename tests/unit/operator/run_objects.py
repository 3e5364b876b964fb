"""The objects of runs of three steps on each backend, small and by hand, and the states that are read from them."""

from __future__ import annotations

import json
from typing import Any

from sqlflow_operator.api import Phase, StepPhase, StepStatus
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.backends import argo, tekton
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StatementPlace

PLACES = {
    1: StatementPlace("CREATE TABLE a", 1, 1),
    2: StatementPlace("INSERT INTO a", 2, 1),
    3: StatementPlace("SELECT", 3, 1),
}
NAMES = ("s1-sql", "s2-sql", "s3-sql")


def known(phase: StepPhase = StepPhase.RUNNING, **values: Any) -> StepStatus:
    return StepStatus(name="s2-sql", kind="sql", statements=(2,), phase=phase, **values)


def container(name: str) -> Object:
    return {"name": name, "args": ["--statements", name[1]]}


def error(kind: str, statement: int = 2) -> str:
    fields = {
        "statement": statement,
        "line": 2,
        "column": 1,
        "title": "INSERT INTO a",
        "kind": kind,
        "message": "words",
    }
    return json.dumps({"error": fields})


def pod(step: str, state: Object, label: str = "main", **metadata: Any) -> Object:
    labels = {"sqlflow.org/step": step}
    status = {"phase": "Running", "containerStatuses": [{"name": label, "state": state}]}
    if "terminated" in state:
        status["phase"] = "Failed" if state["terminated"]["exitCode"] else "Succeeded"
    return {"metadata": {"name": f"r-{step}", "uid": f"u-{step}", "labels": labels, **metadata}, "status": status}


def workflow(phase: str, retries: int = 0, **nodes: Object) -> Object:
    """A Workflow of three steps with those nodes, by the step's name with `_`."""
    retry = {"retryStrategy": {"limit": str(retries)}} if retries else {}
    templates = [{"name": name, "container": container(name), **retry} for name in NAMES]
    named = {name: {"displayName": name.replace("_", "-"), "type": "Pod", **node} for name, node in nodes.items()}
    status = {"phase": phase, "nodes": named, "startedAt": "2026-01-01T00:00:00Z"}
    return {"metadata": {"name": "r", "namespace": "ns"}, "spec": {"templates": templates}, "status": status}


def pipeline_run(status: str, reason: str, **task_runs: Object) -> tuple[Object, list[Object]]:
    """A PipelineRun of three steps, and TaskRuns with those statuses, by the step's name with `_`."""
    tasks = [{"name": name, "taskSpec": {"steps": [{**container(name), "name": "main"}]}} for name in NAMES]
    parts = [{"metadata": {"name": f"r-{name}"}, "status": status} for name, status in task_runs.items()]
    references = [{"name": f"r-{name}", "pipelineTaskName": name.replace("_", "-")} for name in task_runs]
    conditions = [{"type": "Succeeded", "status": status, "reason": reason, "message": "Tasks Completed: 1"}]
    child = {
        "metadata": {"name": "r", "namespace": "ns"},
        "spec": {"pipelineSpec": {"tasks": tasks}},
        "status": {"conditions": conditions, "childReferences": references},
    }
    return child, parts


def task(status: str, reason: str, message: str, step: Object | None = None, **values: Any) -> Object:
    """Status of a TaskRun, with the state of its only step."""
    conditions = [{"type": "Succeeded", "status": status, "reason": reason, "message": message}]
    return {"podName": "p", "conditions": conditions, "steps": [step] if step else [], **values}


def ended(code: int, message: str = "") -> Object:
    return {"terminated": {"containerID": "c", "exitCode": code, "reason": "Error", "message": message}}


def batch_job(*conditions: Object, retries: int = 0) -> Object:
    spec = {"backoffLimit": retries, "template": {"spec": {"initContainers": [container(name) for name in NAMES]}}}
    return {"metadata": {"name": "r", "namespace": "ns"}, "spec": spec, "status": {"conditions": list(conditions)}}


FAILED_JOB = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "limit reached"}
DONE = {"phase": "Succeeded", "outputs": {"exitCode": "0"}}
OMITTED = {"phase": "Omitted", "type": "Skipped"}


def phases(state: RunState) -> list[str]:
    return [step.phase.value for step in state.steps]


def of_argo(child: Object, pods: tuple[Object, ...] = (), **seen: StepStatus) -> RunState:
    by_name = {name.replace("_", "-"): step for name, step in seen.items()}
    return argo.observe(RunObjects(child=child, pods=pods, statements=PLACES, known=by_name))


def of_tekton(child: Object, parts: list[Object], pods: tuple[Object, ...] = (), **seen: StepStatus) -> RunState:
    by_name = {name.replace("_", "-"): step for name, step in seen.items()}
    return tekton.observe(RunObjects(child=child, parts=parts, pods=pods, statements=PLACES, known=by_name))


def why(state: RunState) -> tuple[Phase, Reason, str]:
    return state.phase, state.reason, state.message


def first_of(state: RunState) -> tuple[StepPhase, int, str | None]:
    return state.steps[0].phase, state.steps[0].attempts, state.steps[0].message
