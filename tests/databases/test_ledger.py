"""A retried step repeats nothing that is done and loses nothing that is not."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from sqlflow_codegen.graph import plan_steps
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.ranges import format_ranges
from sqlflow_runtime.claims import StepClaim
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import PreviewLimit
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ledger import TABLE, Ledger
from sqlflow_runtime.recorder import Recorder

from tests.databases.harness import connect, fail, run_program, run_step, step_command, step_env, succeed, values
from tests.support.waiting import wait_for

INSERTS = "INSERT INTO t VALUES (1); SELECT count(*) FROM t; INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)"


def skipped(ran: object) -> list[int]:
    return [r["statement"] for r in ran.of("statement_started") if r["attempt_skipped"]]  # type: ignore[attr-defined]


def test_a_second_attempt_skips_all_that_is_done(counted: Database) -> None:
    assert skipped(succeed(counted, INSERTS, run="r")) == []
    again = succeed(counted, INSERTS, run="r")
    assert skipped(again) == [1, 2, 3, 4]
    assert again.outcome.finished == (1, 2, 3, 4)
    assert values(counted) == [1, 2, 3]


def test_another_run_starts_anew(counted: Database) -> None:
    succeed(counted, INSERTS, run="r")
    succeed(counted, INSERTS, run="other")
    assert len(values(counted)) == 6


def test_a_retry_starts_at_the_statement_that_failed(counted: Database) -> None:
    text = "INSERT INTO t VALUES (1); INSERT INTO later VALUES (1); INSERT INTO t VALUES (2)"
    assert fail(counted, text, run="r").statement == 2
    succeed(counted, "CREATE TABLE later (a INTEGER)")
    assert skipped(succeed(counted, text, run="r")) == [1]
    assert values(counted) == [1, 2]


def test_reading_leaves_no_trace(database: Database) -> None:
    succeed(database, "SELECT 1; SELECT 2", run="r")
    assert not database.has_own_table(TABLE)


@pytest.mark.database
def test_temporary_tables_are_made_again(postgres: Database, postgres_url: str) -> None:
    text = (
        "CREATE TEMPORARY TABLE part (a INTEGER); INSERT INTO part VALUES (5); INSERT INTO t SELECT a FROM part; "
        "INSERT INTO later SELECT a FROM part"
    )
    succeed(postgres, "CREATE TABLE t (a INTEGER)")
    with closing(connect(postgres_url)) as first:
        assert fail(first, text, run="r").statement == 4
    succeed(postgres, "CREATE TABLE later (a INTEGER)")
    assert skipped(succeed(postgres, text, run="r")) == [3]
    assert values(postgres) == [5]
    assert postgres.execute("SELECT a FROM later") == [(5,)]


def test_the_programs_transaction_counts_when_it_commits(counted: Database) -> None:
    text = "BEGIN; INSERT INTO t VALUES (1); INSERT INTO later VALUES (1); COMMIT; INSERT INTO t VALUES (2)"
    assert fail(counted, text, run="r").statement == 3
    if counted.in_transaction():
        counted.run("ROLLBACK", PreviewLimit())
    assert values(counted) == []
    succeed(counted, "CREATE TABLE later (a INTEGER)")
    assert skipped(succeed(counted, text, run="r")) == []
    assert skipped(succeed(counted, text, run="r")) == [1, 2, 3, 4, 5]
    assert values(counted) == [1, 2]


def test_a_transaction_rolled_back_counts_too(counted: Database) -> None:
    text = "BEGIN; INSERT INTO t VALUES (1); ROLLBACK; INSERT INTO t VALUES (2)"
    succeed(counted, text, run="r")
    assert skipped(succeed(counted, text, run="r")) == [1, 2, 3, 4]
    assert values(counted) == [2]


@pytest.mark.database
def test_what_the_graph_knows_to_set_up_the_session_is_run_again(
    tmp_path: Path, postgres: Database, postgres_url: str
) -> None:
    text = (
        "CREATE TEMPORARY TABLE part (a INTEGER); WITH x AS (SELECT 5 AS a) INSERT INTO part SELECT a FROM x; "
        "INSERT INTO t SELECT a FROM part; INSERT INTO later SELECT a FROM part"
    )
    succeed(postgres, "CREATE TABLE t (a INTEGER)")
    (step,) = plan_steps(parse_program(text))
    arguments = ("--statements", format_ranges(step.statements), "--repeat", format_ranges(step.repeat), "--ledger")
    succeed(postgres, "CREATE TABLE later (a INTEGER)")
    assert run_step(tmp_path, postgres_url, text, *arguments, before=KILL_AFTER_COMMIT, SQLFLOW_RUN="r").code == -9
    retried = run_step(tmp_path, postgres_url, text, *arguments, SQLFLOW_RUN="r")
    assert retried.code == 0
    assert [r["statement"] for r in retried.of("statement_started") if r["attempt_skipped"]] == [3]
    assert values(postgres) == [5]
    assert postgres.execute("SELECT a FROM later") == [(5,)]


@pytest.mark.database
def test_a_savepoint_does_not_forget(postgres: Database) -> None:
    text = (
        "CREATE TABLE t (a INTEGER); BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s; INSERT INTO t VALUES (2); "
        "ROLLBACK TO SAVEPOINT s; COMMIT"
    )
    succeed(postgres, text, run="r")
    assert skipped(succeed(postgres, text, run="r")) == [1, 2, 3, 4, 5, 6, 7]
    assert values(postgres) == [1]


@pytest.mark.database
def test_a_statement_that_no_transaction_takes_is_noted_after_it(postgres: Database) -> None:
    text = "CREATE TABLE t (a INTEGER); VACUUM t; CREATE INDEX CONCURRENTLY i ON t (a)"
    succeed(postgres, text, run="r")
    assert skipped(succeed(postgres, text, run="r")) == [1, 2, 3]


@pytest.mark.database
def test_a_procedure_that_commits(postgres: Database) -> None:
    succeed(
        postgres,
        "CREATE TABLE t (a INTEGER); CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2); END $$",
    )
    succeed(postgres, "CALL fill()", run="r")
    assert values(postgres) == [1, 2]


KILL = "import os, sqlflow_runtime.ledger as ledger\n"
KILL_BEFORE_ROW = KILL + "ledger.Ledger.add = lambda *a: os.kill(os.getpid(), 9)\n"
KILL_AFTER_ROW = KILL + (
    "_add = ledger.Ledger.add\ndef add(self, numbers):\n    _add(self, numbers)\n"
    "    if 3 in numbers: os.kill(os.getpid(), 9)\nledger.Ledger.add = add\n"
)
KILL_AFTER_COMMIT = (
    "import os, sqlflow_runtime.recorder as recorder\n_finished = recorder.Recorder.finished\n"
    "def finished(self, *a, **k):\n    if self._statement == 3: os.kill(os.getpid(), 9)\n    _finished(self, *a, **k)\n"
    "recorder.Recorder.finished = finished\n"
)


@pytest.mark.database
@pytest.mark.parametrize(
    ("before", "skips"), [(KILL_BEFORE_ROW, []), (KILL_AFTER_ROW, [1]), (KILL_AFTER_COMMIT, [1, 2, 3])]
)
def test_killed_between_a_statement_and_its_row(
    tmp_path: Path, postgres: Database, postgres_url: str, before: str, skips: list[int]
) -> None:
    succeed(postgres, "CREATE TABLE t (a INTEGER)")
    arguments = ("--statements", "1-4", "--ledger")
    dead = run_step(tmp_path, postgres_url, INSERTS, *arguments, before=before, SQLFLOW_RUN="r")
    assert dead.code == -9
    retried = run_step(tmp_path, postgres_url, INSERTS, *arguments, SQLFLOW_RUN="r")
    assert retried.code == 0
    assert [r["statement"] for r in retried.of("statement_started") if r["attempt_skipped"]] == skips
    assert values(postgres) == [1, 2, 3]


@pytest.mark.database
def test_a_step_that_is_done_forgets_its_rows_and_no_others(
    tmp_path: Path, postgres: Database, postgres_url: str
) -> None:
    succeed(postgres, "CREATE TABLE t (a INTEGER)")
    succeed(postgres, "INSERT INTO t VALUES (1)", run="other")
    done = run_step(tmp_path, postgres_url, INSERTS, "--statements", "1-4", "--retries", "1", SQLFLOW_RUN="r")
    assert done.code == 0
    assert postgres.execute(f"SELECT run FROM {TABLE}") == [("other",)]
    again = run_step(tmp_path, postgres_url, INSERTS, "--statements", "1-4", "--retries", "1", SQLFLOW_RUN="r")
    assert [r["statement"] for r in again.of("statement_started") if r["attempt_skipped"]] == [1, 2, 3, 4]
    assert values(postgres) == [1, 1, 2, 3]


def test_jobs_of_earlier_versions_end_with_a_container_that_does_nothing(tmp_path: Path) -> None:
    done = run_step(tmp_path, "postgresql://u:p@127.0.0.1:1/x", "SELECT 1", "--finish", SQLFLOW_RUN="r")
    assert (done.code, done.stdout) == (0, "")


@pytest.mark.database
def test_a_final_failure_is_not_tried_again(tmp_path: Path, postgres: Database, postgres_url: str) -> None:
    """Tekton starts another attempt whatever the exit code was."""
    arguments = ("--statements", "1", "--retries", "2")
    first = run_step(tmp_path, postgres_url, "SELECT a FROM later", *arguments, SQLFLOW_RUN="r")
    succeed(postgres, "CREATE TABLE later (a INTEGER)")
    second = run_step(tmp_path, postgres_url, "SELECT a FROM later", *arguments, SQLFLOW_RUN="r")
    assert (first.code, second.code) == (1, 1)
    assert first.of("error")[0] | {"n": 0} == second.of("error")[0] | {"n": 0}
    assert not second.of("statement_started")


@pytest.mark.database
def test_a_second_attempt_says_why_the_first_one_failed(tmp_path: Path, postgres: Database, postgres_url: str) -> None:
    succeed(postgres, "CREATE TABLE t (a INTEGER)")
    text = "SET lock_timeout = '1ms'; INSERT INTO t VALUES (1)"
    arguments = ("--statements", "1-2", "--repeat", "1", "--retries", "2")
    with closing(connect(postgres_url)) as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE t")
        first = run_step(tmp_path, postgres_url, text, *arguments, SQLFLOW_RUN="r")
        second = run_step(tmp_path, postgres_url, text, *arguments, SQLFLOW_RUN="r")
        other.execute("COMMIT")
    third = run_step(tmp_path, postgres_url, text, *arguments, SQLFLOW_RUN="r")
    assert (first.code, second.code, third.code) == (4, 4, 0)
    words = "failed at statement 2: canceling statement due to lock timeout"
    assert second.of("error")[0]["hint"].endswith(f"Attempt 1 {words}.")
    assert third.of("log")[0]["message"] == f"attempt 3 of this step; attempt 2 {words}"
    assert values(postgres) == [1]


@pytest.mark.database
@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_an_attempt_that_was_replaced_changes_nothing_more(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    """Two pods of one step at work at once: the statement of the first one ends after the second one has begun."""
    url = request.getfixturevalue(f"{kind}_url")
    database = request.getfixturevalue(kind)
    succeed(database, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (0)")
    sleep = "pg_sleep(600)::text = ''" if kind == "postgres" else "SLEEP(600) = 0"
    slow = f"INSERT INTO t VALUES (1); INSERT INTO t SELECT 2 FROM t WHERE a = 1 AND {sleep}"
    text = slow.replace(f" AND {sleep}", "")
    arguments = ("--statements", "1-2", "--retries", "1")
    command, env = step_command(tmp_path, slow, *arguments, dialect=kind), step_env(tmp_path, url, SQLFLOW_RUN="r")
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: values(database) == [0, 1] or process.poll() is not None, "the first statement is committed")
        assert process.poll() is None
        second = run_step(tmp_path, url, text, *arguments, dialect=kind, SQLFLOW_RUN="r")
        assert process.wait(timeout=60) in (3, 143)
    assert (second.code, values(database)) == (0, [0, 1, 2])


@pytest.mark.database
def test_the_row_of_a_statement_is_not_written_by_an_attempt_that_was_replaced(
    postgres: Database, postgres_url: str
) -> None:
    """Where the database cannot end the other connection (it is behind a pooler), its commit fails all the same."""
    succeed(postgres, "CREATE TABLE t (a INTEGER)")
    recorder = Recorder(lambda record: None)
    with closing(connect(postgres_url)) as other:
        first, second = (StepClaim(database, "r", 1, recorder.log, needed=True) for database in (postgres, other))
        assert first.begin()
        ledger = Ledger(postgres, "r", recorder, first.hold)
        ledger.prepare()

        def statement() -> None:
            with postgres.atomic():
                postgres.execute("INSERT INTO t VALUES (1)")
                assert second.begin(second.find()[0])
                ledger.add([1])

        with pytest.raises(RunError, match="taken over"):
            statement()
    assert values(postgres) == []


def test_a_step_does_not_begin_after_another_has_failed_for_good(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/file"
    with closing(connect(url)) as database:
        succeed(database, "CREATE TABLE t (a INTEGER)")
        text = "INSERT INTO t VALUES (1); INSERT INTO missing VALUES (1); INSERT INTO t VALUES (2)"
        for number, code in (("1", 0), ("2", 1), ("3", 6), ("3", 6)):
            arguments = ("--statements", number, "--retries", "2")
            done = run_step(tmp_path, url, text, *arguments, dialect="sqlite", SQLFLOW_RUN="r")
            assert done.code == code
        assert done.of("error")[0]["kind"] == "skipped"
        assert "statement 2 has failed: no such table: missing" in done.of("error")[0]["message"]
        assert values(database) == [1]


def test_old_rows_are_pruned(counted: Database) -> None:
    succeed(counted, "INSERT INTO t VALUES (1)", run="old")
    counted.execute(f"UPDATE {counted.own_table(TABLE)} SET finished_at = '2020-01-01 00:00:00'")
    succeed(counted, "INSERT INTO t VALUES (1)", run="new")
    assert counted.execute(f"SELECT run FROM {counted.own_table(TABLE)}") == [("new",)]


@pytest.mark.database
def test_a_missing_right_is_said(postgres: Database) -> None:
    succeed(postgres, "CREATE TABLE t (a INTEGER); GRANT INSERT ON t TO PUBLIC")
    postgres.execute("CREATE ROLE guest")
    try:
        postgres.execute("SET ROLE guest")
        error = fail(postgres, "INSERT INTO t VALUES (1)", run="r")
        assert "sqlflow_ledger" in error.message
        assert "spec.retries" in error.hint
    finally:
        postgres.execute("RESET ROLE")
        postgres.execute("DROP OWNED BY guest")
        postgres.execute("DROP ROLE guest")


@pytest.mark.database
def test_the_table_is_made_once_by_many(postgres_url: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def prepare(number: int) -> int:
        with closing(connect(postgres_url)) as database:
            Ledger(database, f"r{number}", Recorder(lambda record: None)).prepare()
            run_program(database, "CREATE TABLE IF NOT EXISTS u (a INTEGER)", run=f"r{number}")
            return len(database.execute(f"SELECT 1 FROM {TABLE}"))

    with ThreadPoolExecutor(8) as pool:
        assert all(count >= 0 for count in pool.map(prepare, range(8)))


def test_steps_that_end_at_once_on_mariadb(mysql_url: str) -> None:
    """Each locked the gap where the other's row was to go: a deadlock, which failed a statement that was done."""
    together = Barrier(4)

    def note(run: int) -> None:
        with closing(connect(mysql_url)) as database:
            ledger = Ledger(database, f"run-{run}", Recorder(lambda _: None))
            ledger.prepare()
            for statement in range(60):
                together.wait(60)
                with database.atomic():
                    ledger.add([statement])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(note, range(4)))
    with closing(connect(mysql_url)) as database:
        assert database.execute(f"SELECT count(*) FROM {TABLE}") == [(240,)]


def test_a_statement_is_noted_once(database: Database) -> None:
    ledger = Ledger(database, "r", Recorder(lambda _: None))
    ledger.prepare()
    for _ in range(2):
        with database.atomic():
            ledger.add([1, 2])
    assert ledger.done() == {1, 2}
