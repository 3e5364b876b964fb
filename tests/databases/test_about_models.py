"""`SHOW MODELS` and `DROP MODEL`, in the database's own store and in files."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, save_model, succeed

KNOWN = {"format": 3, "estimator": "xgboost.gbtree", "rows": 120}


@pytest.fixture(params=["database", "files"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "files":
        monkeypatch.setenv("SQLFLOW_MODEL_STORE", str(tmp_path / "models"))
    return str(request.param)


def _train(database: Database, name: str) -> None:
    select = "SELECT petal_length, species FROM train"
    succeed(database, f"{select} TO TRAIN sklearn.naive_bayes.GaussianNB LABEL species INTO {name}")


def test_show_models(iris: Database, store: str) -> None:
    assert succeed(iris, "SHOW MODELS").rows() == []
    for name in ("m", "m", "shop.churn"):
        _train(iris, name)
    ran = succeed(iris, "SHOW MODELS")
    (columns,) = ran.of("columns")
    assert columns["names"] == ["Model", "Version", "Estimator", "Rows", "Created"]
    assert [row[:4] for row in ran.rows()] == [
        ["m", 2, "sklearn.naive_bayes.GaussianNB", 120],
        ["shop.churn", 1, "sklearn.naive_bayes.GaussianNB", 120],
    ]
    assert all(row[4].startswith("20") and row[4][10] == "T" for row in ran.rows())


def test_drop_model(iris: Database, store: str) -> None:
    for _ in range(3):
        _train(iris, "m")
    (finished,) = succeed(iris, "DROP MODEL m:2").of("statement_finished")
    assert finished["rows"] == 1
    assert "no such version" in fail(iris, "SHOW TRAIN m:2").hint
    succeed(iris, "SHOW TRAIN m:1; SHOW TRAIN m:3")
    (finished,) = succeed(iris, "DROP MODEL m").of("statement_finished")
    assert finished["rows"] == 2
    assert succeed(iris, "SHOW MODELS").rows() == []


def test_a_model_that_is_not_there(iris: Database, store: str) -> None:
    error = fail(iris, "SELECT 1;\nDROP MODEL churn")
    assert (error.kind, error.message, error.line, error.column) == ("model", "there is no model churn", 2, 12)
    (finished,) = succeed(iris, "DROP MODEL IF EXISTS churn").of("statement_finished")
    assert finished["rows"] == 0


def test_a_damaged_model_can_be_dropped(iris: Database) -> None:
    _train(iris, "m")
    _train(iris, "n")
    iris.execute("UPDATE sqlflow_models SET metadata = '[]' WHERE name = 'm'")
    assert [row[0] for row in succeed(iris, "SHOW MODELS").rows()] == ["m", "n"]
    succeed(iris, "DROP MODEL m")
    assert [row[0] for row in succeed(iris, "SHOW MODELS").rows()] == ["n"]
    assert iris.execute("SELECT DISTINCT name FROM sqlflow_model_blocks") == [("n",)]


def test_dropped_in_a_transaction(database: Database) -> None:
    save_model(database, "m", KNOWN, b"content")
    succeed(database, "BEGIN; DROP MODEL m; ROLLBACK")
    assert len(succeed(database, "SHOW MODELS").rows()) == 1
    succeed(database, "BEGIN; DROP MODEL m; COMMIT")
    assert succeed(database, "SHOW MODELS").rows() == []


def test_dropped_once_in_a_run_with_retries(iris_sqlite: Database) -> None:
    save_model(iris_sqlite, "m", KNOWN, b"content")
    succeed(iris_sqlite, "DROP MODEL m", run="r")
    succeed(iris_sqlite, "DROP MODEL m", run="r")
    assert fail(iris_sqlite, "DROP MODEL m", run="s").kind == "model"
