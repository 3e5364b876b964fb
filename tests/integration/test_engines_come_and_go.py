"""An engine's CRD is installed and removed while the operator runs, on a real API server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlflow_operator.kube import WORKFLOWS, NotFoundError, Object, Resource
from sqlflow_operator.kube.client import KubeClient

from tests.integration.conftest import ROOT, OperatorProcess, Place
from tests.integration.controlplane import ControlPlane
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

CRDS = Resource("apis/apiextensions.k8s.io/v1", "customresourcedefinitions")

CRD: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "workflows.argoproj.io"},
    "spec": {
        "group": "argoproj.io",
        "scope": "Namespaced",
        "names": {"kind": "Workflow", "plural": "workflows"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}
"""A CRD as Argo's minimal installation has it: every field is taken as it comes."""


@pytest.fixture
def without_argo(plane: ControlPlane, kube: KubeClient, namespace: str) -> Iterator[None]:
    """A cluster without Argo, before and after, whose steps may report to it."""
    plane.run("apply", "-f", str(ROOT / "manifests" / "base" / "argo-steps-role.yaml"))
    group = f"--group=system:serviceaccounts:{namespace}"
    plane.run("create", "rolebinding", "argo-steps", "-n", namespace, "--clusterrole=sqlflow-argo-steps", group)
    _remove(kube)
    yield
    _remove(kube)


def _served(kube: KubeClient) -> bool:
    return kube.serves(WORKFLOWS)


def _install(kube: KubeClient) -> None:
    kube.create(CRDS, "", CRD)
    wait_for(lambda: _served(kube), "the API server serves Workflows")


def _remove(kube: KubeClient) -> None:
    try:
        kube.delete(CRDS, "", CRD["metadata"]["name"])
    except NotFoundError:
        return
    wait_for(lambda: not _served(kube), "the API server serves no Workflows")


def _reason(place: Place) -> str:
    return str(place.condition("Stalled").get("reason", ""))


@pytest.mark.usefixtures("without_argo")
def test_an_engine_comes_and_goes(kube: KubeClient, own_operator: OperatorProcess, namespace: str) -> None:
    place = Place(kube, namespace)
    # Lists that make up for missed events come too late here to be what the test sees.
    own_operator.environment["SQLFLOW_RESYNC_SECONDS"] = "600"
    own_operator.start()
    place.apply(backend="argo", program="SELECT 1;")
    place.wait_for(lambda: _reason(place) == "BackendUnavailable", "the job says that there is no Argo")
    assert "workflows.argoproj.io" in place.message()

    _install(kube)
    place.wait_for(lambda: kube.list(WORKFLOWS, namespace), "the run is created", 90)
    [child] = kube.list(WORKFLOWS, namespace)
    place.wait_phase("Pending")
    place.wait_for(
        lambda: "backends" in _last_watching(own_operator) and "argo" in _last_watching(own_operator), "watched", 40
    )
    _set_phase(kube, child, "Running", "s1-sql", "Running")
    place.wait_for(
        lambda: place.status()["steps"][0]["phase"] == "Running", "an event of the Workflow wakes the job", 8
    )

    _remove(kube)
    place.wait_for(lambda: _reason(place) == "BackendUnavailable", "the job says that Argo is gone", 90)
    assert place.phase() == "Running"
    assert own_operator.probe("healthz") == 200

    other = Place(kube, namespace)
    other.apply("plain", backend="job", program="SELECT 1;")
    other.play_until("Succeeded", "plain")

    _install(kube)
    place.wait_for(
        lambda: place.condition("Failed").get("reason") == "ChildLost",
        "the status shows the lost run",
        90,
    )
    assert kube.list(WORKFLOWS, namespace) == []


def _last_watching(operator: OperatorProcess) -> str:
    lines = [line for line in operator.log.read_text().splitlines() if '"message": "watching"' in line]
    return lines[-1] if lines else ""


def _set_phase(kube: KubeClient, child: Object, phase: str, step: str, step_phase: str) -> None:
    name = child["metadata"]["name"]
    node = {"id": "n", "displayName": step, "type": "Pod", "phase": step_phase, "startedAt": "2026-01-01T00:00:00Z"}
    status = {"phase": phase, "startedAt": "2026-01-01T00:00:00Z", "nodes": {"n": node}}
    kube.patch(WORKFLOWS, child["metadata"]["namespace"], name, {"status": status})


@pytest.fixture
def place(without_argo: None, kube: KubeClient, own_operator: OperatorProcess, namespace: str) -> Place:
    """A namespace that an operator watches, which found Argo when it started."""
    _install(kube)
    own_operator.start()
    return Place(kube, namespace)


def test_the_first_engine_that_is_served_is_taken(place: Place, kube: KubeClient, namespace: str) -> None:
    place.apply(program="SELECT 1;")
    place.wait_for(lambda: kube.list(WORKFLOWS, namespace), "a Workflow is created")
    assert place.children() == []


def test_an_engine_without_a_controller_is_reported(place: Place) -> None:
    place.apply(backend="argo", program="SELECT 1;")
    place.wait_phase("Pending")
    assert "is its controller running" not in place.message(), "a controller is given some time"
    place.wait_for(lambda: "is its controller running" in place.message(), "the status asks", 60)
    assert place.phase() == "Pending"
