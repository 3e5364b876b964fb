"""A SQL program as an Argo Workflow: a DAG of its steps, in Couler.

Run this file (pip install couler-scanflow) to print the YAML. The SQL program itself is
data: it stands in the ConfigMap, which the steps mount; their arguments only name its
statements.
"""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter
import yaml

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

# Texts of environment variables that Argo would substitute in a Workflow.
TEXTS = {"env-1": "hello {{workflow.name}} and $(params.x)"}

WORKFLOW = {"name": "churn-7e5b1c52", "timeout": 3600, "service_account": "runner"}

# What Couler has no words for: of the workflow, its DAG, its steps, their containers.
SPEC = {
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

DAG = {}

STEP = {
    "retryStrategy": {
        "limit": 2,
        "retryPolicy": "Always",
        "expression": "asInt(lastRetry.exitCode) not in [1, 2, 5, 6]",
        "backoff": {"duration": "10", "factor": 2, "cap": "6m"},
    },
}

CONTAINER = {
    "image": "registry.local/sqlflow-step:1.0",
    "imagePullPolicy": "IfNotPresent",
    "command": ["sqlflow-step"],
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

# The container that copies the step program for images that do not have it, if any.
COPY = {}

ARGUMENTS = [
    "--program",
    "/sqlflow/program.sql",
    "--dialect",
    "postgres",
    "--preview-rows",
    "20",
    "--retries",
    "2",
]

LABEL_STEP = "sqlflow.org/step"

# The numbers of each step's statements. Where given, `session` are statements of other
# steps such as SET, run before these; a retry runs those of `repeat` again although they
# are done, and cannot go on at those of `lost`, for want of their session.
# `own` makes the container of a step whose image the program names; where it `copies`, a
# container before it brings it the step program.
STEPS = [
    {"name": "s1-sql", "statements": "1"},
    {"name": "s2-sql", "statements": "2"},
    {"name": "s3-train", "after": ["s1-sql"], "statements": "3"},
    {"name": "s4-predict", "after": ["s2-sql", "s3-train"], "statements": "4"},
    {"name": "s5-evaluate", "after": ["s3-train"], "statements": "5"},
]

templates_of = {}


def add_step(name, after=(), own=CONTAINER, copies=False, **numbers):
    """Add a step to the DAG; it starts when all steps that `after` names have succeeded."""
    arguments = [word for key, value in numbers.items() for word in (f"--{key}", value)]
    container = {**own, "args": [*ARGUMENTS, *arguments]}
    before = {"initContainers": [COPY]} if copies else {}
    templates_of[name] = {**before, "container": container}

    def run():
        image, command = own["image"], own["command"]
        return couler.run_container(step_name=name, image=image, command=command)

    couler.set_dependencies(run, dependencies=" && ".join(after) or None)


def complete(workflow):
    """Add to the workflow that Couler built what Couler has no words for."""
    spec = workflow["spec"]
    del spec["affinity"]  # Couler always writes one, empty
    dag, *templates = spec.pop("templates")
    dag["name"] = spec["entrypoint"] = "program"
    dag.update(DAG)
    for template in templates:
        name = template["name"]
        template["metadata"] = {"labels": {LABEL_STEP: name}}
        template.update(templates_of[name], **STEP)
    spec.update(SPEC, templates=[dag, *templates])
    return {**workflow, "metadata": METADATA}


class Printer(ArgoSubmitter):
    """Prints what Couler would send to a cluster."""

    def __init__(self):
        """Do without the cluster that Couler would look for."""

    def submit(self, workflow, secrets=None):
        """Print the ConfigMap and the workflow."""
        config_map = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": METADATA,
            "immutable": True,
            "data": {"program.sql": PROGRAM, **TEXTS},
        }
        print(dump_yaml(config_map, complete(workflow)), end="")


class Dumper(yaml.CSafeDumper):
    """Writes every value where it stands, and so that no reader sees another text or type."""

    def ignore_aliases(self, data: object) -> bool:
        """Write no anchors."""
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Write plain words and lines as they are, in quotes all else."""
        lines, style = text.split("\n"), '"'
        trimmed = all(line == line.rstrip() for line in lines)
        if trimmed and len(lines) > 1:
            plain = all(line.replace("\t", "").isprintable() for line in lines)
            style = "|" if plain and text[0].strip() else '"'
        elif trimmed and text not in "yYnN" and text.isascii() and text.isprintable():
            # The emitter chooses, and quotes what it reads as a number, date or boolean.
            style = "" if text[0] in "/$" or text.lstrip("-")[:1].isalpha() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


Dumper.add_representer(str, Dumper.represent_text)
Dumper.add_multi_representer(str, Dumper.represent_text)
Dumper.add_multi_representer(dict, Dumper.represent_dict)


def dump_yaml(*documents: object) -> str:
    """Return the documents as YAML."""
    return yaml.dump_all(
        documents,
        Dumper=Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=2**31 - 1,
    )


if __name__ == "__main__":
    couler.config_workflow(**WORKFLOW)
    for step in STEPS:
        add_step(**step)
    couler.run(submitter=Printer())
