"""One cluster, one operator, one database for all tests of a run; what is there already is used again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from devcluster.stack import Stack
from sqlflow_codegen.contract import parse_record

from tests.e2e.kube import SYSTEM, Kube, Object, sqlflow_job, stack_or_skip

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "sqlflow-e2e"


@pytest.fixture(scope="session")
def stack() -> Stack:
    return stack_or_skip(NAMESPACE)


@pytest.fixture(scope="session")
def kube(stack: Stack) -> Kube:
    """kubectl in the tests' namespace, which enforces the restricted Pod Security profile."""
    kube = Kube(stack.kubectl, stack.kubeconfig, NAMESPACE)
    kube.run("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted", "--overwrite")
    return kube


@pytest.fixture
def submit(kube: Kube) -> Iterator[Callable[..., str]]:
    """Apply a SQLFlowJob under a fresh name; deleted after the test."""
    names: list[str] = []

    def _submit(program: str, prefix: str = "t", **spec: object) -> str:
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        names.append(name)
        kube.apply(sqlflow_job(name, program, **spec))
        return name

    yield _submit
    if names:
        kube.run("delete", "sqlflowjob", "--wait=false", "--ignore-not-found", *names)


@pytest.fixture
def table(kube: Kube) -> Iterator[str]:
    """Name of a table of this test's own."""
    name = f"t_{uuid.uuid4().hex[:8]}"
    yield name
    kube.psql(f"DROP TABLE IF EXISTS {name}")


def records(kube: Kube, job: Object, container: str) -> list[Object]:
    """All records that a step of a job wrote, from the log of its newest pod."""
    pod = max(kube.pods(job), key=lambda p: p["metadata"]["creationTimestamp"])["metadata"]["name"]
    lines = kube.run("logs", pod, "-c", container).stdout.split("\n")
    return [r for r in map(parse_record, lines) if r]


def scale_operator(kube: Kube, replicas: int) -> None:
    """Scale the operator and wait until that many of its pods are left."""
    system = Kube(kube.kubectl, kube.kubeconfig, SYSTEM)
    system.run("scale", "deployment/sqlflow-operator", f"--replicas={replicas}")
    if replicas:
        system.run("rollout", "status", "deployment/sqlflow-operator", "--timeout=60s")
    else:
        system.wait(lambda: not system.find("pods"), "the operator's pod is gone", 60)


def kill_operator(kube: Kube) -> None:
    """End the operator's process without a chance to tidy up, as a node failure would."""
    system = Kube(kube.kubectl, kube.kubeconfig, SYSTEM)
    system.run("delete", "pod", "--all", "--grace-period=0", "--force", check=False)
