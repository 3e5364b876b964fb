"""`sqlflow render` prints what the operator creates."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlflow_cli.app import app
from sqlflow_cli.generation import codegen_of
from sqlflow_codegen.contract import STEP_REQUESTS
from sqlflow_operator.api import Backend, SQLFlowJob
from sqlflow_operator.backend_registry import definition
from sqlflow_operator.kube import SQLFLOWJOBS
from sqlflow_operator.kube.watch_cache import WatchCache
from sqlflow_operator.parsing import parse
from sqlflow_operator.reconcile import Defaults
from sqlflow_operator.reconcile.apply import Applier
from sqlflow_operator.reconcile.decision import CreateRun
from sqlflow_operator.run_name import run_name
from sqlflow_operator.run_options import parse_requests
from typer.testing import CliRunner, Result

from tests.unit.operator.fakes import Clock, FakeKube
from tests.unit.operator.world import PROGRAM, job_manifest

BACKENDS = ["job", "argo", "tekton"]
SPEC: dict[str, Any] = {
    "program": "SET search_path = iris;\n" + PROGRAM + "\nSELECT '$(A) {{x}} \u00e9 \U0001f600', \"q\";\n",
    "dataSource": {"secretRef": {"name": "db", "key": "address"}},
    "imagePullSecrets": [{"name": "pull"}],
    "serviceAccountName": "runner",
    "resources": {"limits": {"memory": "2Gi", "cpu": 1}},
    "env": [{"name": "DAY", "value": "2024-01-01"}, {"name": "B", "value": "{{workflow.name}} $(params.x)"}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "retries": 2,
    "activeDeadlineSeconds": 600,
    "ttlSecondsAfterFinished": 60,
    "previewRows": 7,
    "suspend": True,
    "ordering": "Lineage",
    "fusion": "Off",
}


def render(*arguments: str | Path, text: str | None = None, **env: str) -> Result:
    return CliRunner().invoke(app, ["render", *map(str, arguments)], input=text, env=env)


class Submitted:
    """A workflow that keeps what it is given."""

    yaml = ""

    def __init__(self, backend: Backend) -> None:
        self.definition = definition(backend)

    def missing_right(self, *_: object) -> str:
        return ""

    def submit(self, yaml: str) -> str:
        self.yaml = yaml
        return "ns/run"


def created_by_operator(manifest: dict[str, Any], backend: str) -> tuple[SQLFlowJob, str]:
    """The job as the operator reads it, and the YAML that it submits for it."""
    kube, cache, workflow = FakeKube(Clock()), WatchCache(), Submitted(Backend(backend))
    kube.create(SQLFLOWJOBS, "ns", json.loads(json.dumps(manifest, sort_keys=True)))  # as API servers sort
    raw = kube.get(SQLFLOWJOBS, "ns", manifest["metadata"]["name"])
    cache.put(SQLFLOWJOBS, raw)
    job = SQLFlowJob.parse(raw)
    defaults = Defaults("step:1", "Always", parse_requests(STEP_REQUESTS))
    applier = Applier(kube, cache, {Backend(backend): (codegen_of(Backend(backend)), workflow)}, defaults)
    program = parse(job.spec.program, job.spec.dialect).program
    assert program is not None
    assert applier.apply(job, CreateRun(run_name(job), Backend(backend), program)) is None
    return job, workflow.yaml


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("spec", [{}, SPEC, {**SPEC, "image": "mine:2", "backend": "job"}])
def test_byte_for_byte_what_the_operator_creates(tmp_path: Path, backend: str, spec: dict[str, Any]) -> None:
    manifest = job_manifest("x" * 60, **spec)
    job, created = created_by_operator(manifest, backend)
    file = tmp_path / "job.yaml"
    file.write_text(yaml.safe_dump(manifest, allow_unicode=True, sort_keys=False), encoding="utf-8")
    options = ["--backend", backend, "--image", "step:1", "--image-pull-policy", "Always"]
    result = render(file, *options, "--uid", job.uid, "--namespace", "ns")
    assert result.exit_code == 0, result.stderr
    assert result.stdout_bytes == created.encode()
    assert job.uid in created

    # What comes out of the cluster needs no options for what it holds itself: its status says the backend.
    stored = {**manifest, "metadata": {"name": job.name, "namespace": "ns", "uid": job.uid}, "status": {}}
    assert render("-", *options, text=yaml.safe_dump(stored, sort_keys=False)).stdout_bytes == created.encode()
    if "backend" not in spec:
        stored["status"] = {"run": {"backend": backend}}
        assert render("-", *options[2:], text=yaml.safe_dump(stored, sort_keys=False)).stdout_bytes == created.encode()


def test_a_manifest_without_uid_gets_no_owner() -> None:
    result = render("-", "--image", "step:1", text=yaml.safe_dump(job_manifest(backend="job")))
    config_map, job = yaml.safe_load_all(result.stdout)
    assert "ownerReferences" not in config_map["metadata"]
    assert job["metadata"]["name"].startswith("iris-")
    assert job["metadata"]["namespace"] == "default"


def test_several_jobs_of_a_manifest() -> None:
    text = yaml.safe_dump_all([job_manifest("a", backend="job"), job_manifest("b", backend="job")])
    result = render("-", text=text)
    documents = list(yaml.safe_load_all(result.stdout))
    assert [one["kind"] for one in documents] == ["ConfigMap", "Job"] * 2
    assert [one["metadata"]["annotations"]["sqlflow.org/job"] for one in documents] == ["a", "a", "b", "b"]
    assert "give it one job" in render("-", "--code", text=text).stderr


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_program_and_its_code_give_the_same(backend: str, tmp_path: Path) -> None:
    file = tmp_path / "program.sql"
    file.write_text(PROGRAM)
    options = ["--backend", backend, "--name", "r1", "--namespace", "ns", "--secret", "db", "--retries", "1"]
    options += ["--image", "step:1", "--deadline", "60", "--service-account", "runner", "--ordering", "lineage"]
    shown = render(file, *options)
    assert shown.exit_code == 0, shown.stderr
    child = list(yaml.safe_load_all(shown.stdout))[1]
    assert child["metadata"] == {"name": "r1", "namespace": "ns", "labels": {"sqlflow.org/run": "r1"}}
    code = render(file, *options, "--code").stdout
    compile(code, "program.py", "exec")
    assert codegen_of(Backend(backend)).gen_yaml(code) == shown.stdout


def test_ordering_and_fusion_shape_the_dag() -> None:
    text = "SELECT 1 FROM a; SELECT 2 FROM b;"
    counts = []
    for options in ([], ["--ordering", "Sequential"], ["--ordering", "Sequential", "--no-fusion"]):
        _, workflow = yaml.safe_load_all(render("-", "--backend", "argo", *options, text=text).stdout)
        counts.append(len(workflow["spec"]["templates"]) - 1)
    assert counts == [2, 1, 2]


def test_the_step_image_may_come_from_the_environment() -> None:
    result = render("-", "--backend", "job", text="SELECT 1", SQLFLOW_STEP_IMAGE="other:7")
    assert "image: other:7" in result.stdout


JOB = yaml.safe_dump(job_manifest())


@pytest.mark.parametrize(
    ("arguments", "text", "code", "words"),
    [
        (["nowhere.sql", "--backend", "job"], "", 2, "cannot read nowhere.sql"),
        (["-"], "SELECT 1", 2, "give --backend"),
        (["-"], JOB, 2, "job iris leaves the choice of its backend to the operator"),
        (["-", "--backend", "job", "--dialect", "klingon"], "SELECT 1", 2, "unknown SQL dialect"),
        (["-", "--backend", "job", "--retries", "1"], JOB, 2, "says spec.retries itself"),
        (["-", "--backend", "job", "--name", "x"], JOB, 2, "--name has no meaning for a manifest"),
        (["-", "--backend", "job", "--uid", "x"], "SELECT 1", 2, "--uid has no meaning for a SQL program"),
        (["-", "--backend", "job", "--name", "A_b"], "SELECT 1", 2, "no Kubernetes name"),
        (["-", "--backend", "job"], "kind: Pod\napiVersion: v1", 2, "no SQLFlowJob"),
        (["-", "--backend", "job", "--uid", "x"], f"{JOB}---\n{JOB}", 2, "cannot all have the UID"),
        (
            ["-", "--backend", "job", "--namespace", "b"],
            JOB.replace("name: iris", "namespace: a\n  name: i"),
            1,
            "not b",
        ),
        (["-", "--backend", "job"], JOB.replace("name: iris", "labels: {}"), 1, "-:4:3: metadata.name"),
        (["-", "--backend", "job"], "-- nothing", 1, "the program has no statement"),
        (["-", "--backend", "argo", "--image", "{{x}}"], "SELECT 1", 1, "Argo would replace"),
    ],
)
def test_one_clear_line(arguments: list[str], text: str, code: int, words: str) -> None:
    result = render(*arguments, text=text)
    assert result.exit_code == code, result.stderr
    assert result.stderr.startswith("error: ")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_program_with_errors_is_told_as_check_tells_it() -> None:
    result = render("-", text=yaml.safe_dump(job_manifest(program="SELECT 'a", backend="job")))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "error[" in result.stderr
    assert ", iris, statement 1 (1:8 of its program)" in result.stderr


def test_help_imports_nothing_big() -> None:
    code = (
        "import sys; from sqlflow_cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'sqlglot', 'pydantic', 'kubernetes', 'couler', 'numpy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "render" in done.stdout
    assert done.stderr.strip() == "[]"
