"""A task object for the cluster, with a database beside its steps, and a run that refers to it."""

import fluid

with fluid.Task(
    "integration-test",
    description="Run the tests against a fresh database.",
    step_template=fluid.StepTemplate(
        image="python:3.12", env={"DATABASE_URL": "postgresql://postgres@localhost/postgres"}
    ),
) as integration_test:
    source = fluid.workspace("source", read_only=True)
    fluid.sidecar(
        "database",
        image="postgres:17",
        env={"POSTGRES_HOST_AUTH_METHOD": "trust"},
        readiness_probe={"exec": {"command": ["pg_isready", "-U", "postgres"]}},
    )
    fluid.step("migrate", command=["alembic", "upgrade", "head"], working_dir=source.path)
    fluid.step("test", command=["pytest", "-q"], working_dir=source.path, timeout="20m")

fluid.TaskRun(
    integration_test,
    name="integration-test-1",
    embed=False,
    workspaces={"source": fluid.volumes.claim("source", read_only=True)},
    timeout=1800,
    retries=1,
)
