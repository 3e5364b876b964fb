"""The Workflow: its DAG, its pods, and the rules that Argo's own validation has beyond the schema."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.errors import CodegenError

from tests.unit.codegen_engines.cases import CODEGENS, FULL, STEPS, child_of, parsed, placeholders

ARGO = CODEGENS["argo"]


def workflow(options: RunOptions = FULL) -> dict[str, Any]:
    return child_of("argo", options)


def templates(child: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {template["name"]: template for template in child["spec"]["templates"]}


def argo_refuses(child: dict[str, Any]) -> list[str]:
    """What Argo's validation refuses although the schema allows it: names, references and the order of a DAG."""
    problems: list[str] = []
    names = [template["name"] for template in child["spec"]["templates"]]
    by_name = templates(child)
    problems += [f"name {n}" for n in names if not re.fullmatch(r"[a-zA-Z0-9][-a-zA-Z0-9]{0,127}", n)]
    problems += [f"twice {n}" for n in names if names.count(n) > 1]
    if child["spec"]["entrypoint"] not in by_name:
        problems.append("entrypoint")
    for template in child["spec"]["templates"]:
        kinds = [kind for kind in ("container", "dag", "steps", "script") if kind in template]
        problems += [] if len(kinds) == 1 else [f"type of {template['name']}"]
        done: set[str] = set()
        for task in template.get("dag", {}).get("tasks", []):
            before = set(re.split(r"\s*&&\s*", task["depends"])) if "depends" in task else set()
            problems += [f"{task['name']} before {b}" for b in before if b not in done]
            problems += [f"digit {task['name']}"] if task["name"][0].isdigit() else []
            problems += [f"both {task['name']}"] if "dependencies" in task else []
            problems += [f"template {task['template']}"] if task["template"] not in by_name else []
            done.add(task["name"])
    return problems


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize("options", [RunOptions(), FULL], ids=["least", "full"])
def test_argo_accepts_it(options: RunOptions) -> None:
    assert argo_refuses(workflow(options)) == []


@pytest.mark.usefixtures("graph")
def test_dag_is_the_graph() -> None:
    tasks = templates(workflow())["program"]["dag"]["tasks"]
    order = {t["name"]: tuple(t["depends"].split(" && ")) if "depends" in t else () for t in tasks}
    assert order == {step.name: step.after for step in STEPS}
    assert all(task["name"] == task["template"] for task in tasks)


@pytest.mark.usefixtures("graph")
def test_without_retries_there_is_none_and_no_step_starts_after_a_failure() -> None:
    child = workflow(RunOptions(suspend=True))
    assert set(templates(child)) == {"program", *(step.name for step in STEPS)}
    assert not [text for text in placeholders(child) if "retry" in text or "retries" in text]
    assert templates(child)["program"]["failFast"] is True


@pytest.mark.usefixtures("graph")
def test_argo_would_take_an_attempt_that_failed_for_a_failed_step() -> None:
    assert "failFast" not in templates(workflow())["program"]


@pytest.mark.usefixtures("graph")
def test_retries_are_of_leaves_only_and_spare_what_is_final() -> None:
    for name, template in templates(workflow()).items():
        strategy = template.get("retryStrategy")
        assert (strategy is None) == (name == "program")
        if strategy:
            assert strategy == {
                "limit": 2,
                "retryPolicy": "Always",
                "expression": "asInt(lastRetry.exitCode) not in [1, 2, 5, 6]",
                "backoff": {"duration": "10", "factor": 2, "cap": "6m"},
            }


@pytest.mark.usefixtures("graph")
def test_container_of_a_step() -> None:
    step = templates(workflow())["s4-predict"]
    assert step["metadata"] == {"labels": {"sqlflow.org/step": "s4-predict"}}
    container = step["container"]
    program = ["--program", "/sqlflow/program.sql", "--dialect", "postgres"]
    assert container.pop("args") == [*program, "--preview-rows", "20", "--retries", "2", "--statements", "4"]
    assert container == {
        "image": "registry.local/sqlflow-step:1.0",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sqlflow-step"],
        "env": [
            {"name": "SQLFLOW_DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "warehouse", "key": "dsn"}}},
            {"name": "SQLFLOW_RUN", "value": "churn-7e5b1c52"},
            {"name": "SQLFLOW_RUN_UID", "value": "{{workflow.uid}}"},
            {"name": "MODE", "value": "nightly"},
            {"name": "GREETING", "valueFrom": {"configMapKeyRef": {"name": "churn-7e5b1c52", "key": "env-1"}}},
            {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        ],
        "resources": FULL.resources,
        "volumeMounts": [
            {"name": "program", "mountPath": "/sqlflow", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


@pytest.mark.usefixtures("graph")
def test_workflow_spec() -> None:
    spec = workflow()["spec"]
    spec.pop("templates")
    assert spec == {
        "entrypoint": "program",
        "activeDeadlineSeconds": 3600,
        "serviceAccountName": "runner",
        "suspend": True,
        "archiveLogs": False,
        "podMetadata": {
            "labels": {
                "sqlflow.org/run": "churn-7e5b1c52",
                "sqlflow.org/job": "churn",
                "sqlflow.org/job-uid": "7e5b1c52-4f0e-4c3e-9d7a-0123456789ab",
            },
            "annotations": {"sqlflow.org/job": "churn"},
        },
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [
            {
                "name": "program",
                "configMap": {"name": "churn-7e5b1c52", "items": [{"key": "program.sql", "path": "program.sql"}]},
            },
            {"name": "scratch", "emptyDir": {}},
        ],
        "imagePullSecrets": [{"name": "pull"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": FULL.affinity,
    }


def test_time_to_live_is_argos_own_only_if_asked_for() -> None:
    spec = workflow(RunOptions(ttl_seconds_after_finished=600))["spec"]
    assert spec["ttlStrategy"] == {"secondsAfterCompletion": 600}
    assert spec["podGC"] == {"strategy": "OnWorkflowCompletion", "deleteDelayDuration": "600s"}


def test_a_run_may_be_called_like_a_step() -> None:
    child = workflow(RunOptions(name="s1-sql.x"))
    assert argo_refuses(child) == []
    assert child["metadata"]["name"] == "s1-sql.x"


@pytest.mark.usefixtures("graph")
def test_nothing_that_argo_would_substitute_but_its_own_uid() -> None:
    assert {text for text in placeholders(workflow()) if "{{" in text} == {"{{workflow.uid}}"}


@pytest.mark.parametrize(
    "options",
    [
        replace(FULL, image="x:{{tag}}"),
        replace(FULL, secret_name="{{s}}"),
        replace(FULL, node_selector={"a": "{{=1}}"}),
        replace(FULL, env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "{{x}}", "key": "k"}}}]),
        replace(FULL, tolerations=[{"key": "{{"}]),
    ],
)
def test_options_that_argo_would_substitute_are_refused(options: RunOptions) -> None:
    with pytest.raises(CodegenError, match="Argo would replace"):
        ARGO.gen_code(parsed(), options)
