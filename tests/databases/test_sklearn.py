"""scikit-learn on real databases: SQLFlow's names, further outputs, weights, labels of several numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import OneClassSVM
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.ml.order import row_hashes

from tests.databases.harness import fail, load_model, succeed

MEASURES = "SELECT sepal_length, sepal_width, petal_length, petal_width FROM {}"
BY_SPECIES = "SELECT sepal_length, sepal_width, petal_length, petal_width, species FROM {}"


def matrix_of(database: Database, table: str) -> np.ndarray:
    return np.array(database.execute(MEASURES.format(table)), dtype=np.float64)


def test_outliers_by_the_name_of_sqlflow(iris: Database) -> None:
    train = f"{MEASURES.format('train')} TO TRAIN sqlflow_models.OneClassSVM WITH model.kernel=rbf, nu=0.2 INTO m;"
    predict = f"{MEASURES.format('test')} TO PREDICT p.label WITH predict.extra_outputs='score' USING m;"
    ran = succeed(iris, f"{train} {predict} SELECT * FROM p")
    assert ran.of("columns")[0]["names"][4:] == ["label", "score"]
    rows = iris.execute("SELECT sepal_length, sepal_width, petal_length, petal_width, label, score FROM p")
    assert {row[4] for row in rows} == {1, -1}
    matrix = matrix_of(iris, "train")
    by_hand = OneClassSVM(nu=0.2).fit(matrix[np.argsort(row_hashes(matrix, []), kind="stable")])
    new = matrix_of(iris, "test")
    scores = dict(zip(map(tuple, new.tolist()), by_hand.decision_function(new), strict=True))
    assert all(row[5] == scores[tuple(float(cell) for cell in row[:4])] for row in rows)


def test_clusters_and_forests_by_the_names_of_sqlflow(iris_sqlite: Database) -> None:
    train = f"{MEASURES.format('train')} TO TRAIN kmeans WITH center_count=3, idx_table_name=t INTO clusters;"
    ran = succeed(iris_sqlite, f"{train} {MEASURES.format('test')} TO PREDICT p.cluster USING clusters;")
    assert "idx_table_name has no effect" in ran.logged
    assert {row[0] for row in iris_sqlite.execute("SELECT cluster FROM p")} == {0, 1, 2}
    succeed(
        iris_sqlite, f"{BY_SPECIES.format('train')} TO TRAIN randomforests WITH tree_num=5 LABEL species INTO forest"
    )
    assert load_model(iris_sqlite, "forest").metadata["attributes"]["n_estimators"] == 5


def test_probabilities(iris: Database) -> None:
    train = f"{BY_SPECIES.format('train')} TO TRAIN sklearn.LogisticRegression LABEL species INTO m;"
    predict = f"{BY_SPECIES.format('test')} TO PREDICT p.species WITH predict.extra_outputs='probability' USING m;"
    succeed(iris, train + predict)
    names = ["probability_setosa", "probability_versicolor", "probability_virginica"]
    rows = iris.execute(f"SELECT species, {', '.join(names)} FROM p")
    assert len(rows) == 30
    for species, *likely in rows:
        assert sum(likely) == pytest.approx(1)
        assert names[int(np.argmax(likely))].endswith(species)


@pytest.mark.parametrize(
    ("select", "target", "outputs", "message"),
    [
        ("*, 1 AS score", "p.label", "score", "the SELECT returns a column score too, which TO PREDICT adds"),
        ("*", "p.score", "score", "two columns of the result would have the name score"),
        ("*", "p.label", "probability", "a model of sklearn.svm.OneClassSVM gives no probability"),
    ],
)
def test_outputs_that_cannot_be_written(
    iris_sqlite: Database, select: str, target: str, outputs: str, message: str
) -> None:
    succeed(iris_sqlite, f"{MEASURES.format('train')} TO TRAIN sklearn.OneClassSVM INTO m")
    error = fail(
        iris_sqlite, f"SELECT {select} FROM test TO PREDICT {target} WITH predict.extra_outputs='{outputs}' USING m"
    )
    assert message in error.message
    assert iris_sqlite.execute("SELECT count(*) FROM sqlite_master WHERE name = 'p'") == [(0,)]


def test_classes_that_differ_only_in_case_make_one_name(iris_sqlite: Database) -> None:
    labelled = (
        "SELECT petal_length, CASE WHEN petal_width > 1 THEN 'A' WHEN petal_width > 0.2 THEN 'a' ELSE 'b' END AS y"
    )
    succeed(iris_sqlite, f"{labelled} FROM train TO TRAIN sklearn.GaussianNB LABEL y INTO m")
    error = fail(
        iris_sqlite,
        "SELECT petal_length FROM test TO PREDICT p.y WITH predict.extra_outputs='probability' USING m",
    )
    assert error.message == "two columns of the result would have the name probability_a"


def test_weights(iris_sqlite: Database) -> None:
    select = "SELECT petal_length, petal_width, class, sepal_length AS w FROM train"
    train = "TO TRAIN sklearn.LogisticRegression WITH train.sample_weight=w LABEL class INTO m;"
    predict = "SELECT petal_length, petal_width FROM test TO PREDICT p.c WITH predict.extra_outputs='score' USING m;"
    succeed(iris_sqlite, f"{select} {train} {predict}")
    rows = np.array(iris_sqlite.execute(select), dtype=np.float64)
    matrix, labels, weights = np.ascontiguousarray(rows[:, :2]), rows[:, 2].astype(np.int64), rows[:, 3]
    order = np.argsort(row_hashes(matrix, [pa.array(labels), pa.array(weights)]), kind="stable")
    by_hand = LogisticRegression(random_state=0).fit(matrix[order], labels[order], sample_weight=weights[order])
    found = np.array(iris_sqlite.execute("SELECT petal_length, petal_width, score_0, score_1, score_2 FROM p"))
    assert (found[:, 2:] == by_hand.decision_function(found[:, :2])).all()


def test_transformers_of_columns(iris: Database) -> None:
    train = (
        f"{BY_SPECIES.format('train')} TO TRAIN sklearn.Pipeline WITH steps='ColumnTransformer, LogisticRegression', "
        "columntransformer.transformers='StandardScaler, MinMaxScaler' "
        "COLUMN petal_length FOR minmaxscaler COLUMN sepal_width, petal_width FOR standardscaler LABEL species INTO m;"
    )
    predict = f"{MEASURES.format('test')} TO PREDICT p.species WITH predict.extra_outputs='score' USING m;"
    succeed(iris, train + predict)
    rows = np.array(iris.execute("SELECT petal_length, sepal_width, petal_width FROM train"), dtype=np.float64)
    labels = [row[0] for row in iris.execute("SELECT species FROM train")]
    order = np.argsort(row_hashes(rows, [pa.array(labels)]), kind="stable")
    by_hand = make_pipeline(
        ColumnTransformer([("s", StandardScaler(), [1, 2]), ("m", MinMaxScaler(), [0])]),
        LogisticRegression(random_state=0),
    ).fit(rows[order], np.array(labels)[order])
    names = "petal_length, sepal_width, petal_width, score_setosa, score_versicolor, score_virginica"
    found = np.array(iris.execute(f"SELECT {names} FROM p"), dtype=np.float64)
    assert (found[:, 3:] == by_hand.decision_function(found[:, :3])).all()


def test_several_columns_of_a_transformer(iris: Database) -> None:
    train = f"{MEASURES.format('train')} TO TRAIN sklearn.decomposition.PCA WITH n_components=2 INTO m;"
    ran = succeed(iris, f"{train} {MEASURES.format('test')} TO PREDICT p.pc USING m; SELECT * FROM p")
    assert ran.of("columns")[0]["names"][4:] == ["pc_0", "pc_1"]
    error = fail(iris, "SELECT *, class AS y FROM test TO EVALUATE m LABEL y")
    assert error.message == "m gives numbers of its own (its task is transformation); there is nothing to compare"


def test_a_label_of_several_numbers_needs_an_estimator_that_learns_several(iris_sqlite: Database) -> None:
    select = "SELECT petal_length, petal_width || ',' || sepal_length AS y FROM train TO TRAIN {} LABEL y INTO m"
    error = fail(iris_sqlite, select.format("sklearn.svm.SVR"))
    assert error.message == "the label y lists 2 numbers, but sklearn.svm.SVR learns one"
    assert "MultiOutputRegressor" in error.hint
    single = "SELECT petal_length, petal_width FROM train TO TRAIN sklearn.MultiTaskLasso LABEL petal_width INTO m"
    assert "learns several labels, but the label petal_width is one number" in fail(iris_sqlite, single).message
    succeed(iris_sqlite, select.format("sklearn.multioutput.MultiOutputRegressor WITH estimator=SVR"))
    succeed(iris_sqlite, "SELECT petal_length FROM test TO PREDICT p.y USING m")
    rows = iris_sqlite.execute("SELECT y FROM p")
    assert all(len([float(part) for part in text.split(",")]) == 2 for (text,) in rows)
