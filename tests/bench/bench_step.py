"""What it costs that a step begins once and can be tried again, against the same step without a run.

Run it with `make bench`, or `python tests/bench/bench_step.py`. Nothing is asserted: clocks differ, ratios are for
people. Target: a step of two INSERTs takes at most 1.1 times as long with its claim, and with a ledger too. Each
measures a whole process, from its start to its end, as a pod has it; all of them in turn, so that what else the
machine does meets them alike.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.databases.harness import connect, step_command, step_env, succeed
from tests.support.servers import maria_programs, maria_running, programs, running

ROUNDS = 15
TEXT = "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)"
CASES: dict[str, tuple[str, ...] | None] = {"no run": None, "run": (), "run with retries": ("--retries", "2")}


def measure(url: str, dialect: str, folder: Path) -> dict[str, list[float]]:
    """Seconds of each round, by case."""
    times: dict[str, list[float]] = {case: [] for case in CASES}
    for number in range(ROUNDS + 1):
        for case, more in CASES.items():
            command = step_command(folder, TEXT, "--statements", "1-2", *(more or ()), dialect=dialect)
            run = {} if more is None else {"SQLFLOW_RUN": f"{case}-{number}"}
            start = time.perf_counter()
            subprocess.run(command, env=step_env(folder, url, **run), stdout=subprocess.DEVNULL, check=True)
            times[case].append(time.perf_counter() - start)
    return {case: found[1:] for case, found in times.items()}  # the first one makes the tables


def report(url: str, dialect: str) -> None:
    """Print a table for that database."""
    with closing(connect(url)) as database:
        succeed(database, "CREATE TABLE t (a INTEGER)")
    with tempfile.TemporaryDirectory() as folder:
        times = measure(url, dialect, Path(folder))
    base = statistics.median(times["no run"])
    print(f"\n{dialect}: a step of two INSERTs\n{'':>20} {'median s':>9} {'ratio':>7}")
    for case, found in times.items():
        print(f"{case:>20} {statistics.median(found):>9.3f} {statistics.median(found) / base:>7.2f}")


@contextmanager
def _maria(install: str, program: str) -> Any:
    with maria_running(install, program) as server:
        with server.connect() as admin, admin.cursor() as cursor:
            cursor.execute("CREATE DATABASE test")
        yield server


def main() -> None:
    """Measure on what servers this machine has."""
    servers: list[tuple[str, Callable[[], Any]]] = []
    if postgres := programs():
        servers.append(("postgres", lambda: running(postgres)))
    if maria := maria_programs():
        servers.append(("mysql", lambda: _maria(*maria)))
    for dialect, server in servers:
        with server() as running_server:
            report(running_server.url(), dialect)


if __name__ == "__main__":
    main()
