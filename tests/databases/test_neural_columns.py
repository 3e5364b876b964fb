"""Networks on categories, texts and series: features that only they take. Data is iris, or made here."""

from __future__ import annotations

import numpy as np
import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.conftest import load_iris
from tests.databases.harness import fail, succeed
from tests.databases.test_neural import MEASURES, NEURAL_KINDS


@pytest.fixture(params=NEURAL_KINDS)
def neural(request: pytest.FixtureRequest) -> Database:
    """A database with iris, as in `iris`: one that is a server, and one that is a file."""
    database: Database = request.getfixturevalue(request.param)
    load_iris(database)
    return database


@pytest.fixture(params=NEURAL_KINDS)
def empty(request: pytest.FixtureRequest) -> Database:
    """A database without tables."""
    database: Database = request.getfixturevalue(request.param)
    return database


def table(database: Database, name: str, columns: str, rows: list[tuple[object, ...]]) -> None:
    values = ", ".join(str(row) for row in rows)
    succeed(database, f"CREATE TABLE {name} ({columns}); INSERT INTO {name} VALUES {values};")


def test_linear_and_deep_together(neural: Database) -> None:
    ran = succeed(
        neural,
        f"SELECT {MEASURES}, class FROM train TO TRAIN DNNLinearCombinedClassifier WITH model.n_classes=3, "
        "model.dnn_hidden_units=[10], train.batch_size=8, train.epoch=10 "
        "COLUMN sepal_length, sepal_width FOR linear_feature_columns "
        "COLUMN petal_length, petal_width, EMBEDDING(CROSS([petal_width, petal_length], 10), 8, 'sum') "
        "FOR dnn_feature_columns LABEL class INTO m; SELECT * FROM test TO EVALUATE m LABEL class",
    )
    assert ran.metrics["accuracy_score"] >= 0.8


def test_weighted_categories(empty: Database) -> None:
    """Of the made rows the label says which of the categories 1 and 2 weighs more."""
    random = np.random.default_rng(3)
    weights = random.uniform(size=(60, 2)).round(3)
    rows = [(f"1:{a},2:{b},{7 + n % 3}:1", int(a > b)) for n, (a, b) in enumerate(weights.tolist())]
    table(empty, "weighted", "feature VARCHAR(80), label INTEGER", rows)
    ran = succeed(
        empty,
        "SELECT feature, label FROM weighted TO TRAIN DNNClassifier WITH model.n_classes=2, model.hidden_units=[8], "
        "model.optimizer=Adam, optimizer.learning_rate=0.02, train.batch_size=8, train.epoch=25 COLUMN "
        "EMBEDDING(WEIGHTED_CATEGORY(CATEGORY_HASH(SPARSE(feature, 10, ',', 'int', ':', 'float'), 10)), 4, 'sum') "
        "LABEL label INTO m; SELECT feature, label FROM weighted TO EVALUATE m LABEL label",
    )
    assert ran.metrics["accuracy_score"] >= 0.9


def test_embedded_words(empty: Database) -> None:
    """Titles as numbers of words, as in SQLFlow's text_cn; the class is the first word's."""
    random = np.random.default_rng(5)
    rows = [
        (",".join(map(str, [kind, *random.integers(100, 16000, 4).tolist()])), kind)
        for kind in range(5)
        for _ in range(8)
    ]
    table(empty, "news", "news_title VARCHAR(200), class_id INTEGER", rows)
    ran = succeed(
        empty,
        "SELECT news_title, class_id FROM news TO TRAIN DNNClassifier WITH model.n_classes=17, model.hidden_units=[9], "
        "model.optimizer=Adam, optimizer.learning_rate=0.02, train.batch_size=8, train.epoch=12 "
        "COLUMN EMBEDDING(CATEGORY_ID(SPARSE(news_title, 16000, COMMA), 16000), 16, mean) LABEL class_id INTO m; "
        "SELECT news_title, class_id FROM news TO EVALUATE m LABEL class_id; "
        "SELECT news_title FROM news TO PREDICT p.class_id USING m; SELECT count(*) FROM p",
    )
    assert ran.metrics["accuracy_score"] >= 0.9
    assert ran.rows(4) == [[40]]


def test_bidirectional_lstm(empty: Database) -> None:
    """The class is that of a text's first word: an order, which sums of words cannot tell. Texts differ in length."""
    random = np.random.default_rng(11)
    rows = []
    for number in range(80):
        words = random.permutation([1, 2, *random.integers(3, 20, int(random.integers(1, 5))).tolist()]).tolist()
        rows.append((",".join(map(str, words)), int(words.index(1) < words.index(2)), number))
    table(empty, "texts", "words VARCHAR(80), label INTEGER, id INTEGER", rows)
    ran = succeed(
        empty,
        "SELECT words, label FROM texts TO TRAIN sqlflow_models.StackedBiLSTMClassifier WITH model.n_classes=2, "
        "model.stack_units=[16], model.hidden_size=16, optimizer.learning_rate=0.02, train.batch_size=16, "
        "train.epoch=20 COLUMN EMBEDDING(SEQ_CATEGORY_ID(SPARSE(words, 20, COMMA), 20), 8, mean) LABEL label INTO m; "
        "SELECT words, label FROM texts TO EVALUATE m LABEL label",
    )
    assert ran.metrics["accuracy_score"] >= 0.85
    error = fail(
        empty,
        "SELECT words, id, label FROM texts TO TRAIN sqlflow_models.StackedRNNClassifier "
        "COLUMN EMBEDDING(SEQ_CATEGORY_ID(SPARSE(words, 20, COMMA), 20), 8, mean) LABEL label INTO m",
    )
    assert "id is no sequence" in error.message


def test_time_series_of_several_steps(neural: Database) -> None:
    text = "CAST({0} AS VARCHAR(20))"
    if neural.dialect == "postgres":
        text = "CAST(CAST({0} AS NUMERIC(9, 1)) AS VARCHAR(20))"
    label = f"{text.format('petal_width')} || ',' || {text.format('class')}"
    ran = succeed(
        neural,
        f"SELECT sepal_length, sepal_width, petal_length, {label} AS y FROM train "
        "TO TRAIN sqlflow_models.RNNBasedTimeSeriesModel WITH model.n_in=3, model.n_out=2, model.stack_units=[16, 16], "
        "train.batch_size=8, train.epoch=15, optimizer.learning_rate=0.01 LABEL y INTO m; "
        f"SELECT sepal_length, sepal_width, petal_length, {label} AS y FROM test TO PREDICT p.y USING m; "
        "SELECT y FROM p; "
        f"SELECT sepal_length, sepal_width, petal_length, {label} AS y FROM test "
        "TO EVALUATE m WITH validation.metrics='mean_absolute_error' LABEL y",
    )
    values = [row[0] for row in ran.rows(3)]
    assert len(values) == 30
    assert all(len([float(part) for part in value.split(",")]) == 2 for value in values)
    assert ran.metrics["mean_absolute_error"] < 0.4
    wrong = f"SELECT sepal_length, sepal_width, petal_length, {label} AS y FROM train TO TRAIN RNNBasedTimeSeriesModel "
    error = fail(neural, wrong + "WITH model.n_in=2 LABEL y INTO m")
    assert "gives 3 numbers, but model.n_in=2 steps of 1 need 2" in error.message
    error = fail(neural, wrong + "WITH model.n_in=3, model.n_out=4 LABEL y INTO m")
    assert "the label y lists 2 values, but model.n_out is 4" in error.message


def test_text_columns_are_categories(neural: Database) -> None:
    ran = succeed(
        neural,
        "SELECT sepal_width, species, class FROM train TO TRAIN LinearClassifier WITH train.batch_size=8, "
        "train.epoch=5 LABEL class INTO m; SELECT sepal_width, species, class FROM test TO EVALUATE m LABEL class; "
        "SELECT 3.0 AS sepal_width, 'never seen' AS species TO PREDICT p.class USING m; SELECT count(class) FROM p",
    )
    assert ran.metrics["accuracy_score"] == 1.0
    assert ran.rows(4) == [[1]]
