"""Stored models that are not what TRAIN stored: said to be damaged, whatever was changed; nothing ends the process."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import RunError

from tests.databases.harness import fail, load_model, run_program, run_step, save_model, succeed

TRAIN = "SELECT sepal_length, petal_length, species FROM train TO TRAIN {} LABEL species INTO m"
PREDICT = "SELECT sepal_length, petal_length FROM test TO PREDICT p.species USING m"
BOOSTERS = (
    "xgboost.gbtree",
    "xgboost.gbtree WITH multi_strategy=multi_output_tree",
    "xgboost.gblinear",
    "xgboost.dart WITH rate_drop=0.3",
    "lightgbm.gbdt WITH min_data_in_leaf=5, num_iterations=10",
    "lightgbm.gbdt WITH linear_tree=true, min_data_in_leaf=5, num_iterations=10",
)
BY_SPECIES = "SELECT species, petal_length, class FROM train TO TRAIN {} LABEL class INTO m"
CATEGORIES = BY_SPECIES.format("xgboost.gbtree WITH max_cat_to_onehot=1")
"""Trees that split a text column by its values."""


@pytest.mark.parametrize(
    "change",
    ["'[]'", "'{{}}'", "replace({text}, 'setosa', 'Setosa')", "replace({text}, '\"rows\": 120', '\"rows\": 121')"],
)
def test_metadata_that_was_changed(iris: Database, change: str) -> None:
    succeed(iris, TRAIN.format("xgboost.gbtree"))
    text = "CAST(metadata AS CHAR)" if iris.dialect == "mysql" else "CAST(metadata AS TEXT)"
    as_json = "::json" if iris.dialect == "postgres" else ""
    iris.execute(f"UPDATE sqlflow_models SET metadata = {change.format(text=text)}{as_json}")
    assert_damaged(iris)


@pytest.mark.parametrize("value", ["no JSON", ""])
def test_metadata_that_is_no_json(iris: Database, value: str) -> None:
    """In a column of text, as SQLite has it and older versions made it elsewhere."""
    succeed(iris, TRAIN.format("xgboost.gbtree"))
    kind = {"mysql": "MODIFY metadata LONGTEXT", "sqlite": ""}.get(iris.dialect, "ALTER metadata TYPE text")
    if kind:
        iris.execute(f"ALTER TABLE sqlflow_models {kind}")
    iris.execute("UPDATE sqlflow_models SET metadata = ?", (value,))
    assert_damaged(iris)


def test_metadata_is_json_to_the_database(iris: Database) -> None:
    succeed(iris, TRAIN.format("xgboost.gbtree"))
    query = {
        "postgres": "metadata->>'estimator'",
        "mysql": "json_unquote(json_extract(metadata, '$.estimator'))",
    }.get(iris.dialect, "metadata->>'$.estimator'")
    assert iris.execute(f"SELECT {query} FROM sqlflow_models") == [("xgboost.gbtree",)]
    if iris.dialect != "sqlite":  # it has no such type
        with pytest.raises(RunError):
            iris.execute("UPDATE sqlflow_models SET metadata = 'no JSON'")


def assert_damaged(iris: Database) -> None:
    for statement in (PREDICT, "SELECT * FROM test TO EVALUATE m LABEL species"):
        error = fail(iris, statement)
        assert error.kind == "model"
        assert error.message.startswith("the model m, version 1, is damaged: ")
        assert "Train it again" in error.hint
    assert run_program(iris, "SHOW TRAIN m").error is None or "is damaged" in fail(iris, "SHOW TRAIN m").message


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda metadata: metadata.pop(name)


def _with(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda metadata: metadata.update(changes)


def _classes(*classes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda metadata: metadata["label"].update(classes=list(classes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("features"), "its metadata lacks 'features'"),
        (_without("label"), "its metadata lacks 'label'"),
        (_without("codec"), ""),
        (_with(task="guessing"), "its task is 'guessing'"),
        (_with(label=None), "its label does not fit its task"),
        (_with(features=[]), "its features make 0 columns"),
        (_with(features=[{"form": "numeric"}]), "one of its features is not as it should be"),
        (_with(features=[{"form": "category_hash", "column": "a", "size": "9"}]), "size of one of its features is '9'"),
        (_with(features=[{"form": "numeric", "column": "sepal_length"}], background=[]), "number of features is"),
        (_with(background=[[1.0]]), "its background rows do not have 2 numbers"),
        (_with(attributes=3), "its attributes is 3"),
        (_classes("setosa", "versicolor"), "classes"),
        (_classes("setosa", "setosa", "virginica"), "not different values"),
        (_classes("setosa", "versicolor", 3), "not different values of the label's kind"),
        (_classes(), "does not fit its task"),
    ],
)
@pytest.mark.parametrize("estimator", ["xgboost.gbtree", "sklearn.tree.DecisionTreeClassifier"])
def test_metadata_that_does_not_fit(
    iris_sqlite: Database, estimator: str, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    succeed(iris_sqlite, TRAIN.format(estimator))
    stored = load_model(iris_sqlite, "m")
    change(stored.metadata)
    save_model(iris_sqlite, "m", stored.metadata, stored.content)
    error = fail(iris_sqlite, PREDICT)
    assert error.kind == "model"
    assert message in error.message
    assert (error.line, error.column) == (1, 72)


def test_models_of_the_first_layout_are_read(iris_sqlite: Database) -> None:
    """Their SHA-256 is of the content alone."""
    succeed(iris_sqlite, TRAIN.format("xgboost.gbtree"))
    stored = load_model(iris_sqlite, "m")
    metadata = json.dumps({**stored.metadata, "format": 1})
    digest = hashlib.sha256(stored.content).hexdigest()
    iris_sqlite.execute("UPDATE sqlflow_models SET metadata = ?, sha256 = ?", (metadata, digest))
    succeed(iris_sqlite, PREDICT)


CHANGES = """
import json, random, sys, zlib
import numpy as np
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.trained_model import restore

metadata, content = json.loads(open(sys.argv[1]).read()), zlib.decompress(open(sys.argv[2], "rb").read())
chance = random.Random(7)
rows = np.random.default_rng(0).random((50, 2)) * 8
refused = 0
for _ in range(400):
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] = ord(chance.choice("0123456789-9.,[]{}e" + chr(chance.randrange(128))))
    try:
        restore(metadata, zlib.compress(changed)).fitted.predict(rows)
    except (RunError, ValueError):
        refused += 1
print(refused)
"""


@pytest.mark.parametrize("train", [*map(TRAIN.format, BOOSTERS), CATEGORIES])
def test_changed_bytes_never_end_the_process(train: str, iris_sqlite: Database, tmp_path: Path) -> None:
    """Some changes leave a model that predicts, if other values; none may leave one that ends the process."""
    succeed(iris_sqlite, train)
    stored = load_model(iris_sqlite, "m")
    (tmp_path / "metadata").write_text(json.dumps(stored.metadata))
    (tmp_path / "content").write_bytes(stored.content)
    command = [sys.executable, "-c", CHANGES, str(tmp_path / "metadata"), str(tmp_path / "content")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 0


def test_a_child_that_does_not_exist_is_said_in_a_step(iris_sqlite: Database, tmp_path: Path) -> None:
    """Of a tree of XGBoost and of scikit-learn: with a matching SHA-256, found before anything predicts."""
    for estimator in ("xgboost.gbtree", "sklearn.ensemble.RandomForestClassifier WITH n_estimators=2, n_jobs=1"):
        succeed(iris_sqlite, TRAIN.format(estimator))
        stored = load_model(iris_sqlite, "m")
        content = _with_a_lost_child(stored.content, "xgboost" in estimator)
        save_model(iris_sqlite, "m", stored.metadata, content)
        copy = tmp_path / "copy.sqlite"
        with closing(sqlite3.connect(copy)) as target:
            iris_sqlite._connection.backup(target)  # type: ignore[attr-defined]
        done = run_step(tmp_path, f"sqlite:///{copy}", PREDICT, "--statements", "1", dialect="sqlite")
        (error,) = done.of("error")
        assert error["kind"] == "model"
        assert "child" in error["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("categories", 3),
        ("categories", -1),
        ("categories", 2**40),
        ("categories_nodes", 1),
        ("categories_segments", 1),
        ("categories_sizes", 900_000_000),
        ("split_type", 0),
        ("split_type", 2),
        ("split_indices", 1),
    ],
)
def test_categories_that_do_not_exist(iris_sqlite: Database, field: str, value: int) -> None:
    succeed(iris_sqlite, CATEGORIES)
    stored = load_model(iris_sqlite, "m")
    data = json.loads(zlib.decompress(stored.content))
    tree = data["learner"]["gradient_booster"]["model"]["trees"][0]
    assert tree["split_type"][0] == 1
    tree[field][0] = value
    save_model(iris_sqlite, "m", stored.metadata, zlib.compress(json.dumps(data).encode()))
    error = fail(iris_sqlite, "SELECT species, petal_length FROM test TO PREDICT p.class USING m")
    assert "damaged" in error.message


@pytest.mark.parametrize(
    ("field", "value"), [("left", 900_000_000), ("right", 1), ("feature_idx", 7), ("bitset_idx", 100_000)]
)
def test_histogram_trees_that_lead_nowhere(iris_sqlite: Database, field: str, value: int) -> None:
    import skops.io

    succeed(iris_sqlite, BY_SPECIES.format("sklearn.ensemble.HistGradientBoostingClassifier WITH max_iter=2"))
    stored = load_model(iris_sqlite, "m")
    boosting = skops.io.loads(stored.content, trusted=skops.io.get_untrusted_types(data=stored.content))
    tree = boosting._predictors[0][0]
    assert tree.nodes["is_categorical"][0]
    tree.nodes[field][0] = value
    save_model(iris_sqlite, "m", stored.metadata, skops.io.dumps(boosting))
    error = fail(iris_sqlite, "SELECT species, petal_length FROM test TO PREDICT p.class USING m")
    assert "damaged" in error.message


def _with_a_lost_child(content: bytes, boosted: bool) -> bytes:
    import numpy as np

    if boosted:
        data = json.loads(zlib.decompress(content))
        data["learner"]["gradient_booster"]["model"]["trees"][0]["left_children"][0] = 900_000_000
        return zlib.compress(json.dumps(data).encode())
    import skops.io

    forest = skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))
    tree = forest.estimators_[0].tree_
    state = tree.__getstate__()
    nodes = np.array(state["nodes"])
    nodes["left_child"][0] = 900_000_000
    tree.__setstate__({**state, "nodes": nodes})
    return skops.io.dumps(forest)


def _save_as_ubjson(database: Database, change: Callable[[bytearray], None] = lambda content: None) -> None:
    """Store the newest version of the model m again, as versions before this one stored it."""
    from sqlflow_runtime.ml.boosting import library_warnings, xgboost

    stored = load_model(database, "m")
    with library_warnings():
        booster = xgboost.Booster(model_file=bytearray(zlib.decompress(stored.content)))
        content = booster.save_raw("ubj")
    change(content)
    save_model(database, "m", {**stored.metadata, "codec": "xgboost-ubj"}, bytes(content))


@pytest.mark.parametrize("estimator", [one for one in BOOSTERS if one.startswith("xgboost")])
def test_models_that_are_stored_as_ubjson_predict_the_same(iris_sqlite: Database, estimator: str) -> None:
    succeed(iris_sqlite, TRAIN.format(estimator) + "; " + PREDICT)
    expected = iris_sqlite.execute("SELECT * FROM p")
    _save_as_ubjson(iris_sqlite)
    assert load_model(iris_sqlite, "m").content.startswith(b"{")
    succeed(iris_sqlite, PREDICT)
    assert iris_sqlite.execute("SELECT * FROM p") == expected
    going_on = TRAIN.format(estimator).replace("LABEL species", "LABEL species USING m")
    succeed(iris_sqlite, going_on)


def test_a_model_in_ubjson_with_a_lost_child_is_refused(iris_sqlite: Database, tmp_path: Path) -> None:
    def lose(content: bytearray) -> None:
        at = content.index(b"left_children") + len(b"left_children")
        assert content[at : at + 5] == b"[$l#L"
        struct.pack_into(">i", content, at + 5 + 8, 900_000_000)

    succeed(iris_sqlite, TRAIN.format("xgboost.gbtree"))
    _save_as_ubjson(iris_sqlite, lose)
    copy = tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(copy)) as target:
        iris_sqlite._connection.backup(target)  # type: ignore[attr-defined]
    done = run_step(tmp_path, f"sqlite:///{copy}", PREDICT, "--statements", "1", dialect="sqlite")
    (error,) = done.of("error")
    assert "child" in error["message"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"learner": {}, "learner": {}}', "twice"),
        (b'{"learner": ' + b"[" * 100_000, ""),
        (b"{}{}", "Extra data"),
        (b"\xff", ""),
    ],
)
def test_text_that_is_no_model(iris_sqlite: Database, text: bytes, reason: str) -> None:
    succeed(iris_sqlite, TRAIN.format("xgboost.gbtree"))
    stored = load_model(iris_sqlite, "m")
    for content in (zlib.compress(text), text):
        save_model(iris_sqlite, "m", stored.metadata, content)
        error = fail(iris_sqlite, PREDICT)
        assert error.kind == "model"
        assert "damaged" in error.message
    save_model(iris_sqlite, "m", stored.metadata, zlib.compress(text))
    assert reason in fail(iris_sqlite, PREDICT).message
