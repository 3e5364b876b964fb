"""A namespace that enforces the restricted Pod Security profile: Jobs meet it, engines need a setting that is named."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import pytest
from sqlflow_operator.kube.client import KubeClient

from tests.conformance.conftest import NAMESPACE, let_steps_report
from tests.conformance.test_conformance import BACKENDS
from tests.e2e.kube import Kube, condition, sqlflow_job, whole_message

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]

RESTRICTED = "sqlflow-restricted"
SETTINGS = {"argo": "executor.securityContext", "tekton": "set-security-context"}


@pytest.fixture(scope="module")
def restricted(kube: Kube) -> Iterator[Kube]:
    """kubectl in a namespace of that kind, with the Secret of the cases' database."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": RESTRICTED, "labels": labels}})
    there = Kube(kube.kubectl, kube.kubeconfig, RESTRICTED)
    let_steps_report(there)
    url = base64.b64decode(kube.get("secret", "iris-database")["data"]["url"]).decode()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "iris-database"}}
    there.apply({**secret, "stringData": {"url": url.replace("@postgres", f"@postgres.{NAMESPACE}")}})
    yield there
    kube.run("delete", "namespace", RESTRICTED, "--wait=false")


@pytest.mark.parametrize("backend", BACKENDS)
def test_restricted_namespace(
    backend: str, restricted: Kube, client: KubeClient, engine: Callable[[str], None]
) -> None:
    engine(backend)
    restricted.apply(sqlflow_job(backend, "SELECT 1;", backend=backend))
    if backend == "job":
        restricted.wait_phase(backend, "Succeeded")
        return
    job = restricted.wait_phase(backend, "Failed", "Succeeded")
    if job["status"]["phase"] == "Succeeded":
        pytest.skip(f"this cluster's {backend} has been set up for restricted namespaces")
    assert condition(job, "Failed")["reason"] == "PodRefused"
    assert "violates PodSecurity" in whole_message(job)
    assert SETTINGS[backend] in whole_message(job)
    assert job["status"]["steps"][0]["attempts"] == 0
