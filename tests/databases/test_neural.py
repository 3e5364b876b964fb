"""SQLFlow's neural estimators, on real databases, with data from scikit-learn or made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.conftest import load_iris
from tests.databases.harness import fail, run_step, succeed

MEASURES = "sepal_length, sepal_width, petal_length, petal_width"
SANITY = np.eye(5, dtype=int)
"""As in SQLFlow's own test: five rows, each with one 1, whose place is the label."""
NEURAL_KINDS = [pytest.param("postgres", marks=pytest.mark.database), "duckdb"]


@pytest.fixture(params=NEURAL_KINDS)
def neural(request: pytest.FixtureRequest) -> Database:
    """A database with iris, as in `iris`: one that is a server, and one that is a file."""
    database: Database = request.getfixturevalue(request.param)
    load_iris(database)
    return database


def train(database: Database, estimator: str, label: str = "class", columns: str = "") -> str:
    select = f"SELECT {MEASURES}, {label} FROM train TO TRAIN {estimator} {columns} LABEL {label} INTO m;"
    ran = succeed(database, select)
    assert ran.of("progress"), "every epoch is measured, and the last one is recorded"
    return ran.logged


def test_dnn_classifier(neural: Database) -> None:
    train(neural, "DNNClassifier WITH model.n_classes=3, model.hidden_units=[10, 20], train.epoch=5")
    ran = succeed(
        neural,
        "SELECT * FROM test TO EVALUATE m WITH validation.metrics='accuracy_score,log_loss' LABEL class INTO e; "
        "SELECT * FROM test TO PREDICT p.class USING m; SELECT class, count(*) FROM p GROUP BY class ORDER BY class; "
        "SELECT count(*) FROM e",
    )
    assert ran.metrics["accuracy_score"] >= 0.9
    assert ran.metrics["loss"] == pytest.approx(ran.metrics["log_loss"], abs=1e-6)
    assert [number for number, _ in ran.rows(3)] == [0, 1, 2]
    assert ran.rows(4) == [[1]]


def test_defaults_are_those_of_sqlflow(neural: Database) -> None:
    logged = train(neural, "DNNClassifier WITH model.hidden_units=[10, 20]")
    assert "120 steps in each of 1 epochs" in logged, "one row a step, one epoch"


def test_text_labels_validation_and_early_stopping(neural: Database) -> None:
    ran = succeed(
        neural,
        f"SELECT {MEASURES}, species FROM train TO TRAIN dnnclassifier WITH model.hidden_units=[10], "
        "model.optimizer=Adam, optimizer.learning_rate=0.05, model.dropout=0.1, model.batch_norm=true, "
        "model.activation_fn=tanh, train.batch_size=16, train.epoch=60, train.early_stopping_patience=2, "
        f"validation.select='SELECT {MEASURES}, species FROM test', validation.metrics='accuracy_score' "
        "LABEL species INTO m; SELECT * FROM test TO PREDICT p.species USING m; "
        "SELECT DISTINCT species FROM p ORDER BY species",
    )
    last = ran.of("progress")[-1]
    assert last["unit"] == "epoch"
    assert {"train-loss", "train-accuracy", "validate-loss", "validate-accuracy_score"} <= set(last["values"])
    assert last["iteration"] < 60, "it has stopped early"
    assert "had the lowest loss" in ran.logged
    assert ran.rows(3) == [["setosa"], ["versicolor"], ["virginica"]]


def test_label_vocabulary(neural: Database) -> None:
    listed = "model.label_vocabulary=['virginica','versicolor','setosa']"
    train(neural, f"LinearClassifier WITH {listed}, train.epoch=3", "species")
    ran = succeed(neural, "SELECT * FROM test TO EVALUATE m LABEL species")
    assert ran.metrics["accuracy_score"] >= 0.8
    two = f"SELECT {MEASURES}, species FROM train TO TRAIN LinearClassifier WITH model.label_vocabulary=['setosa','a'] "
    error = fail(neural, two + "LABEL species INTO m")
    assert "'versicolor', 'virginica', which model.label_vocabulary does not list" in error.message


@pytest.mark.parametrize("kind", NEURAL_KINDS)
def test_sanity_check_is_exact(request: pytest.FixtureRequest, kind: str) -> None:
    database: Database = request.getfixturevalue(kind)
    rows = ", ".join(f"({', '.join(map(str, row))}, {label})" for label, row in enumerate(SANITY.tolist()))
    names = ", ".join(f"f{number} INTEGER" for number in range(5))
    ran = succeed(
        database,
        f"CREATE TABLE sanity ({names}, label INTEGER); INSERT INTO sanity VALUES {rows}; "
        "SELECT * FROM sanity TO TRAIN DNNClassifier WITH model.n_classes=5, model.hidden_units=[42, 13], "
        "model.optimizer=Adam, train.epoch=100, train.seed=1 LABEL label INTO m; "
        "SELECT * FROM sanity TO PREDICT p.label USING m; "
        "SELECT s.label, p.label FROM sanity s JOIN p ON s.f0 = p.f0 AND s.f1 = p.f1 AND s.f2 = p.f2 AND s.f3 = p.f3 "
        "AND s.f4 = p.f4 ORDER BY s.label",
    )
    assert ran.rows(5) == [[number, number] for number in range(5)]


@pytest.mark.parametrize("kind", NEURAL_KINDS)
def test_housing_linear_regressor(request: pytest.FixtureRequest, kind: str) -> None:
    """Prices of houses, made: a linear function of 13 features and some noise."""
    database: Database = request.getfixturevalue(kind)
    random = np.random.default_rng(7)
    features = random.normal(size=(404, 13)).round(4)
    price = (22.5 + features @ np.linspace(-2, 2, 13) + random.normal(scale=0.5, size=404)).round(3)
    rows = ", ".join(str((*row, target)) for row, target in zip(features.tolist(), price.tolist(), strict=True))
    double = "DOUBLE PRECISION" if database.dialect == "postgres" else "DOUBLE"
    names = ", ".join(f"f{number} {double}" for number in range(1, 14))
    ran = succeed(
        database,
        f"CREATE TABLE housing ({names}, target {double}); INSERT INTO housing VALUES {rows}; "
        "SELECT * FROM housing TO TRAIN LinearRegressor WITH train.batch_size=16, train.epoch=10, train.seed=1 "
        "LABEL target INTO m; SELECT * FROM housing TO EVALUATE m LABEL target; "
        "SELECT * FROM housing TO PREDICT p.target USING m; SELECT min(target) FROM p",
    )
    assert ran.metrics["mean_squared_error"] < 1.0
    assert ran.rows(6)[0][0] >= 0


def test_dnn_regressor_of_large_numbers(neural: Database) -> None:
    """The label is standardised while the network learns: its size does not matter, and predictions have its unit."""
    ran = succeed(
        neural,
        "SELECT sepal_length, sepal_width, petal_length, 1000000 + 500000 * petal_width AS y FROM train "
        "TO TRAIN DNNRegressor WITH model.hidden_units=[16], train.batch_size=8, train.epoch=20, model.loss=huber, "
        "model.optimizer=SGD, optimizer.momentum=0.9 LABEL y INTO m; "
        "SELECT sepal_length, sepal_width, petal_length, 1000000 + 500000 * petal_width AS y FROM test "
        "TO EVALUATE m LABEL y",
    )
    assert ran.metrics["r2_score"] > 0.8


def test_deep_embedding_clusters(neural: Database) -> None:
    ran = succeed(
        neural,
        f"SELECT {MEASURES} FROM train TO TRAIN sqlflow_models.DeepEmbeddingClusterModel WITH "
        "model.pretrain_dims=[10, 10, 3], model.n_clusters=3, model.pretrain_epochs=30, model.pretrain_batch_size=32, "
        "model.train_max_iters=100 INTO m; SELECT * FROM test TO PREDICT p.cluster USING m; "
        "SELECT class, cluster, count(*) FROM p GROUP BY class, cluster",
    )
    clusters = ran.rows(3)
    assert {cluster for _, cluster, _ in clusters} <= {0, 1, 2}
    most = {c: max(count for _, cluster, count in clusters if cluster == c) for c in {one for _, one, _ in clusters}}
    assert sum(most.values()) >= 20, "most clusters are of one species"


@pytest.mark.parametrize(
    ("estimator", "more"),
    [
        ("DNNClassifier WITH model.hidden_units=[8], train.epoch=3", ""),
        ("LinearClassifier", ""),
        ("BoostedTreesClassifier WITH model.n_trees=10, model.max_depth=3, model.learning_rate=0.3", ""),
    ],
)
def test_same_rows_make_the_same_model(iris_sqlite: Database, estimator: str, more: str) -> None:
    found = []
    for table in ("one", "two"):
        train(iris_sqlite, estimator, columns=more)
        ran = succeed(iris_sqlite, f"SELECT * FROM test TO PREDICT {table}.class USING m; SELECT * FROM {table}")
        content = iris_sqlite.execute("SELECT sha256 FROM sqlflow_models ORDER BY version DESC LIMIT 1")
        found.append((ran.rows(2), content))
    assert found[0] == found[1]


def test_boosted_trees(neural: Database) -> None:
    train(neural, "BoostedTreesClassifier WITH model.n_trees=20, model.max_depth=3, model.n_classes=3")
    assert succeed(neural, "SELECT * FROM test TO EVALUATE m LABEL class").metrics["accuracy_score"] >= 0.9
    train(neural, "BoostedTreesRegressor WITH model.n_trees=20, model.l2_regularization=1.0")
    assert succeed(neural, "SELECT * FROM test TO EVALUATE m LABEL class").metrics["r2_score"] > 0.8


def test_going_on_from_a_network(neural: Database) -> None:
    network = "DNNClassifier WITH model.hidden_units=[10], train.epoch=2, train.batch_size=8"
    train(neural, network)
    first = succeed(neural, "SELECT * FROM test TO EVALUATE m LABEL class").metrics["loss"]
    for _ in range(3):
        succeed(neural, f"SELECT {MEASURES}, class FROM train TO TRAIN {network} LABEL class USING m INTO m")
    assert succeed(neural, "SELECT * FROM test TO EVALUATE m LABEL class").metrics["loss"] < first
    other = f"SELECT {MEASURES}, class FROM train TO TRAIN LinearClassifier LABEL class USING m INTO n"
    assert "the model is of DNNClassifier, from which LinearClassifier cannot go on" in fail(neural, other).message


def test_nulls_are_refused(neural: Database) -> None:
    select = f"SELECT {MEASURES.replace('petal_width', 'NULLIF(petal_width, 0.2) AS petal_width')}, class FROM train "
    error = fail(neural, select + "TO TRAIN LinearClassifier LABEL class INTO m")
    assert "a neural network takes no NULL or NaN, but there are some in petal_width" in error.message
    train(neural, "LinearClassifier")
    error = fail(neural, select + "TO PREDICT p.x USING m")
    assert "some in petal_width" in error.message


def test_a_network_that_diverges(neural: Database) -> None:
    error = fail(
        neural,
        f"SELECT {MEASURES}, class FROM train TO TRAIN DNNRegressor WITH model.hidden_units=[10], train.epoch=30, "
        "model.optimizer=SGD, optimizer.learning_rate=1e10 LABEL class INTO m",
    )
    assert "the network has diverged" in error.message
    assert "optimizer.learning_rate" in error.hint


def test_weights_of_rows(neural: Database) -> None:
    """Rows of weight 0 teach nothing: the class that only they have is never predicted."""
    weighted = f"SELECT {MEASURES}, CASE WHEN class = 2 THEN 0 ELSE 1 END AS w, class FROM train "
    for name in ("model.weight_column", "train.sample_weight"):
        ran = succeed(
            neural,
            f"{weighted} TO TRAIN LinearClassifier WITH {name}=w, train.batch_size=4, train.epoch=5 "
            "LABEL class INTO m; SELECT * FROM test TO PREDICT p.class USING m; "
            "SELECT DISTINCT class FROM p ORDER BY class",
        )
        assert ran.rows(3) == [[0], [1]]


def test_a_process_that_only_predicts(iris_sqlite: Database, tmp_path: Path) -> None:
    """As a pod does: nothing has loaded Keras before the model is read."""
    train = f"SELECT {MEASURES}, class FROM train TO TRAIN LinearClassifier WITH train.epoch=1 LABEL class INTO m"
    succeed(iris_sqlite, train)
    file = next(row[2] for row in iris_sqlite.execute("PRAGMA database_list"))
    predict = "SELECT * FROM test TO PREDICT p.class USING m"
    ran = run_step(tmp_path, f"sqlite:///{file}", predict, "--statements", "1", dialect="sqlite")
    assert ran.code == 0, ran.stdout + ran.stderr
    assert iris_sqlite.execute("SELECT count(*) FROM p") == [(30,)]
