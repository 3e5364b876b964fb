"""Programs built from Go modules: Kubernetes, etcd, CoreDNS, kind.

The pins are the `go.mod` and `go.sum` files under `cluster/modules`, so the module proxy's checksums guard them and
`go get` renews them; every version that this program names is read from there.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.layout import CLUSTER_FOLDER, digest
from devcluster.machine import go_version

MODULES = CLUSTER_FOLDER / "modules"


@dataclass(frozen=True, slots=True)
class Programs:
    """Programs that are built together.

    Attributes:
        name: of the cache entry.
        module: folder under `cluster/modules`.
        pinned: module whose version is the programs' own; "" for what lies here.
        packages: file name -> Go package.
    """

    name: str
    module: str
    pinned: str
    packages: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """The folder that holds go.mod."""
        return MODULES / self.module

    @property
    def version(self) -> str:
        """The pinned version, such as v1.34.4; "" for what lies here."""
        return pinned_version((self.folder / "go.mod").read_text(), self.pinned) if self.pinned else ""


def _kubernetes(name: str, *commands: str) -> Programs:
    packages = {command: f"k8s.io/kubernetes/cmd/{command}" for command in commands}
    return Programs(name, "kubernetes", "k8s.io/kubernetes", packages)


KIND = Programs("kind", "kind", "sigs.k8s.io/kind", {"kind": "sigs.k8s.io/kind"})
KUBECTL = _kubernetes("kubectl", "kubectl")
ETCD = Programs("etcd", "etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"})
APISERVER = _kubernetes("kube-apiserver", "kube-apiserver")
NODE = _kubernetes("kubernetes-node", "kubeadm", "kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy")
COREDNS = Programs("coredns", "coredns", "github.com/coredns/coredns", {"coredns": "github.com/coredns/coredns"})
PAUSE = Programs("pause", "pause", "", {"pause": "."})

ALL = (KIND, ETCD, KUBECTL, APISERVER, NODE, COREDNS, PAUSE)


def pinned_version(go_mod: str, module: str) -> str:
    """The version that a go.mod file requires of a module."""
    match = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)", go_mod, re.MULTILINE)
    if match is None:
        raise DevClusterError(f"go.mod does not require {module}", todo="Run `go get` for it in cluster/modules")
    return match[1]


def required_go(go_mod: str) -> tuple[int, int]:
    """The Go version that a go.mod file asks for."""
    match = re.search(r"^go (\d+)\.(\d+)", go_mod, re.MULTILINE)
    return (int(match[1]), int(match[2])) if match else (1, 21)


def ensure(context: Context, programs: Programs) -> Path:
    """The cache folder that holds the programs; builds them if need be.

    Raises:
        DevClusterError: no Go, a Go that is too old, or a build that fails.
    """
    return context.store.ensure(programs.name, key(programs), lambda folder: _build(context, programs, folder))


def key(programs: Programs) -> str:
    """Changes with everything that the programs are made of."""
    sources = [path.read_bytes() for path in sorted(programs.folder.iterdir()) if path.is_file()]
    return digest(platform.machine(), *sources, *build_argv(programs, Path("out")))


def build_argv(programs: Programs, out: Path) -> list[str]:
    """The command that builds the programs into `out`."""
    target = f"{out}/" if len(programs.packages) > 1 else str(out / next(iter(programs.packages)))
    return ["go", "build", "-v", "-trimpath", "-ldflags", _ldflags(programs), "-o", target, *programs.packages.values()]


def _ldflags(programs: Programs) -> str:
    flags = ["-s", "-w"]
    if programs.module == "kubernetes":
        # A plain `go build` knows no version, and kubeadm and kubectl decide by it what fits together.
        version = programs.version
        major, minor, _ = version.removeprefix("v").split(".", 2)
        base = "k8s.io/component-base/version"
        flags += [f"-X {base}.gitVersion={version}", f"-X {base}.gitMajor={major}", f"-X {base}.gitMinor={minor}"]
        flags += [f"-X k8s.io/client-go/pkg/version.gitVersion={version}"]
    return " ".join(flags)


def build_env(temporary: Path) -> dict[str, str]:
    """The environment of a build; temporary files go where a killed build's leftovers are found."""
    return {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false -mod=readonly",
        "GOTMPDIR": str(temporary),
        "GOWORK": "off",
    }


def _build(context: Context, programs: Programs, folder: Path) -> None:
    check_go(context, programs)
    temporary = folder.parent / f"{folder.name}.go"
    with context.store.scratch(temporary.name):
        names = ", ".join(programs.packages) if len(programs.packages) < 3 else programs.name
        title = f"Build {names} {programs.version}".rstrip()
        argv, env = build_argv(programs, folder), build_env(temporary)
        context.long(title, argv, log=f"go-{programs.name}", env=env, cwd=programs.folder)


def check_go(context: Context, programs: Programs) -> None:
    """Make sure that Go is there and new enough.

    Raises:
        DevClusterError: it is not.
    """
    wanted, found = required_go((programs.folder / "go.mod").read_text()), go_version(context.runner)
    if found is None or found < wanted:
        have = "there is no Go on PATH" if found is None else f"the Go on PATH is {found[0]}.{found[1]}"
        todo = f"Put Go {wanted[0]}.{wanted[1]} or newer on PATH"
        raise DevClusterError(f"{programs.name} must be built from source", have, todo)
