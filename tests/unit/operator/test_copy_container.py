"""The container that copies the step program for images without it is no step, on any backend."""

from __future__ import annotations

from typing import Any

import yaml
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.language import parse_program
from sqlflow_operator.workflow.backends import argo, job, tekton
from sqlflow_operator.workflow.backends.definition import BackendDefinition

PROGRAM = "CREATE TABLE t AS SELECT 1 AS a; SELECT a FROM t TO RUN team/binning:1 CMD 'a' INTO one; SELECT * FROM one"
STEPS = ["s1-sql", "s2-run", "s3-sql"]


def child(backend: BackendDefinition[Any, Any]) -> Any:
    codegen = backend.codegen()
    _, made = yaml.safe_load_all(codegen.gen_yaml(codegen.gen_code(parse_program(PROGRAM), RunOptions())))
    return made


def test_the_steps_of_a_run() -> None:
    for backend in (job.DEFINITION, argo.DEFINITION, tekton.DEFINITION):
        found = backend.steps(child(backend))
        assert [(step.name, step.kind, step.statements) for step in found] == [
            ("s1-sql", "sql", (1,)),
            ("s2-run", "run", (2,)),
            ("s3-sql", "sql", (3,)),
        ]


def test_the_pod_of_a_job() -> None:
    spec = child(job.DEFINITION)["spec"]["template"]["spec"]
    assert [each["name"] for each in spec["initContainers"]] == ["s1-sql", "copy", "s2-run"]
    pod: Any = {"metadata": {"name": "pod"}, "spec": spec}
    assert list(job.places(pod)) == STEPS


def test_the_pod_of_a_task() -> None:
    """Tekton starts both containers at once: the step is the second one."""
    names = [{"name": name, "state": {}} for name in ("step-copy", "step-main")]
    pod: Any = {
        "metadata": {"name": "pod", "labels": {"sqlflow.org/step": "s2-run"}},
        "status": {"containerStatuses": names},
    }
    assert tekton.places(pod) == {"s2-run": "step-main"}
