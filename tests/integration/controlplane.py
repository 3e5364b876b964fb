"""A real etcd and kube-apiserver for tests, without nodes and without controllers."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.waiting import wait_for

OPERATOR_USER = "system:serviceaccount:sqlflow-system:sqlflow-operator"


def find_tools() -> dict[str, Path] | str:
    """The binaries, or the reason why there are none.

    SQLFLOW_ENVTEST_BIN names a folder with them; else the cluster helper is asked for those it has built.
    """
    names = ("etcd", "kube-apiserver", "kubectl")
    folder = os.environ.get("SQLFLOW_ENVTEST_BIN")
    if folder:
        found = {name: Path(folder) / name for name in names}
        missing = [str(path) for path in found.values() if not os.access(path, os.X_OK)]
        return f"SQLFLOW_ENVTEST_BIN lacks {', '.join(missing)}" if missing else found
    command = [sys.executable, "-m", "devcluster", "tools", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        return "etcd and kube-apiserver are not built yet: `python -m devcluster tools` builds them"
    if done.returncode != 0:
        return "no etcd and kube-apiserver: `make cluster-up` builds them, or set SQLFLOW_ENVTEST_BIN"
    tools = json.loads(done.stdout)
    missing = [name for name in names if not tools.get(name)]
    return f"the cluster's tools lack {', '.join(missing)}" if missing else {name: Path(tools[name]) for name in names}


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def free_port() -> int:
    return _free_ports(1)[0]


@dataclass
class ControlPlane:
    """The two running processes and how to reach them."""

    directory: Path
    kubectl: Path
    url: str
    admin: Path
    """Kubeconfig of the cluster's administrator."""
    operator: Path
    """Kubeconfig with the operator's service account: the shipped role decides what it may do."""
    single: Path
    """Kubeconfig of a user that has no right at all until it is given some."""
    processes: list[subprocess.Popen[bytes]]

    @classmethod
    def start(cls, tools: dict[str, Path], directory: Path) -> ControlPlane:
        etcd_port, peer_port, api_port = _free_ports(3)
        certificate, key = directory / "server.crt", directory / "server.key"
        _make_certificate(certificate, key)
        tokens = directory / "tokens.csv"
        tokens.write_text(
            'admin-token,admin,admin,"system:masters"\n'
            "single-token,single,single\n"
            f'operator-token,{OPERATOR_USER},operator,"system:serviceaccounts,system:authenticated"\n'
        )
        etcd = [
            str(tools["etcd"]), "--data-dir", str(directory / "etcd"), "--unsafe-no-fsync",
            f"--listen-client-urls=http://127.0.0.1:{etcd_port}", f"--advertise-client-urls=http://127.0.0.1:{etcd_port}",
            f"--listen-peer-urls=http://127.0.0.1:{peer_port}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peer_port}",
            f"--initial-cluster=default=http://127.0.0.1:{peer_port}",
        ]  # fmt: skip
        api = [
            str(tools["kube-apiserver"]), f"--etcd-servers=http://127.0.0.1:{etcd_port}", "--bind-address=127.0.0.1",
            f"--secure-port={api_port}", f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}", f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-signing-key-file={key}",
            f"--service-account-key-file={key}", "--disable-admission-plugins=ServiceAccount",
            "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
        ]  # fmt: skip
        processes = []
        for name, command in (("etcd", etcd), ("kube-apiserver", api)):
            with (directory / f"{name}.log").open("wb") as log:
                processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        url = f"https://127.0.0.1:{api_port}"
        admin, operator, single = (directory / f"{user}.yaml" for user in ("admin", "operator", "single"))
        plane = cls(directory, tools["kubectl"], url, admin, operator, single, processes)
        plane.admin.write_text(_kubeconfig(url, "admin-token", certificate))
        plane.operator.write_text(_kubeconfig(url, "operator-token", certificate))
        plane.single.write_text(_kubeconfig(url, "single-token", certificate))
        plane.wait_ready()
        return plane

    def wait_ready(self, timeout: float = 60) -> None:
        trusting = ssl.create_default_context(cafile=self.directory / "server.crt")
        request = urllib.request.Request(f"{self.url}/readyz", headers={"Authorization": "Bearer admin-token"})

        def ready() -> bool:
            for process in self.processes:
                assert process.poll() is None, f"{process.args!r} ended early; see {self.directory}"
            try:
                with urllib.request.urlopen(request, context=trusting, timeout=2) as answer:
                    return bool(answer.status == 200)
            except urllib.error.HTTPError as error:
                error.close()
                return False

        wait_for(ready, f"kube-apiserver is ready; see {self.directory}", timeout, ignoring=(OSError,))

    def run(self, *arguments: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """kubectl, as administrator."""
        done = subprocess.run(
            [str(self.kubectl), "--kubeconfig", str(self.admin), *arguments],
            input=stdin, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait(timeout=20)


@contextlib.contextmanager
def control_plane(directory: Path) -> Iterator[ControlPlane]:
    """A control plane for as long as the context lasts; skips, with the reason, where there are no binaries."""
    tools = find_tools()
    if isinstance(tools, str):
        pytest.skip(tools)
    started = ControlPlane.start(tools, directory)
    try:
        yield started
    finally:
        started.stop()


def _make_certificate(certificate: Path, key: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl, "openssl is needed to make the API server's certificate"
    extensions = ("subjectAltName=IP:127.0.0.1", "keyUsage=critical,keyCertSign,digitalSignature,keyEncipherment")
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    command += [argument for extension in extensions for argument in ("-addext", extension)]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)


def _kubeconfig(url: str, token: str, certificate: Path) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": str(certificate)}}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "default"}}],
            "current-context": "test",
        }
    )
