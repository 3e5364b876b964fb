from __future__ import annotations

import io
import os
import re
import tarfile
from concurrent.futures import Future
from pathlib import Path

import pytest
from devcluster import debian, gobuild, machine, node, progress
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.layout import CLUSTER_FOLDER
from devcluster.machine import ContainerEngine
from devcluster.process import Completed

PODMAN = ContainerEngine("podman", {"CONTAINERS_CONF": "/c"})
IMAGES = """host.example/kube-apiserver:v1
host.example/kube-controller-manager:v1
host.example/kube-scheduler:v1
host.example/kube-proxy:v1
host.example/coredns/coredns:v2
host.example/pause:3
host.example/etcd:4-0
"""


def test_the_reference_names_the_version_and_what_it_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    first = node.reference()
    assert re.fullmatch(r"localhost/sqlflow-node:v1\.\d+\.\d+-[0-9a-f]{12}", first)
    monkeypatch.setattr(debian, "NODE", debian.Base("another", "base", ()))
    second = node.reference()
    monkeypatch.setattr(gobuild, "key", lambda _: "another program")
    assert len({first, second, node.reference()}) == 3


def test_kubeadm_decides_the_names_of_the_images(context: Context, runner) -> None:
    runner.on("/kubeadm config images list --kubernetes-version v1.", IMAGES)
    found = node.control_plane_references(context, Path("/kubeadm"))
    assert found["coredns"] == "host.example/coredns/coredns:v2"
    assert found["etcd"] == "host.example/etcd:4-0"
    assert len(found) == 7


def test_an_image_that_we_do_not_build_is_an_error(context: Context, runner) -> None:
    runner.on("/kubeadm", IMAGES + "host.example/surprise:v1\n")
    with pytest.raises(DevClusterError, match=r"not built here: surprise"):
        node.control_plane_references(context, Path("/kubeadm"))


def test_a_node_image_that_is_there_is_not_made(context: Context, runner) -> None:
    runner.on("podman image inspect", "abc")
    assert node.ensure_node(context, PODMAN) == node.reference()
    assert len(runner.calls) == 1


def test_an_old_go_is_told_before_anything_is_built(context: Context, runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    runner.has(*machine.PACKAGES)
    runner.on("go env", "go1.20")
    with pytest.raises(DevClusterError, match="must be built from source"):
        node.ensure_node(context, PODMAN)
    assert runner.lines("podman build") == []


def files_of_image(archive: Path) -> list[str]:
    """The paths in the only layer of an image archive."""
    with tarfile.open(archive) as outer:
        layer = next(name for name in outer.getnames() if name.endswith("layer.tar"))
        content = outer.extractfile(layer)
        assert content is not None
        with tarfile.open(fileobj=content) as inner:
            return [f"/{name}" for name in inner.getnames()]


@pytest.fixture
def builder(runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A machine on which every command of the build works; remembers the build context."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    root = tmp_path / "mounted"
    for name in (*node.NETFILTER, node.PROTOCOLS):
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    seen: dict[str, str] = {}

    def go(call) -> Completed:
        out = Path(call.argv[call.argv.index("-o") + 1])
        names = [package.rpartition("/")[2] for package in call.argv[call.argv.index("-o") + 2 :]]
        for path in [out / name for name in names] if out.is_dir() else [out]:
            path.write_text(path.name)
        return Completed(0)

    def build(call) -> Completed:
        folder = Path(call.argv[-1])
        if "node" in call.argv:
            seen.update({str(path.relative_to(folder)): "" for path in folder.rglob("*") if path.is_file()})
            for name in ("rootfs/etc/containerd/config.toml", "rootfs/kind/version"):
                seen[name] = (folder / name).read_text()
            seen["kube-proxy"] = " ".join(files_of_image(folder / "images/kube-proxy.tar"))
        return Completed(0)

    runner.has(*machine.PACKAGES)
    runner.on("go env", "go1.99")
    runner.on("go build", go)
    runner.on(f"podman image inspect --format {{{{.Id}}}} {debian.NODE.reference}", "base")
    runner.on("podman build", build)
    runner.on("podman image mount", str(root))
    runner.on("podman image umount")
    runner.on("chroot", "/usr/sbin/nft")
    runner.on(f"{tmp_path}/cache/kubernetes-node", IMAGES)
    return seen


def test_the_node_is_put_together(context: Context, runner, builder: dict[str, str]) -> None:
    reference = node.ensure_node(context, PODMAN)
    assert {"bin/kubeadm", "bin/kubelet", "bin/kubectl", "Containerfile"} <= set(builder)
    assert {f"images/{name}.tar" for name in ("etcd", "coredns", "pause", "kube-proxy")} <= set(builder)
    assert 'sandbox_image = "host.example/pause:3"' in builder["rootfs/etc/containerd/config.toml"]
    assert builder["rootfs/kind/version"] == f"{node.version()}\n"
    system, last = [call for call in runner.calls if call.line.startswith("podman build")]
    assert "os" in system.argv
    assert last.argv[last.argv.index("-t") + 1] == reference
    assert last.env["CONTAINERS_CONF"] == "/c"
    assert runner.lines("podman image umount")
    assert list((context.layout.cache / "tmp").iterdir()) == []


def test_the_plan_names_every_step_that_is_taken(
    context: Context, runner, builder: dict[str, str], screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    planned = [work.title for work in node.works(context, PODMAN)]
    assert f"Build kubernetes {node.version()}" in planned
    node.ensure_node(context, PODMAN)
    taken = re.findall(r"✓ (.*) \(", screen.getvalue())
    assert len(planned) > 3
    assert set(planned) <= set(taken)


def test_kube_proxys_nft_knows_protocols_by_name(context: Context, runner, builder: dict[str, str]) -> None:
    """Without the file nft lists 6 for tcp, and kube-proxy deletes every Service at its next full sync."""
    node.ensure_node(context, PODMAN)
    assert {"/usr/sbin/nft", "/etc/protocols"} <= set(builder["kube-proxy"].split())
    assert " netbase " in (node.FOLDER / "Containerfile").read_text()


def test_old_node_images_go_but_not_the_ones_in_use_today(context: Context, runner, builder: dict[str, str]) -> None:
    old = f"{node.REPOSITORY}:v1.0.0-old"
    runner.on("podman images", f"{old}\n{node.system_reference()}\n{node.reference()}\n")
    runner.on("podman rmi")
    node.ensure_node(context, PODMAN)
    assert runner.lines("podman rmi") == [f"podman rmi {old}"]


def test_a_failed_system_ends_the_build_of_programs(
    context: Context, runner, builder: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def ensure_all(_: Context, parts: list[gobuild.Programs]) -> dict[str, Path]:
        asked.extend(parts)
        return {}

    class Pool:
        """Runs at once what it is given, so that it is over before the first program."""

        def __init__(self, **_: int) -> None: ...
        def __enter__(self) -> Pool:
            return self

        def __exit__(self, *_: object) -> None: ...
        def submit(self, call, *arguments):
            future: Future[str] = Future()
            try:
                future.set_result(call(*arguments))
            except DevClusterError as error:
                future.set_exception(error)
            return future

    monkeypatch.setattr(node, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(gobuild, "ensure_all", ensure_all)
    runner.on("podman build", Completed(1, err="no route to the mirror"))
    with pytest.raises(DevClusterError, match="no route to the mirror"):
        node.ensure_node(context, PODMAN)
    assert asked == []


def test_the_mount_is_undone_when_collecting_fails(context: Context, runner, builder: dict[str, str]) -> None:
    runner.on("chroot", Completed(1, err="ldd: no"))
    with pytest.raises(DevClusterError, match="ldd: no"):
        node.ensure_node(context, PODMAN)
    assert runner.lines("podman image umount")


def test_nothing_of_the_project_names_a_registry_or_a_mirror() -> None:
    hosts = re.compile(r"\b(registry\.k8s\.io|docker\.io|quay\.io|gcr\.io|ghcr\.io|deb\.debian\.org|pypi\.org)\b")
    for path in CLUSTER_FOLDER.rglob("*"):
        if path.is_file() and path.suffix not in (".sum", ".pyc"):
            assert not hosts.search(path.read_text(encoding="utf-8", errors="replace")), path
