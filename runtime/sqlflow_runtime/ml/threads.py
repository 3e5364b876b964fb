"""How many threads the learning libraries may use: as many as the container has processors, not the machine."""

from __future__ import annotations

import math
import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def processors(quota: Path = _QUOTA) -> int:
    """Processors that this process may use at once: those allowed to it, or fewer by the container's CPU limit."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        limit, period = quota.read_text().split()
        return max(1, min(allowed, math.ceil(int(limit) / int(period))))
    except (OSError, ValueError):  # no control group, or the limit is the word `max`
        return allowed


def limit_threads() -> None:
    """Tell the libraries, unless the user has."""
    for variable in _VARIABLES:
        os.environ.setdefault(variable, str(processors()))
    # Threads that spin while they wait steal the processor from the one they wait for, where it is shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
