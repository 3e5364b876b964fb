"""A SQL program of 5 statements in 5 steps as an Argo Workflow: a DAG of its steps, in Couler.

Run this file (pip install couler-scanflow) to print the YAML. The SQL program itself is
data: it stands in the ConfigMap, which the steps mount; their arguments only name its
statements.
"""

import re

import couler.argo as couler
import yaml
from couler.argo_submitter import ArgoSubmitter

PROGRAM = (
    "CREATE TABLE clean AS SELECT * FROM raw WHERE note <> '{{workflow.name}} $(params.x)';\n"
    "CREATE TABLE other AS SELECT 1 AS a;\n"
    'SELECT a, b, label FROM clean TO TRAIN xgboost.gbtree WITH objective = "binary:logistic" LABEL label INTO model;\n'
    "SELECT a, b FROM clean TO PREDICT scored.label USING model;\n"
    "SELECT a, b, label FROM clean TO EVALUATE model LABEL label;\n"
)

METADATA = {
    "name": "churn-7e5b1c52",
    "namespace": "team",
    "labels": {
        "sqlflow.org/run": "churn-7e5b1c52",
        "sqlflow.org/job": "churn",
        "sqlflow.org/job-uid": "7e5b1c52-4f0e-4c3e-9d7a-0123456789ab",
    },
    "annotations": {"sqlflow.org/job": "churn"},
    "ownerReferences": [
        {
            "apiVersion": "sqlflow.org/v1alpha1",
            "kind": "SQLFlowJob",
            "name": "churn",
            "uid": "7e5b1c52-4f0e-4c3e-9d7a-0123456789ab",
            "controller": True,
            "blockOwnerDeletion": True,
        },
    ],
}

# What Couler has no words for: of the workflow, of its steps, of their containers.
WORKFLOW = {
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
            "configMap": {
                "name": "churn-7e5b1c52",
                "items": [{"key": "program.sql", "path": "program.sql"}],
            },
        },
        {"name": "scratch", "emptyDir": {}},
    ],
    "imagePullSecrets": [{"name": "pull"}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {
                        "matchExpressions": [
                            {"key": "zone", "operator": "In", "values": ["a", "b"]},
                        ],
                    },
                ],
            },
        },
    },
}

STEP = {
    "retryStrategy": {
        "limit": 2,
        "retryPolicy": "Always",
        "expression": "asInt(lastRetry.exitCode) not in [1, 2, 5, 6]",
        "backoff": {"duration": "10", "factor": 2, "cap": "6m"},
    },
}

CONTAINER = {
    "imagePullPolicy": "IfNotPresent",
    "env": [
        {
            "name": "SQLFLOW_DATABASE_URL",
            "valueFrom": {"secretKeyRef": {"name": "warehouse", "key": "dsn"}},
        },
        {"name": "SQLFLOW_RUN", "value": "churn-7e5b1c52"},
        {"name": "SQLFLOW_RUN_UID", "value": "{{workflow.uid}}"},
        {"name": "MODE", "value": "nightly"},
        {
            "name": "GREETING",
            "valueFrom": {
                "configMapKeyRef": {"name": "churn-7e5b1c52", "key": "env-1"},
            },
        },
        {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ],
    "resources": {
        "requests": {"cpu": "1", "memory": "1Gi"},
        "limits": {"memory": "2Gi"},
    },
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

ARGUMENTS = ["--program", "/sqlflow/program.sql", "--dialect", "postgres"]

STEP_ARGUMENTS = ["--preview-rows", "20", "--retries", "2"]

IMAGE = "registry.local/sqlflow-step:1.0"

arguments_of = {}


def add_step(name, *arguments, after):
    """Add a step to the DAG; it starts when all steps that `after` names have succeeded."""

    def container():
        return couler.run_container(
            step_name=name,
            image=IMAGE,
            command=["sqlflow-step"],
        )

    couler.set_dependencies(container, dependencies=" && ".join(after) or None)
    arguments_of[name] = [*ARGUMENTS, *arguments]


def run_step(name, statements, after=()):
    """Add the step that runs these statements, numbers such as 3-5,7."""
    arguments = ["--statements", statements, *STEP_ARGUMENTS]
    add_step(name, *arguments, after=after)


def complete(workflow):
    """Add to the workflow that Couler built what Couler has no words for."""
    spec = workflow["spec"]
    del spec["affinity"]  # Couler always writes one, empty
    dag, *steps = spec.pop("templates")
    dag["name"] = spec["entrypoint"] = "program"
    for step in steps:
        name, container = step["name"], step.pop("container")
        step.update(
            metadata={"labels": {"sqlflow.org/step": name}},
            **STEP,
            container={**container, "args": arguments_of[name], **CONTAINER},
        )
    spec.update(WORKFLOW, templates=[dag, *steps])
    return {**workflow, "metadata": METADATA}


class Printer(ArgoSubmitter):
    """Prints what Couler would send to a cluster."""

    def __init__(self):
        """Do without the cluster that Couler would look for."""

    def submit(self, workflow, secrets=None):
        """Print the ConfigMap and the workflow."""
        print_yaml(config_map, complete(workflow))


class Dumper(yaml.CSafeDumper):
    """Writes every value where it stands, without anchors."""

    def ignore_aliases(self, data):
        return True


def represent_text(dumper, text):
    """Plain lines and words stay as they are; all else is quoted: no reader may see another text or type."""
    lines = text.split("\n")
    plain = all(line.isprintable() and line == line.rstrip() for line in lines)
    if plain and len(lines) > 1 and text[0].strip():
        style = "|"
    elif re.fullmatch("[/-]*[A-Za-z][A-Za-z0-9._/:-]*[A-Za-z0-9]", text):
        style = None
    else:
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def print_yaml(*documents):
    """Print the documents in their order."""
    layout = {"sort_keys": False, "allow_unicode": True, "width": 2**31 - 1}
    print(yaml.dump_all(documents, Dumper=Dumper, **layout), end="")


Dumper.add_representer(str, represent_text)
Dumper.add_multi_representer(dict, Dumper.represent_dict)

config_map = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": METADATA,
    "immutable": True,
    "data": {
        "program.sql": PROGRAM,
        "env-1": "hello {{workflow.name}} and $(params.x)",
    },
}

couler.config_workflow(name="churn-7e5b1c52", timeout=3600, service_account="runner")
run_step("s1-sql", "1")
run_step("s2-sql", "2")
run_step("s3-train", "3", after=["s1-sql"])
run_step("s4-predict", "4", after=["s2-sql", "s3-train"])
run_step("s5-evaluate", "5", after=["s3-train"])

couler.run(submitter=Printer())
