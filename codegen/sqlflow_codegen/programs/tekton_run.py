"""A SQL program as a Tekton PipelineRun, in Fluid: a task for each step.

Run this file to print the YAML. The SQL program itself is data: it stands in the
ConfigMap, which the steps mount; their arguments only name its statements.
"""

import fluid

PROGRAM = "SELECT 1;\nSELECT * FROM a TO TRAIN xgboost.gbtree LABEL b INTO c;\n"

METADATA = {"name": "sqlflow-run", "labels": {"sqlflow.org/run": "sqlflow-run"}}

# Texts of environment variables that Tekton would substitute in a task.
TEXTS = {"env-0": "$(context.taskRun.name)"}

# The files of the ConfigMap that the steps see; all if none is named.
FILES = {"program.sql": "program.sql"}

RUN = {"timeout": 3600}

POD = {
    "security_context": {"seccompProfile": {"type": "RuntimeDefault"}},
    "automount_service_account_token": False,
    "enable_service_links": False,
}

ENV = [{"name": "SQLFLOW_RUN", "value": "sqlflow-run"}]

CONTAINER = {"image": "sqlflow-step:latest", "command": ["sqlflow-step"]}

# The step that copies the step program for images that do not have it, if any.
COPY = {}

ARGUMENTS = ["--program", "/sqlflow/program.sql", "--dialect", "postgres"]

RETRIES = 0

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
