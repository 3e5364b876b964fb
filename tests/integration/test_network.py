"""The operator behind a network that misbehaves, and with no right beyond one namespace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlflow_operator.kube.client import KubeClient

from tests.integration.conftest import ROOT, OperatorProcess, Place, new_namespace
from tests.integration.controlplane import ControlPlane, free_port
from tests.integration.proxy import Proxy

pytestmark = pytest.mark.integration


@pytest.fixture
def proxy(plane: ControlPlane) -> Iterator[Proxy]:
    started = Proxy(int(plane.url.rpartition(":")[2]))
    yield started
    started.close()


@pytest.fixture
def distant_operator(plane: ControlPlane, proxy: Proxy, namespace: str, tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator that reaches the API server through the proxy."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(plane.operator.read_text().replace(plane.url, f"https://127.0.0.1:{proxy.port}"))
    operator = OperatorProcess(plane, free_port(), tmp_path / "log", {"SQLFLOW_NAMESPACES": namespace})
    operator.environment["KUBECONFIG"] = str(kubeconfig)
    yield operator
    operator.kill()


@pytest.mark.timeout(240)
def test_silent_connections_are_given_up(distant_operator: OperatorProcess, proxy: Proxy, place: Place) -> None:
    """No error, no end, no data, as behind a firewall that forgot the connections: it catches up by itself."""
    distant_operator.start()
    place.apply(program="SELECT 1;")
    place.play_until("Succeeded")
    proxy.freeze()
    place.apply("later", program="SELECT 2;")
    place.play_until("Succeeded", "later", seconds=120)
    assert distant_operator.process is not None
    assert distant_operator.process.poll() is None, "without a new start"


@pytest.mark.timeout(180)
def test_outage_of_the_api_server(distant_operator: OperatorProcess, proxy: Proxy, place: Place) -> None:
    distant_operator.start()
    place.apply()
    place.play_until("Running")
    proxy.refuse(True)
    place.wait_for(lambda: distant_operator.probe("readyz") == 503, "not ready", 30)
    assert distant_operator.probe("healthz") == 200, "an outage elsewhere is no reason to be killed"
    for _ in range(6):
        place.controller.tick()
    proxy.refuse(False)
    place.play_until("Succeeded", seconds=90)
    place.wait_for(lambda: distant_operator.probe("readyz") == 200, "ready again", 30)
    assert len(place.children()) == 1


def grant(plane: ControlPlane, namespace: str) -> None:
    """The shipped rules as a Role of one namespace, for a user that has nothing else."""
    [role, _] = yaml.safe_load_all((ROOT / "manifests" / "base" / "role.yaml").read_text())
    metadata = {"name": "sqlflow-operator", "namespace": namespace}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "sqlflow-operator"},
        "subjects": [{"kind": "User", "name": "single", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    plane.run("apply", "-f", "-", stdin=yaml.safe_dump_all([role | {"kind": "Role", "metadata": metadata}, binding]))


def test_a_role_in_each_namespace_is_enough(
    plane: ControlPlane, kube: KubeClient, own_operator: OperatorProcess, place: Place
) -> None:
    second = Place(kube, new_namespace(kube, "second"))
    elsewhere = Place(kube, new_namespace(kube, "elsewhere"))
    for namespace in (place.namespace, second.namespace):
        grant(plane, namespace)
    own_operator.environment |= {
        "KUBECONFIG": str(plane.single),
        "SQLFLOW_NAMESPACES": f"{place.namespace},{second.namespace}",
    }
    own_operator.start()
    for served in (place, second):
        served.apply(program="SELECT 1;")
        served.play_until("Succeeded")
    text = own_operator.log.read_text()
    assert "forbidden" not in text.lower()
    assert elsewhere.children() == []


def test_kustomizations_build(plane: ControlPlane) -> None:
    for folder in ("base", "overlays/dev", "overlays/single-namespace"):
        built = list(yaml.safe_load_all(plane.run("kustomize", str(ROOT / "manifests" / folder)).stdout))
        kinds = {thing["kind"] for thing in built}
        assert {"CustomResourceDefinition", "Namespace", "ServiceAccount", "Deployment"} <= kinds
        assert ("ClusterRole" in kinds) == (folder != "overlays/single-namespace")
        assert ("Role" in kinds) == (folder == "overlays/single-namespace")
        plane.run("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump_all(built))
        _check_metrics_and_probes(built)


def _check_metrics_and_probes(built: list[dict[str, Any]]) -> None:
    """The Service and the NetworkPolicy select the operator's pod and let its port through."""
    [deployment, service, policy] = (
        next(thing for thing in built if thing["kind"] == kind) for kind in ("Deployment", "Service", "NetworkPolicy")
    )
    pod = deployment["spec"]["template"]
    labels = pod["metadata"]["labels"].items()
    [port] = pod["spec"]["containers"][0]["ports"]
    assert service["spec"]["selector"].items() <= labels
    assert [p["targetPort"] for p in service["spec"]["ports"]] == [port["name"]]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels
    [ingress] = policy["spec"]["ingress"]
    assert "from" not in ingress, "the kubelet's probes come from the node"
    assert ingress["ports"] == [{"protocol": "TCP", "port": port["name"]}]
    ports = {p["port"] for rule in policy["spec"]["egress"] for p in rule["ports"]}
    assert {53, 443, 6443} <= ports
