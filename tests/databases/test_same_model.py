"""The same rows give the same model: in whatever order the database returns them, with however many threads."""

from __future__ import annotations

import zlib

import numpy as np
import pyarrow as pa
import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.ml import ordered_rows
from sqlflow_runtime.ml.batch import Batch

from tests.databases.harness import load_model, succeed

ORDERS = ("petal_length", "sepal_width DESC, petal_length", "petal_width, sepal_length DESC")


def content(database: Database, estimator: str, order: str) -> bytes:
    """The stored bytes of a model of iris' rows in that order."""
    select = f"SELECT sepal_length, sepal_width, petal_length, petal_width, species FROM train ORDER BY {order}"
    succeed(database, f"{select} TO TRAIN {estimator} LABEL species INTO m")
    return load_model(database, "m").content


@pytest.mark.parametrize(
    "estimator",
    [
        "xgboost.gbtree WITH subsample=0.5",
        "xgboost.gbtree WITH subsample=0.7, colsample_bynode=0.5, num_parallel_tree=3, tree_method=approx",
        "XGBRFClassifier WITH n_estimators=10",
        "xgboost.dart WITH rate_drop=0.5",
        "xgboost.gblinear",
        "lightgbm.gbdt WITH bagging_fraction=0.5, bagging_freq=1, n_estimators=10",
        "lightgbm.dart WITH n_estimators=10",
        "lightgbm.goss WITH n_estimators=10",
    ],
)
def test_in_any_order(iris_sqlite: Database, estimator: str) -> None:
    assert len({content(iris_sqlite, estimator, order) for order in ORDERS}) == 1


@pytest.mark.parametrize(
    "estimator",
    [
        "sklearn.ensemble.RandomForestClassifier WITH n_estimators=5",
        "sklearn.neural_network.MLPClassifier WITH max_iter=300, early_stopping=true",
        "sklearn.calibration.CalibratedClassifierCV",
    ],
)
def test_in_any_order_in_scikit_learn(iris_sqlite: Database, estimator: str) -> None:
    found = set()
    for order in ORDERS:
        content(iris_sqlite, estimator, order)
        ran = succeed(iris_sqlite, "SELECT * FROM test TO EVALUATE m WITH validation.metrics='log_loss' LABEL species")
        found.add(ran.metrics["loss"])
    assert len(found) == 1


@pytest.mark.parametrize("booster", ["gbtree", "gblinear", "dart"])
def test_with_any_number_of_threads(iris_sqlite: Database, booster: str) -> None:
    found = {content(iris_sqlite, f"xgboost.{booster} WITH nthread={count}", "1") for count in (1, 2, 3, 4)}
    assert len(found) == 1


@pytest.mark.parametrize("booster", ["gbdt", "rf", "goss"])
def test_trees_of_lightgbm_with_any_number_of_threads(iris_sqlite: Database, booster: str) -> None:
    """The text ends with the parameters, of which the number of threads is one."""
    texts = [content(iris_sqlite, f"lightgbm.{booster} WITH nthread={count}", "1") for count in (1, 2, 3, 4)]
    trees = {zlib.decompress(text).partition(b"\nparameters:")[0] for text in texts}
    assert len(trees) == 1
    assert b"Tree=5" in trees.pop()


@pytest.mark.parametrize("estimator", ["RandomForestRegressor", "RandomForestClassifier", "IsolationForest"])
def test_a_forest_predicts_the_same_each_time(estimator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import sklearn.ensemble
    from sqlflow_runtime.ml import sklearn_models

    rows = np.random.default_rng(0).random((6000, 4))
    numbers = rows[:, 0] * 3 + rows[:, 1]
    forest = getattr(sklearn.ensemble, estimator)(n_estimators=60, random_state=0, n_jobs=4)
    forest.fit(rows[:500], (numbers > 2)[:500] if "Classifier" in estimator else numbers[:500])
    if "Classifier" in estimator:
        forest.set_params(min_samples_leaf=7).fit(rows[:500], (numbers > 2)[:500])
    found = set()
    for count in (1, 2, 3, 8):
        monkeypatch.setattr(sklearn_models, "processors", lambda count=count: count)
        fitted = sklearn_models.Fitting(forest, list("abcd"))
        predicted = fitted.probabilities(rows) if "Classifier" in estimator else fitted.predict(rows)
        assert predicted is not None
        found.add(np.ascontiguousarray(predicted).tobytes())
    assert len(found) == 1


@pytest.mark.database
def test_a_parallel_scan_changes_nothing(postgres: Database) -> None:
    succeed(
        postgres,
        "CREATE TABLE t AS SELECT random() AS a, random() AS b, n % 3 AS y FROM generate_series(1, 60000) n;"
        "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;"
        "ALTER TABLE t SET (parallel_workers = 4); ANALYZE t",
    )
    found = set()
    for _ in range(4):
        succeed(postgres, "SELECT * FROM t TO TRAIN xgboost.gbtree WITH subsample=0.5 LABEL y INTO m")
        found.add(load_model(postgres, "m").content)
    succeed(postgres, "SELECT * FROM t ORDER BY b TO TRAIN xgboost.gbtree WITH subsample=0.5 LABEL y INTO m")
    found.add(load_model(postgres, "m").content)
    assert len(found) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [64 * 1024, 1024**3])
def test_the_order_depends_on_the_rows_alone(
    dtype: type[np.floating[np.typing.NBitBase]], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered_rows, "BUCKET_BYTES", size)
    random = np.random.default_rng(1)
    matrix = random.integers(0, 4, (20_000, 3)).astype(dtype)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    labels = pa.array([f"c{number}" for number in random.integers(0, 3, len(matrix))])
    shuffle = random.permutation(len(matrix))
    one = ordered(matrix, labels)
    other = ordered(matrix[shuffle], labels.take(pa.array(shuffle)))
    assert one == other
    rows = zip(np.nan_to_num(matrix, nan=-1).tolist(), labels.to_pylist(), strict=True)
    assert sorted((*numbers, label) for numbers, label in rows) == sorted(one)
    assert sorted(one) != one


def ordered(matrix: np.ndarray, labels: pa.Array) -> list[tuple[object, ...]]:
    """The rows in their order, -1 for NaN, their label last."""
    rows = ordered_rows.OrderedRows(matrix.shape[1], matrix.nbytes)
    for start in range(0, len(matrix), 3000):
        rows.add(Batch(matrix[start : start + 3000], labels.slice(start, 3000)))
    rows.finish()
    found: list[tuple[object, ...]] = []
    for batch in rows.batches():
        assert batch.labels is not None
        numbers = np.nan_to_num(batch.matrix, nan=-1).tolist()
        found += [(*row, label) for row, label in zip(numbers, batch.labels.to_pylist(), strict=True)]
    return found


@pytest.mark.parametrize("more", ["", ", subsample=0.5", ", max_bin=17", ", tree_method='approx'", ", rate_drop=0.5"])
def test_the_model_that_xgboost_gives_for_the_same_matrix(
    iris_sqlite: Database, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    """Bins of many batches, in the order of a dataset, are those of the whole matrix."""
    from sqlflow_runtime.ml import xgboost_rows

    select = "SELECT sepal_length, sepal_width, petal_length, petal_width, class FROM train"
    check = 'validation.select="SELECT sepal_length, sepal_width, petal_length, petal_width, class FROM test"'
    estimator = "xgboost.dart" if "rate_drop" in more else "xgboost.gbtree"
    text = f"{select} TO TRAIN {estimator} WITH objective='multi:softprob', {check}{more} LABEL class INTO m"
    monkeypatch.setattr(ordered_rows, "BUCKET_BYTES", 256)
    succeed(iris_sqlite, text)
    by_batches = load_model(iris_sqlite, "m").content
    monkeypatch.setattr(xgboost_rows, "takes_quantiles", lambda parameters: False)
    succeed(iris_sqlite, text)
    assert load_model(iris_sqlite, "m").content == by_batches


def test_the_fingerprint_is_of_the_rows(iris_sqlite: Database) -> None:
    def fingerprint(select: str) -> str:
        succeed(iris_sqlite, f"{select} TO TRAIN sklearn.naive_bayes.GaussianNB LABEL species INTO m")
        return str(load_model(iris_sqlite, "m").metadata["fingerprint"])

    first = fingerprint("SELECT petal_length, petal_width, species FROM train")
    assert len(first) == 16
    assert fingerprint("SELECT petal_length, petal_width, species FROM train ORDER BY petal_width DESC") == first
    assert fingerprint("SELECT petal_length, petal_width, species FROM train WHERE petal_width > 0.1") != first
    assert fingerprint("SELECT petal_length, petal_width + 1 AS w, species FROM train") != first
    assert fingerprint("SELECT petal_length, petal_width, upper(species) AS species FROM train") != first
