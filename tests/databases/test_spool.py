"""Rows on local disk while a model learns: nothing stays of them, whatever ends the step."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.ml.spool import Spool

from tests.databases.harness import fail, run_step, step_command, step_env, succeed
from tests.support.servers import Server
from tests.support.waiting import wait_for

ROWS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
    "SELECT i * 0.5 AS a, i % 2 AS y FROM n"
)
TRAIN = ROWS + " TO TRAIN xgboost.gbtree LABEL y INTO m"


def test_batches_can_be_read_again_and_again() -> None:
    with Spool() as spool:
        for number in range(3):
            spool.add(pa.RecordBatch.from_pydict({"a": [number, None]}))
        spool.add(pa.RecordBatch.from_pydict({"a": ["of another type"]}))
        for _ in range(2):
            assert [batch.column(0).to_pylist() for batch in spool.batches()] == [
                [0, None],
                [1, None],
                [2, None],
                ["of another type"],
            ]
        assert len(spool) == 7
        (first, *_) = spool.column(0)
    assert first.to_pylist() == [0, None]  # what was handed out stays


def test_a_full_disk(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk."""
    spool = tmp_path / "spool"
    spool.mkdir()
    done = run_step(
        tmp_path,
        f"sqlite:///{tmp_path}/f.sqlite",
        TRAIN.format(50_000),
        "--statements",
        "1",
        dialect="sqlite",
        before="import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))",
        TMPDIR=str(spool),
    )
    (error,) = done.of("error")
    assert error["message"] == f"the disk of {spool} is full while the rows of the SELECT are kept there"
    assert "TMPDIR" in error["hint"]
    assert (error["kind"], done.code) == ("memory", 4)
    assert not list(spool.iterdir())
    assert not done.of("model")


@pytest.mark.database
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_step_that_is_ended_while_it_reads(tmp_path: Path, postgres_server: Server, number: signal.Signals) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    text = (
        "SELECT n AS a, n % 2 AS y, pg_sleep(CASE WHEN n > 90000 THEN 600 ELSE 0 END) IS NULL AS canary_sleep "
        "FROM generate_series(1, 100000) n TO TRAIN xgboost.gbtree LABEL y INTO m"
    )
    running = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE query LIKE '%canary_sleep%' AND wait_event = 'PgSleep' AND pid <> pg_backend_pid()"
    )
    command = step_command(tmp_path, text, "--statements", "1")
    env = step_env(tmp_path, postgres_server.url(), TMPDIR=str(spool))
    with postgres_server.connect() as admin:
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, encoding="utf-8")
        try:
            wait_for(lambda: admin.execute(running.encode()).fetchone() == (1,), "the statement sends no more rows")
            process.send_signal(number)
            stdout, _ = process.communicate(timeout=60)
        finally:
            process.kill()
        if number == signal.SIGTERM:
            assert process.returncode == 143
            assert '"kind":"stopped"' in stdout
            assert admin.execute(running.encode()).fetchone() == (0,)
        else:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    assert not list(spool.iterdir())


@pytest.mark.parametrize("count", [2000])
def test_many_columns(duckdb: Database, count: int) -> None:
    columns = ", ".join(f"n * {number} AS c{number}" for number in range(count))
    text = f"SELECT {columns}, n % 2 AS y FROM range(40) t(n)"
    succeed(duckdb, f"{text} TO TRAIN xgboost.gbtree LABEL y INTO m; {text} TO PREDICT p.y USING m")
    assert succeed(duckdb, "SELECT count(*) FROM p").rows() == [[40]]


@pytest.mark.parametrize("name", ["a[b]", "x<y>", "größe", "with space", 'a""b', "%s", "{{x}}"])
def test_names_that_libraries_do_not_take(sqlite: Database, name: str) -> None:
    text = f'SELECT i * 0.5 AS "{name}", i % 2 AS y FROM (SELECT 1 AS i UNION SELECT 2 UNION SELECT 3 UNION SELECT 4)'
    for estimator in ("xgboost.gbtree", "sklearn.linear_model.LogisticRegression"):
        succeed(sqlite, f"{text} TO TRAIN {estimator} LABEL y INTO m; {text} TO EVALUATE m LABEL y")


def test_no_rows_and_duplicate_names(sqlite: Database) -> None:
    succeed(sqlite, "CREATE TABLE t (a INTEGER, y INTEGER)")
    assert "no rows" in fail(sqlite, "SELECT * FROM t TO TRAIN xgboost.gbtree LABEL y INTO m").message
    error = fail(sqlite, "SELECT a, a, y FROM t TO TRAIN xgboost.gbtree LABEL y INTO m")
    assert "two columns named a" in error.message


def test_a_training_imports_only_what_it_needs(tmp_path: Path) -> None:
    """Pandas, which PyArrow looks for, and scikit-learn, which XGBoost looks for, take seconds."""
    file = tmp_path / "modules"
    done = run_step(
        tmp_path,
        f"sqlite:///{tmp_path}/f.sqlite",
        f"{TRAIN.format(100)}; {ROWS.format(100)} TO EVALUATE m LABEL y",
        "--statements",
        "1,2",
        dialect="sqlite",
        before=f"import atexit, sys; atexit.register(lambda: open({str(file)!r}, 'w').write(' '.join(sys.modules)))",
    )
    assert done.code == 0, done.stdout
    loaded = set(file.read_text().split())
    assert {"numpy", "pyarrow", "xgboost"} <= loaded
    assert not loaded & {"pandas", "sklearn", "lightgbm", "keras", "shap", "matplotlib", "highspy"}
