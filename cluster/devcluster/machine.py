"""The machine: a container engine that works, a registry that answers, Go, root, its cgroups.

Everything is found out by trying it, once, with a short timeout; nothing is guessed from names of systems.
"""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.layout import digest
from devcluster.process import Runner
from devcluster.store import write_atomically

PROBE_IMAGE = "hello-world"
"""The smallest image that every engine finds by its short name."""

PROBE_SECONDS = 10.0
"""A registry that gives 13 kB no sooner is of no use for images of a gigabyte."""

PACKAGES = {"podman": "podman", "debootstrap": "debootstrap", "runc": "runc", "iptables": "iptables"}
"""Program -> Debian package of what the self-built node needs on this machine."""


@dataclass(frozen=True, slots=True)
class ContainerEngine:
    """A container engine.

    Attributes:
        program: docker, podman or buildah.
        env: what to add to the environment of every call.
    """

    program: str
    env: Mapping[str, str] = field(default_factory=dict)

    def has_image(self, runner: Runner, reference: str) -> bool:
        """True if an image is in the engine's local store."""
        return self.image_id(runner, reference) != ""

    def image_id(self, runner: Runner, reference: str) -> str:
        """The id of a local image; "" if there is none of that name."""
        argv = [self.program, "image", "inspect", "--format", "{{.Id}}", reference]
        if self.program == "buildah":
            argv = ["buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", reference]
        result = runner.run(argv, env=self.env, timeout=60)
        return result.out.strip() if result.ok else ""

    def has_label(self, runner: Runner, reference: str, label: str) -> bool:
        """True if an image carries the label `name=value`."""
        name, _, value = label.partition("=")
        argv = [self.program, "image", "inspect", "--format", f'{{{{index .Config.Labels "{name}"}}}}', reference]
        if self.program == "buildah":
            template = f'{{{{index .OCIv1.Config.Labels "{name}"}}}}'
            argv = ["buildah", "inspect", "--type", "image", "--format", template, reference]
        result = runner.run(argv, env=self.env, timeout=60)
        return result.ok and result.out.strip() == value


@dataclass(frozen=True, slots=True)
class Platform:
    """The way in which clusters are made on this machine.

    Attributes:
        engine: runs the node.
        registry: whether the engine can pull images; without, everything is built here.
    """

    engine: ContainerEngine
    registry: bool


def find_platform(context: Context) -> Platform:
    """Docker or podman with a registry where that works, else podman without one."""
    runner = context.runner
    for program in ("docker", "podman"):
        if works(runner, program) and can_pull(runner, program):
            return Platform(ContainerEngine(program), registry=True)
    return Platform(ContainerEngine("podman", self_built_env(context)), registry=False)


def works(runner: Runner, program: str) -> bool:
    """True if an engine is there and, in Docker's case, its daemon answers."""
    if runner.which(program) is None:
        return False
    return runner.run([program, "info"], timeout=PROBE_SECONDS).ok


def can_pull(runner: Runner, program: str) -> bool:
    """True if `program` reaches a registry: pulls one tiny image, and removes it if it was not there before."""
    engine = ContainerEngine(program)
    had = engine.has_image(runner, PROBE_IMAGE)
    pulled = runner.run([program, "pull", "--quiet", PROBE_IMAGE], timeout=PROBE_SECONDS).ok
    if pulled and not had:
        runner.run([program, "rmi", PROBE_IMAGE], timeout=PROBE_SECONDS)
    return pulled


def cgroups_are_unified(root: Path = Path("/sys/fs/cgroup")) -> bool:
    """True if the machine has cgroup v2 alone."""
    return (root / "cgroup.controllers").is_file()


def self_built_env(context: Context) -> dict[str, str]:
    """The environment in which podman runs a self-built node: one file of our own, nothing of the user's changed.

    Without CAP_SYS_RESOURCE a limit above this process's own is refused ("setrlimit: Operation not permitted"), and
    crun refuses hybrid cgroups where runc does not.
    """
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
    text = containers_conf(files, processes, unified=cgroups_are_unified())
    path = context.layout.cache / f"containers-{digest(text)}.conf"
    if not path.is_file():
        write_atomically(path, text)
    return {"CONTAINERS_CONF": str(path)}


def containers_conf(files: int, processes: int, *, unified: bool) -> str:
    """Podman's configuration, given this process's hard limits (-1: none)."""
    nofile = min(files if files > 0 else 1 << 20, 1 << 20)
    nproc = min(processes if processes > 0 else 32768, 32768)
    runtime = "" if unified else '[engine]\nruntime = "runc"\n'
    limits = f'default_ulimits = ["nofile={nofile}:{nofile}", "nproc={nproc}:{nproc}"]'
    # Podman's own limit of 2,048 processes is meant for one program; a node runs some twenty for every pod.
    return f"[containers]\n{limits}\npids_limit = 0\n{runtime}"


def ensure_packages(context: Context) -> None:
    """Install what the self-built node needs here; root only.

    Raises:
        DevClusterError: something is missing and cannot be installed; names it all at once.
    """
    runner = context.runner
    if os.geteuid() != 0:
        raise DevClusterError(
            "No container registry answers, and building a node without one needs root",
            todo="Run this command as root, or let docker or podman reach a registry, or use CLUSTER=current",
        )
    missing = sorted({package for program, package in PACKAGES.items() if runner.which(program) is None})
    if not missing:
        return
    command = f"apt-get install {' '.join(missing)}"
    if runner.which("apt-get") is None:
        raise DevClusterError(
            f"Missing on this machine: {', '.join(missing)}", todo="Install them with your package manager"
        )
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    context.long("Refresh the package lists", ["apt-get", "update", "-q"], log="apt-update", env=env)
    context.long(f"Install {', '.join(missing)}", install, log="apt-install", env=env, todo=f"Try `{command}` by hand")


def go_version(runner: Runner) -> tuple[int, int] | None:
    """The version of the Go on PATH, such as (1, 26); None if there is none."""
    result = runner.run(["go", "env", "GOVERSION"], timeout=30)
    match = re.match(r"go(\d+)\.(\d+)", result.out.strip())
    return (int(match[1]), int(match[2])) if result.ok and match else None
