"""The example of the README, from manifest to predictions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import records
from tests.e2e.kube import Kube, condition

pytestmark = pytest.mark.e2e
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "01-iris"


def test_iris_trains_measures_and_predicts(kube: Kube) -> None:
    kube.run("delete", "sqlflowjob", "iris", "--ignore-not-found")
    kube.psql("DROP TABLE IF EXISTS iris.predictions; DROP TABLE IF EXISTS iris.evaluation;")
    kube.run("apply", "-f", str(EXAMPLE / "job.yaml"))
    kube.run("wait", "--for=condition=Complete", "sqlflowjob/iris", "--timeout=100s")
    job = kube.job("iris")
    status = job["status"]
    assert status["phase"] == "Succeeded"
    assert status["completedSteps"] == status["totalSteps"] == len(status["steps"]) == 5
    assert [s["phase"] for s in status["steps"]] == ["Succeeded"] * 5
    assert all(s["startedAt"] <= s["finishedAt"] for s in status["steps"])
    metrics = {m["name"]: float(m["value"]) for m in status["metrics"]}
    assert metrics["accuracy_score"] >= 0.93
    assert status["models"][0]["name"] == "my_model"
    assert status["observedGeneration"] == job["metadata"]["generation"]

    expected = json.loads((EXAMPLE / "expected.json").read_text(encoding="utf-8"))
    for number, step in (("1", "s1-sql"), ("5", "s5-sql")):
        shown = [r["values"] for r in records(kube, job, step) if r["type"] == "row"]
        assert shown == expected["rows"][number]

    rows = kube.psql("SELECT t.class, p.class FROM iris.test t JOIN iris.predictions p USING "
                     "(sepal_length, sepal_width, petal_length, petal_width)")  # fmt: skip
    assert len(rows) >= 30
    assert sum(a == b for a, b in rows) / len(rows) >= 0.93
    stored = kube.psql("SELECT accuracy_score FROM iris.evaluation")
    assert float(stored[0][0]) == pytest.approx(metrics["accuracy_score"])


def test_applying_again_runs_nothing(kube: Kube) -> None:
    kube.run("apply", "-f", str(EXAMPLE / "job.yaml"))
    job = kube.wait_phase("iris", "Succeeded", seconds=100)
    children = [c["metadata"]["uid"] for c in kube.children(job)]
    kube.run("annotate", "sqlflowjob", "iris", "note=again", "--overwrite")
    kube.run("label", "sqlflowjob", "iris", "team=data", "--overwrite")
    kube.run("replace", "-f", str(EXAMPLE / "job.yaml"))
    kube.look_again("iris")
    after = kube.job("iris")
    assert [c["metadata"]["uid"] for c in kube.children(after)] == children
    assert after["status"]["steps"] == job["status"]["steps"]


def test_job_carries_no_finalizer_and_no_foreign_annotation(kube: Kube) -> None:
    kube.run("apply", "-f", str(EXAMPLE / "job.yaml"))
    metadata = kube.job("iris")["metadata"]
    assert "finalizers" not in metadata
    assert not [a for a in metadata.get("annotations", {}) if "kopf" in a or "zalando" in a]


def test_printer_columns(kube: Kube) -> None:
    kube.run("apply", "-f", str(EXAMPLE / "job.yaml"))
    kube.wait_phase("iris", "Succeeded", seconds=100)
    header, row = kube.run("get", "sfj", "iris").stdout.splitlines()
    assert header.split() == ["NAME", "PHASE", "STEPS", "BACKEND", "DURATION", "AGE", "MESSAGE"]
    assert row.split()[:4] == ["iris", "Succeeded", "5/5", "job"]


def test_credentials_stay_in_the_secret(kube: Kube) -> None:
    kube.run("apply", "-f", str(EXAMPLE / "job.yaml"))
    job = kube.wait_phase("iris", "Succeeded", seconds=100)
    seen = yaml.safe_dump(job) + "".join(
        kube.run("get", kind, "-o", "yaml").stdout for kind in ("jobs", "pods", "configmaps", "events")
    )
    seen += kube.run("logs", kube.pods(job)[0]["metadata"]["name"], "--all-containers").stdout
    seen += kube.run("-n", "sqlflow-system", "logs", "deployment/sqlflow-operator").stdout
    assert "demo-only" not in seen
    assert condition(job, "Complete")["status"] == "True"


@pytest.mark.parametrize(("role", "creates"), [("view", "no"), ("edit", "yes"), ("admin", "yes")])
def test_kubernetes_own_roles_reach_jobs(kube: Kube, role: str, creates: str) -> None:
    """The cluster's controller has added the shipped rules to view, edit and admin."""
    person = f"{role}-of-jobs"
    kube.run("create", "rolebinding", person, f"--clusterrole={role}", f"--user={person}")
    try:
        for verb, expected in (("list", "yes"), ("create", creates), ("delete", creates)):
            answer = kube.run("auth", "can-i", verb, "sqlflowjobs.sqlflow.org", "--as", person, check=False)
            assert answer.stdout.strip() == expected, verb
    finally:
        kube.run("delete", "rolebinding", person)


def test_metrics_are_served_by_the_service(kube: Kube) -> None:
    text = kube.run("get", "--raw", "/api/v1/namespaces/sqlflow-system/services/sqlflow-operator:metrics/proxy/metrics")
    assert "sqlflow_jobs{" in text.stdout
