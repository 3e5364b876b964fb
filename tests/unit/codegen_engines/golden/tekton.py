"""A SQL program as a Tekton PipelineRun, in Fluid: a task for each step.

Run this file to print the YAML. The SQL program itself is data: it stands in the
ConfigMap, which the steps mount; their arguments only name its statements.
"""

import fluid

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
    "owner_references": [
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

# Texts of environment variables that Tekton would substitute in a task.
TEXTS = {"env-1": "hello {{workflow.name}} and $(params.x)"}

# The files of the ConfigMap that the steps see; all if none is named.
FILES = {"program.sql": "program.sql"}

RUN = {"timeout": 3600, "service_account": "runner", "pending": True}

POD = {
    "security_context": {"seccompProfile": {"type": "RuntimeDefault"}},
    "automount_service_account_token": False,
    "enable_service_links": False,
    "image_pull_secrets": [{"name": "pull"}],
    "node_selector": {"disk": "ssd"},
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

ENV = [
    {
        "name": "SQLFLOW_DATABASE_URL",
        "valueFrom": {"secretKeyRef": {"name": "warehouse", "key": "dsn"}},
    },
    {"name": "SQLFLOW_RUN", "value": "churn-7e5b1c52"},
    {
        "name": "SQLFLOW_RUN_UID",
        "valueFrom": {
            "fieldRef": {"fieldPath": "metadata.labels['tekton.dev/pipelineRunUID']"},
        },
    },
    {"name": "MODE", "value": "nightly"},
    {
        "name": "GREETING",
        "valueFrom": {"configMapKeyRef": {"name": "churn-7e5b1c52", "key": "env-1"}},
    },
    {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
]

CONTAINER = {
    "image": "registry.local/sqlflow-step:1.0",
    "image_pull_policy": "IfNotPresent",
    "command": ["sqlflow-step"],
    "resources": {
        "requests": {"cpu": "1", "memory": "1Gi"},
        "limits": {"memory": "2Gi"},
    },
    "security_context": {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
}

# The step that copies the step program for images that do not have it, if any.
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

RETRIES = 2

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

source = fluid.volumes.config_map(METADATA["name"], items=FILES)
mounts = {
    "/sqlflow": fluid.Mount(fluid.Volume("program", source), read_only=True),
    "/tmp": fluid.Volume("scratch", fluid.volumes.empty_dir()),
}
portable = fluid.Volume("portable", fluid.volumes.empty_dir())


def add_step(name, after=(), env=ENV, own=CONTAINER, copies=False, **numbers):
    """Add a step as a task; it starts when all tasks that `after` names have succeeded."""
    arguments = [word for key, value in numbers.items() for word in (f"--{key}", value)]
    with fluid.Task(name, labels={LABEL_STEP: name}) as task:
        outcome = fluid.result("outcome")
        more = {}
        if copies:
            fluid.step("copy", mounts={"/sqlflow-run": portable}, **COPY)
            more["/sqlflow-run"] = fluid.Mount(portable, read_only=True)
        fluid.step(
            "main",
            args=[*ARGUMENTS, *arguments],
            # Tekton keeps the container's termination message for itself.
            env=[*env, {"name": "SQLFLOW_TERMINATION_LOG", "value": outcome.path}],
            mounts=mounts | more,
            **own,
        )
    # Without limit: the run's timeout is the only clock; Tekton's default is one hour.
    task(run_after=after, timeout=0, retries=RETRIES)


data = {"program.sql": PROGRAM, **TEXTS}
config_map = fluid.ConfigMap(data=data, immutable=True, **METADATA)

with fluid.Pipeline("steps") as pipeline:
    for step in STEPS:
        add_step(**step)

pod = fluid.PodTemplate(**POD)
run = fluid.PipelineRun(pipeline, pod_template=pod, **RUN, **METADATA)

if __name__ == "__main__":
    print(fluid.dump(config_map, run), end="")
