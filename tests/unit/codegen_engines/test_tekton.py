"""The PipelineRun: its tasks, its pods, its clock. That Tekton's own rules hold is Fluid's business."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import OUTCOME_RESULT, TERMINATION_LOG_ENV
from sqlflow_codegen.errors import CodegenError

from tests.unit.codegen_engines.cases import CODEGENS, FULL, STEPS, child_of, parsed, placeholders

TEKTON = CODEGENS["tekton"]


def run(options: RunOptions = FULL) -> dict[str, Any]:
    return child_of("tekton", options)


def tasks(child: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {task["name"]: task for task in child["spec"]["pipelineSpec"]["tasks"]}


@pytest.mark.usefixtures("graph")
def test_order_is_the_graph() -> None:
    order = {name: tuple(task.get("runAfter", ())) for name, task in tasks(run()).items()}
    assert order == {step.name: step.after for step in STEPS}


@pytest.mark.usefixtures("graph")
def test_without_retries_there_is_none() -> None:
    child = run(RunOptions(suspend=True))
    assert set(tasks(child)) == {step.name for step in STEPS}
    assert not [text for text in placeholders(child) if "retries" in text]


@pytest.mark.usefixtures("graph")
def test_task_of_a_step() -> None:
    task = tasks(run())["s3-train"]
    program = ["--program", "/sqlflow/program.sql", "--dialect", "postgres"]
    volume = {"name": "churn-7e5b1c52", "items": [{"key": "program.sql", "path": "program.sql"}]}
    assert task == {
        "name": "s3-train",
        "runAfter": ["s1-sql"],
        "retries": 2,
        "timeout": "0s",
        "taskSpec": {
            "metadata": {"labels": {"sqlflow.org/step": "s3-train"}},
            "results": [{"name": OUTCOME_RESULT, "type": "string"}],
            "volumes": [{"name": "program", "configMap": volume}, {"name": "scratch", "emptyDir": {}}],
            "steps": [
                {
                    "name": "main",
                    "image": "registry.local/sqlflow-step:1.0",
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["sqlflow-step"],
                    "args": [*program, "--preview-rows", "20", "--retries", "2", "--statements", "3"],
                    "env": [
                        {
                            "name": "SQLFLOW_DATABASE_URL",
                            "valueFrom": {"secretKeyRef": {"name": "warehouse", "key": "dsn"}},
                        },
                        {"name": "SQLFLOW_RUN", "value": "churn-7e5b1c52"},
                        {
                            "name": "SQLFLOW_RUN_UID",
                            "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['tekton.dev/pipelineRunUID']"}},
                        },
                        {"name": "MODE", "value": "nightly"},
                        {
                            "name": "GREETING",
                            "valueFrom": {"configMapKeyRef": {"name": "churn-7e5b1c52", "key": "env-1"}},
                        },
                        {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                        {"name": TERMINATION_LOG_ENV, "value": "$(results.outcome.path)"},
                    ],
                    "computeResources": FULL.resources,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [
                        {"name": "program", "mountPath": "/sqlflow", "readOnly": True},
                        {"name": "scratch", "mountPath": "/tmp"},
                    ],
                }
            ],
        },
    }


@pytest.mark.usefixtures("graph")
def test_run_spec() -> None:
    spec = run()["spec"]
    spec.pop("pipelineSpec")
    assert spec == {
        "timeouts": {"pipeline": "3600s"},
        "taskRunTemplate": {
            "serviceAccountName": "runner",
            "podTemplate": {
                "nodeSelector": {"disk": "ssd"},
                "tolerations": [{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}],
                "affinity": FULL.affinity,
                "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                "imagePullSecrets": [{"name": "pull"}],
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
            },
        },
        "status": "PipelineRunPending",
    }


def test_without_a_deadline_tekton_has_none_either() -> None:
    assert run(RunOptions())["spec"]["timeouts"] == {"pipeline": "0s"}


def test_kubernetes_own_references_stay_in_the_environment() -> None:
    env = [{"name": "A", "value": "x"}, {"name": "B", "value": "$(A) $$(A)"}]
    for task in tasks(run(RunOptions(env=env))).values():
        assert task["taskSpec"]["steps"][0]["env"][3:5] == env


@pytest.mark.usefixtures("graph")
def test_nothing_that_tekton_would_substitute_but_the_outcome() -> None:
    assert {text for text in placeholders(run()) if "$(" in text} == {"$(results.outcome.path)"}


@pytest.mark.parametrize(
    "options",
    [
        replace(FULL, image="x:$(params.tag)"),
        replace(FULL, secret_key="$(context.taskRun.name)"),
        replace(FULL, resources={"limits": {"cpu": "$(params.cpu)"}}),
        replace(FULL, affinity={"a": ["$(tasks.x.results.y)"]}),
    ],
)
def test_options_that_tekton_would_substitute_are_refused(options: RunOptions) -> None:
    with pytest.raises(CodegenError, match="Tekton would replace"):
        TEKTON.gen_code(parsed(), options)
