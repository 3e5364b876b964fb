"""Paths and names.

Everything of one cluster is named after its checkout's path, so two checkouts never meet; everything that takes
long to make lies in a cache outside the checkout, keyed by what it is made of, so they share it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CLUSTER_FOLDER = Path(__file__).resolve().parents[1]
"""The folder `cluster/`: Go modules and the node image's files."""

KEY_LENGTH = 12
"""Hexadecimal digits of a cache key."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths and names of one checkout's cluster.

    Attributes:
        checkout: the checkout that the cluster belongs to.
        state: folder of the checkout for what belongs to its cluster alone.
        cache: folder shared by all checkouts of this user.
    """

    checkout: Path
    state: Path
    cache: Path

    @classmethod
    def default(cls, checkout: Path | None = None) -> Layout:
        """The layout of `checkout`, by default the one that this file lies in."""
        root = (checkout or CLUSTER_FOLDER.parent).resolve()
        home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return cls(checkout=root, state=root / ".state", cache=Path(home) / "sqlflow-devcluster")

    @property
    def name(self) -> str:
        """The cluster's name, also of its network; a DNS label."""
        return f"sqlflow-{hashlib.sha256(str(self.checkout).encode()).hexdigest()[:8]}"

    @property
    def kubeconfig(self) -> Path:
        """The cluster's own kubeconfig; the user's is never touched."""
        return self.state / "kubeconfig"

    @property
    def record(self) -> Path:
        """The record that `up` keeps of the cluster."""
        return self.state / "cluster.json"

    @property
    def logs(self) -> Path:
        """Folder of the logs; outside the checkout, so that they outlive `down`."""
        return self.cache / "logs"

    @property
    def locks(self) -> Path:
        """Folder of the lock files."""
        return self.cache / "locks"


def digest(*parts: str | bytes) -> str:
    """A cache key over `parts`, in order."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(f"{len(data)}:".encode() + data)
    return total.hexdigest()[:KEY_LENGTH]


def tree_digest(folders: Iterable[Path]) -> str:
    """A cache key over the names, modes and contents of all files under `folders` (a file stands for itself)."""
    parts: list[str | bytes] = []
    for folder in folders:
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
            if path.is_file():
                executable = "x" if path.stat().st_mode & 0o100 else "-"
                parts += [str(path.relative_to(folder)), executable, path.read_bytes()]
    return digest(*parts)
