"""What only MySQL and MariaDB have: types, KILL QUERY, DDL that commits, names in backticks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import PreviewLimit
from sqlflow_runtime.errors import RunError

from tests.databases.conftest import load_iris
from tests.databases.harness import connect, fail, run_step, step_command, step_env, succeed
from tests.support.servers import PASSWORD, MariaServer
from tests.support.waiting import wait_for

pytestmark = pytest.mark.database


def test_every_value_arrives_without_loss(mysql: Database) -> None:
    values = {
        "CAST(1.10 AS DECIMAL(10,2))": {"$decimal": "1.10"},
        "CAST('2024-02-29' AS DATE)": {"$date": "2024-02-29"},
        "CAST('0000-00-00' AS DATE)": {"$date": "0000-00-00"},
        "CAST('2024-02-29 12:30:00.123456' AS DATETIME(6))": {"$timestamp": "2024-02-29 12:30:00.123456"},
        "CAST('838:59:59' AS TIME)": {"$time": "838:59:59"},
        "X'00FF'": {"$bytes": "AP8="},
        "9223372036854775807": 9223372036854775807,
        "1e0": 1.0,
        "TRUE": 1,
        "NULL": None,
        "'x'": "x",
    }
    columns = ", ".join(f"{value} AS c{number}" for number, value in enumerate(values))
    ran = succeed(mysql, f"SET sql_mode = 'ALLOW_INVALID_DATES'; SELECT {columns}")
    assert ran.rows(2) == [list(values.values())]
    assert ran.of("columns")[0]["types"][:3] == ["decimal", "date", "date"]


def test_rows_that_are_not_shown_are_not_computed(mysql: Database) -> None:
    """All of them would take hours."""
    ran = succeed(mysql, "SELECT seq, REPEAT('x', 100) FROM seq_1_to_1000000000000", limit=PreviewLimit(rows=5))
    assert [row[0] for row in ran.rows()] == [1, 2, 3, 4, 5]
    assert mysql.execute("SELECT 1") == [(1,)]


def test_quotes_are_read_as_the_session_has_them(mysql: Database) -> None:
    """What the mysql client shows of the same text."""
    ran = succeed(
        mysql,
        r"""SET @old = @@sql_mode, sql_mode = 'NO_BACKSLASH_ESCAPES';
        SELECT 'c:\'; SELECT "d:\"; SELECT 'it''s \';
        SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES');
        SELECT 'e:\'; SELECT "a;b" FROM (SELECT 1 AS "a;b") AS "q\";
        SET sql_mode = REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', '');
        SELECT 'f\';g'; SELECT 2 AS "h\";
        SET sql_mode = @old;
        SELECT "i\";j"; SET sql_mode = 4; SELECT 3 AS "k\"; SET sql_mode = DEFAULT; SELECT "l\";m"
        """,
    )
    words = [record["values"][0] for record in ran.of("row")]
    assert words == ["c:\\", "d:\\", "it's \\", "e:\\", 1, "f';g", 2, 'i";j', 3, 'l";m']


PROCEDURE = "CREATE TABLE t (a int); CREATE PROCEDURE p() BEGIN {body} INSERT INTO t VALUES (1); END;"
TWO = PROCEDURE.format(body="SELECT seq FROM seq_1_to_5000; SELECT 'second' AS r;")


@pytest.mark.parametrize(
    "call", ["CALL p()", "EXECUTE IMMEDIATE 'CALL p()'", "BEGIN NOT ATOMIC CALL p(); END", "BEGIN; CALL p()"]
)
@pytest.mark.filterwarnings("error")
def test_every_result_of_a_procedure_is_shown(mysql: Database, call: str) -> None:
    ran = succeed(mysql, f"{TWO} {call}; COMMIT; SELECT count(*) FROM t", limit=PreviewLimit(rows=3))
    (number,) = {record["statement"] for record in ran.of("columns") if record["names"] == ["r"]}
    assert [record["names"] for record in ran.of("columns", number)] == [["seq"], ["r"]]
    assert ran.rows(number) == [[1], [2], [3], ["second"]]
    (finished,) = ran.of("statement_finished", number)
    assert (finished["rows"], finished["truncated"]) == (5001, True)
    assert ran.rows(number + 2) == [[1]]


def test_an_error_behind_the_first_result_of_a_procedure_is_an_error(mysql: Database) -> None:
    error = fail(
        mysql, PROCEDURE.format(body="SELECT 1; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no';") + "CALL p()"
    )
    assert (error.statement, error.message) == (3, "no")
    assert mysql.execute("SELECT count(*) FROM t") == [(0,)]


def test_results_beyond_the_limit_are_counted(mysql: Database) -> None:
    ran = succeed(mysql, PROCEDURE.format(body="SELECT 1;" * 15) + "CALL p()")
    assert len(ran.of("columns")) == 11
    assert "the statement gave 15 results; the first 11 are shown" in ran.logged


def test_a_function_that_writes_runs_to_its_end(mysql: Database) -> None:
    succeed(
        mysql,
        "CREATE TABLE seen (i int);\nCREATE FUNCTION see(i int) RETURNS int RETURN (SELECT i)",
    )
    mysql.execute("DROP FUNCTION see")
    mysql.execute("CREATE FUNCTION see(i int) RETURNS int BEGIN INSERT INTO seen VALUES (i); RETURN i; END")
    ran = succeed(mysql, "SELECT see(seq) FROM seq_1_to_2000; SELECT count(*) FROM seen", limit=PreviewLimit(rows=3))
    assert ran.rows(1) == [[1], [2], [3]]
    assert ran.rows(2) == [[2000]]


def test_a_select_inside_the_programs_transaction(mysql: Database) -> None:
    ran = succeed(
        mysql,
        "CREATE TABLE t (i int); BEGIN; INSERT INTO t VALUES (1); SELECT seq FROM seq_1_to_1000; "
        "INSERT INTO t VALUES (2); COMMIT; SELECT count(*) FROM t",
        limit=PreviewLimit(rows=2),
    )
    assert ran.of("statement_finished", 4)[0]["rows"] == 1000
    assert ran.rows(7) == [[2]]


def test_types_of_kept_columns_survive(mysql: Database) -> None:
    load_iris(mysql)
    measures = "sepal_length, petal_length"
    ran = succeed(
        mysql,
        f"SELECT {measures}, class FROM train TO TRAIN xgboost.gbtree LABEL class INTO m;"
        f"SELECT {measures}, CAST('1.1' AS DECIMAL(12,3)) AS `a ``d`, CAST('2024-02-29' AS DATE) AS day FROM test "
        "TO PREDICT p.class USING m; SELECT * FROM p LIMIT 1",
    )
    assert ran.of("columns")[0]["names"] == ["sepal_length", "petal_length", "a `d", "day", "class"]
    assert ran.rows(3)[0][2:4] == [{"$decimal": "1.100"}, {"$date": "2024-02-29"}]
    types = dict(
        mysql.execute("SELECT column_name, column_type FROM information_schema.columns WHERE table_name = 'p'")
    )
    assert (types["a `d"], types["day"], types["class"]) == ("decimal(12,3)", "date", "int(11)")


def test_a_database_other_than_the_current_one(mysql: Database) -> None:
    load_iris(mysql)
    mysql.execute("CREATE OR REPLACE DATABASE other")
    succeed(
        mysql,
        "SELECT sepal_length, class FROM test.train TO TRAIN xgboost.gbtree LABEL class INTO db.m;"
        "USE other; SELECT sepal_length FROM test.test TO PREDICT other.p.class USING db.m;"
        "SELECT sepal_length, class FROM test.test TO EVALUATE db.m LABEL class INTO other.e",
    )
    assert mysql.execute("SELECT count(*) FROM other.p") == [(30,)]
    assert mysql.execute("SELECT count(*) FROM other.e") == [(1,)]
    mysql.execute("DROP DATABASE other")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("SELECT 1;\nSELECT *\nFROM nowhere", (3, 6), "nowhere"),
        ("SELECT 1;\nSELECT nope\nFROM (SELECT 1 AS a) t", (2, 8), "nope"),
        ("SELECT 1;\nSELECT 1 +\n  FROM t", (3, 3), "FROM t"),
    ],
)
def test_the_place_of_an_error(mysql: Database, text: str, place: tuple[int, int], words: str) -> None:
    error = fail(mysql, text)
    assert (error.statement, error.kind) == (2, "database")
    assert words in error.message
    assert (error.line, error.column) == place


def test_a_close_table_is_offered(mysql: Database) -> None:
    succeed(mysql, "CREATE TABLE customers (a INT)")
    assert "Did you mean `customers`?" in fail(mysql, "SELECT * FROM customer").hint


@pytest.mark.parametrize(
    ("user", "password", "database", "words"),
    [
        ("tester", "wrong-secret-word", "test", "password"),
        ("nobody_here", PASSWORD, "test", "password"),
        ("tester", PASSWORD, "no_such_database", "database's name"),
    ],
)
def test_a_refused_connection(
    maria_server: MariaServer, mysql_url: str, user: str, password: str, database: str, words: str
) -> None:
    with pytest.raises(RunError) as caught:
        connect(maria_server.url(database, user, password))
    assert caught.value.kind == "connection"
    assert words in caught.value.hint


def test_options_of_the_url() -> None:
    with pytest.raises(RunError, match="unknown option nonsense"):
        connect("mysql://u:p@h/db?nonsense=1")


def test_no_database_in_the_url(maria_server: MariaServer, mysql_url: str) -> None:
    database = connect(maria_server.url(""))
    error = fail(database, "INSERT INTO test.t VALUES (1)", run="r")
    database.close()
    assert "no database to keep sqlflow_ledger in" in error.message


def test_a_signal_ends_the_statement_in_the_database(tmp_path: Path, maria_server: MariaServer, mysql_url: str) -> None:
    endless = "SELECT 1;\nSELECT count(*) FROM seq_1_to_1000000000 a, seq_1_to_1000000000 canary"
    running = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%canary' AND id <> CONNECTION_ID()"
    process = subprocess.Popen(
        step_command(tmp_path, endless, "--statements", "1-2", dialect="mysql"),
        env=step_env(tmp_path, mysql_url),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with maria_server.connect() as admin, admin.cursor() as cursor:
        try:
            wait_for(lambda: cursor.execute(running) and cursor.fetchone() == (1,), "the statement runs")
            process.terminate()
            stdout, _ = process.communicate(timeout=20)
        finally:
            process.kill()
        cursor.execute(running)
        assert cursor.fetchone() == (0,)
    assert process.returncode == 143
    assert '"kind":"stopped"' in stdout


def test_the_step_on_mysql(tmp_path: Path, mysql_url: str) -> None:
    folder = tmp_path
    done = run_step(folder, mysql_url, "SELECT 1 AS a; SELECT x", "--statements", "1-2", dialect="mysql")
    assert done.code == 1
    assert done.of("row")[0]["values"] == [1]
    assert PASSWORD not in done.stdout + done.stderr
    unreachable = run_step(folder, "mysql://u:canary@127.0.0.1:1/x", "SELECT 1", "--statements", "1", dialect="mysql")
    assert (unreachable.code, "Nothing answers" in unreachable.stdout, "canary" in unreachable.stdout) == (
        3,
        True,
        False,
    )
