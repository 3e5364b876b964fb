"""Which failures another attempt may cure: never those of the program or of its data, in any database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import exit_code

from tests.databases.harness import connect, run_program, run_step, succeed
from tests.support.waiting import wait_for

BEFORE = "CREATE TABLE t (a INTEGER NOT NULL UNIQUE, b VARCHAR(3)); INSERT INTO t VALUES (1, 'x')"

FINAL = {
    "table": "SELECT * FROM missing",
    "column": "SELECT missing FROM t",
    "function": "SELECT no_such_function(a) FROM t",
    "syntax": "SELEC 1",
    "exists": "CREATE TABLE t (a INTEGER)",
    "duplicate": "INSERT INTO t VALUES (1, 'y')",
    "null": "INSERT INTO t VALUES (NULL, 'y')",
    "columns": "INSERT INTO t VALUES (3, 'y', 4)",
    "model": "SELECT a FROM t TO PREDICT p.a USING missing",
    "estimator": "SELECT a, b FROM t TO TRAIN sklearn.svm.NoSuchThing LABEL b INTO m",
}


@pytest.mark.parametrize("text", FINAL.values(), ids=FINAL.keys())
def test_errors_of_the_program_are_final(database: Database, text: str) -> None:
    succeed(database, BEFORE)
    failure = run_program(database, text).failure
    assert failure is not None
    assert (failure.final, exit_code(failure) in (1, 2)) == (True, True), failure.message


FINAL_DATA = {
    "postgres": [
        "SELECT 1 / 0",
        "SELECT 'x'::int",
        "INSERT INTO t VALUES (2, 'too long')",
        "DROP SCHEMA missing",
        "SELECT (SELECT a FROM generate_series(1, 2) s(a))",
    ],
    "mysql": [
        "INSERT INTO t VALUES (2, 'too long')",
        "INSERT INTO t (b) VALUES ('x')",
        "INSERT INTO t VALUES ('word', 'x')",
        "SET no_such_variable = 1",
        "DROP DATABASE missing",
        "SELECT (SELECT 1 UNION SELECT 2)",
        "CREATE TABLE u (a INTEGER CHECK (a > 1)); INSERT INTO u VALUES (0)",
    ],
}


@pytest.mark.database
@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FINAL_DATA.items() for text in texts])
def test_errors_of_data_are_final(request: pytest.FixtureRequest, kind: str, text: str) -> None:
    database: Database = request.getfixturevalue(kind)
    succeed(database, BEFORE)
    failure = run_program(database, text).failure
    assert failure is not None
    assert failure.final, failure.sqlstate


@pytest.mark.database
def test_a_deadlock_may_pass(postgres: Database, postgres_url: str) -> None:
    succeed(postgres, BEFORE + "; INSERT INTO t VALUES (2, 'x')")
    with closing(connect(postgres_url)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("SET deadlock_timeout = '10min'")
        other.execute("BEGIN")
        other.execute("UPDATE t SET b = 'o' WHERE a = 2")
        succeed(postgres, "SET deadlock_timeout = '10ms'; BEGIN; UPDATE t SET b = 'p' WHERE a = 1")
        waits = pool.submit(other.execute, "UPDATE t SET b = 'o' WHERE a = 1")
        with closing(connect(postgres_url)) as third:
            waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            wait_for(lambda: third.execute(waiting), "the other connection waits")
        failure = run_program(postgres, "UPDATE t SET b = 'p' WHERE a = 2").failure
        postgres.execute("ROLLBACK")
        waits.result()
    assert failure is not None
    assert (failure.sqlstate, failure.final, exit_code(failure)) == ("40P01", False, 4)


@pytest.mark.database
@pytest.mark.parametrize(
    ("kind", "setting", "sqlstate"),
    [("postgres", "lock_timeout = '50ms'", "55P03"), ("mysql", "innodb_lock_wait_timeout = 1", "1205")],
)
def test_a_lock_may_pass(request: pytest.FixtureRequest, kind: str, setting: str, sqlstate: str) -> None:
    database: Database = request.getfixturevalue(kind)
    succeed(database, BEFORE)
    with closing(connect(request.getfixturevalue(f"{kind}_url"))) as other:
        other.execute("BEGIN")
        other.execute("UPDATE t SET b = 'o'")
        failure = run_program(database, f"SET {setting}; UPDATE t SET b = 'p'").failure
        other.execute("ROLLBACK")
    assert failure is not None
    assert (failure.sqlstate, failure.final, exit_code(failure)) == (sqlstate, False, 4)


def test_a_lock_may_pass_in_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/t.sqlite"
    with closing(connect(url)) as database, closing(connect(url)) as other:
        succeed(database, BEFORE)
        database.execute("PRAGMA busy_timeout = 10")
        other.execute("BEGIN IMMEDIATE")
        failure = run_program(database, "UPDATE t SET b = 'p'").failure
    assert failure is not None
    assert (failure.final, exit_code(failure)) == (False, 4), failure.message


def test_no_memory_may_pass_in_duckdb(duckdb: Database) -> None:
    text = "SET memory_limit = '5MB'; CREATE TABLE big AS SELECT repeat('x', 1000) || i AS x FROM range(1000000) t(i)"
    failure = run_program(duckdb, text).failure
    assert failure is not None
    assert (failure.final, exit_code(failure)) == (False, 4), failure.message


def test_the_process_ends_with_the_code(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/t.sqlite"
    assert run_step(tmp_path, url, "SELECT * FROM missing", "--statements", "1", dialect="sqlite").code == 1
    text = "PRAGMA busy_timeout = 10; CREATE TABLE t (a INTEGER)"
    with closing(connect(url)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert run_step(tmp_path, url, text, "--statements", "1-2", dialect="sqlite").code == 4
