"""Without retries a step that has begun is never begun again: real step processes, killed and started again."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlflow_codegen.contract import EXIT_LOST, EXIT_OK, EXIT_STOPPED
from sqlflow_codegen.language import parse_program
from sqlflow_runtime.attempts import may_change
from sqlflow_runtime.claims import TABLE
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import KINDS, Process, connect, run_step, step_command, step_env, succeed
from tests.support.servers import PASSWORD, MariaServer, Server
from tests.support.waiting import wait_for

INSERTS = "INSERT INTO t VALUES (1); SELECT count(*) FROM t; INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)"


@dataclass
class Place:
    """A database on disk or on a server, that step processes use."""

    folder: Path
    url: str
    dialect: str

    def step(self, text: str, *arguments: str, before: str = "", run: str = "r", **env: str) -> Process:
        return run_step(
            self.folder, self.url, text, *arguments, dialect=self.dialect, before=before, SQLFLOW_RUN=run, **env
        )

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        with closing(connect(self.url)) as database:
            return database.execute(sql)

    def values(self) -> list[object]:
        return [a for (a,) in self.execute("SELECT a FROM t ORDER BY a")]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A database of each kind, with an empty table `t`."""
    if request.param in ("postgres", "mysql"):
        url = request.getfixturevalue(f"{request.param}_url")
    else:
        url = f"{request.param}:///{tmp_path}/file"
    found = Place(tmp_path, url, request.param)
    with closing(connect(url)) as database:
        succeed(database, "CREATE TABLE t (a INTEGER)")
    return found


def kill_at(module: str, function: str, when: str, *, after: bool = False) -> str:
    """Python that kills its process at, or after, a call of a method of the runtime."""
    owner, _, name = function.rpartition(".")
    call = f"    result = original(self, *a, **k)\n    {when}: os.kill(os.getpid(), 9)\n    return result\n"
    if not after:
        call = f"    {when}: os.kill(os.getpid(), 9)\n    return original(self, *a, **k)\n"
    return (
        f"import os, sqlflow_runtime.{module} as m\noriginal = m.{owner}.{name}\n"
        f"def killed(self, *a, **k):\n{call}m.{owner}.{name} = killed\n"
    )


BEFORE_MARK = kill_at("claims", "StepClaim.begin", "if True")
AFTER_MARK = kill_at("claims", "StepClaim.begin", "if True", after=True)
BEFORE_THIRD = kill_at("recorder", "Recorder.started", "if a[0] == 3")
AFTER_THIRD = kill_at("recorder", "Recorder.finished", "if self._statement == 3")
BEFORE_END = kill_at("claims", "StepClaim.end", "if True")
AFTER_END = kill_at("claims", "StepClaim.end", "if True", after=True)


@pytest.mark.parametrize(
    ("moment", "code", "rows"),
    [
        (BEFORE_MARK, EXIT_OK, [1, 2, 3]),
        (AFTER_MARK, EXIT_LOST, []),
        (BEFORE_THIRD, EXIT_LOST, [1]),
        (AFTER_THIRD, EXIT_LOST, [1, 2]),
        (BEFORE_END, EXIT_LOST, [1, 2, 3]),
        (AFTER_END, EXIT_OK, [1, 2, 3]),
    ],
    ids=["before-mark", "after-mark", "before-third", "after-third", "before-end", "after-end"],
)
def test_a_killed_step_is_not_begun_again(place: Place, moment: str, code: int, rows: list[int]) -> None:
    assert place.step(INSERTS, "--statements", "1-4", before=moment).code == -signal.SIGKILL
    again = place.step(INSERTS, "--statements", "1-4")
    assert (again.code, place.values()) == (code, rows)
    if code == EXIT_LOST:
        assert [error["kind"] for error in again.of("error")] == ["lost"]
        assert not again.of("statement_started")


def test_a_lost_step_stays_lost(place: Place) -> None:
    assert place.step(INSERTS, "--statements", "1-4", before=AFTER_MARK).code == -signal.SIGKILL
    assert [place.step(INSERTS, "--statements", "1-4").code for _ in range(2)] == [EXIT_LOST, EXIT_LOST]
    assert place.values() == []


def test_a_step_that_is_done_stays_done(place: Place) -> None:
    assert place.step(INSERTS, "--statements", "1-4").code == EXIT_OK
    again = place.step(INSERTS, "--statements", "1-4")
    assert (again.code, place.values()) == (EXIT_OK, [1, 2, 3])
    assert again.outcome is not None
    assert again.outcome.finished == (1, 2, 3, 4)


def test_another_step_and_another_run_begin(place: Place) -> None:
    assert place.step(INSERTS, "--statements", "1-2").code == EXIT_OK
    assert place.step(INSERTS, "--statements", "3").code == EXIT_OK
    assert place.step(INSERTS, "--statements", "1-2", SQLFLOW_RUN_UID="another").code == EXIT_OK
    assert place.values() == [1, 1, 2]


def test_a_failure_is_repeated_and_nothing_else(place: Place) -> None:
    text = "INSERT INTO t VALUES (1); INSERT INTO missing VALUES (2)"
    first, again = (place.step(text, "--statements", "1-2") for _ in range(2))
    assert (first.code, again.code, place.values()) == (1, 1, [1])
    assert first.of("error")[0] | {"n": 0} == again.of("error")[0] | {"n": 0}


def test_steps_that_only_read_leave_no_trace(place: Place) -> None:
    assert [place.step("SELECT 1; SELECT a FROM t", "--statements", "1-2").code for _ in range(2)] == [0, 0]
    with closing(connect(place.url)) as database:
        assert not database.has_own_table(TABLE)


def test_without_a_run_there_is_no_mark(place: Place) -> None:
    for _ in range(2):
        assert place.step("INSERT INTO t VALUES (1)", "--statements", "1", run="").code == EXIT_OK
    assert place.values() == [1, 1]


TRAINED = (
    "SELECT a, b FROM data TO TRAIN sklearn.tree.DecisionTreeClassifier LABEL b INTO m; "
    "SELECT a FROM data TO PREDICT result.c USING m; SELECT a, b FROM data TO EVALUATE m LABEL b INTO measured"
)


def test_a_training_is_begun_once(tmp_path: Path) -> None:
    place = Place(tmp_path, f"sqlite:///{tmp_path}/file", "sqlite")
    place.execute("CREATE TABLE data (a INTEGER, b INTEGER)")
    place.execute("INSERT INTO data VALUES (1, 0), (2, 1), (3, 0), (4, 1)")
    killed = place.step(TRAINED, "--statements", "1", before=kill_at("step_context", "StepContext.effect", "if True"))
    assert killed.code == -signal.SIGKILL
    assert place.step(TRAINED, "--statements", "1").code == EXIT_LOST
    assert place.execute("SELECT count(*) FROM sqlflow_models") == [(0,)]


def test_what_may_change_something() -> None:
    text = TRAINED.replace(" INTO measured", "") + (
        "; SELECT a, b FROM data TO EVALUATE m LABEL b INTO measured; SHOW TRAIN m; BEGIN; SELECT 1; "
        "(WITH x AS (SELECT 1) SELECT * FROM x); EXPLAIN SELECT 1; EXPLAIN ANALYZE INSERT INTO t VALUES (1); "
        "VACUUM; SET x = 1; CREATE TEMP TABLE q (a INT); COMMIT"
    )
    changing = [s.number for s in parse_program(text) if may_change(s, repeat=[13])]
    assert changing == [1, 2, 4, 10, 11]


# -- a process that is still at work


@pytest.fixture
def slow(place: Place) -> Iterator[tuple[Place, subprocess.Popen[bytes]]]:
    """A step whose second statement takes ten minutes, while it runs there."""
    if place.dialect not in ("postgres", "mysql"):
        pytest.skip("a file has no server that goes on alone")
    sleep = "pg_sleep(600)" if place.dialect == "postgres" else "SLEEP(600)"
    cast = "::text = ''" if place.dialect == "postgres" else " = 0"
    text = f"INSERT INTO t VALUES (1); INSERT INTO t SELECT 2 FROM t WHERE {sleep}{cast}; INSERT INTO t VALUES (3)"
    process = subprocess.Popen(
        step_command(place.folder, text, "--statements", "1-3", "--resumable", dialect=place.dialect),
        env=step_env(place.folder, place.url, SQLFLOW_RUN="r"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: sleeping(place) or process.poll() is not None, "the second statement runs")
    assert process.poll() is None
    yield place, process
    process.kill()
    process.wait()


def sleeping(place: Place) -> bool:
    view = "pg_stat_activity" if place.dialect == "postgres" else "information_schema.processlist"
    column = "query" if place.dialect == "postgres" else "info"
    state = "AND state = 'active'" if place.dialect == "postgres" else ""
    return bool(place.execute(f"SELECT 1 FROM {view} WHERE {column} LIKE 'INSERT INTO t SELECT 2%' {state}"))


def text_of(place: Place) -> str:
    return (place.folder / "program.sql").read_text()


@pytest.mark.database
def test_a_process_still_at_work_is_ended_in_the_database(slow: tuple[Place, subprocess.Popen[bytes]]) -> None:
    place, process = slow
    again = place.step(text_of(place), "--statements", "1-3", "--resumable")
    assert (again.code, sleeping(place)) == (EXIT_LOST, False)
    assert "still at work" in again.of("error")[0]["message"]
    assert process.wait(timeout=30) == 3
    assert place.values() == [1]
    assert place.step(text_of(place), "--statements", "1-3").code == EXIT_LOST
    assert place.values() == [1]


@pytest.mark.database
def test_a_killed_process_leaves_nothing_running_in_postgres(slow: tuple[Place, subprocess.Popen[bytes]]) -> None:
    place, process = slow
    if place.dialect != "postgres":
        pytest.skip("MySQL and MariaDB notice only at the statement's end that their client is gone")
    process.kill()
    wait_for(lambda: not sleeping(place), "the statement is ended")
    assert place.values() == [1]


@pytest.mark.database
def test_a_stopped_step_goes_on_where_that_is_allowed(slow: tuple[Place, subprocess.Popen[bytes]]) -> None:
    place, process = slow
    process.terminate()
    assert process.wait(timeout=30) == EXIT_STOPPED
    text = text_of(place)
    text = text.replace("pg_sleep(600)::text = ''", "true").replace("SLEEP(600) = 0", "true")
    resumed = place.step(text, "--statements", "1-3", "--resumable")
    skipped = [r["statement"] for r in resumed.of("statement_started") if r["attempt_skipped"]]
    assert (resumed.code, skipped, place.values()) == (EXIT_OK, [1], [1, 2, 3])


@pytest.mark.database
def test_a_stopped_step_is_lost_elsewhere(slow: tuple[Place, subprocess.Popen[bytes]]) -> None:
    place, process = slow
    process.terminate()
    assert process.wait(timeout=30) == EXIT_STOPPED
    again = place.step(text_of(place), "--statements", "1-3")
    assert (again.code, again.of("error")[0]["statement"]) == (EXIT_LOST, 2)
    assert place.values() == [1]


# -- rights, sessions


@pytest.fixture
def guest(postgres: Database, postgres_server: Server, tmp_path: Path) -> Iterator[Place]:
    """A user of PostgreSQL who may read and write one table, and create nothing."""
    succeed(postgres, "CREATE TABLE t (a INTEGER)")
    postgres.execute(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
    postgres.execute("GRANT SELECT, INSERT ON t TO guest")
    yield Place(tmp_path, postgres_server.url(user="guest"), "postgres")
    postgres.execute("DROP OWNED BY guest")
    postgres.execute("DROP ROLE guest")


@pytest.fixture
def maria_guest(mysql: Database, maria_server: MariaServer, tmp_path: Path) -> Iterator[Place]:
    """The same in MariaDB."""
    succeed(mysql, "CREATE TABLE t (a INTEGER)")
    with maria_server.connect() as admin, admin.cursor() as cursor:
        cursor.execute("CREATE USER guest IDENTIFIED BY %s", (PASSWORD,))
        cursor.execute("GRANT SELECT, INSERT ON test.t TO guest")
        yield Place(tmp_path, maria_server.url(user="guest"), "mysql")
        cursor.execute("DROP USER guest")


@pytest.mark.database
@pytest.mark.parametrize("user", ["guest", "maria_guest"])
def test_a_user_who_may_create_nothing(request: pytest.FixtureRequest, user: str) -> None:
    place: Place = request.getfixturevalue(user)
    reads = place.step("BEGIN; SELECT a FROM t; COMMIT; EXPLAIN SELECT a FROM t", "--statements", "1-4")
    assert (reads.code, reads.of("log")) == (EXIT_OK, [])
    writes = place.step("INSERT INTO t VALUES (1)", "--statements", "1")
    assert (writes.code, place.values()) == (EXIT_OK, [1])
    (log,) = writes.of("log")
    assert (log["level"], TABLE in log["message"], "Grant" in log["message"]) == ("warning", True, True)
    retried = place.step("INSERT INTO t VALUES (1)", "--statements", "1", "--ledger")
    assert (retried.code, place.values()) == (1, [1])
    assert "spec.retries" in retried.of("error")[0]["hint"]
    fails = place.step("SELECT missing FROM t", "--statements", "1", "--retries", "1", run="q")
    assert (fails.code, "missing" in fails.of("error")[0]["message"], len(fails.of("error"))) == (1, True, True)


@pytest.mark.database
def test_a_table_of_another_user_is_out_of_reach(guest: Place, postgres: Database, postgres_url: str) -> None:
    owner = Place(guest.folder, postgres_url, "postgres")
    assert owner.step("INSERT INTO t VALUES (1)", "--statements", "1").code == EXIT_OK
    assert guest.step("SELECT a FROM t", "--statements", "1").of("log") == []
    assert guest.step("INSERT INTO t VALUES (2)", "--statements", "1", run="g").code == EXIT_OK
    assert guest.values() == [1, 2]


@pytest.mark.database
@pytest.mark.parametrize(
    "text",
    [
        "SET ROLE guest; INSERT INTO t VALUES (1)",
        "SET SESSION AUTHORIZATION guest; INSERT INTO t VALUES (1)",
        "INSERT INTO t VALUES (1); SET default_transaction_read_only = on",
        "INSERT INTO t VALUES (1); BEGIN; INSERT INTO t VALUES (2)",
        "INSERT INTO t VALUES (1); SET search_path = nowhere",
    ],
)
def test_whatever_becomes_of_the_session_the_end_is_noted(guest: Place, postgres_url: str, text: str) -> None:
    owner = Place(guest.folder, postgres_url, "postgres")
    count = str(text.count(";") + 1)
    assert [owner.step(text, "--statements", f"1-{count}").code for _ in range(2)] == [EXIT_OK, EXIT_OK]
    assert owner.values() == [1]
    assert owner.execute(f"SELECT state, attempt FROM {TABLE}") == [("done", 1)]


@pytest.mark.database
@pytest.mark.parametrize(
    "text",
    [
        "SET autocommit = 0; INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2)",
        "LOCK TABLES t WRITE; INSERT INTO t VALUES (1)",
        "INSERT INTO t VALUES (1); SET SESSION TRANSACTION READ ONLY",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (1)",
    ],
)
def test_whatever_becomes_of_the_session_the_end_is_noted_in_mysql(mysql_url: str, tmp_path: Path, text: str) -> None:
    place = Place(tmp_path, mysql_url, "mysql")
    place.execute("CREATE TABLE t (a INTEGER)")
    count = str(text.count(";") + 1)
    assert [place.step(text, "--statements", f"1-{count}").code for _ in range(2)] == [EXIT_OK, EXIT_OK]
    assert place.values() == [1]
    assert place.execute(f"SELECT state, attempt FROM {TABLE}") == [("done", 1)]


@pytest.mark.database
def test_a_program_that_drops_the_database_of_the_marks_runs(mysql_url: str, tmp_path: Path) -> None:
    place = Place(tmp_path, mysql_url, "mysql")
    text = "DROP DATABASE test; CREATE DATABASE test; USE test; CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)"
    assert place.step(text, "--statements", "1-5").code == EXIT_OK
    assert place.values() == [1]


@pytest.mark.database
def test_a_select_that_writes_is_marked_when_it_is_found_to(
    postgres: Database, postgres_url: str, tmp_path: Path
) -> None:
    place = Place(tmp_path, postgres_url, "postgres")
    function = "CREATE FUNCTION add() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING a'"
    succeed(postgres, f"CREATE TABLE t (a INTEGER); {function}")
    killed = place.step("SELECT add()", "--statements", "1", before=BEFORE_END)
    assert killed.code == -signal.SIGKILL
    assert place.step("SELECT add()", "--statements", "1").code == EXIT_LOST
    assert place.values() == [1]


@pytest.mark.database
def test_an_interrupted_procedure_is_not_resumed(mysql_url: str, tmp_path: Path) -> None:
    """It may have committed a part: what suspended it cannot know."""
    place = Place(tmp_path, mysql_url, "mysql")
    place.execute("CREATE TABLE t (a INTEGER)")
    place.execute("CREATE PROCEDURE fill() BEGIN INSERT INTO t VALUES (1); WHILE TRUE DO SET @x = 1; END WHILE; END")
    command = step_command(tmp_path, "CALL fill()", "--statements", "1", "--resumable", dialect="mysql")
    env = step_env(tmp_path, mysql_url, SQLFLOW_RUN="r")
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not place.values():
            assert process.poll() is None
        process.terminate()
        assert process.wait(timeout=30) == EXIT_STOPPED
    assert place.step("CALL fill()", "--statements", "1", "--resumable").code == EXIT_LOST
    assert place.values() == [1]


def test_old_rows_are_deleted(place: Place) -> None:
    for run in ("old", "unfinished"):
        assert place.step("INSERT INTO t VALUES (1)", "--statements", "1", run=run).code == EXIT_OK
    place.execute(f"UPDATE {TABLE} SET changed_at = '2020-01-01 00:00:00' WHERE run = 'old'")
    with closing(connect(place.url)) as database:
        days = "datetime('now', '-60 days')" if place.dialect == "sqlite" else "CURRENT_TIMESTAMP - INTERVAL '60' DAY"
        database.execute(f"UPDATE {TABLE} SET state = 'stopped', changed_at = {days} WHERE run = 'unfinished'")
    assert place.step("INSERT INTO t VALUES (1)", "--statements", "1", run="new").code == EXIT_OK
    assert place.execute(f"SELECT run FROM {TABLE} ORDER BY run") == [("new",), ("unfinished",)]
