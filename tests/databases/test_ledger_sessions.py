"""The ledger in sessions in which a statement does not commit by itself."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import connect, fail, succeed, values


@pytest.mark.database
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SET autocommit = 0; INSERT INTO t VALUES (1); ROLLBACK; INSERT INTO t VALUES (2); COMMIT", [2]),
        ("SET autocommit = 0; INSERT INTO t VALUES (1); SET autocommit = 1; INSERT INTO t VALUES (2)", [1, 2]),
        ("SET autocommit = 0; INSERT INTO t VALUES (1); CREATE TABLE u (a INTEGER); ROLLBACK", [1]),
        ("SET autocommit = 0; SELECT a FROM t; INSERT INTO t VALUES (1)", []),
    ],
)
def test_a_session_without_autocommit_keeps_its_transactions(
    mysql: Database, mysql_url: str, text: str, rows: list[int]
) -> None:
    for run in (None, "r"):
        with closing(connect(mysql_url)) as other:
            succeed(other, "DROP TABLE IF EXISTS t, u; CREATE TABLE t (a INTEGER)")
            succeed(other, text, run=run)
        assert values(mysql) == rows
    with closing(connect(mysql_url)) as other:
        succeed(other, text, run="r")
    assert values(mysql) == rows


@pytest.mark.database
def test_locks_of_tables_last_until_they_are_given_back(mysql: Database, mysql_url: str) -> None:
    succeed(mysql, "CREATE TABLE t (a INTEGER)")
    succeed(mysql, "LOCK TABLES t WRITE; SELECT a FROM t")
    with closing(connect(mysql_url)) as other:
        other.execute("SET lock_wait_timeout = 1")
        assert "Lock wait timeout" in fail(other, "INSERT INTO t VALUES (1)").message
        succeed(mysql, "UNLOCK TABLES")
        succeed(other, "INSERT INTO t VALUES (1)")
    error = fail(mysql, "LOCK TABLES t WRITE; INSERT INTO t VALUES (1)", run="r")
    assert (error.statement, error.kind, "LOCK TABLES" in error.message) == (1, "usage", True)


@pytest.mark.database
@pytest.mark.parametrize(
    ("kind", "text", "statement"),
    [
        ("mysql", "DROP DATABASE test", 1),
        ("postgres", "DROP SCHEMA public CASCADE", 1),
        ("postgres", "SET ROLE guest; INSERT INTO t VALUES (1)", 2),
    ],
)
def test_a_program_that_takes_the_ledger_away_gets_a_hint(
    request: pytest.FixtureRequest, kind: str, text: str, statement: int
) -> None:
    database = request.getfixturevalue(kind)
    succeed(database, "CREATE TABLE t (a INTEGER)")
    if "ROLE" in text:
        database.execute("CREATE ROLE guest")
        database.execute("GRANT INSERT ON t TO guest")
        succeed(database, "INSERT INTO t VALUES (0)", run="first")
    try:
        error = fail(database, text, run="r")
    finally:
        if "ROLE" in text:
            database.execute("RESET ROLE")
            database.execute("DROP OWNED BY guest")
            database.execute("DROP ROLE guest")
    assert (error.statement, "cannot note in" in error.message, "spec.retries" in error.hint) == (statement, True, True)
