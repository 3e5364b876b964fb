"""README's first job, pasted as it stands, into a namespace that has nothing."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from devcluster.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.e2e

OWN_NAMESPACE = """
kubectl config view --raw --flatten > "$SCRATCH/kubeconfig"
export KUBECONFIG="$SCRATCH/kubeconfig"
kubectl config set-context --current --namespace="$NAMESPACE" > /dev/null
"""
"""What the test adds behind README's first line, so that it disturbs nobody."""


def section(title: str) -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[str]:
    return [line[2:] for block in blocks(text, "console") for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture
def namespace(stack: Stack) -> Iterator[str]:
    if "CLUSTER" in os.environ:
        pytest.skip("CLUSTER is set: README's commands are for this checkout's own cluster")
    name = f"first-{uuid.uuid4().hex[:8]}"
    stack.do("Create a namespace", "create", "namespace", name)
    yield name
    stack.run("delete", "namespace", name, "--wait=false")


@pytest.mark.timeout(700)
def test_the_first_job_works_as_pasted(stack: Stack, namespace: str, tmp_path: Path) -> None:
    text = section("Your first job")
    (manifest,) = blocks(text, "yaml")
    pasted = commands(text)
    assert pasted[0].startswith('eval "$(make -s env)"')
    script = "\n".join(["set -eux", pasted[0], OWN_NAMESPACE, *pasted[1:]])
    # A person saves the manifest in the clone's folder; the test does in a folder of its own.
    script = script.replace("-f job.yaml", '-f "$SCRATCH/job.yaml"')
    (tmp_path / "job.yaml").write_text(manifest, encoding="utf-8")
    environment = {**os.environ, "SCRATCH": str(tmp_path), "NAMESPACE": namespace}
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=650
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sqlflowjob.sqlflow.org/iris condition met" in done.stdout
    assert re.search(r"^iris +Succeeded +2/2", done.stdout, re.MULTILINE), done.stdout
    assert "accuracy_score" in done.stdout


def test_the_url_of_the_first_job_is_one_that_psql_accepts() -> None:
    """A SQLAlchemy URL such as postgresql+psycopg:// is understood, but psql refuses it."""
    urls = re.findall(r"postgres\w*(?:\+\w+)?://", section("Your first job"))
    secret = (ROOT / "examples/postgres/postgres.yaml").read_text(encoding="utf-8")
    urls += re.findall(r"postgres\w*(?:\+\w+)?://", secret)
    assert set(urls) == {"postgresql://"}
