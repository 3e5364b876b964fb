"""A SQL program of 5 statements in 5 steps as a Tekton PipelineRun, in Fluid: a task for each step.

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

PROGRAM_SOURCE = fluid.volumes.config_map(
    METADATA["name"],
    items={"program.sql": "program.sql"},
)
MOUNTS = {
    "/sqlflow": fluid.Mount(fluid.Volume("program", PROGRAM_SOURCE), read_only=True),
    "/tmp": fluid.Volume("scratch", fluid.volumes.empty_dir()),
}

ARGUMENTS = ["--program", "/sqlflow/program.sql", "--dialect", "postgres"]

STEP_ARGUMENTS = ["--preview-rows", "20", "--retries", "2"]


def add_step(name, *arguments, after):
    """Add a step as a task; it starts when all tasks that `after` names have succeeded."""
    with fluid.Task(name, labels={"sqlflow.org/step": name}) as task:
        outcome = fluid.result("outcome")
        fluid.step(
            "main",
            command=["sqlflow-step"],
            args=[*ARGUMENTS, *arguments],
            # Tekton keeps the container's termination message for itself.
            env=[*ENV, {"name": "SQLFLOW_TERMINATION_LOG", "value": outcome.path}],
            mounts=MOUNTS,
            **CONTAINER,
        )
    # Without limit: the run's timeout is the only clock; Tekton's default is one hour.
    task(run_after=after, timeout=0, retries=2)


def run_step(name, statements, after=()):
    """Add the step that runs these statements, numbers such as 3-5,7."""
    arguments = ["--statements", statements, *STEP_ARGUMENTS]
    add_step(name, *arguments, after=after)


config_map = fluid.ConfigMap(
    data={
        "program.sql": PROGRAM,
        "env-1": "hello {{workflow.name}} and $(params.x)",
    },
    immutable=True,
    **METADATA,
)

with fluid.Pipeline("steps") as pipeline:
    run_step("s1-sql", "1")
    run_step("s2-sql", "2")
    run_step("s3-train", "3", after=["s1-sql"])
    run_step("s4-predict", "4", after=["s2-sql", "s3-train"])
    run_step("s5-evaluate", "5", after=["s3-train"])

POD = fluid.PodTemplate(
    security_context={"seccompProfile": {"type": "RuntimeDefault"}},
    automount_service_account_token=False,
    enable_service_links=False,
    image_pull_secrets=[{"name": "pull"}],
    node_selector={"disk": "ssd"},
    tolerations=[{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}],
    affinity={
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
)
run = fluid.PipelineRun(
    pipeline,
    timeout=3600,
    service_account="runner",
    pending=True,
    pod_template=POD,
    **METADATA,
)

if __name__ == "__main__":
    print(fluid.dump(config_map, run), end="")
