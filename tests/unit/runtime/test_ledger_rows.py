"""The rows of the ledger: their fate on SQLite; on a stand-in what each database is given, and its failures."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from sqlflow_runtime.databases import open_database, parse_url
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ledger import TABLE, Ledger
from sqlflow_runtime.recorder import Recorder


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    with closing(open_database(parse_url(f"sqlite:///{tmp_path}/file"), "the test", print)) as database:
        yield database


class StandIn:
    """Notes what it is given, in order; `failure` is raised by the statements that hold `fails_at`."""

    def __init__(self, dialect: str = "postgres") -> None:
        self.dialect = dialect
        self.given: list[tuple[Any, ...]] = []
        self.failure: RunError | None = None
        self.fails_at = ""

    def note(self, *what: Any) -> None:
        self.given.append(what)
        if self.failure and self.fails_at in str(what[0]):
            raise self.failure

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.note(sql, *values)
        return []

    def create_own_table(self, name: str, definition: str) -> None:
        self.note("create", name, definition)

    def own_table(self, name: str) -> str:
        return f"own.{name}"

    def has_own_table(self, name: str) -> bool:
        return name == TABLE

    def days_ago(self, days: int) -> str:
        return f"{days} DAYS AGO"

    def type_for(self, kind: str) -> str:
        return f"TYPE OF {kind}"

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        self.note("begin")
        yield
        self.note("commit")


def ledger(database: Any, run: str = "r", hold: Callable[[], None] | None = None) -> tuple[Ledger, list[Any]]:
    """The ledger of a run, and the records that it makes."""
    records: list[Any] = []
    more = {"hold": hold} if hold else {}
    return Ledger(cast("Database", database), run, Recorder(records.append), **more), records


def failing(at: str, dialect: str = "postgres", *, final: bool = True) -> StandIn:
    database = StandIn(dialect)
    database.failure = RunError("database", "words", "a hint", sqlstate="42501", final=final)
    database.fails_at = at
    return database


def test_rows_are_those_of_the_run_and_stay_with_its_transaction(sqlite: Database) -> None:
    (mine, _), (other, _) = ledger(sqlite), ledger(sqlite, "other")
    assert mine.done() == frozenset()
    mine.prepare()
    mine.add([])
    with sqlite.atomic():
        mine.add([1, 3])
        other.add([2])
        mine.add([3, 4])
    with contextlib.suppress(ZeroDivisionError), sqlite.atomic():
        mine.add([5])
        raise ZeroDivisionError
    assert (mine.done(), other.done()) == ({1, 3, 4}, {2})
    again, _ = ledger(sqlite)
    assert again.done() == {1, 3, 4}


@pytest.mark.parametrize(("days", "stays"), [(29, True), (31, False)])
def test_rows_are_kept_for_thirty_days(sqlite: Database, days: int, stays: bool) -> None:
    first, _ = ledger(sqlite)
    first.prepare()
    first.add([1])
    sqlite.execute(f"UPDATE {sqlite.own_table(TABLE)} SET finished_at = datetime('now', ?)", (f"-{days} days",))
    first.prepare()
    assert first.done() == {1}, "the table is prepared once"
    ledger(sqlite, "next")[0].prepare()
    assert first.done() == ({1} if stays else frozenset())


def test_the_moment_and_the_key_are_the_tables_own(sqlite: Database) -> None:
    first, _ = ledger(sqlite)
    first.prepare()
    sqlite.execute(f"INSERT INTO {sqlite.own_table(TABLE)} (run, statement) VALUES ('x', 1)")
    assert sqlite.execute(f"SELECT count(*) FROM {sqlite.own_table(TABLE)} WHERE finished_at IS NULL") == [(0,)]
    with pytest.raises(RunError, match="UNIQUE"):
        sqlite.execute(f"INSERT INTO {sqlite.own_table(TABLE)} (run, statement) VALUES ('x', 1)")


DEFINITION = (
    "run TYPE OF name NOT NULL, statement INTEGER NOT NULL, "
    "finished_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (run, statement)"
)


@pytest.mark.parametrize(
    ("dialect", "twice"),
    [
        *((dialect, "ON CONFLICT (run, statement) DO NOTHING") for dialect in ("sqlite", "postgres", "duckdb")),
        ("mysql", "ON DUPLICATE KEY UPDATE run = run"),
    ],
)
def test_what_each_database_is_given(dialect: str, twice: str) -> None:
    database = StandIn(dialect)
    mine, records = ledger(database, hold=lambda: database.note("hold"))
    mine.prepare()
    mine.prepare()
    mine.add([3, 4])
    assert mine.done() == frozenset()
    insert = f"INSERT INTO own.{TABLE} (run, statement) VALUES (?, ?) {twice}"
    assert database.given == [
        ("create", TABLE, DEFINITION),
        ("begin",),
        (f"DELETE FROM own.{TABLE} WHERE finished_at < 30 DAYS AGO",),
        ("commit",),
        ("hold",),
        (insert, "r", 3),
        (insert, "r", 4),
        (f"SELECT statement FROM own.{TABLE} WHERE run = ?", "r"),
    ]
    assert records == []


def test_old_rows_that_cannot_be_deleted_do_no_harm() -> None:
    mine, records = ledger(failing("DELETE"))
    mine.prepare()
    assert [(record["level"], record["message"]) for record in records] == [
        ("info", f"old rows of {TABLE} stay: words")
    ]


def test_a_table_that_cannot_be_created_is_tried_again_and_says_what_is_missing() -> None:
    database = failing("create")
    mine, _ = ledger(database)
    for _ in range(2):
        with pytest.raises(RunError) as caught:
            mine.prepare()
    error = caught.value
    assert (error.kind, error.sqlstate) == ("database", "42501")
    assert error.message == f"cannot create the table own.{TABLE}, which a run with retries needs: words"
    assert error.hint == (
        "Grant the user of the database URL the right to create tables there, or set spec.retries to 0."
    )
    assert [what for what, *_ in database.given] == ["create", "create"]


def test_a_row_that_can_never_be_written_ends_the_run_with_advice() -> None:
    mine, _ = ledger(failing("INSERT"))
    with pytest.raises(RunError) as caught:
        mine.add([1])
    error = caught.value
    assert (error.kind, error.sqlstate, error.final) == ("database", "42501", True)
    assert error.message == f"cannot note in own.{TABLE} that the statement is done: words"
    assert error.hint == (
        "In a run with retries a program must not drop the schema or database of its connection, nor give up the "
        "right to write there (SET ROLE). Set spec.retries to 0, or name another database in the URL."
    )


def test_a_row_that_may_be_written_later_and_a_step_that_was_taken_over_fail_as_they_are() -> None:
    database = failing("INSERT", final=False)
    mine, _ = ledger(database)
    with pytest.raises(RunError) as caught:
        mine.add([1])
    assert caught.value is database.failure
    taken = RunError("stopped", "taken over", final=False)

    def hold() -> None:
        raise taken

    other = StandIn()
    with pytest.raises(RunError) as caught:
        ledger(other, hold=hold)[0].add([1])
    assert (caught.value, other.given) == (taken, [])
