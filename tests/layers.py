"""Run every layer of tests that this machine can; name what it cannot, with the reason. `make test` calls it."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"postgresql": "/usr/lib/postgresql", "mariadb-server": "/usr/sbin/mariadbd"}
"""Debian packages whose servers the tests start, and a path that is there when they are installed."""


@dataclass(frozen=True)
class Layer:
    """Folders that run together.

    `parallel` layers run in a process for each core; the others share one cluster or one clock. `needs_tools` layers
    need the programs that cluster/ builds.
    """

    name: str
    folders: tuple[str, ...]
    parallel: bool = False
    needs_tools: bool = False


REPLAYS = tuple(f"tests/conformance/test_{name}.py" for name in ("api_calls", "replay", "shared_recordings"))
CONFORMANCE = tuple(
    f"tests/conformance/test_{name}.py" for name in ("conformance", "loop", "restricted", "run_commands")
)

LAYERS = (
    Layer("unit", ("tests/unit",), parallel=True),
    Layer("databases", ("tests/databases",), parallel=True),
    Layer("properties", ("tests/properties",), parallel=True),
    Layer("integration", ("tests/integration", *REPLAYS), needs_tools=True),
    Layer("e2e", ("tests/e2e", "tests/cluster", *CONFORMANCE), needs_tools=True),
)


@dataclass
class Counts:
    """What came out of one or more layers."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped in {self.seconds:.0f} s"


def install_packages() -> None:
    """Install missing database servers where that is possible; tests that need one skip and say so elsewhere."""
    missing = [name for name, path in PACKAGES.items() if not Path(path).exists()]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"not installed: {', '.join(missing)}; tests that need them are skipped", flush=True)
        return
    print(f"installing {', '.join(missing)} ...", flush=True)
    # The servers are started by the tests, as an ordinary user: the packages' own service must not be.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
            done = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True)
            if done.returncode:
                print(f"apt-get {command[0]} failed: {done.stderr.strip().splitlines()[-1:]}", flush=True)
                return
    finally:
        if ours:
            policy.unlink()


def devcluster(*command: str) -> int:
    """Run a command of cluster/devcluster; it shows its own progress."""
    return subprocess.run([sys.executable, "-m", "devcluster", *command], cwd=ROOT).returncode


def run_layer(layer: Layer, extra: list[str]) -> Counts:
    """Run one layer with pytest and count from its report."""
    print(f"\n=== {layer.name}: {' '.join(layer.folders)}", flush=True)
    workers = ["-n", "auto", "--maxprocesses=4"] if layer.parallel else []
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *workers, *layer.folders, *extra]
        code = subprocess.run(command, cwd=ROOT).returncode
        counts = read_report(report) if report.exists() else Counts(failed=1)
    if code not in (0, 1, 5):  # interrupted, or not even collected
        counts.failed = max(counts.failed, 1)
    counts.seconds = time.monotonic() - started
    print(f"=== {layer.name}: {counts}", flush=True)
    return counts


def read_report(report: Path) -> Counts:
    """Counts of a JUnit report."""
    suites = list(ET.parse(report).getroot().iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(s.get(k, 0)) for s in suites) for k in ("tests", "failures", "errors", "skipped")
    )
    return Counts(total - failures - errors - skipped, failures + errors, skipped)


def main() -> int:
    """Command line: names of layers (default all), then options for pytest after `--`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layers", nargs="*", choices=[[], *(layer.name for layer in LAYERS)])
    arguments, extra = parser.parse_known_args()
    chosen = [layer for layer in LAYERS if not arguments.layers or layer.name in arguments.layers]
    install_packages()
    tools = not any(layer.needs_tools for layer in chosen) or devcluster("tools") == 0
    results: dict[str, Counts] = {}
    for layer in chosen:
        if layer.needs_tools and not tools:
            print(f"\n=== {layer.name}: not run, because `python -m devcluster tools` failed, see above")
            # A layer that this machine should have run and could not is a failure, not a green run.
            results[layer.name] = Counts(failed=1)
        else:
            results[layer.name] = run_layer(layer, extra)
    total = sum(results.values(), Counts())
    print()
    for name, counts in {**results, "all": total}.items():
        print(f"{name:12} {counts}", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
