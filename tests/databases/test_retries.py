"""Whatever a program consists of: a step that is tried again repeats what the graph says, and nothing else.

The real `sqlflow-step`, with the arguments that the graph gives it, runs each program twice: at first the last
statement fails.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlflow_codegen.graph import Step, plan_steps
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.manifests import own_arguments
from sqlflow_codegen.ranges import format_ranges

from tests.databases.harness import connect, run_step, succeed

SETUP = "CREATE TABLE t (a INTEGER); CREATE TABLE u (a INTEGER)"
FAILS = "INSERT INTO later SELECT count(*) FROM t"
MAY_PASS = """
import sqlflow_runtime.errors as failures
original = failures.RunError.__init__
failures.RunError.__init__ = lambda self, *a, **k: original(self, *a, **k | {"final": False})
"""
"""Makes the missing table a failure that another attempt may cure; it would be final."""

POSTGRES = [
    "SET work_mem = '2MB'; INSERT INTO t VALUES (1); RESET work_mem; INSERT INTO t VALUES (2)",
    "PREPARE p AS INSERT INTO t VALUES (1); EXECUTE p; DEALLOCATE p; INSERT INTO t VALUES (2)",
    "LISTEN x; INSERT INTO t VALUES (1); NOTIFY x; UNLISTEN x; INSERT INTO t VALUES (2)",
    "INSERT INTO t VALUES (1); DECLARE c CURSOR WITH HOLD FOR SELECT a FROM t; FETCH c; CLOSE c;"
    " INSERT INTO t VALUES (2)",
    "BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'",
    "BEGIN; INSERT INTO t VALUES (1); DECLARE c CURSOR FOR SELECT a FROM t; FETCH c; COMMIT; INSERT INTO t VALUES (2)",
    "BEGIN; SET work_mem = '2MB'; SET LOCAL search_path = public; INSERT INTO t VALUES (1), (2); COMMIT",
    "BEGIN; CREATE TEMP TABLE x (a int) ON COMMIT DROP; INSERT INTO x VALUES (1), (2);"
    " INSERT INTO t SELECT * FROM x; COMMIT",
    "BEGIN; CREATE TEMP TABLE x (a int); ROLLBACK; INSERT INTO t VALUES (1), (2)",
    "BEGIN; SAVEPOINT s; CREATE TEMP TABLE x (a int); INSERT INTO t VALUES (9); ROLLBACK TO s;"
    " INSERT INTO t VALUES (1), (2); COMMIT",
    "CREATE TEMP TABLE x AS SELECT 1 AS a; CREATE UNIQUE INDEX i ON x (a);"
    "INSERT INTO x VALUES (1), (1) ON CONFLICT (a) DO NOTHING; INSERT INTO t SELECT a FROM x; INSERT INTO t VALUES (2)",
    "SELECT 1 AS a INTO TEMP x; UPDATE x SET a = 2; INSERT INTO t VALUES (1);"
    " INSERT INTO t SELECT a FROM x; TRUNCATE x",
    "SELECT pg_advisory_lock(7); INSERT INTO t VALUES (1); SELECT set_config('x.y', '2', false);"
    "INSERT INTO t SELECT current_setting('x.y')::int",
    "SET search_path = public, pg_temp; INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT 2 AS a;"
    " INSERT INTO t SELECT a FROM v",
    "DO 'BEGIN INSERT INTO t VALUES (1), (2); END'; VACUUM t; ANALYZE t; COMMENT ON TABLE t IS 'x'",
    "COPY (SELECT 1 UNION SELECT 2) TO '{folder}/copied'; COPY t FROM '{folder}/copied'; DISCARD PLANS",
]  # fmt: skip

MYSQL = [
    "LOAD DATA INFILE '{folder}/rows' INTO TABLE t; ANALYZE TABLE t",
    "SET @x = 2; LOAD DATA INFILE '{folder}/row' INTO TABLE t (a); INSERT INTO t VALUES (@x)",
    "CREATE TEMPORARY TABLE x (a int); LOAD DATA INFILE '{folder}/rows' INTO TABLE x; INSERT INTO t SELECT a FROM x",
    "PREPARE p FROM 'INSERT INTO t VALUES (1)'; EXECUTE p; DEALLOCATE PREPARE p; INSERT INTO t VALUES (2)",
    "SET SESSION sql_mode = 'ANSI_QUOTES'; SET NAMES utf8mb4; INSERT INTO t VALUES (1), (2)",
    "SET @x = (SELECT 0); INSERT INTO t VALUES (@x + 1); SELECT 2 INTO @y; INSERT INTO t VALUES (@y)",
    "SET autocommit = 0; INSERT INTO t VALUES (1), (2); COMMIT",
    "START TRANSACTION; INSERT INTO t VALUES (1); CREATE TABLE w (a int); INSERT INTO t VALUES (2); COMMIT",
    "START TRANSACTION; SET @x = 1; INSERT INTO t VALUES (@x), (2); COMMIT",
    "REPLACE INTO t VALUES (1); SELECT get_lock('x', 1); INSERT INTO t VALUES (2)",
    "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (1); ANALYZE TABLE t;"
    " INSERT INTO t VALUES (2)",
]  # fmt: skip

SQLITE = [
    "PRAGMA foreign_keys = ON; INSERT INTO t VALUES (1); PRAGMA user_version = 3; REPLACE INTO t VALUES (2)",
    "ATTACH '{folder}/b' AS b; CREATE TABLE b.x (a); INSERT INTO b.x VALUES (1), (2); INSERT INTO t SELECT a FROM b.x",
    "CREATE TEMP TABLE x (a); CREATE INDEX i ON x (a); INSERT INTO x VALUES (1), (2); INSERT INTO t SELECT a FROM x",
    "CREATE TEMP VIEW v AS SELECT 1 AS a UNION SELECT 2; INSERT INTO t SELECT a FROM v; ANALYZE",
    "BEGIN IMMEDIATE; CREATE TEMP TABLE x (a); INSERT INTO x VALUES (1), (2); INSERT INTO t SELECT a FROM x; COMMIT",
]  # fmt: skip

DUCKDB = [
    "SET threads = 1; INSERT INTO t VALUES (1); SET VARIABLE y = 2; INSERT INTO t VALUES (getvariable('y'))",
    "ATTACH '{folder}/b' AS b; CREATE TABLE b.x AS SELECT 1 AS a; INSERT INTO t SELECT a FROM b.x;"
    " INSERT INTO t VALUES (2)",
    "COPY (SELECT 1 AS a UNION SELECT 2) TO '{folder}/b.csv'; COPY t FROM '{folder}/b.csv'",
    "CREATE TEMP TABLE x (a int); INSERT INTO x VALUES (1), (2); INSERT INTO t SELECT a FROM x;"
    " CREATE TEMP MACRO f() AS 1",
    "PREPARE p AS INSERT INTO t VALUES (1); EXECUTE p; DEALLOCATE p; INSERT INTO t VALUES (2)",
    "PRAGMA threads = 1; BEGIN; CREATE TEMP TABLE x (a int); INSERT INTO t VALUES (1), (2); COMMIT; CHECKPOINT",
]  # fmt: skip


@pytest.mark.database
@pytest.mark.parametrize("text", POSTGRES)
def test_postgres(served_folder: Path, postgres_url: str, text: str) -> None:
    check(served_folder, postgres_url, "postgres", text)


@pytest.mark.database
@pytest.mark.parametrize("text", MYSQL)
def test_mysql(served_folder: Path, mysql_url: str, text: str) -> None:
    check(served_folder, mysql_url, "mysql", text, commits="autocommit = 0" not in text)


@pytest.mark.parametrize("text", SQLITE)
def test_sqlite(tmp_path: Path, text: str) -> None:
    check(tmp_path, f"sqlite:///{tmp_path}/db", "sqlite", text)


@pytest.mark.parametrize("text", DUCKDB)
def test_duckdb(tmp_path: Path, text: str) -> None:
    check(tmp_path, f"duckdb:///{tmp_path}/db", "duckdb", text)


LOST = [
    ("mysql", "INSERT INTO a VALUES (NULL); INSERT INTO later VALUES (last_insert_id())"),
    ("mysql", "INSERT INTO a VALUES (NULL); SET @x = last_insert_id(); INSERT INTO later VALUES (@x)"),
    ("mysql", "SET @x = (SELECT count(*) FROM t); INSERT INTO t VALUES (@x); INSERT INTO later VALUES (@x)"),
    ("postgres", "CREATE TEMP TABLE x AS SELECT count(*) AS a FROM t; INSERT INTO t VALUES (1);"
     " INSERT INTO later SELECT a FROM x"),
    ("postgres", "ALTER ROLE CURRENT_USER SET search_path = public, pg_temp; INSERT INTO later VALUES (1)"),
    ("postgres", "CREATE TEMP TABLE x (a int); DO 'BEGIN INSERT INTO x VALUES (1); INSERT INTO t VALUES (1); END';"
     "INSERT INTO later SELECT a FROM x"),
    ("duckdb", "SET VARIABLE x = (SELECT count(*) FROM t); INSERT INTO t VALUES (1);"
     " INSERT INTO later VALUES (getvariable('x'))"),
    ("sqlite", "INSERT INTO t VALUES (1); INSERT INTO later VALUES (last_insert_rowid())"),
    ("sqlite", "ATTACH ':memory:' AS m; CREATE TABLE m.x AS SELECT count(*) AS a FROM t; INSERT INTO t VALUES (1);"
     "INSERT INTO later SELECT a FROM m.x"),
]  # fmt: skip


@pytest.mark.database
@pytest.mark.parametrize(("dialect", "text"), LOST)
def test_a_retry_that_would_compute_something_else_is_refused(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str, text: str
) -> None:
    served = dialect in ("postgres", "mysql")
    url = request.getfixturevalue(f"{dialect}_url") if served else f"{dialect}:///{tmp_path}/db"
    key = {"mysql": "AUTO_INCREMENT", "postgres": "GENERATED ALWAYS AS IDENTITY"}.get(dialect, "")
    with closing(connect(url)) as database:
        succeed(database, f"CREATE TABLE t (a INTEGER); CREATE TABLE a (b INTEGER {key} PRIMARY KEY)")
    (step,) = plan_steps(parse_program(text, dialect))
    first = run_step(tmp_path, url, text, *arguments_of(step), dialect=dialect, before=MAY_PASS, SQLFLOW_RUN="r")
    assert [error["statement"] for error in first.of("error")] == [step.statements[-1]], first.stdout
    with closing(connect(url)) as database:
        succeed(database, "CREATE TABLE later (a INTEGER)")
    second = run_step(tmp_path, url, text, *arguments_of(step), dialect=dialect, SQLFLOW_RUN="r")
    (error,) = second.of("error")
    assert error["kind"] == "lost"
    assert error["statement"] in step.lost
    with closing(connect(url)) as database:
        if "search_path" in text:
            database.execute("ALTER ROLE CURRENT_USER RESET search_path")
        assert database.execute("SELECT a FROM later") == []


def arguments_of(step: Step) -> list[str]:
    """What the graph has the step do, as every backend hands it over."""
    own = own_arguments(step)
    return [
        "--statements",
        format_ranges(step.statements),
        "--ledger",
        *(p for k, v in own.items() for p in (f"--{k}", v)),
    ]


def check(folder: Path, url: str, dialect: str, text: str, *, commits: bool = True) -> None:
    """Both attempts together leave the rows 1 and 2 once each, and the second skips all but what the graph says.

    Args:
        folder: where the statements' files lie.
        url: the database.
        dialect: of the program.
        text: the program, before the statement that fails in the first attempt.
        commits: whether that statement commits by itself in the second.
    """
    with closing(connect(url)) as database:
        succeed(database, SETUP)
    for name, rows in (("row", "1\n"), ("rows", "1\n2\n")):
        (folder / name).write_text(rows)
    text = f"{text.replace('{folder}', str(folder))}; {FAILS}"
    (step,) = plan_steps(parse_program(text, dialect))
    arguments = arguments_of(step)
    first = run_step(folder, url, text, *arguments, dialect=dialect, before=MAY_PASS, SQLFLOW_RUN="r")
    assert [error["statement"] for error in first.of("error")] == [step.statements[-1]], first.stdout
    with closing(connect(url)) as database:
        succeed(database, "CREATE TABLE later (a INTEGER)")
    second = run_step(folder, url, text, *arguments, dialect=dialect, SQLFLOW_RUN="r")
    assert second.code == 0, second.stdout
    skipped = [r["statement"] for r in second.of("statement_started") if r["attempt_skipped"]]
    done = [n for n in step.statements[:-1] if n not in step.repeat]
    assert skipped == done
    with closing(connect(url)) as database:
        assert sorted(database.execute("SELECT a FROM t")) == [(1,), (2,)]
        assert database.execute("SELECT a FROM later") == ([(2,)] if commits else [])
