"""The model store: versions, concurrency, safe formats, damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.model_store import METADATA_FORMAT
from sqlflow_runtime.model_store.database_store import BLOCK_SIZE

from tests.databases.harness import connect, fail, load_model, save_model, succeed

PLAIN = {"format": METADATA_FORMAT}


def test_what_is_stored_comes_back(database: Database) -> None:
    content = bytes(range(256)) * 10_000
    assert save_model(database, "shop.churn", {**PLAIN, "a": "it's \\ {{x}} 😀"}, content) == 1
    found = load_model(database, "shop.churn")
    assert (found.name, found.version, found.metadata, found.content) == (
        "shop.churn", 1, {**PLAIN, "a": "it's \\ {{x}} 😀"}, content,
    )  # fmt: skip
    blocks = (
        database.execute("SELECT length(content) FROM sqlflow_model_blocks ORDER BY block")
        if (database.dialect == "sqlite")
        else database.execute("SELECT octet_length(content) FROM sqlflow_model_blocks ORDER BY block")
    )
    assert [size for (size,) in blocks] == [BLOCK_SIZE, BLOCK_SIZE, len(content) - 2 * BLOCK_SIZE]


def test_versions(database: Database) -> None:
    for number in (1, 2, 3):
        assert save_model(database, "m", PLAIN, b"%d" % number) == number
    assert load_model(database, "m").content == b"3"
    assert load_model(database, "m:1").content == b"1"
    assert save_model(database, "M", PLAIN, b"other") == 1, "case matters"
    assert load_model(database, "m").version == 3


def test_a_version_cannot_be_overwritten(database: Database) -> None:
    with pytest.raises(RunError, match="adds a new one"):
        save_model(database, "m:1", PLAIN, b"")


def test_inside_the_programs_transaction(database: Database) -> None:
    succeed(database, "CREATE TABLE t (a INTEGER)")
    save_model(database, "m", PLAIN, b"first")
    database.execute("BEGIN")
    if database.dialect == "duckdb":
        database._open = True  # type: ignore[attr-defined]
    save_model(database, "m", PLAIN, b"second")
    database.execute("ROLLBACK")
    if database.dialect == "duckdb":
        database._open = False  # type: ignore[attr-defined]
    assert load_model(database, "m").content == b"first"


def _save_many(connect_one: Callable[[], Database], count: int) -> list[int]:
    def save(number: int) -> int:
        with closing(connect_one()) as database:
            return save_model(database, "m", {**PLAIN, "number": number}, b"x" * 2_000_000)

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(save, range(count)))


@pytest.mark.database
def test_trainings_that_end_at_once_get_versions_of_their_own(postgres_url: str) -> None:
    assert _save_many(lambda: connect(postgres_url), 6) == [1, 2, 3, 4, 5, 6]


def test_the_same_on_mariadb(mysql_url: str) -> None:
    assert _save_many(lambda: connect(mysql_url), 6) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_a_version_is_not_given_again_before_the_transaction_ends(request: pytest.FixtureRequest, kind: str) -> None:
    """Case 02: MariaDB's lock was given back when the inner block ended, before the row could be seen."""
    first: Database = request.getfixturevalue(kind)
    save_model(first, "m", PLAIN, b"1")
    with closing(connect(request.getfixturevalue(f"{kind}_url"))) as second, ThreadPoolExecutor(1) as pool:
        with first.atomic():  # as a statement's effect does where there is a ledger
            assert save_model(first, "m", PLAIN, b"2") == 2
            later = pool.submit(save_model, second, "m", PLAIN, b"3")
            with pytest.raises(TimeoutError):
                later.result(timeout=0.5)
        assert later.result(timeout=60) == 3


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_a_version_is_not_given_again_before_the_program_commits(request: pytest.FixtureRequest, kind: str) -> None:
    first: Database = request.getfixturevalue(kind)
    save_model(first, "m", PLAIN, b"1")
    with closing(connect(request.getfixturevalue(f"{kind}_url"))) as second, ThreadPoolExecutor(1) as pool:
        succeed(first, "CREATE TABLE other (a INTEGER); BEGIN; INSERT INTO other VALUES (1)")
        assert save_model(first, "m", PLAIN, b"2") == 2
        later = pool.submit(save_model, second, "m", PLAIN, b"3")
        with pytest.raises(TimeoutError):
            later.result(timeout=0.5)
        succeed(first, "COMMIT")
        assert later.result(timeout=60) == 3


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_versions_that_an_older_snapshot_does_not_show(request: pytest.FixtureRequest, kind: str) -> None:
    first: Database = request.getfixturevalue(kind)
    save_model(first, "m", PLAIN, b"1")
    isolation = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ; " * (kind == "postgres")
    succeed(first, isolation + "BEGIN; SELECT version FROM sqlflow_models")
    with closing(connect(request.getfixturevalue(f"{kind}_url"))) as second:
        assert save_model(second, "m", PLAIN, b"2") == 2
        assert save_model(second, "m", PLAIN, b"3") == 3
        assert save_model(first, "m", PLAIN, b"4") == 4
        succeed(first, "COMMIT")
        assert load_model(second, "m").content == b"4"


def test_locks_of_the_program_itself_are_left_alone(mysql: Database, mysql_url: str) -> None:
    mysql.execute("SELECT GET_LOCK('mine', 0)")
    save_model(mysql, "m", PLAIN, b"1")
    with closing(connect(mysql_url)) as other:
        assert other.execute("SELECT IS_FREE_LOCK('mine'), GET_LOCK('mine', 0)") == [(0, 0)]
        assert save_model(other, "m", PLAIN, b"2") == 2, "ours is free"


def test_a_block_that_fails_within_two_others(mysql: Database) -> None:
    succeed(mysql, "CREATE TABLE t (a INTEGER); BEGIN; INSERT INTO t VALUES (1)")
    with mysql.atomic():
        mysql.execute("INSERT INTO t VALUES (2)")
        with suppress(RunError), mysql.atomic():
            mysql.execute("INSERT INTO t VALUES (3)")
            mysql.execute("INSERT INTO nothing VALUES (3)")
    succeed(mysql, "COMMIT")
    assert mysql.execute("SELECT a FROM t ORDER BY a") == [(1,), (2,)]


def test_the_same_on_sqlite(tmp_path: Path) -> None:
    assert _save_many(lambda: connect(f"sqlite:///{tmp_path}/m.sqlite"), 4) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sqlflow_models SET sha256 = '0123'",
        "DELETE FROM sqlflow_model_blocks",
        "UPDATE sqlflow_models SET size = size + 1",
        "INSERT INTO sqlflow_model_blocks SELECT name, version, 9, content FROM sqlflow_model_blocks",
    ],
)
def test_damage_is_found(database: Database, change: str) -> None:
    save_model(database, "m", PLAIN, b"content")
    database.execute(change)
    with pytest.raises(RunError, match="is damaged") as caught:
        load_model(database, "m")
    assert caught.value.kind == "model"


TRAIN = "SELECT sepal_length, petal_length, species FROM train TO TRAIN {} LABEL species INTO m"
PREDICT = "SELECT sepal_length, petal_length FROM test TO PREDICT p.species USING m"


def _replace_content(database: Database, content: bytes, **metadata: object) -> None:
    stored = load_model(database, "m")
    save_model(database, "m", {**stored.metadata, **metadata}, content)


@pytest.mark.parametrize("estimator", ["xgboost.gbtree", "sklearn.naive_bayes.GaussianNB"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"{L\x00\x00", b"PK\x05\x06" + b"\0" * 18])
def test_content_that_is_no_model_is_refused(iris_sqlite: Database, estimator: str, content: bytes) -> None:
    succeed(iris_sqlite, TRAIN.format(estimator))
    _replace_content(iris_sqlite, content)
    error = fail(iris_sqlite, PREDICT)
    assert (error.kind, "cannot be read" in error.message) == ("model", True)


class Evil:
    """Reduces to code, as a pickle's malice does."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch /tmp/sqlflow-was-here",)


def test_a_pickle_is_never_loaded(iris_sqlite: Database, tmp_path: Path) -> None:
    import pickle

    succeed(iris_sqlite, TRAIN.format("sklearn.naive_bayes.GaussianNB"))
    _replace_content(iris_sqlite, pickle.dumps(Evil()))
    assert fail(iris_sqlite, PREDICT).kind == "model"


def test_foreign_types_are_refused(iris_sqlite: Database) -> None:
    import skops.io
    from sklearn.preprocessing import FunctionTransformer

    succeed(iris_sqlite, TRAIN.format("sklearn.naive_bayes.GaussianNB"))
    from os import system

    _replace_content(iris_sqlite, skops.io.dumps(FunctionTransformer(func=system)))
    error = fail(iris_sqlite, PREDICT)
    assert error.kind == "model"
    assert "not a type of scikit-learn's" in error.message


def test_a_model_of_a_newer_layout_is_refused(iris_sqlite: Database) -> None:
    succeed(iris_sqlite, TRAIN.format("xgboost.gbtree"))
    stored = load_model(iris_sqlite, "m")
    _replace_content(iris_sqlite, stored.content, format=999)
    assert "newer version" in fail(iris_sqlite, PREDICT).message


def test_what_is_known_of_a_model(iris: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLFLOW_IMAGE", "hub.example/step:1")
    text = (
        "SELECT sepal_length, petal_length, species FROM train TO TRAIN xgboost.gbtree "
        'WITH objective="multi:softprob", learning_rate=0.5 LABEL species INTO m'
    )
    succeed(iris, text)
    ((metadata,),) = iris.execute("SELECT metadata FROM sqlflow_models")
    known = metadata if isinstance(metadata, dict) else json.loads(metadata)
    assert known["statement"] == text
    assert known["estimator"] == "xgboost.gbtree"
    assert known["attributes"] == {"booster": "gbtree", "objective": "multi:softprob", "eta": 0.5}
    assert [feature["column"] for feature in known["features"]] == ["sepal_length", "petal_length"]
    assert known["label"] == {"name": "species", "kind": "string", "classes": ["setosa", "versicolor", "virginica"]}
    assert known["rows"] == 120
    assert known["image"] == "hub.example/step:1"
    assert set(known["libraries"]) == {"python", "xgboost", "numpy"}
    assert 0 < known["metrics"]["train-mlogloss"] < 1


def test_every_stored_type_of_scikit_learn_is_its_own() -> None:
    import numpy as np
    import skops.io
    from sklearn.datasets import make_classification
    from sklearn.utils import all_estimators
    from sqlflow_runtime.ml.features import Numeric
    from sqlflow_runtime.ml.metadata import ModelMetadata
    from sqlflow_runtime.ml.sklearn_models import Fitting, load

    known = ModelMetadata(estimator="e", task="regression", features=tuple(map(Numeric, "abcde")), label=None)
    features, target = make_classification(60, 5, random_state=0)
    features = np.abs(features)
    stored = 0
    for name, kind in [*all_estimators("classifier"), *all_estimators("regressor")]:
        try:
            estimator = kind()
            if "n_estimators" in estimator.get_params():
                estimator.set_params(n_estimators=3)
            estimator.fit(features[:40], target[:40])
        except (TypeError, ValueError, FutureWarning, UserWarning):
            continue  # needs arguments, or other data
        content = Fitting(estimator, list("abcde")).dump()
        loaded = load(content, known)
        with np.errstate(all="ignore"):
            assert np.array_equal(loaded.predict(features[:40]), estimator.predict(features[:40]), equal_nan=True), name
        assert all(found.startswith("sklearn.") for found in skops.io.get_untrusted_types(data=content)), name
        stored += 1
    assert stored > 50


@pytest.mark.parametrize(
    ("estimator", "library"), [("xgboost.gbtree", "xgboost"), ("sklearn.naive_bayes.GaussianNB", "sklearn")]
)
def test_a_model_of_a_newer_library_is_refused(iris_sqlite: Database, estimator: str, library: str) -> None:
    succeed(iris_sqlite, TRAIN.format(estimator))
    stored = load_model(iris_sqlite, "m")
    versions = stored.metadata["libraries"]
    older = {**stored.metadata, "libraries": {**versions, library: "0.1.2"}}
    save_model(iris_sqlite, "m", older, stored.content)
    succeed(iris_sqlite, PREDICT)
    newer = {**stored.metadata, "libraries": {**versions, library: "99.1.2"}, "image": "hub.example/step:9"}
    save_model(iris_sqlite, "m", newer, stored.content)
    error = fail(iris_sqlite, PREDICT)
    assert f"the model m, version 3, was trained with {library} 99.1.2; here is " in error.message
    assert "spec.image: hub.example/step:9" in error.hint
