"""Running programs in tests: in this process for the records, or as `sqlflow-step` in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlflow_codegen.contract import Outcome, StepError, parse_outcome
from sqlflow_codegen.graph import plan_steps
from sqlflow_codegen.language import parse_program
from sqlflow_runtime.databases import open_database, parse_url
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import PreviewLimit
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.execute import execute_program
from sqlflow_runtime.ledger import Ledger
from sqlflow_runtime.model_store import StoredModel, open_model_store
from sqlflow_runtime.recorder import Recorder
from sqlflow_runtime.step_context import StepContext

from tests.support.records import check_record

KINDS = [*(pytest.param(kind, marks=pytest.mark.database) for kind in ("postgres", "mysql")), "duckdb", "sqlite"]
"""The kinds of database, as parameters of a test or a fixture."""


@dataclass
class Ran:
    """What a run told."""

    records: list[dict[str, Any]] = field(default_factory=list)
    error: StepError | None = None
    failure: RunError | None = None
    outcome: Outcome = field(default_factory=Outcome)

    def of(self, record_type: str, statement: int | None = None) -> list[dict[str, Any]]:
        return [
            r for r in self.records if r["type"] == record_type and (statement is None or r["statement"] == statement)
        ]

    def rows(self, statement: int = 1) -> list[list[Any]]:
        return [record["values"] for record in self.of("row", statement)]

    @property
    def metrics(self) -> dict[str, float]:
        (record,) = self.of("metrics")
        return dict(record["values"])

    @property
    def logged(self) -> str:
        return "\n".join(record["message"] for record in self.of("log"))


def connect(url: str) -> Database:
    return open_database(parse_url(url), "the test", lambda level, message: None, timeout=0)


def save_model(database: Database, name: str, metadata: dict[str, Any], content: bytes) -> int:
    return open_model_store(database).save(name, metadata, content)


def load_model(database: Database, reference: str) -> StoredModel:
    return open_model_store(database).load(reference)


def run_program(
    database: Database,
    text: str,
    *,
    statements: list[int] | None = None,
    replay: list[int] | None = None,
    limit: PreviewLimit | None = None,
    run: str | None = None,
) -> Ran:
    """Run a program on an open connection; with `run`, under that name in the ledger."""
    ran = Ran()
    program = parse_program(text, database.dialect)
    recorder = Recorder(lambda record: ran.records.append(check_record(record)))
    context = StepContext(
        program=program,
        database=database,
        recorder=recorder,
        limit=limit or PreviewLimit(),
        ledger=Ledger(database, run, recorder) if run else None,
    )
    if run:
        context.repeat = frozenset(number for step in plan_steps(program) for number in step.repeat)
    numbers = statements or [statement.number for statement in program]
    ran.error = execute_program(context, numbers, replay or [])
    ran.failure = context.failure
    ran.outcome = recorder.outcome()
    return ran


def succeed(database: Database, text: str, **options: Any) -> Ran:
    ran = run_program(database, text, **options)
    assert ran.error is None, ran.error
    return ran


def fail(database: Database, text: str, **options: Any) -> StepError:
    error = run_program(database, text, **options).error
    assert error is not None, "the program was to fail"
    return error


@dataclass
class Process:
    """An ended `sqlflow-step`."""

    code: int
    stdout: str
    stderr: str
    outcome: Outcome | None

    @property
    def records(self) -> list[dict[str, Any]]:
        return [check_record(json.loads(line)) for line in self.stdout.splitlines()]

    def of(self, record_type: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["type"] == record_type]


def step_command(folder: Path, text: str, *arguments: str, dialect: str = "postgres", before: str = "") -> list[str]:
    """The command line of a step; `before` is Python that runs first, in its process."""
    program = folder / "program.sql"
    program.write_bytes(text.encode())
    code = f"{before}\nfrom sqlflow_runtime.step import main\nmain()"
    return [sys.executable, "-c", code, "--program", str(program), "--dialect", dialect, *arguments]


def step_env(folder: Path, url: str, **env: str) -> dict[str, str]:
    settings = {"SQLFLOW_TERMINATION_LOG": str(folder / "termination-log"), "SQLFLOW_CONNECT_TIMEOUT": "0.1"}
    return os.environ | settings | {"SQLFLOW_DATABASE_URL": url} | env


def run_step(
    folder: Path, url: str, text: str, *arguments: str, dialect: str = "postgres", before: str = "", **env: str
) -> Process:
    done = subprocess.run(
        step_command(folder, text, *arguments, dialect=dialect, before=before),
        env=step_env(folder, url, **env),
        capture_output=True,
        encoding="utf-8",
        timeout=110,  # below that of pytest, so that a busy machine is no fault
        check=False,
    )
    return Process(done.returncode, done.stdout, done.stderr, read_outcome(folder))


def read_outcome(folder: Path) -> Outcome | None:
    log = folder / "termination-log"
    return parse_outcome(log.read_text()) if log.exists() else None


def values(database: Database) -> list[int]:
    """What is in column `a` of table `t`, in order."""
    return [a for (a,) in database.execute("SELECT a FROM t ORDER BY a")]
