"""Databases that are a file, in a cluster: every step is a pod with a disk of its own, which ends with it.

Only a file on a volume that the pods share is seen by the next step. Whether a path is on one is in the process's
table of mounts: the container's own root, volumes of the pod's own life and memory are not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from sqlflow_runtime.databases.url import DatabaseUrl
from sqlflow_runtime.errors import RunError

IN_CLUSTER = "KUBERNETES_SERVICE_HOST"
"""Environment variable that every container of a pod has."""

_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(r"\\([0-7]{3})")
_OF_THE_POD = re.compile(r"/volumes/kubernetes\.io~(?:empty-dir|configmap|secret|projected|downward-api)/")
_NO_DISK = ("overlay", "proc", "sysfs", "devtmpfs", "cgroup2", "mqueue")
_MEMORY = "tmpfs"
_FILES = ("sqlite", "duckdb")


def check_shared(url: DatabaseUrl, environment: Mapping[str, str] = os.environ, mounts: Path = _MOUNTS) -> None:
    """Refuse a database in a file, or in memory, that the next step of a job in a cluster would not see.

    Args:
        url: of the database; servers are always fine.
        environment: of this process; in a cluster it has `KUBERNETES_SERVICE_HOST`.
        mounts: the table of mounts (`/proc/self/mountinfo`); where it cannot be read, files are trusted.

    Raises:
        RunError: kind `usage`.
    """
    if url.scheme not in _FILES or IN_CLUSTER not in environment:
        return
    if url.database in ("", ":memory:"):
        where = "in memory, where it ends with its step"
    elif _is_shared(Path(url.database), mounts):
        return
    else:
        where = "on the disk of one pod, which no other step sees and which ends with it"
    hint = "Use a server (PostgreSQL, MySQL, MariaDB); `sqlflow run` executes the program on one computer."
    raise RunError("usage", f"the {url.scheme} database of this job is {where}", hint)


def _is_shared(path: Path, mounts: Path) -> bool:
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return True
    real = os.path.realpath(path)
    best: tuple[int, bool] = (-1, True)
    for line in lines:
        fields = line.split()
        if len(fields) < 10 or "-" not in fields:
            continue
        root, point = (_ESCAPE.sub(lambda match: chr(int(match[1], 8)), field) for field in fields[3:5])
        kind = fields[fields.index("-") + 1]
        if real == point or real.startswith(point.rstrip("/") + "/"):
            own = kind in _NO_DISK or (kind == _MEMORY and root == "/") or _OF_THE_POD.search(root)
            shared = point != "/" and not own  # a volume of the node may lie in its memory, below that mount's root
            best = best if best[0] > len(point) else (len(point), shared)  # a later mount hides one on the same point
    return best[1]
