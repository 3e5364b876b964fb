"""The number of threads of the learning libraries: as many as the container has processors, not the machine."""

from __future__ import annotations

import math
import os
from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def processors(group: Path = _GROUP) -> int:
    """Processors that this process may use at once: those allowed to it, or fewer by the container's CPU limit."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for read in (_second_version, _first_version):
        try:
            limit, period = read(group)
        except (OSError, ValueError):  # not this version, or the limit is the word `max`
            continue
        if limit > 0 and period > 0:
            return max(1, min(allowed, math.ceil(limit / period)))
    return allowed


def _second_version(group: Path) -> tuple[int, int]:
    limit, period = (group / "cpu.max").read_text().split()
    return int(limit), int(period)


def _first_version(group: Path) -> tuple[int, int]:
    """Of control groups as older nodes have them; -1 is no limit."""
    folder = group / "cpu"
    return int((folder / "cpu.cfs_quota_us").read_text()), int((folder / "cpu.cfs_period_us").read_text())


def limit_threads() -> None:
    """Set the libraries' environment variables, unless the user has."""
    for variable in _VARIABLES:
        os.environ.setdefault(variable, str(processors()))
    # Threads that spin while they wait steal the processor from the one they wait for, where it is shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
