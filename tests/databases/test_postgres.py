"""What only PostgreSQL has: types, streaming, functions that write, statements outside of transactions."""

from __future__ import annotations

import math
from contextlib import closing

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import PreviewLimit
from sqlflow_runtime.errors import RunError

from tests.databases.harness import connect, fail, succeed
from tests.support.servers import PASSWORD, Server

pytestmark = pytest.mark.database


def test_every_value_arrives_without_loss(postgres: Database) -> None:
    values = {
        "1.10::numeric(10,2)": {"$decimal": "1.10"},
        "'NaN'::numeric": {"$decimal": "NaN"},
        "'4713-01-01 BC'::date": {"$date": "4713-01-01 BC"},
        "'infinity'::timestamp": {"$timestamp": "infinity"},
        "'2024-02-29 12:30:00.123456+00'::timestamptz AT TIME ZONE 'UTC'": {"$timestamp": "2024-02-29 12:30:00.123456"},
        "'24:00'::time": {"$time": "24:00:00"},
        "'1 month 2 days'::interval": {"$interval": "1 mon 2 days"},
        "'\\x00ff'::bytea": {"$bytes": "AP8="},
        '\'{"b": 1.0, "a": []}\'::json': {"$json": '{"b": 1.0, "a": []}'},
        "ARRAY[1, NULL, 3]": "{1,NULL,3}",
        "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "'10.0.0.0/8'::cidr": "10.0.0.0/8",
        "true": True,
        "9223372036854775807": 9223372036854775807,
        "0.1::float8": 0.1,
        "'Infinity'::float8": {"$float": "inf"},
        "NULL": None,
        "'x'::char(3)": "x  ",
    }
    ran = succeed(postgres, f"SELECT {', '.join(values)}")
    assert ran.rows() == [list(values.values())]
    assert ran.of("columns")[0]["types"][:3] == ["numeric(10,2)", "numeric", "date"]


def test_types_of_the_user_have_names(postgres: Database) -> None:
    ran = succeed(postgres, "CREATE TYPE mood AS ENUM ('glad', 'sad'); SELECT 'glad'::mood AS m")
    assert ran.rows(2) == [["glad"]]
    assert ran.of("columns")[0]["types"] == ["mood"]


def test_rows_that_are_not_shown_are_not_computed(postgres: Database) -> None:
    """All of them would take hours."""
    ran = succeed(
        postgres, "SELECT generate_series(1, 1000000000000) AS i, repeat('x', 100)", limit=PreviewLimit(rows=5)
    )
    assert [row[0] for row in ran.rows()] == [1, 2, 3, 4, 5]
    assert postgres.execute("SELECT 1") == [(1,)]


def test_a_function_that_writes_runs_to_its_end(postgres: Database) -> None:
    ran = succeed(
        postgres,
        "CREATE TABLE seen (i int);\n"
        "CREATE FUNCTION see(i int) RETURNS int LANGUAGE sql AS 'INSERT INTO seen VALUES (i) RETURNING i';\n"
        "SELECT see(i) FROM generate_series(1, 2000) i;\nSELECT count(*) FROM seen;",
        limit=PreviewLimit(rows=3),
    )
    assert ran.rows(3) == [[1], [2], [3]]
    assert ran.of("statement_finished", 3)[0]["rows"] == 2000
    assert ran.rows(4) == [[2000]]


def test_insert_returning_runs_to_its_end(postgres: Database) -> None:
    ran = succeed(
        postgres,
        "CREATE TABLE t (i int); INSERT INTO t SELECT generate_series(1, 1000) RETURNING i; "
        "WITH gone AS (DELETE FROM t RETURNING i) SELECT * FROM gone; SELECT count(*) FROM t",
        limit=PreviewLimit(rows=2),
    )
    assert ran.of("statement_finished", 2)[0]["rows"] == 1000
    assert ran.of("statement_finished", 2)[0]["truncated"] is True
    assert ran.rows(4) == [[0]]


def test_a_cut_preview_leaves_the_programs_transaction_alone(postgres: Database) -> None:
    ran = succeed(
        postgres,
        "CREATE TABLE t (i int); BEGIN; INSERT INTO t VALUES (1); SELECT set_config('my.x', 'kept', true);"
        "SELECT generate_series(1, 100000000); INSERT INTO t VALUES (2); SELECT current_setting('my.x'); COMMIT;"
        "SELECT count(*) FROM t",
        limit=PreviewLimit(rows=2),
    )
    assert ran.rows(7) == [["kept"]]
    assert ran.rows(9) == [[2]]


def test_statements_that_no_transaction_takes(postgres: Database) -> None:
    succeed(
        postgres,
        "CREATE TABLE t (i int); CREATE INDEX CONCURRENTLY ti ON t (i); VACUUM t; "
        "CREATE DATABASE another_one; DROP DATABASE another_one",
    )


def test_what_the_server_remarks_is_logged(postgres: Database, postgres_url: str) -> None:
    messages: list[tuple[str, str]] = []
    postgres.on_notice(lambda level, message: messages.append((level, message)))  # type: ignore[attr-defined]
    succeed(postgres, "DO $$ BEGIN RAISE NOTICE 'hello'; RAISE WARNING 'careful'; END $$")
    assert messages == [("info", "NOTICE: hello"), ("warning", "WARNING: careful")]


def test_detail_and_hint_are_the_databases_own(postgres: Database) -> None:
    error = fail(postgres, "CREATE TABLE t (i int PRIMARY KEY); INSERT INTO t VALUES (7), (7)")
    assert "Key (i)=(7) already exists." in error.message
    error = fail(postgres, "SELECT lenght('x')")
    assert "No function matches" in error.hint
    assert (error.line, error.column) == (1, 8)


def test_copy_from_the_client_is_refused_plainly(postgres: Database) -> None:
    """`check` refuses it in a program; a statement may still come to it, by way of a function of an extension."""
    with pytest.raises(RunError, match="COPY from or to the client"):
        postgres.run("COPY (SELECT 1) TO STDOUT", PreviewLimit())


def test_quotes_are_read_as_the_session_has_them(postgres: Database) -> None:
    ran = succeed(
        postgres,
        r"""SET standard_conforming_strings = off; SET escape_string_warning = off;
        SELECT 'it\'s; fine' AS x;
        BEGIN; SET LOCAL standard_conforming_strings TO on; SELECT 'c:\'; COMMIT;
        SELECT 'a\';b';
        BEGIN; SET standard_conforming_strings TO 'on'; SELECT 'd:\'; ROLLBACK;
        SELECT 'c\';d';
        SELECT set_config('standard_conforming_strings', 'on', false);
        SELECT 'e:\'; SELECT E'f\';g';
        RESET standard_conforming_strings; SELECT 'h:\'""",
    )
    words = [record["values"][0] for record in ran.of("row")]
    assert words == ["it's; fine", "c:\\", "a';b", "d:\\", "c';d", "on", "e:\\", "f';g", "h:\\"]


def test_a_lost_connection_is_worth_a_retry(postgres: Database) -> None:
    error = fail(postgres, "SELECT pg_terminate_backend(pg_backend_pid()); SELECT 1")
    assert error.kind == "connection"


@pytest.mark.parametrize(
    ("user", "password", "database", "words"),
    [
        ("tester", "wrong-secret-word", "postgres", "password"),
        ("nobody-here", PASSWORD, "postgres", "password"),
        ("tester", PASSWORD, "no_such_database", "database's name"),
    ],
)
def test_a_refused_connection(postgres_server: Server, user: str, password: str, database: str, words: str) -> None:
    from sqlflow_runtime.errors import RunError

    with pytest.raises(RunError) as caught:
        connect(postgres_server.url(database, user, password))
    assert caught.value.kind == "connection"
    assert words in caught.value.hint
    assert "the test" in caught.value.hint


def test_a_unix_socket_in_the_url(postgres_server: Server) -> None:
    with closing(
        connect(f"postgresql://tester@/postgres?host={postgres_server.folder}&port={postgres_server.port}")
    ) as db:
        assert db.execute("SELECT 1") == [(1,)]


def test_not_a_number_is_no_null(postgres: Database) -> None:
    (value,) = postgres.execute("SELECT 'NaN'::float8")[0]
    assert math.isnan(value)


def test_an_error_inside_the_programs_transaction(postgres: Database) -> None:
    error = fail(postgres, "CREATE TABLE t (i int); BEGIN; INSERT INTO t VALUES (1); SELECT i/0 FROM t")
    assert (error.statement, error.message) == (4, "division by zero")


def test_two_statements_in_one_text_are_refused_by_the_server(postgres: Database) -> None:
    """The last defence where a program is cut in the wrong place."""
    with pytest.raises(RunError, match="multiple commands"):
        postgres.run("INSERT INTO t VALUES (1); DELETE FROM t", PreviewLimit())


def test_an_insert_whose_rule_selects(postgres: Database) -> None:
    succeed(postgres, "CREATE TABLE t (a INTEGER); CREATE RULE r AS ON INSERT TO t DO INSTEAD SELECT 7 AS one")
    assert succeed(postgres, "INSERT INTO t VALUES (1); SELECT count(*) FROM t").rows(2) == [[0]]
