"""A SQL program as one batch/v1 Job: its containers are the steps, one after the other.

Run this file to print the YAML. The SQL program itself is data: it stands in the
ConfigMap, which the steps mount; their arguments only name its statements.
"""

from fluid.dumper import dump_yaml

PROGRAM = "SELECT 1;\nSELECT * FROM a TO TRAIN xgboost.gbtree LABEL b INTO c;\n"

METADATA = {"name": "sqlflow-run", "labels": {"sqlflow.org/run": "sqlflow-run"}}

POD_METADATA = {"labels": {"sqlflow.org/run": "sqlflow-run"}}

POD = {
    "restartPolicy": "Never",
    "volumes": [{"name": "program", "configMap": {"name": "sqlflow-run"}}],
}

CONTAINER = {
    "image": "sqlflow-step:latest",
    "command": ["sqlflow-step"],
    "env": [{"name": "SQLFLOW_RUN", "value": "sqlflow-run"}],
    "volumeMounts": [{"name": "program", "mountPath": "/sqlflow", "readOnly": True}],
}

JOB = {"backoffLimit": 0}

# The container that copies the step program for images that do not have it, if any.
COPY = {}

ARGUMENTS = ["--program", "/sqlflow/program.sql", "--dialect", "postgres"]

# The numbers of each step's statements. Where given, `session` are statements of other
# steps such as SET, run before these; a retry runs those of `repeat` again although they
# are done, and cannot go on at those of `lost`, for want of their session.
# `own` makes the container of a step whose image the program names; where it `copies`, a
# container before it brings it the step program.
STEPS = [{"name": "s1-sql", "statements": "1"}, {"name": "s2-train", "statements": "2"}]


def containers(name, own=CONTAINER, copies=False, **numbers):
    """Return the containers of one step; its arguments hold no text of the SQL program."""
    arguments = [word for key, value in numbers.items() for word in (f"--{key}", value)]
    step = {"name": name, **own, "args": [*ARGUMENTS, *arguments]}
    return [COPY, step] if copies else [step]


config_map = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": METADATA,
    "immutable": True,
    "data": {"program.sql": PROGRAM},
}

# Init containers run one after the other, and before the last step, the pod's end.
*first, last = [each for step in STEPS for each in containers(**step)]
pod = {**POD, "initContainers": first, "containers": [last]}

job = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": METADATA,
    "spec": {**JOB, "template": {"metadata": POD_METADATA, "spec": pod}},
}

if __name__ == "__main__":
    print(dump_yaml(config_map, job), end="")
