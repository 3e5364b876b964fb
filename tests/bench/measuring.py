"""The cost of a process: wall and CPU seconds, peak memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """One run of a process.

    Attributes:
        wall: seconds from its start to its end.
        cpu: seconds of processor time, in user and system mode, of it and its children.
        peak: bytes of memory, at most.
        stdout: what it printed.
    """

    wall: float
    cpu: float
    peak: int
    stdout: str


def cost_of(command: Sequence[str], env: Mapping[str, str] | None = None) -> Cost:
    """Run a process to its end; it must succeed."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=dict(env or os.environ), stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    stdout = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command[:3]} ended with {process.returncode}: {stdout[-2000:]}"
    wall = time.perf_counter() - begun
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, stdout)
