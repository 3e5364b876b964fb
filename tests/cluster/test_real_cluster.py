"""Real clusters beside the one of this checkout: they come, survive a kill, live side by side and leave nothing.

They belong to checkouts that are empty folders: a cluster needs nothing of its checkout but the path.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from devcluster import debian
from devcluster.layout import Layout
from devcluster.process import Runner

from tests.support.waiting import wait_for

RUNNER = Runner()

pytestmark = [
    pytest.mark.e2e,
    # The first one on a machine without caches builds Kubernetes.
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: clusters without a registry are built here"),
    pytest.mark.skipif(RUNNER.which("podman") is None, reason="needs podman (make cluster-up installs it)"),
    pytest.mark.skipif("CLUSTER" in os.environ, reason="CLUSTER is set: no cluster is made here"),
]

DEADLINE_SECONDS = 300


def command(checkout: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "devcluster", "--checkout", str(checkout), *arguments]


def devcluster(checkout: Path, *arguments: str) -> str:
    done = subprocess.run(command(checkout, *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def podman(*arguments: str) -> list[str]:
    result = RUNNER.run(["podman", *arguments])
    assert result.ok, result.err
    return sorted(result.out.split())


def kubectl(checkout: Path, *arguments: str) -> str:
    kubectl_path = json.loads(devcluster(checkout, "tools", "--json"))["kubectl"]
    result = RUNNER.run([kubectl_path, "--kubeconfig", str(checkout / ".state/kubeconfig"), *arguments], timeout=60)
    assert result.ok, result.err
    return result.out


def footprint() -> dict[str, object]:
    """All that a cluster could leave on a machine; images are the cache, which is meant to stay."""
    configs = [Path.home() / ".kube/config", *sorted(Path("/etc/containers").rglob("*"))]
    return {
        "containers": podman("ps", "--all", "--format", "{{.Names}}"),
        "volumes": podman("volume", "ls", "--quiet"),
        "networks": podman("network", "ls", "--format", "{{.Name}}"),
        "network configurations": sorted(path.name for path in Path("/etc/cni/net.d").glob("*")),
        "bridges": sorted(path.parent.name for path in Path("/sys/class/net").glob("*/bridge")),
        "configurations": {str(path): path.stat().st_mtime_ns for path in configs if path.is_file()},
        "kernel modules folder": Path("/lib/modules").is_dir(),
    }


@pytest.fixture
def checkouts(tmp_path: Path) -> Iterator[list[Path]]:
    """Two checkouts; whatever a test does, their clusters are removed after it."""
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        path.mkdir()
    # Made before any footprint is taken: the cache is meant to stay.
    for path in paths:
        devcluster(path, "base-image")
    yield paths
    for path in paths:
        devcluster(path, "down")


def node(checkout: Path) -> str:
    return f"{Layout.default(checkout).name}-control-plane"


def node_id(checkout: Path) -> list[str]:
    return podman("ps", "--quiet", "--no-trunc", "--filter", f"name=^{node(checkout)}$")


def kill_when_the_node_is_there(checkout: Path, log: Path) -> None:
    """Start `up` and kill it, with nothing left to clear up after it, as soon as the node's container exists."""
    with log.open("w") as output:
        process = subprocess.Popen(command(checkout, "up"), stdout=output, stderr=output)
        listing = ("ps", "--all", "--quiet", "--filter", f"name=^{node(checkout)}$")
        wait_for(
            lambda: podman(*listing) or process.poll() is not None,
            "the node's container exists",
            DEADLINE_SECONDS,
            seen=log.read_text,
        )
        assert process.poll() is None, log.read_text()
        process.kill()
        process.wait()


POD = """
apiVersion: batch/v1
kind: Job
metadata: {{name: hello}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: hello
        image: {image}
        imagePullPolicy: Never
        command: [python3, -c, "import socket; print(socket.gethostbyname('kubernetes.default.svc.cluster.local'))"]
"""


def test_a_cluster_runs_pods_is_used_again_and_leaves_nothing(checkouts: list[Path], tmp_path: Path) -> None:
    checkout, _ = checkouts
    before = footprint()

    kubeconfig = devcluster(checkout, "up")
    assert kubeconfig == str(checkout / ".state/kubeconfig")
    assert json.loads(devcluster(checkout, "status", "--json"))["state"] == "ready"
    devcluster(checkout, "load", debian.IMAGES.reference)
    manifest = tmp_path / "job.yaml"
    manifest.write_text(POD.format(image=debian.IMAGES.reference))
    kubectl(checkout, "apply", "--filename", str(manifest))
    kubectl(checkout, "wait", "--for=condition=Complete", "job/hello", "--timeout=45s")
    assert kubectl(checkout, "logs", "job/hello").startswith("10.")

    first = node_id(checkout)
    assert devcluster(checkout, "up") == kubeconfig
    assert node_id(checkout) == first
    assert json.loads(devcluster(checkout, "status", "--json"))["images"] == [debian.IMAGES.reference]

    devcluster(checkout, "down")
    assert footprint() == before
    assert list(checkout.iterdir()) == []


def service_addresses(checkout: Path) -> set[str]:
    """The cluster addresses of all Services that kube-proxy's map in the kernel holds."""
    listing = RUNNER.run(
        ["podman", "exec", node(checkout), "nft", "--json", "list", "map", "ip", "kube-proxy", "service-ips"]
    )
    assert listing.ok, listing.err
    elements = json.loads(listing.out)["nftables"][1]["map"].get("elem", [])
    return {key["concat"][0] for key, _ in elements}


def test_services_survive_a_full_sync_of_kube_proxy(checkouts: list[Path]) -> None:
    """A full sync reads the map, deletes what it does not recognise and comes once an hour, and at each start."""
    checkout, _ = checkouts
    devcluster(checkout, "up")
    wanted = set(kubectl(checkout, "get", "services", "-A", "--output=jsonpath={.items[*].spec.clusterIP}").split())
    assert len(wanted) == 2  # the API server's and the DNS server's
    assert service_addresses(checkout) == wanted

    kubectl(checkout, "--namespace=kube-system", "rollout", "restart", "daemonset/kube-proxy")
    kubectl(checkout, "--namespace=kube-system", "rollout", "status", "daemonset/kube-proxy", "--timeout=50s")
    # Whatever Service comes now starts another sync, which ends after the first one.
    kubectl(checkout, "create", "service", "clusterip", "late", "--tcp=80:80")
    address = kubectl(checkout, "get", "service", "late", "--output=jsonpath={.spec.clusterIP}")
    kubectl(checkout, "delete", "service", "late", "--wait")
    wait_for(lambda: address not in service_addresses(checkout), "the address is gone", DEADLINE_SECONDS)
    assert service_addresses(checkout) == wanted


def test_a_killed_up_is_recovered_beside_another_cluster(checkouts: list[Path], tmp_path: Path) -> None:
    one, two = checkouts
    before = footprint()
    other = subprocess.Popen(command(two, "up"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    kill_when_the_node_is_there(one, tmp_path / "log")
    assert json.loads(devcluster(one, "status", "--json"))["state"] == "incomplete"
    devcluster(one, "up")

    assert other.wait(DEADLINE_SECONDS) == 0
    names = []
    for checkout in checkouts:
        assert json.loads(devcluster(checkout, "status", "--json"))["state"] == "ready"
        names.append(kubectl(checkout, "get", "nodes", "--output=name").strip())
    assert names == [f"node/{node(one)}", f"node/{node(two)}"]

    devcluster(one, "down")
    assert json.loads(devcluster(two, "status", "--json"))["state"] == "ready"
    devcluster(two, "down")
    assert footprint() == before
    assert list(one.iterdir()) == list(two.iterdir()) == []
