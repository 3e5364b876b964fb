"""A program, a graph of its steps and options that use everything, for the tests of both engines' generators."""

from __future__ import annotations

import ast
from typing import Any

import yaml
from sqlflow_codegen.backend import Codegen, RunOptions
from sqlflow_codegen.couler import CoulerCodegen
from sqlflow_codegen.fluid import FluidCodegen
from sqlflow_codegen.graph import Step
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import Program

CODEGENS: dict[str, Codegen] = {"argo": CoulerCodegen(), "tekton": FluidCodegen()}

TEXT = """\
CREATE TABLE clean AS SELECT * FROM raw WHERE note <> '{{workflow.name}} $(params.x)';
CREATE TABLE other AS SELECT 1 AS a;
SELECT a, b, label FROM clean TO TRAIN xgboost.gbtree WITH objective = "binary:logistic" LABEL label INTO model;
SELECT a, b FROM clean TO PREDICT scored.label USING model;
SELECT a, b, label FROM clean TO EVALUATE model LABEL label;
"""

STEPS = (
    Step("s1-sql", "sql", (1,)),
    Step("s2-sql", "sql", (2,)),
    Step("s3-train", "train", (3,), ("s1-sql",)),
    Step("s4-predict", "predict", (4,), ("s2-sql", "s3-train")),
    Step("s5-evaluate", "evaluate", (5,), ("s3-train",)),
)
"""As a graph would give them: two roots, two leaves."""

OWNER = {
    "apiVersion": "sqlflow.org/v1alpha1",
    "kind": "SQLFlowJob",
    "name": "churn",
    "uid": "7e5b1c52-4f0e-4c3e-9d7a-0123456789ab",
    "controller": True,
    "blockOwnerDeletion": True,
}

FULL = RunOptions(
    name="churn-7e5b1c52",
    namespace="team",
    owner=OWNER,
    job_name="churn",
    secret_name="warehouse",
    secret_key="dsn",
    image="registry.local/sqlflow-step:1.0",
    image_pull_policy="IfNotPresent",
    image_pull_secrets=[{"name": "pull"}],
    service_account_name="runner",
    resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    env=[
        {"name": "MODE", "value": "nightly"},
        {"name": "GREETING", "value": "hello {{workflow.name}} and $(params.x)"},
        {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ],
    node_selector={"disk": "ssd"},
    tolerations=[{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}],
    affinity={
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}]
            }
        }
    },
    retries=2,
    active_deadline_seconds=3600,
    preview_rows=20,
    suspend=True,
)


def parsed(text: str = TEXT) -> Program:
    """The program."""
    return parse_program(text)


def child_of(backend: str, options: RunOptions) -> dict[str, Any]:
    """The Workflow or PipelineRun of the program."""
    codegen = CODEGENS[backend]
    _, child = yaml.safe_load_all(codegen.gen_yaml(codegen.gen_code(parsed(), options)))
    assert isinstance(child, dict)
    return child


def placeholders(value: Any) -> list[str]:
    """Every text in a manifest, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.items() for part in item for text in placeholders(part)]
    return [text for item in value for text in placeholders(item)] if isinstance(value, list) else []


def constants(code: str) -> dict[str, Any]:
    """The literals that a program assigns at its top level, by name."""
    found = {ast.unparse(node.targets[0]): node.value for node in ast.parse(code).body if isinstance(node, ast.Assign)}
    return {name: ast.literal_eval(value) for name, value in found.items() if name.isupper()}
