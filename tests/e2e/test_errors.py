"""Everything that goes wrong tells a person what, where and what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
import yaml

from tests.e2e.kube import Kube, condition, sqlflow_job, whole_message

pytestmark = pytest.mark.e2e
Submit = Callable[..., str]
TRAIN = (
    'SELECT * FROM {table}\nTO TRAIN xgboost.gbtree\nWITH objective="multi:softmax", num_class=3\nLABEL class\nINTO m;'
)


def test_syntax_error_is_told_within_a_second_and_starts_nothing(kube: Kube, submit: Submit) -> None:
    name = submit("SELECT 1;\nSELECT * FROM iris.train\nTO TRAIN xgboost.gbtree\nLABEL class;")
    kube.run("wait", "--for=condition=Stalled", f"sqlflowjob/{name}", "--timeout=20s")
    job = kube.job(name)
    stalled = condition(job, "Stalled")
    assert stalled["reason"] == "InvalidProgram"
    assert "statement 2" in stalled["message"]
    assert "4:12" in stalled["message"]
    assert "INTO" in stalled["message"]
    created = datetime.fromisoformat(job["metadata"]["creationTimestamp"])
    assert (datetime.fromisoformat(stalled["lastTransitionTime"]) - created).total_seconds() <= 1
    assert kube.children(job) == []
    assert kube.children(job, "configmap") == []


def test_missing_table(kube: Kube, submit: Submit) -> None:
    name = submit("SELECT 1;\n" + TRAIN.format(table="iris.tarin"))
    job = kube.wait_phase(name, "Failed")
    assert condition(job, "Failed")["status"] == "True"
    message = whole_message(job)
    assert "statement 2" in message
    assert "TO TRAIN xgboost.gbtree" in message
    assert 'relation "iris.tarin" does not exist' in message
    assert "2:15" in message
    steps = {s["name"]: s["phase"] for s in job["status"]["steps"]}
    assert steps == {"s1-sql": "Succeeded", "s2-train": "Failed"}


def test_steps_after_a_failure_are_told_as_skipped(kube: Kube, submit: Submit) -> None:
    name = submit(TRAIN.format(table="nowhere") + "\nSELECT 1;")
    job = kube.wait_phase(name, "Failed")
    assert [s["phase"] for s in job["status"]["steps"]] == ["Failed", "Skipped"]


def test_wrong_password(kube: Kube, submit: Submit) -> None:
    url = "postgresql+psycopg://sqlflow:canary-wrong-7@postgres:5432/sqlflow"
    kube.run("create", "secret", "generic", "wrong-password", f"--from-literal=url={url}")
    try:
        name = submit("SELECT 1;", dataSource={"secretRef": {"name": "wrong-password", "key": "url"}})
        job = kube.wait_phase(name, "Failed")
    finally:
        kube.run("delete", "secret", "wrong-password")
    message = whole_message(job)
    assert "password authentication failed" in message
    assert "wrong-password" in message
    assert "canary-wrong-7" not in str(job)


def test_missing_secret_leaves_the_job_pending_and_says_which(kube: Kube, submit: Submit) -> None:
    name = submit("SELECT 1;", dataSource={"secretRef": {"name": "no-such-secret", "key": "url"}})
    job = kube.wait(lambda: "no-such-secret" in whole_message(kube.job(name)) and kube.job(name), "told", 30)
    assert job["status"]["phase"] == "Pending"
    assert "kubectl create secret" in whole_message(job)


def test_pending_job_goes_on_when_the_secret_comes(kube: Kube, submit: Submit) -> None:
    name = submit("SELECT 1;", dataSource={"secretRef": {"name": "late-secret", "key": "url"}})
    kube.wait(lambda: "late-secret" in whole_message(kube.job(name)), "told", 30)
    url = "postgresql+psycopg://sqlflow:demo-only@postgres:5432/sqlflow"
    kube.run("create", "secret", "generic", "late-secret", f"--from-literal=url={url}")
    try:
        kube.wait_phase(name, "Succeeded", seconds=100)
    finally:
        kube.run("delete", "secret", "late-secret")


def test_image_that_does_not_exist(kube: Kube, submit: Submit) -> None:
    name = submit("SELECT 1;", image="localhost/no-such-image:1")
    job = kube.wait(lambda: "no-such-image" in whole_message(kube.job(name)) and kube.job(name), "told", 30)
    assert job["status"]["phase"] == "Pending"
    assert "spec.image" in whole_message(job)


def test_out_of_memory_names_the_limit(kube: Kube, submit: Submit) -> None:
    limits = {"limits": {"memory": "120Mi"}}
    name = submit("SELECT 1;\n-- one value of 600 MB\nSELECT repeat('x', 600000000);", resources=limits)
    job = kube.wait_phase(name, "Failed")
    message = whole_message(job)
    assert "out of memory" in message.lower()
    assert "120Mi" in message
    assert "spec.resources.limits.memory" in message
    assert "s1-sql" in message or "statement" in message


def test_deadline(kube: Kube, submit: Submit) -> None:
    name = submit("SELECT pg_sleep(300);", activeDeadlineSeconds=5)
    job = kube.wait_phase(name, "Failed")
    assert condition(job, "Failed")["reason"] == "DeadlineExceeded"
    assert "activeDeadlineSeconds" in whole_message(job)
    kube.wait(lambda: not kube.running("SELECT pg_sleep(300)"), "the statement in the database was ended", 60)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"program": "  \n "}, "program"),
        ({"program": "SELECT 1;", "retries": -1}, "retries"),
        ({"program": "SELECT 1;", "backend": "airflow"}, "backend"),
        ({"program": "SELECT 1;", "nosuchfield": 1}, "nosuchfield"),
        ({"program": "SELECT 1;", "env": [{"name": "SQLFLOW_DATABASE_URL", "value": "x"}]}, "SQLFLOW_"),
    ],
)
def test_api_server_refuses_what_cannot_be_meant(kube: Kube, spec: dict[str, object], message: str) -> None:
    manifest = sqlflow_job("refused", str(spec["program"]), **{k: v for k, v in spec.items() if k != "program"})
    done = kube.run("apply", "-f", "-", text=yaml.safe_dump(manifest), check=False)
    assert done.returncode != 0
    assert message in done.stderr
