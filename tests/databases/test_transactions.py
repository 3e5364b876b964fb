"""Transactions of our own inside each other and inside the program's."""

from __future__ import annotations

from contextlib import suppress

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import PreviewLimit
from sqlflow_runtime.errors import RunError

from tests.databases.harness import succeed


@pytest.fixture
def table(database: Database) -> Database:
    succeed(database, "CREATE TABLE t (a INTEGER)")
    return database


_LIMIT = PreviewLimit()


def insert(database: Database, number: int) -> None:
    database.execute("INSERT INTO t VALUES (?)", (number,))


def values(database: Database) -> list[int]:
    return [number for (number,) in database.execute("SELECT a FROM t ORDER BY a")]


def test_a_part_that_fails_takes_back_its_own_changes_only(table: Database) -> None:
    if table.dialect == "duckdb":
        pytest.skip("DuckDB has no savepoints")
    with table.atomic():
        insert(table, 1)
        with suppress(RunError), table.atomic():
            insert(table, 2)
            with table.atomic():
                insert(table, 3)
            raise RunError("data", "the part fails")
        with table.atomic():
            insert(table, 4)
        assert table.in_transaction()
    assert not table.in_transaction()
    assert values(table) == [1, 4]


def _insert_and_fail(database: Database) -> None:
    with database.atomic():
        insert(database, 1)
        with database.atomic():
            insert(database, 2)
        raise RunError("data", "it fails")


def test_a_transaction_that_fails_takes_back_all(table: Database) -> None:
    with pytest.raises(RunError, match="it fails"):
        _insert_and_fail(table)
    assert not table.in_transaction()
    assert values(table) == []


def test_the_transaction_of_the_program_stays_open(table: Database) -> None:
    table.run("BEGIN", limit=_LIMIT)
    with table.atomic():
        insert(table, 1)
    assert table.in_transaction()
    table.run("ROLLBACK", limit=_LIMIT)
    assert values(table) == []


def test_reset_ends_the_transaction_of_the_program(table: Database) -> None:
    table.run("BEGIN", limit=_LIMIT)
    insert(table, 1)
    table.reset()
    assert not table.in_transaction()
    with table.atomic():
        insert(table, 2)
    assert values(table) == [2]
