"""The database ends the connection while a library learns: the model is stored all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.ml import xgboost_training

from tests.databases.conftest import load_iris
from tests.databases.harness import Ran, connect, run_program, succeed

pytestmark = pytest.mark.database
TRAIN = "SELECT sepal_length, petal_length, species FROM train TO TRAIN xgboost.gbtree LABEL species INTO m;"
USE = "SELECT * FROM test TO EVALUATE m LABEL species;"
KILL = {
    "postgres": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({}, 5000)"),
    "mysql": ("SELECT CONNECTION_ID()", "KILL {}"),
}


@pytest.fixture(params=["postgres", "mysql"])
def server(request: pytest.FixtureRequest) -> str:
    """The URL of a database with iris' flowers, on each server in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    database = connect(url)
    load_iris(database)
    database.close()
    return url


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, server: str) -> Callable[[str], Ran]:
    """Runs a program whose connection the server ends while XGBoost learns."""
    database = connect(server)
    train = xgboost_training.train

    def learn(training: Any) -> Any:
        found = train(training)
        _end(database, server)
        return found

    def run(text: str) -> Ran:
        monkeypatch.setattr(xgboost_training, "train", learn)
        try:
            return run_program(database, text)
        finally:
            monkeypatch.undo()
            database.close()

    return run


def _end(database: Database, url: str) -> None:
    ask, kill = KILL[database.dialect]
    ((number,),) = database.execute(ask)
    other = connect(url)
    other.execute(kill.format(number))
    other.close()


def test_the_model_is_stored(ended: Callable[[str], Ran], server: str) -> None:
    ran = ended(TRAIN + USE)
    assert ran.error is None, ran.error
    assert "it is connected again" in ran.logged
    assert ran.metrics["accuracy_score"] > 0.8
    other = connect(server)
    assert other.execute("SELECT version FROM sqlflow_models") == [(1,)]
    other.close()


def test_settings_are_made_again(ended: Callable[[str], Ran], server: str) -> None:
    if server.startswith("postgres"):
        ran = ended(f"CREATE SCHEMA s; SET search_path = s, public; {TRAIN} SHOW search_path;")
        assert ran.error is None, ran.error
        assert ran.rows(4) == [["s, public"]]
    else:
        ran = ended(f"SET @@sort_buffer_size = 123456; {TRAIN} SELECT @@sort_buffer_size;")
        assert ran.error is None, ran.error
        assert ran.rows(3) == [[123456]]


def test_temporary_tables_are_made_again(ended: Callable[[str], Ran]) -> None:
    ran = ended(f"CREATE TEMPORARY TABLE kept AS SELECT count(*) AS n FROM test; {TRAIN} SELECT n FROM kept;")
    assert ran.error is None, ran.error
    assert ran.rows(3) == [[30]]


def test_what_needs_the_lost_session_is_refused(ended: Callable[[str], Ran]) -> None:
    ran = ended(
        f"CREATE TEMPORARY TABLE kept AS SELECT count(*) AS n FROM test; DELETE FROM test; {TRAIN} SELECT n FROM kept;"
    )
    assert ran.error is not None
    assert (ran.error.statement, ran.error.kind) == (4, "connection")
    assert "temporary table" in ran.error.message
    assert "idle" in ran.error.hint
    assert ran.of("model"), "the model is stored"


def test_an_open_transaction_is_lost(ended: Callable[[str], Ran], server: str) -> None:
    before = connect(server)
    succeed(before, TRAIN)  # makes the store's tables, which in MySQL would end the transaction
    before.close()
    ran = ended(f"CREATE TABLE log (a int); BEGIN; INSERT INTO log VALUES (1); {TRAIN} COMMIT;")
    assert ran.error is not None
    assert (ran.error.statement, ran.error.kind) == (4, "connection")
    assert "open transaction" in ran.error.message
    other = connect(server)
    succeed(other, "SELECT * FROM log")
    assert other.execute("SELECT count(*) FROM log") == [(0,)]
    other.close()
