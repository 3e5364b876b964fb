"""TRAIN, PREDICT and EVALUATE on real databases with the real iris flowers."""

from __future__ import annotations

import json

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, succeed

TRAIN = """
SELECT sepal_length, sepal_width, petal_length, petal_width, class FROM train
TO TRAIN xgboost.gbtree
WITH objective="multi:softmax", num_class=3, eta=0.3, train.num_boost_round=20,
  validation.select="SELECT sepal_length, sepal_width, petal_length, petal_width, class FROM test"
LABEL class INTO flowers;
"""
USE = """
SELECT * FROM test TO EVALUATE flowers WITH validation.metrics="accuracy_score,f1_score,log_loss,roc_auc_score"
LABEL class INTO evaluation;
SELECT * FROM test TO PREDICT predictions.class USING flowers;
SELECT * FROM evaluation;
SELECT count(*) FROM predictions;
"""
BY_SPECIES = "SELECT sepal_length, sepal_width, petal_length, petal_width, species FROM {} "
MEASURES = "SELECT sepal_length, sepal_width, petal_length, petal_width FROM {} "


def test_iris_from_train_to_predict(iris: Database) -> None:
    ran = succeed(iris, TRAIN + USE)
    assert ran.of("model") == [
        {"type": "model", "statement": 1, "name": "flowers", "version": 1, "estimator": "xgboost.gbtree"}
    ]
    assert [m.version for m in ran.outcome.models] == [1]
    assert len(ran.of("log", 1)) == 20
    assert "train-mlogloss" in ran.of("log", 1)[0]["message"]
    assert "validate-mlogloss" in ran.of("log", 1)[0]["message"]
    assert list(ran.metrics) == ["loss", "accuracy_score", "f1_score", "log_loss", "roc_auc_score"]
    assert ran.metrics["accuracy_score"] >= 0.93
    assert ran.metrics["loss"] == pytest.approx(ran.metrics["log_loss"], abs=1e-6)
    assert ran.rows(4) == [list(ran.metrics.values())]
    assert ran.rows(5) == [[30]]


def test_progress_and_the_curve(iris: Database) -> None:
    ran = succeed(iris, TRAIN)
    shown = ran.of("progress", 1)
    assert (shown[0]["iteration"], shown[-1]["iteration"]) == (1, 20)
    assert all((one["total"], one["unit"]) == (20, "round") for one in shown)
    assert ran.outcome.progress is not None
    assert ran.outcome.progress.words.startswith("round 20/20 train-mlogloss 0.0")
    [(written,)] = iris.execute("SELECT metadata FROM sqlflow_models")
    metadata = written if isinstance(written, dict) else json.loads(written)
    assert list(metadata["curve"]) == ["iteration", "train-mlogloss", "validate-mlogloss"]
    assert metadata["curve"]["iteration"] == list(range(1, 21))
    assert metadata["curve"]["train-mlogloss"][-1] == metadata["metrics"]["train-mlogloss"]


def test_the_result_table(iris: Database) -> None:
    succeed(iris, TRAIN)
    ran = succeed(iris, "SELECT * FROM test TO PREDICT predictions.class USING flowers; SELECT * FROM predictions")
    columns = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species", "class"]
    assert ran.of("columns")[0]["names"] == columns, "the label is left out, the result comes last"
    assert ran.of("statement_finished", 1)[0]["rows"] == 30
    rows = iris.execute(
        "SELECT count(*) FROM predictions p JOIN test t ON p.sepal_length = t.sepal_length "
        "AND p.sepal_width = t.sepal_width AND p.petal_length = t.petal_length AND p.species = t.species"
    )
    assert rows[0][0] >= 30, "each row keeps its own values"
    right = iris.execute(
        "SELECT count(*) FROM predictions "
        "WHERE class = CASE species WHEN 'setosa' THEN 0 WHEN 'versicolor' THEN 1 ELSE 2 END"
    )
    assert right[0][0] >= 28


def test_a_result_table_is_replaced(iris: Database) -> None:
    predict = "SELECT * FROM test WHERE class < {} TO PREDICT p.class USING flowers; SELECT count(*) FROM p;"
    succeed(iris, TRAIN)
    assert succeed(iris, predict.format(3)).rows(2) == [[30]]
    assert succeed(iris, predict.format(1)).rows(2) == [[10]]


def test_predicting_from_the_table_that_is_replaced(iris: Database) -> None:
    predict = "SELECT * FROM {} TO PREDICT p.class WITH result.replace=true USING flowers;"
    text = predict.format("test") + predict.format("p") + "SELECT count(*) FROM p"
    succeed(iris, TRAIN)
    assert succeed(iris, text).rows(3) == [[30]]


def test_predicting_no_rows_makes_an_empty_table(iris: Database) -> None:
    succeed(iris, TRAIN)
    ran = succeed(iris, "SELECT * FROM test WHERE class > 5 TO PREDICT p.class USING flowers; SELECT * FROM p")
    assert ran.of("columns")[0]["names"][-1] == "class"
    assert ran.rows(2) == []


def test_many_rows_in_batches(iris: Database) -> None:
    succeed(iris, TRAIN)
    pairs = "SELECT t.*, u.petal_width AS other FROM train t CROSS JOIN train u "
    many = pairs + "CROSS JOIN (SELECT 1 AS one UNION ALL SELECT 2) v "
    ran = succeed(iris, many + "TO PREDICT p.class USING flowers; SELECT count(*), count(class) FROM p")
    assert ran.rows(2) == [[28800, 28800]]


def test_types_of_kept_columns_survive(iris: Database) -> None:
    if iris.dialect in ("sqlite", "mysql"):
        pytest.skip("other types: see the tests of that database")
    succeed(iris, TRAIN)
    ran = succeed(
        iris,
        "SELECT *, CAST('1.10' AS DECIMAL(12,3)) AS d, CAST('2024-02-29' AS DATE) AS day, NULL AS nothing, "
        "CAST('2024-02-29 12:30:00' AS TIMESTAMP) AS ts, CAST(9223372036854775807 AS BIGINT) AS big, TRUE AS yes "
        "FROM test TO PREDICT p.class USING flowers; SELECT d, day, nothing, ts, big, yes, class FROM p LIMIT 1",
    )
    types = [kind.lower().replace(" ", "") for kind in ran.of("columns")[0]["types"]]
    assert types[:2] == ["decimal(12,3)" if iris.dialect == "duckdb" else "numeric(12,3)", "date"]
    assert types[3].startswith("timestamp")
    assert types[4:] == ["bigint", "boolean", "integer"]
    day = {"$date": "2024-02-29"}
    assert ran.rows(2)[0][:6] == [
        {"$decimal": "1.100"}, day, None, {"$timestamp": "2024-02-29 12:30:00"}, 9223372036854775807, True,
    ]  # fmt: skip


def test_text_labels_come_back_as_text(iris: Database) -> None:
    ran = succeed(
        iris,
        BY_SPECIES.format("train") + "TO TRAIN xgboost.XGBClassifier WITH n_estimators=20 LABEL species INTO m;"
        "SELECT * FROM test TO EVALUATE m LABEL species;"
        "SELECT * FROM test TO PREDICT p.guess USING m; SELECT DISTINCT guess FROM p ORDER BY guess;"
        "SELECT * FROM p LIMIT 1",
    )
    assert ran.rows(4) == [["setosa"], ["versicolor"], ["virginica"]]
    assert ran.metrics["accuracy_score"] >= 0.93
    assert "species" not in ran.of("columns", 5)[0]["names"]
    assert ran.of("columns", 5)[0]["names"][-2:] == ["class", "guess"]


def test_two_classes(iris: Database) -> None:
    where = "WHERE class > 0 "
    ran = succeed(
        iris,
        MEASURES.format("train").replace(" FROM", ", class FROM")
        + where
        + 'TO TRAIN xgboost.gbtree WITH objective="binary:logistic" LABEL class INTO m;'
        "SELECT * FROM test WHERE class > 0 TO EVALUATE m "
        'WITH validation.metrics="accuracy_score,roc_auc_score,precision_score,recall_score,f1_score,log_loss,'
        'average_precision_score,brier_score_loss,hinge_loss,matthews_corrcoef" '
        "LABEL class; SELECT * FROM test WHERE class > 0 TO PREDICT p.class USING m; "
        "SELECT DISTINCT class FROM p ORDER BY class",
    )
    assert ran.metrics["roc_auc_score"] > 0.9
    assert ran.rows(4) == [[1], [2]], "labels need not be 0 and 1"


def test_a_regression(iris: Database) -> None:
    ran = succeed(
        iris,
        MEASURES.format("train") + 'TO TRAIN xgboost.gbtree WITH objective="reg:squarederror", num_boost_round=30 '
        "LABEL petal_width INTO m;" + MEASURES.format("test") + "TO EVALUATE m "
        'WITH validation.metrics="mean_squared_error,r2_score,mean_absolute_error" LABEL petal_width INTO e;'
        + MEASURES.format("test") + "TO PREDICT p.petal_width USING m; SELECT * FROM p LIMIT 1; SELECT * FROM e",
    )  # fmt: skip
    assert ran.metrics["r2_score"] > 0.8
    assert ran.metrics["loss"] == pytest.approx(ran.metrics["mean_squared_error"])
    assert isinstance(ran.rows(4)[0][-1], float)
    assert ran.of("columns", 5)[0]["names"] == ["loss", "mean_squared_error", "r2_score", "mean_absolute_error"]


@pytest.mark.parametrize(
    "estimator",
    [
        "sklearn.ensemble.RandomForestClassifier WITH n_estimators=30, max_depth=none",
        "sklearn.linear_model.LogisticRegression WITH max_iter=1000",
        "sklearn.svm.SVC",
        "sklearn.neighbors.KNeighborsClassifier",
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "sklearn.neural_network.MLPClassifier WITH hidden_layer_sizes=[20], max_iter=2000, learning_rate_init=0.01",
        "sklearn.naive_bayes.GaussianNB",
        "sklearn.tree.DecisionTreeClassifier",
        "XGBClassifier",
        "xgboost.XGBRFClassifier",
        "xgboost.dart WITH num_boost_round=20",
        "xgboost.gblinear WITH num_boost_round=200",
    ],
)
def test_classifiers(iris_sqlite: Database, estimator: str) -> None:
    ran = succeed(
        iris_sqlite,
        BY_SPECIES.format("train") + f"TO TRAIN {estimator} LABEL species INTO m;"
        "SELECT * FROM test TO EVALUATE m LABEL species; SELECT * FROM test TO PREDICT p.species USING m;",
    )
    assert ran.metrics["accuracy_score"] >= 0.85
    assert 0 <= ran.metrics["loss"] < 2


@pytest.mark.parametrize(
    "estimator", ["sklearn.linear_model.LinearRegression", "sklearn.ensemble.GradientBoostingRegressor", "XGBRegressor"]
)
def test_regressors(iris_sqlite: Database, estimator: str) -> None:
    ran = succeed(
        iris_sqlite,
        MEASURES.format("train") + f"TO TRAIN {estimator} LABEL petal_width INTO m;"
        + MEASURES.format("test") + "TO EVALUATE m LABEL petal_width;",
    )  # fmt: skip
    assert ran.metrics["r2_score"] > 0.85


def test_clusters_without_a_label(iris: Database) -> None:
    ran = succeed(
        iris,
        MEASURES.format("train") + "TO TRAIN sklearn.cluster.KMeans WITH n_clusters=3 INTO m;"
        "SELECT * FROM test TO PREDICT p.cluster USING m; SELECT DISTINCT cluster FROM p ORDER BY cluster",
    )
    assert ran.rows(3) == [[0], [1], [2]]
    metrics = succeed(iris, "SELECT * FROM test TO EVALUATE m LABEL class").metrics
    assert metrics["adjusted_rand_score"] > 0.5


def test_training_is_deterministic(iris_sqlite: Database) -> None:
    program = (
        BY_SPECIES.format("train")
        + "TO TRAIN sklearn.ensemble.RandomForestClassifier WITH n_estimators=5 LABEL species INTO m;"
        "SELECT * FROM test TO EVALUATE m LABEL species;"
    )
    first, second = (succeed(iris_sqlite, program).metrics for _ in range(2))
    assert first == second


def test_warm_start(iris_sqlite: Database) -> None:
    train = BY_SPECIES.format("train") + "TO TRAIN xgboost.gbtree WITH num_boost_round=3 LABEL species {} INTO m;"
    succeed(iris_sqlite, train.format(""))
    ran = succeed(iris_sqlite, train.format("USING m") + "SELECT * FROM test TO EVALUATE m LABEL species;")
    assert ran.of("model")[0]["version"] == 2
    losses = [float(record["message"].split("train-mlogloss:")[1]) for record in ran.of("log", 1)[1:]]
    assert losses[0] < 0.5, "it goes on where the first model stopped"


def test_early_stopping(iris_sqlite: Database) -> None:
    ran = succeed(
        iris_sqlite,
        BY_SPECIES.format("train") + "TO TRAIN xgboost.gbtree WITH num_boost_round=500, train.early_stopping_rounds=5, "
        f'validation.select="{BY_SPECIES.format("test")}" LABEL species INTO m;',
    )
    assert len(ran.of("log")) < 100


def test_rounds_of_a_long_training_are_bounded(iris_sqlite: Database) -> None:
    ran = succeed(
        iris_sqlite,
        BY_SPECIES.format("train") + "TO TRAIN xgboost.gbtree WITH num_boost_round=1000 LABEL species INTO m",
    )
    assert 90 <= len(ran.of("log")) <= 120
    assert ran.of("log")[-1]["message"].startswith("[999]")


def test_nulls_are_missing_to_xgboost(iris: Database) -> None:
    succeed(
        iris, "UPDATE train SET sepal_width = NULL WHERE class = 1; UPDATE test SET sepal_width = NULL WHERE class = 1"
    )
    ran = succeed(
        iris,
        BY_SPECIES.format("train")
        + "TO TRAIN xgboost.gbtree LABEL species INTO m; SELECT * FROM test TO EVALUATE m LABEL species",
    )
    assert ran.metrics["accuracy_score"] >= 0.93


def test_nulls_are_refused_where_the_estimator_takes_none(iris: Database) -> None:
    train = (
        BY_SPECIES.format("train")
        + "TO TRAIN sklearn.linear_model.LogisticRegression WITH max_iter=1000 LABEL species INTO m;"
    )
    succeed(iris, train)
    succeed(
        iris, "UPDATE train SET sepal_width = NULL WHERE class = 1; UPDATE test SET petal_width = NULL WHERE class = 1"
    )
    error = fail(iris, train)
    assert (error.kind, "sepal_width (40 rows)" in error.message, "COALESCE" in error.hint) == ("data", True, True)
    error = fail(iris, "SELECT * FROM test TO PREDICT p.species USING m")
    assert "petal_width" in error.message


def test_column_functions(iris: Database) -> None:
    ran = succeed(
        iris,
        "SELECT sepal_length, petal_length, petal_width, species, class FROM train TO TRAIN xgboost.gbtree "
        'WITH objective="multi:softprob" '
        "COLUMN BUCKET(petal_length, [2, 3, 4, 5]), INDICATOR(CATEGORY_HASH(species, 10)), petal_width "
        "LABEL class INTO m; SELECT * FROM test TO EVALUATE m LABEL class; "
        "SELECT * FROM test TO PREDICT p.class USING m",
    )
    assert ran.metrics["accuracy_score"] == 1


def test_a_failed_retraining_keeps_the_old_model(iris: Database) -> None:
    succeed(iris, TRAIN)
    fail(iris, TRAIN.replace("num_class=3", "num_class=2"))
    ran = succeed(iris, "SELECT * FROM test TO EVALUATE flowers LABEL class")
    assert ran.metrics["accuracy_score"] >= 0.93
    assert iris.execute("SELECT version FROM sqlflow_models") == [(1,)]


def test_a_failed_prediction_keeps_the_old_table(iris: Database) -> None:
    succeed(iris, TRAIN + "SELECT * FROM test WHERE class = 1 TO PREDICT p.class USING flowers")
    fail(iris, "SELECT sepal_length FROM test TO PREDICT p.class USING flowers")
    text = "CASE WHEN petal_width > 2 THEN 'x' ELSE '1' END AS petal_width"
    bad = f"SELECT sepal_length, sepal_width, petal_length, {text} FROM test"
    error = fail(iris, f"{bad} TO PREDICT p.class USING flowers")
    assert "petal_width" in error.message
    assert succeed(iris, "SELECT count(*) FROM p").rows() == [[10]]


def test_model_statements_in_the_ledger(iris: Database) -> None:
    succeed(iris, TRAIN + USE, run="r")
    again = succeed(iris, TRAIN + USE, run="r")
    assert [r["statement"] for r in again.of("statement_started") if r["attempt_skipped"]] == [1, 2, 3]
    assert iris.execute("SELECT version FROM sqlflow_models") == [(1,)]


def test_show_train(iris: Database) -> None:
    ran = succeed(iris, TRAIN + "SHOW TRAIN flowers;")
    assert ran.of("columns")[0]["names"] == ["Model", "Train Statement"]
    assert ran.rows(2) == [["flowers", TRAIN.strip().removesuffix(";")]]
    error = fail(iris, "SHOW TRAIN flower;")
    assert (error.kind, error.column, error.hint) == ("model", 12, "Did you mean `flowers`?")
