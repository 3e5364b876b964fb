"""A SQL program as an Argo Workflow: a DAG of its steps, in Couler.

Run this file (pip install couler-scanflow) to print the YAML. The SQL program itself is
data: it stands in the ConfigMap, which the steps mount; their arguments only name its
statements.
"""

import couler.argo as couler
from couler.argo_submitter import ArgoSubmitter
from fluid.dumper import dump_yaml

PROGRAM = "SELECT 1;\nSELECT * FROM a TO TRAIN xgboost.gbtree LABEL b INTO c;\n"

METADATA = {"name": "sqlflow-run", "labels": {"sqlflow.org/run": "sqlflow-run"}}

# Texts of environment variables that Argo would substitute in a Workflow.
TEXTS = {"env-0": "{{workflow.name}}"}

WORKFLOW = {"name": "sqlflow-run", "timeout": 3600}

# What Couler has no words for: of the workflow, its DAG, its steps, their containers.
SPEC = {
    "archiveLogs": False,
    "volumes": [{"name": "program", "configMap": {"name": "sqlflow-run"}}],
}

DAG = {"failFast": True}

STEP = {"retryStrategy": {"limit": 2, "retryPolicy": "Always"}}

CONTAINER = {
    "image": "sqlflow-step:latest",
    "command": ["sqlflow-step"],
    "env": [{"name": "SQLFLOW_RUN_UID", "value": "{{workflow.uid}}"}],
    "volumeMounts": [{"name": "program", "mountPath": "/sqlflow", "readOnly": True}],
}

# The container that copies the step program for images that do not have it, if any.
COPY = {}

ARGUMENTS = ["--program", "/sqlflow/program.sql", "--dialect", "postgres"]

LABEL_STEP = "sqlflow.org/step"

# The numbers of each step's statements. Where given, `session` are statements of other
# steps such as SET, run before these; a retry runs those of `repeat` again although they
# are done, and cannot go on at those of `lost`, for want of their session.
# `own` makes the container of a step whose image the program names; where it `copies`, a
# container before it brings it the step program.
STEPS = [
    {"name": "s1-sql", "statements": "1"},
    {"name": "s2-train", "after": ["s1-sql"], "statements": "2"},
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


if __name__ == "__main__":
    couler.config_workflow(**WORKFLOW)
    for step in STEPS:
        add_step(**step)
    couler.run(submitter=Printer())
