"""Plain SQL on real databases: previews, transactions, session state, errors with their place."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import PreviewLimit

from tests.databases.harness import connect, fail, run_program, succeed


def test_a_statement_tells_what_it_did(database: Database) -> None:
    ran = succeed(
        database,
        "CREATE TABLE t (a INTEGER, b VARCHAR(9));\n"
        "INSERT INTO t VALUES (1, 'x'), (2, NULL);\nSELECT * FROM t ORDER BY a",
    )
    started = ran.of("statement_started")
    assert [(r["statement"], r["kind"], r["title"], r["line"], r["column"]) for r in started] == [
        (1, "sql", "CREATE TABLE t", 1, 1),
        (2, "sql", "INSERT INTO t", 2, 1),
        (3, "sql", "SELECT … FROM t", 3, 1),
    ]
    assert ran.of("statement_finished", 2)[0]["rows"] == 2
    assert ran.of("statement_finished", 3)[0]["rows"] == 2
    assert ran.of("columns")[0]["names"] == ["a", "b"]
    assert ran.rows(3) == [[1, "x"], [2, None]]
    assert ran.outcome.finished == (1, 2, 3)


WORDS = "[12:00:00] /build/src/data/data.cc:563: Check failed: valid\nStack trace:\n  [0] lib.so(+0x1) [0x7]"


def test_an_error_of_a_library_names_the_statement(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a library raises: statement, place and its first line; the traceback is for --verbose only."""

    def broken(_: Database, sql: str, __: PreviewLimit) -> None:
        if sql.startswith("SELECT"):
            raise ValueError(WORDS)

    monkeypatch.setattr(type(sqlite), "run_reading", broken)
    ran = run_program(sqlite, "CREATE TABLE t (a int);\n  SELECT 1")
    assert ran.error is not None
    assert (ran.error.statement, ran.error.line, ran.error.column) == (2, 2, 3)
    assert (ran.error.kind, ran.error.message) == ("internal", "ValueError: Check failed: valid")
    assert [record["level"] for record in ran.of("log") if "Traceback" in record["message"]] == ["info"]


def test_a_preview_is_bounded_by_rows(database: Database) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i FROM n"
    ran = succeed(database, numbers, limit=PreviewLimit(rows=3))
    assert ran.rows() == [[1], [2], [3]]
    assert ran.of("statement_finished")[0] | {"seconds": 0} == {
        "type": "statement_finished", "statement": 1, "rows": -1, "seconds": 0, "truncated": True,
    }  # fmt: skip
    exact = succeed(database, numbers, limit=PreviewLimit(rows=50))
    assert len(exact.rows()) == 50
    assert "truncated" not in exact.of("statement_finished")[0]


def test_a_preview_may_have_no_rows(database: Database) -> None:
    ran = succeed(database, "SELECT 1 AS a", limit=PreviewLimit(rows=0))
    assert ran.of("columns")[0]["names"] == ["a"]
    assert ran.rows() == []
    assert ran.of("statement_finished")[0]["truncated"] is True


def test_a_preview_is_bounded_by_bytes(database: Database) -> None:
    text = "x" * 1000
    union = " UNION ALL ".join([f"SELECT '{text}' AS t"] * 10)
    ran = succeed(database, union, limit=PreviewLimit(size=3000))
    assert len(ran.rows()) == 3
    assert ran.of("statement_finished")[0]["truncated"] is True


def test_a_long_cell_is_cut_and_says_so(database: Database) -> None:
    ran = succeed(database, f"SELECT 1 AS a, '{'é' * 70_000}' AS b")
    (row,) = ran.of("row")
    assert row["truncated"] == [1]
    assert row["values"] == [1, "é" * 65536]


def test_an_empty_result_has_columns(database: Database) -> None:
    ran = succeed(database, "SELECT 1 AS a, 'x' AS b WHERE 1 = 0")
    assert ran.of("columns")[0]["names"] == ["a", "b"]
    assert ran.of("statement_finished")[0]["rows"] == 0


def test_each_statement_commits_by_itself(database: Database) -> None:
    run_program(database, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1); SELECT * FROM missing")
    assert succeed(database, "SELECT a FROM t").rows() == [[1]]


def test_the_programs_own_transaction(database: Database) -> None:
    ran = succeed(
        database,
        "CREATE TABLE t (a INTEGER); BEGIN; INSERT INTO t VALUES (1); ROLLBACK; BEGIN; INSERT INTO t VALUES (2); "
        "SELECT a FROM t; COMMIT; SELECT a FROM t",
    )
    assert ran.rows(7) == [[2]]
    assert ran.rows(9) == [[2]]


def test_a_transaction_left_open_is_rolled_back_and_said(database: Database) -> None:
    ran = succeed(database, "CREATE TABLE t (a INTEGER); BEGIN; INSERT INTO t VALUES (1)")
    assert "still open" in ran.logged


def test_temporary_tables_live_through_the_step(database: Database) -> None:
    ran = succeed(database, "CREATE TEMPORARY TABLE t (a INTEGER); INSERT INTO t VALUES (1); SELECT a FROM t")
    assert ran.rows(3) == [[1]]


def test_session_statements_are_replayed_silently(database: Database) -> None:
    ran = succeed(
        database,
        "CREATE TEMPORARY TABLE t (a INTEGER); SELECT count(*) FROM t",
        statements=[2],
        replay=[1],
    )
    assert ran.rows(2) == [[0]]
    assert [record["statement"] for record in ran.of("statement_started")] == [2]


def test_the_first_failure_ends_the_run(database: Database) -> None:
    ran = run_program(database, "SELECT 1;\n\n  SELECT *\n  FROM nowhere;\nSELECT 2")
    assert ran.error is not None
    assert (ran.error.statement, ran.error.kind, ran.error.title) == (2, "database", "SELECT … FROM nowhere")
    assert (ran.error.line, ran.error.column) == (4, 8)
    assert "nowhere" in ran.error.message
    assert ran.outcome.error == ran.error
    assert ran.outcome.finished == (1,)
    assert not ran.of("statement_started", 3)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("SELECT 1;\r\nSELECT '😀',\r\n  nope.x\r\n", (3, 3)),
        ("-- a comment; with ' quotes\nSELECT nope.x", (2, 8)),
        ("/* 中文 */ SELECT '中文' || nope.x", (1, 25)),
    ],
)
def test_the_place_of_an_error(postgres: Database, text: str, place: tuple[int, int]) -> None:
    error = fail(postgres, text)
    assert (error.line, error.column) == place


def test_a_close_name_is_offered(database: Database) -> None:
    succeed(database, "CREATE TABLE customers (a INTEGER)")
    error = fail(database, "SELECT * FROM customer")
    assert "customers" in error.hint + error.message


def test_sqlite_says_how_to_get_a_schema(sqlite: Database) -> None:
    error = fail(sqlite, "SELECT * FROM iris.train")
    assert "ATTACH DATABASE" in error.hint
    assert (error.line, error.column) == (1, 15)


def test_a_schema_of_sqlite_by_attach(sqlite: Database) -> None:
    ran = succeed(
        sqlite, "ATTACH DATABASE ':memory:' AS iris; CREATE TABLE iris.t (a INTEGER); SELECT count(*) FROM iris.t"
    )
    assert ran.rows(3) == [[0]]


def test_a_schema_of_duckdb_may_have_the_files_name(tmp_path: Path) -> None:
    for _ in range(2):
        with closing(connect(f"duckdb:///{tmp_path}/iris.duckdb")) as database:
            text = "CREATE SCHEMA IF NOT EXISTS iris;"
            text += "CREATE OR REPLACE TABLE iris.t AS SELECT 1 AS a; SELECT a FROM iris.t"
            assert succeed(database, text).rows(3) == [[1]]
            assert database.tables() == ["iris.t"]


def test_a_library_that_is_not_installed(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlflow_runtime.ml.train", None)
    error = fail(sqlite, "SELECT 1 AS a TO TRAIN xgboost.gbtree LABEL a INTO m;")
    assert error.kind == "usage"
    assert "is not installed" in error.message


@pytest.mark.parametrize(
    ("statement", "ways"),
    [
        (
            "CREATE TABLE t (a int)",
            {
                "postgres": "DROP TABLE IF EXISTS t;",
                "mysql": "DROP TABLE IF EXISTS t;",
                "sqlite": "DROP TABLE IF EXISTS t;",
                "duckdb": "CREATE OR REPLACE TABLE",
            },
        ),
        (
            "create temporary table u as select 1 as a",
            {
                "postgres": "IF NOT EXISTS",
                "mysql": "IF NOT EXISTS",
                "sqlite": "IF NOT EXISTS",
                "duckdb": "IF NOT EXISTS",
            },
        ),
        (
            "CREATE VIEW v AS SELECT 1 AS a",
            {
                "postgres": "CREATE OR REPLACE VIEW",
                "mysql": "CREATE OR REPLACE VIEW",
                "sqlite": "DROP VIEW IF EXISTS v;",
                "duckdb": "CREATE OR REPLACE VIEW",
            },
        ),
        (
            "CREATE SCHEMA s2",
            {
                "postgres": "CREATE SCHEMA IF NOT EXISTS",
                "mysql": "CREATE SCHEMA IF NOT EXISTS",
                "duckdb": "CREATE SCHEMA IF NOT EXISTS",
            },
        ),
    ],
)
def test_what_exists_already(database: Database, statement: str, ways: dict[str, str]) -> None:
    """The beginner's most frequent error: a program that is run again. What the hint says works."""
    way = ways.get(database.dialect)
    if way is None:
        return
    error = fail(database, f"{statement}; {statement}")
    assert error.statement == 2
    assert "perhaps from an earlier run" in error.hint
    assert way in error.hint
    if database.dialect == "mysql" and "SCHEMA" in statement:
        database.execute("DROP SCHEMA s2")


def test_the_hint_names_the_table_as_the_statement_does(postgres: Database) -> None:
    error = fail(postgres, 'CREATE SCHEMA m; CREATE TABLE m."T 1" (a int); CREATE TABLE m."T 1" (a int)')
    assert 'DROP TABLE IF EXISTS m."T 1";' in error.hint
    again = run_program(postgres, 'DROP TABLE IF EXISTS m."T 1"; CREATE TABLE m."T 1" (a int)')
    assert again.error is None


@pytest.mark.parametrize("statement", ["SHOW TABLES", "DESCRIBE t", "SHOW DATABASES"])
def test_catalogues_of_other_databases(database: Database, statement: str) -> None:
    ran = run_program(database, f"CREATE TABLE t (a int); {statement}")
    if database.dialect in ("mysql", "duckdb"):
        assert ran.error is None
        return
    assert ran.error is not None
    assert "This database has no" in ran.error.hint
    assert ("information_schema.tables" if database.dialect == "postgres" else "sqlite_master") in ran.error.hint


def test_duckdb_itself_writes_what_python_cannot_hold(tmp_path: Path) -> None:
    """Its client makes 360 days of a year, 9999-12-31 of infinity, and drops nanoseconds."""
    text = (
        "SELECT TIMESTAMP 'infinity' AS t, DATE '-infinity' AS t, INTERVAL 1 YEAR AS i, [INTERVAL 1 MONTH] AS l, "
        "TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS ns, x FROM range(3) r(x) ORDER BY x DESC -- the last first"
    )
    with closing(connect(f"duckdb:///{tmp_path}/d.duckdb")) as database:
        shown = succeed(database, text)
    assert shown.of("columns")[0]["names"] == ["t", "t", "i", "l", "ns", "x"]
    assert shown.of("columns")[0]["types"][2:5] == ["INTERVAL", "INTERVAL[]", "TIMESTAMP_NS"]
    rows = [row["values"] for row in shown.of("row")]
    assert rows[0] == [
        {"$timestamp": "infinity"}, {"$date": "-infinity"}, {"$interval": "1 year"}, {"$json": '["1 month"]'},
        {"$timestamp": "2024-01-01 00:00:00.123456789"}, 2,
    ]  # fmt: skip
    assert [row[-1] for row in rows] == [2, 1, 0]


def test_duckdb_runs_a_query_with_times_once(tmp_path: Path) -> None:
    text = "CREATE SEQUENCE s; SELECT nextval('s') AS n, INTERVAL 1 DAY AS i; SELECT nextval('s') AS n"
    with closing(connect(f"duckdb:///{tmp_path}/d.duckdb")) as database:
        shown = succeed(database, text)
    assert [row["values"][0] for row in shown.of("row")] == [1, 2]
