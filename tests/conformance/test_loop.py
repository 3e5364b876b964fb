"""The loop of docs/workflow.md, as a plain Python script, on every backend: no operator is asked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.test_conformance import BACKENDS
from tests.e2e.kube import Kube

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.parametrize("backend", BACKENDS)]

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "workflow" / "loop.py"
PROGRAM = (
    "CREATE TABLE {table} AS SELECT 1 AS n, 'it''s {{{{x}}}} $(y)' AS t;\n"
    "SELECT n, t FROM {table};\n"
    "SELECT count(*) AS c, NULL AS nothing FROM {table};\n"
)
ROWS = ['2 (1, "it\'s {{x}} $(y)")', "3 (1, None)"]
"""Statement and values; the step is another where statements that only read run side by side."""

Loop = Callable[..., subprocess.CompletedProcess[str]]


def rows(lines: list[str]) -> list[str]:
    """Statement and values of the rows that were printed, in the order of the statements."""
    return sorted(found[1] for line in lines if (found := re.fullmatch(r"s\d-sql (\d .*)", line)))


@pytest.fixture(autouse=True)
def _needs_engine(backend: str, engine: Callable[[str], None]) -> None:
    engine(backend)


@pytest.fixture
def loop(backend: str, kube: Kube) -> Iterator[Loop]:
    """Runs the script to its end; what it submitted is deleted after the test."""

    def _run(*options: str, program: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(SCRIPT), backend, "--namespace", kube.namespace, "--secret", "iris-database"]
        environment = {**os.environ, "KUBECONFIG": str(kube.kubeconfig)}
        return subprocess.run(
            [*command, *options], input=program, env=environment, capture_output=True, text=True, timeout=200
        )

    yield _run
    kind = {"job": "jobs", "argo": "workflows.argoproj.io", "tekton": "pipelineruns.tekton.dev"}[backend]
    for name in re.findall(r"\S+/(loop-\w+)", kube.run("get", kind, "-o", "name").stdout):
        kube.run("delete", kind, name, "--ignore-not-found", "--wait=false")
        kube.run("delete", "configmap", name, "--ignore-not-found")


def test_loop_prints_messages_rows_and_the_end(loop: Loop, table: str) -> None:
    done = loop(program=PROGRAM.format(table=table))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "eof"
    assert rows(lines) == ROWS
    messages = [line for line in lines[:-1] if not re.match(r"s\d-sql", line)]
    assert all(re.match(r"SQLFlow Step: \[\d/\d\] ", line) for line in messages)
    assert [m for m in messages if f"Statement 2 (SELECT … FROM {table}) at 2:1" in m]
    assert [m for m in messages if re.search(r"Statement 2: 1 row \(\S+ s\)$", m)]


def test_error_has_step_statement_and_the_databases_words(loop: Loop, table: str) -> None:
    done = loop(program=f"CREATE TABLE {table} (n int);\nSELECT n FROM {table};\nSELECT n FROM {table}_missing;\n")
    assert done.returncode == 1
    assert re.fullmatch(rf'step s\d-sql, statement 3: relation "{table}_missing" does not exist\n', done.stderr)
    assert "eof" not in done.stdout.splitlines()
    assert any(re.search(rf"^SQLFlow Step: \[\d/\d\] Error: statement 3 \(SELECT … FROM {table}_missing\) at 3:", line)
               for line in done.stdout.splitlines())  # fmt: skip


def test_another_process_goes_on_from_the_request(loop: Loop, table: str, tmp_path: Path) -> None:
    """Each process takes one answer; together they print what one prints alone, nothing twice."""
    state = tmp_path / "state.json"
    program = PROGRAM.format(table=table) + "SELECT pg_sleep(3);\nSELECT 'end' AS t;\n"
    lines: list[str] = []
    options = ("--state", str(state), "--calls", "1")
    for _ in range(60):
        done = loop(*options, program=program)
        assert (done.returncode, done.stderr) == (0, "")
        lines += done.stdout.splitlines()
        if lines[-1:] == ["eof"]:
            break
    assert lines[-1] == "eof"
    assert [row for row in rows(lines) if not row.startswith("4 ")] == [*ROWS, "5 ('end',)"]
    assert len(lines) == len(set(lines))
