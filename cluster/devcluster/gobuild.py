"""Programs built from Go modules: Kubernetes, etcd, CoreDNS, kind.

The pins are the `go.mod` and `go.sum` files under `cluster/modules`, so the module proxy's checksums guard them and
`go get` renews them; every version that this program names is read from there.
"""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.forecast import Work
from devcluster.layout import CLUSTER_FOLDER, digest
from devcluster.machine import go_version
from devcluster.store import locked

MODULES = CLUSTER_FOLDER / "modules"


@dataclass(frozen=True, slots=True)
class Programs:
    """Programs that are built together.

    Attributes:
        name: of the cache entry.
        module: folder under `cluster/modules`.
        pinned: module whose version is the programs' own; "" for what lies here.
        packages: file name -> Go package.
        seconds: that the build takes on two quiet cores, for forecasts.
    """

    name: str
    module: str
    pinned: str
    packages: Mapping[str, str]
    seconds: float = 0

    @property
    def folder(self) -> Path:
        """The folder that holds go.mod."""
        return MODULES / self.module

    @property
    def version(self) -> str:
        """The pinned version, such as v1.34.4; "" for what lies here."""
        return pinned_version((self.folder / "go.mod").read_text(), self.pinned) if self.pinned else ""


def _kubernetes(name: str, *commands: str, seconds: float) -> Programs:
    packages = {command: f"k8s.io/kubernetes/cmd/{command}" for command in commands}
    return Programs(name, "kubernetes", "k8s.io/kubernetes", packages, seconds)


KIND = Programs("kind", "kind", "sigs.k8s.io/kind", {"kind": "sigs.k8s.io/kind"}, 10)
KUBECTL = _kubernetes("kubectl", "kubectl", seconds=50)
ETCD = Programs("etcd", "etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"}, 30)
APISERVER = _kubernetes("kube-apiserver", "kube-apiserver", seconds=115)
NODE = _kubernetes(
    "kubernetes-node", "kubeadm", "kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy", seconds=120
)
COREDNS = Programs("coredns", "coredns", "github.com/coredns/coredns", {"coredns": "github.com/coredns/coredns"}, 90)
PAUSE = Programs("pause", "pause", "", {"pause": "."}, 1)

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


def ensure_all(context: Context, parts: Iterable[Programs]) -> dict[str, Path]:
    """The paths of several programs by their names; builds what is missing.

    What is missing of one module is built by one command: Kubernetes' programs share most of their packages.

    Raises:
        DevClusterError: no Go, a Go that is too old, or a build that fails.
    """
    parts = list(parts)
    for together in missing_by_module(context, parts):
        if len(together) > 1:
            _build_together(context, together)
        for part in together:
            ensure(context, part)
    return {name: folder / name for part in parts for folder in [ensure(context, part)] for name in part.packages}


def missing_by_module(context: Context, parts: Iterable[Programs]) -> list[list[Programs]]:
    """Those programs that the cache lacks, grouped by module: each group is one build."""
    groups: dict[str, list[Programs]] = {}
    for part in parts:
        if not context.store.path(part.name, key(part)).is_dir():
            groups.setdefault(part.module, []).append(part)
    return list(groups.values())


def combined(parts: list[Programs]) -> Programs:
    """Programs of one module as one build; a single part stays as it is."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    packages = {name: package for part in parts for name, package in part.packages.items()}
    return Programs(first.module, first.module, first.pinned, packages, sum(part.seconds for part in parts))


def works(context: Context, parts: Iterable[Programs]) -> list[Work]:
    """The builds that `ensure_all` would start now."""
    return [Work(build_title(whole), whole.seconds) for whole in map(combined, missing_by_module(context, parts))]


def _build_together(context: Context, parts: list[Programs]) -> None:
    """Build several programs by one command and put each into its own entry of the cache."""
    whole = combined(parts)
    name = f"{whole.name}-{key(whole)}-together"
    with (
        locked(context.layout.locks / f"{name}.lock", whole.name, context.reporter),
        context.store.scratch(name) as folder,
    ):
        missing = missing_by_module(context, parts)
        if missing != [parts]:
            return  # another process built some of it meanwhile: what is still missing is built alone
        _build(context, whole, folder)

        def fill(part: Programs, entry: Path) -> None:
            for program in part.packages:
                shutil.move(folder / program, entry / program)

        for part in parts:
            context.store.ensure(part.name, key(part), partial(fill, part))


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


def build_title(programs: Programs) -> str:
    """The title of the step that builds the programs."""
    names = ", ".join(programs.packages) if len(programs.packages) < 3 else programs.name
    return f"Build {names} {programs.version}".rstrip()


def _build(context: Context, programs: Programs, folder: Path) -> None:
    check_go(context, programs)
    temporary = folder.parent / f"{folder.name}.go"
    with context.store.scratch(temporary.name):
        title = build_title(programs)
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
