"""The image of a kind node, built here where no registry has one for us.

Debian's systemd and containerd, our own Kubernetes programs, and the control plane's images already inside. Two
halves are made at the same time: the operating system waits for the network, the programs for the processor.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from devcluster import debian, gobuild
from devcluster.archive import inside, with_libraries, write_image
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.forecast import Work
from devcluster.gobuild import APISERVER, COREDNS, ETCD, KUBECTL, NODE, PAUSE
from devcluster.layout import CLUSTER_FOLDER, digest, tree_digest
from devcluster.machine import ContainerEngine, ensure_packages
from devcluster.store import locked
from devcluster.workplace import LABEL, workplace

FOLDER = CLUSTER_FOLDER / "node"
REPOSITORY = "localhost/sqlflow-node"
PARTS = (ETCD, KUBECTL, APISERVER, NODE, COREDNS, PAUSE)
NETFILTER = ("/usr/sbin/nft", "/usr/sbin/conntrack")
"""Programs that kube-proxy calls; taken from the node's own system."""

PROTOCOLS = "/etc/protocols"
"""nft names the protocols of a map's elements by this file. kube-proxy compares those names with its own once an hour;
without the file it reads 6 for tcp, takes every element for a stale one and deletes it: all Services are dead."""

RECIPE = 2
"""Raised by whoever changes how this module or `archive` puts the image together."""

PURPOSE = "node"
SYSTEM_TITLE = "Install the node's Debian packages"
COLLECT_TITLE = "Collect the node's programs and images"
IMAGE_TITLE = "Build the node image"
PLACEHOLDER = "@PAUSE_IMAGE@"


def version() -> str:
    """The Kubernetes version of a self-built node."""
    return APISERVER.version


def reference() -> str:
    """The node image's reference; changes with everything it is made of."""
    recipe = f"{RECIPE} {tree_digest([FOLDER])}"
    return f"{REPOSITORY}:{version()}-{digest(debian.NODE.reference, recipe, *map(gobuild.key, PARTS))}"


def system_reference() -> str:
    """The reference of the node's operating system, without Kubernetes."""
    first_stage = (FOLDER / "Containerfile").read_text(encoding="utf-8").partition("\nFROM os ")[0]
    return f"{REPOSITORY}:system-{digest(debian.NODE.reference, first_stage)}"


def ensure_node(context: Context, engine: ContainerEngine) -> str:
    """The reference of the node image; builds it if it is not there.

    Raises:
        DevClusterError: something that it needs is missing, or a build failed.
    """
    ref = reference()
    if engine.has_image(context.runner, ref):
        return ref
    ensure_packages(context)
    gobuild.check_go(context, COREDNS)
    with locked(context.layout.locks / "node.lock", "the node image", context.reporter):
        if not engine.has_image(context.runner, ref):
            _make(context, engine, ref)
    return ref


def works(context: Context, engine: ContainerEngine) -> list[Work]:
    """The steps that `ensure_node` would take now."""
    if engine.has_image(context.runner, reference()):
        return []
    system = [] if engine.has_image(context.runner, system_reference()) else [Work(SYSTEM_TITLE, 60)]
    base = debian.works(context, engine, debian.NODE) if system else []
    builds = gobuild.works(context, PARTS)
    return [*base, *system, *builds, Work(COLLECT_TITLE, 15), Work(IMAGE_TITLE, 40)]


def _make(context: Context, engine: ContainerEngine, ref: str) -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        system = pool.submit(_ensure_system, context, engine)
        programs: dict[str, Path] = {}
        for _, parts in groupby(PARTS, key=lambda part: part.module):
            if system.done():
                system.result()  # if it failed there is no use in building on
            programs |= gobuild.ensure_all(context, parts)
        system_ref = system.result()
    with context.store.scratch("node") as folder:
        with context.reporter.step(COLLECT_TITLE):
            _fill(context, engine, folder, programs, system_ref)
        argv = [*build_argv(engine), "--target", "node", "-t", ref, str(folder)]
        _build(context, engine, IMAGE_TITLE, argv, "node-image")
    _remove_old(context, engine)


def _ensure_system(context: Context, engine: ContainerEngine) -> str:
    ref = system_reference()
    if not engine.has_image(context.runner, ref):
        debian.ensure_base(context, engine, debian.NODE)
        argv = [*build_argv(engine), "--target", "os", "-t", ref, str(FOLDER)]
        _build(context, engine, SYSTEM_TITLE, argv, "node-system")
    return ref


def build_argv(engine: ContainerEngine) -> list[str]:
    """The start of every build of the node: no namespaces of its own, so that it works inside a container too."""
    argv = [engine.program, "build", "--isolation", "chroot", "--network", "host"]
    return [*argv, "--label", f"{LABEL}={PURPOSE}", "--build-arg", f"BASE={debian.NODE.reference}"]


def _build(context: Context, engine: ContainerEngine, title: str, argv: list[str], log: str) -> None:
    with workplace(context, engine, PURPOSE, debian.NODE.reference) as temporary:
        context.long(title, argv, log=log, env={**engine.env, "TMPDIR": str(temporary)})


def _remove_old(context: Context, engine: ContainerEngine) -> None:
    """Remove node images that are a week old, not today's and used by no cluster."""
    argv = [engine.program, "images", "--filter", f"reference={REPOSITORY}", "--filter", "until=168h"]
    listing = context.runner.run([*argv, "--format", "{{.Repository}}:{{.Tag}}"], env=engine.env, timeout=60)
    for image in set(listing.out.split()) - {reference(), system_reference()} if listing.ok else ():
        # Without force, so that it fails for an image that a container runs from.
        context.runner.run([engine.program, "rmi", image], env=engine.env, timeout=120)


def _fill(context: Context, engine: ContainerEngine, folder: Path, programs: dict[str, Path], system_ref: str) -> None:
    """Put the node's build context together."""
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    (folder / "bin").mkdir()
    for name in ("kubeadm", "kubelet", "kubectl"):
        shutil.copy2(programs[name], folder / "bin" / name)
    (folder / "rootfs/kind").mkdir()
    (folder / "rootfs/kind/version").write_text(f"{version()}\n")
    references = control_plane_references(context, programs["kubeadm"])
    containerd = folder / "rootfs/etc/containerd/config.toml"
    containerd.write_text(containerd.read_text().replace(PLACEHOLDER, references["pause"]))
    (folder / "images").mkdir()
    with _mounted(context, engine, system_ref) as root:
        for name, ref in references.items():
            files = {f"/usr/local/bin/{name}": programs[name]}
            if name == "kube-proxy":
                files |= with_libraries(context, root, NETFILTER) | {PROTOCOLS: inside(root, PROTOCOLS)}
            # CoreDNS and pause are started without a command; kubeadm gives the others theirs by name.
            entrypoint = [f"/usr/local/bin/{name}"] if name in ("coredns", "pause") else []
            write_image(folder / "images" / f"{name}.tar", ref, files, entrypoint)


def control_plane_references(context: Context, kubeadm: Path) -> dict[str, str]:
    """The control plane's images as kubeadm will ask for them: program -> reference.

    Raises:
        DevClusterError: kubeadm fails or asks for an image that we do not build.
    """
    argv = [str(kubeadm), "config", "images", "list", "--kubernetes-version", version()]
    listing = context.short("Ask kubeadm for its images", argv)
    references = {line.rpartition(":")[0].rpartition("/")[2]: line for line in listing.split()}
    ours = {name for part in PARTS for name in part.packages}
    if unknown := set(references) - ours:
        raise DevClusterError("kubeadm asks for images that are not built here", ", ".join(sorted(unknown)))
    return references


@contextmanager
def _mounted(context: Context, engine: ContainerEngine, ref: str) -> Iterator[Path]:
    """The root file system of an image, read-only use."""
    root = context.short(f"Mount {ref}", [engine.program, "image", "mount", ref], env=engine.env)
    try:
        yield Path(root)
    finally:
        context.runner.run([engine.program, "image", "umount", ref], env=engine.env)
