"""A Debian base image with Python, bootstrapped from the packages that this machine's own apt uses.

Used where no registry gives one: as the base of the project's images and of the self-built node.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.forecast import Work
from devcluster.layout import digest
from devcluster.machine import ContainerEngine, ensure_packages
from devcluster.store import locked

REPOSITORY = "localhost/sqlflow-base"
APT = Path("/etc/apt")


@dataclass(frozen=True, slots=True)
class Base:
    """One base image.

    Attributes:
        suite: Debian's name of the release.
        version: what the tag shows to a person.
        packages: what is installed beside the minimum.
    """

    suite: str
    version: str
    packages: tuple[str, ...]

    @property
    def reference(self) -> str:
        """The image's reference; changes with its contents."""
        return f"{REPOSITORY}:{self.suite}-{self.version}-{digest(self.suite, *self.packages)}"

    @property
    def bootstrap_title(self) -> str:
        """The title of the step that downloads it."""
        return f"Bootstrap Debian {self.suite}"

    @property
    def import_title(self) -> str:
        """The title of the step that makes an image of it."""
        return f"Import the base image of Debian {self.suite}"


IMAGES = Base("trixie", "python3.13", ("ca-certificates", "python3", "python3-venv"))
"""For the project's own images: current machine-learning libraries need Python 3.12 or newer."""
NODE = Base("bookworm", "node", ("ca-certificates",))
"""For the self-built node: its containerd is the last that runs on every cgroup setup tested here."""


@dataclass(frozen=True, slots=True)
class AptSource:
    """One package source of apt."""

    uri: str
    suites: tuple[str, ...]


def ensure_base(context: Context, engine: ContainerEngine, base: Base = IMAGES) -> str:
    """The reference of a base image; makes it if it is not there.

    Raises:
        DevClusterError: not root, a missing package, no Debian mirror, or debootstrap failed.
    """
    ref = base.reference
    if engine.has_image(context.runner, ref):
        return ref
    ensure_packages(context)
    with locked(context.layout.locks / "base.lock", "the base image", context.reporter):
        if not engine.has_image(context.runner, ref):
            with context.store.scratch("base") as folder:
                _make(context, engine, base, folder)
    return ref


def works(context: Context, engine: ContainerEngine, base: Base = IMAGES) -> list[Work]:
    """The steps that `ensure_base` would take now."""
    if engine.has_image(context.runner, base.reference):
        return []
    return [Work(base.bootstrap_title, 60), Work(base.import_title, 8)]


def _make(context: Context, engine: ContainerEngine, base: Base, folder: Path) -> None:
    root, archive = folder / "root", folder / "root.tar"
    mirror = find_mirror(base.suite)
    context.long(
        base.bootstrap_title,
        debootstrap_argv(base, root, mirror),
        log="debootstrap",
        todo=f"Check that {mirror} can be reached; debootstrap reads it as this machine's apt does",
    )
    with context.reporter.step(base.import_title):
        for leftover in (root / "var/cache/apt/archives", root / "var/lib/apt/lists"):
            for path in leftover.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        context.short("Pack the base image", ["tar", "-C", str(root), "-cf", str(archive), "."], timeout=300)
        argv = [engine.program, "import", "--change", 'CMD ["python3"]', str(archive), base.reference]
        context.runner.run([engine.program, "image", "rm", base.reference], env=engine.env)
        context.short("Import the base image", argv, env={**engine.env, "TMPDIR": str(folder)}, timeout=300)


def debootstrap_argv(base: Base, root: Path, mirror: str) -> list[str]:
    """The command that fills `root`.

    In namespaces of its own: what it mounts in there vanishes with it, however it ends, and when it is killed all
    that it started is killed too.
    """
    own_namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    include = f"--include={','.join(base.packages)}"
    return [*own_namespaces, "debootstrap", "--variant=minbase", include, base.suite, str(root), mirror]


def find_mirror(suite: str, apt: Path = APT, os_release: Path = Path("/etc/os-release")) -> str:
    """The Debian mirror of this machine's apt, best one that has exactly the suite.

    Raises:
        DevClusterError: apt has no Debian source.
    """
    sources = list(apt_sources(apt))
    release = os_release.read_text() if os_release.is_file() else ""
    own = re.search(r"^VERSION_CODENAME=\"?(\w+)", release, re.MULTILINE)
    suites = [suite] + ([own[1]] if own and re.search(r"^ID=\"?debian", release, re.MULTILINE) else [])
    for listed in suites:
        for source in sources:
            if listed in source.suites and re.match(r"(https?|file)://", source.uri):
                return source.uri
    todo = "Run on Debian, or let docker or podman reach a registry, or use CLUSTER=current"
    raise DevClusterError("No base image can be made", f"apt in {apt} names no mirror with Debian {suite}", todo)


def apt_sources(apt: Path) -> Iterator[AptSource]:
    """All binary package sources of apt, of both file formats."""
    parts = sorted((apt / "sources.list.d").glob("*")) if (apt / "sources.list.d").is_dir() else []
    for path in [apt / "sources.list", *parts]:
        if path.suffix == ".list" and path.is_file():
            yield from _one_line_sources(path.read_text())
        elif path.suffix == ".sources" and path.is_file():
            yield from _deb822_sources(path.read_text())


def _one_line_sources(text: str) -> Iterator[AptSource]:
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)", line)
        if match:
            yield AptSource(match[1], (match[2],))


def _deb822_sources(text: str) -> Iterator[AptSource]:
    without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in re.split(r"\n\s*\n", without_comments):
        fields = {name.lower(): value for name, value in re.findall(r"^([\w-]+):\s*(.*)$", paragraph, re.MULTILINE)}
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").strip().lower() != "no":
            for uri in fields.get("uris", "").split():
                yield AptSource(uri, tuple(fields.get("suites", "").split()))
