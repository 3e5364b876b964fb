"""SQLFlow's examples by `sqlflow run` on DuckDB and SQLite; tests/e2e runs them in pods on the other databases."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlflow_cli.__main__ import main

from tests.databases.harness import connect
from tests.support.commands import run_here
from tests.support.sqlflow_examples import CHECKS, PROGRAMS, data, program


@pytest.fixture(scope="module", params=["duckdb", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with the examples' tables."""
    found = f"{request.param}:///{tmp_path_factory.mktemp('examples')}/examples.db"
    _run(found, data())
    return found


def _run(url: str, text: str) -> None:
    ran = run_here(main, ["sqlflow", "run", "-", "--database", url], text, {"NO_COLOR": "1", "COLUMNS": "120"})
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]


@pytest.mark.parametrize("name", PROGRAMS)
def test_example(url: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _run(url, program(name))
    with closing(connect(url)) as database:
        CHECKS[name](database.execute)


def test_every_program_is_checked() -> None:
    assert set(CHECKS) == set(PROGRAMS)
