"""LightGBM on real databases: its boosters, objectives and attributes, stored and read again."""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, load_model, succeed

MEASURES = "sepal_length, sepal_width, petal_length, petal_width"
CLASSES = f"SELECT {MEASURES}, species FROM train TO TRAIN {{}} LABEL species INTO m;"
TWO = f"SELECT {MEASURES}, class FROM train WHERE class < 2 TO TRAIN {{}} LABEL class INTO m;"
NUMBERS = "SELECT sepal_length, petal_length, petal_width AS y FROM train TO TRAIN {} LABEL y INTO m;"
USE_CLASSES = "SELECT * FROM test TO EVALUATE m LABEL species; SELECT * FROM test TO PREDICT p.species USING m;"
USE_NUMBERS = "SELECT *, petal_width AS y FROM test TO EVALUATE m LABEL y; SELECT * FROM test TO PREDICT p.y USING m;"
VALIDATION = "validation.select='SELECT sepal_length, petal_length, petal_width AS y FROM test'"


def test_iris(iris: Database) -> None:
    """On every database: train, evaluate, predict."""
    validation = f"validation.select='SELECT {MEASURES}, species FROM test'"
    ran = succeed(iris, CLASSES.format(f"lightgbm.gbdt WITH num_boost_round=30, {validation}") + USE_CLASSES)
    assert ran.of("model")[0]["estimator"] == "lightgbm.gbdt"
    assert ran.metrics["accuracy_score"] >= 0.9
    assert ran.of("progress")[-1]["iteration"] == 30
    assert set(ran.of("progress")[-1]["values"]) == {"train-multi_logloss", "validate-multi_logloss"}
    assert 'objective="multiclass", because the label species has 3 classes' in ran.logged
    [(right,)] = iris.execute("SELECT count(*) FROM p JOIN test t ON p.sepal_length = t.sepal_length AND "
                              "p.petal_length = t.petal_length AND p.species = t.species")  # fmt: skip
    assert right >= 27


@pytest.mark.parametrize(
    "estimator",
    [
        "lightgbm.gbdt",
        "lightgbm.dart",
        "lightgbm.rf",
        "lightgbm.goss",
        "LGBMClassifier WITH n_estimators=20",
        "lightgbm.gbdt WITH objective='softmax', num_class=3",
        "lightgbm.gbdt WITH objective='ova'",
        "lightgbm.gbdt WITH linear_tree=true",
        "lightgbm.gbdt WITH metric=[multi_error, auc_mu]",
    ],
)
def test_classes(iris_sqlite: Database, estimator: str) -> None:
    ran = succeed(iris_sqlite, CLASSES.format(estimator) + USE_CLASSES)
    assert ran.metrics["accuracy_score"] >= 0.9


@pytest.mark.parametrize("estimator", ["lightgbm.gbdt", "lightgbm.gbdt WITH objective=binary, is_unbalance=true",
                                       "lightgbm.rf WITH scale_pos_weight=2.0"])  # fmt: skip
def test_two_classes(iris_sqlite: Database, estimator: str) -> None:
    use = "SELECT * FROM test WHERE class < 2 TO EVALUATE m WITH validation.metrics='roc_auc_score' LABEL class"
    assert succeed(iris_sqlite, TWO.format(estimator) + use).metrics["roc_auc_score"] == 1.0


@pytest.mark.parametrize(
    "estimator",
    [
        "lightgbm.gbdt",
        "LGBMRegressor",
        "lightgbm.goss WITH top_rate=0.3, other_rate=0.2",
        "lightgbm.gbdt WITH objective='rmse', reg_sqrt=true",
        "lightgbm.gbdt WITH objective='mae'",
        "lightgbm.gbdt WITH objective='huber', alpha=0.5",
        "lightgbm.gbdt WITH objective='quantile', alpha=0.9",
        "lightgbm.gbdt WITH objective='poisson'",
        "lightgbm.gbdt WITH objective='gamma'",
        "lightgbm.gbdt WITH objective='tweedie', tweedie_variance_power=1.2",
        "lightgbm.gbdt WITH objective='mape'",
        "lightgbm.gbdt WITH objective='fair'",
        "lightgbm.gbdt WITH monotone_constraints=[1,-1], monotone_constraints_method=advanced",
        "lightgbm.gbdt WITH interaction_constraints=[[sepal_length],[petal_length]]",
        "lightgbm.gbdt WITH use_quantized_grad=true",
        "lightgbm.gbdt WITH max_bin=15, extra_trees=true, path_smooth=1.0",
        f"lightgbm.gbdt WITH num_iterations=300, early_stopping_round=3, first_metric_only=true, {VALIDATION}",
    ],
)
def test_numbers(iris_sqlite: Database, estimator: str) -> None:
    succeed(iris_sqlite, NUMBERS.format(estimator) + USE_NUMBERS)
    [(lowest, highest)] = iris_sqlite.execute("SELECT min(y), max(y) FROM p")
    assert lowest < highest


def test_early_stopping_keeps_the_best_round(iris_sqlite: Database) -> None:
    stopped = succeed(
        iris_sqlite, NUMBERS.format(f"lightgbm.gbdt WITH num_iterations=300, early_stopping_round=3, {VALIDATION}")
    )
    values = load_model(iris_sqlite, "m").metadata["curve"]["validate-l2"]
    assert stopped.of("progress")[-1]["iteration"] == len(values)
    best = min(range(len(values)), key=values.__getitem__)
    assert best == len(values) - 4 < 295
    one = succeed(iris_sqlite, USE_NUMBERS).metrics["loss"]
    succeed(iris_sqlite, NUMBERS.format(f"lightgbm.gbdt WITH num_iterations={best + 1}"))
    assert succeed(iris_sqlite, USE_NUMBERS).metrics["loss"] == one


def test_a_model_goes_on_from_another(iris_sqlite: Database) -> None:
    """Ten rounds and ten more are twenty."""
    whole = succeed(iris_sqlite, NUMBERS.format("lightgbm.gbdt WITH num_iterations=20") + USE_NUMBERS).metrics
    succeed(iris_sqlite, NUMBERS.format("lightgbm.gbdt WITH num_iterations=10"))
    again = NUMBERS.replace("INTO m", "USING m INTO m")
    parts = succeed(iris_sqlite, again.format("lightgbm.gbdt WITH num_iterations=10") + USE_NUMBERS).metrics
    assert parts["loss"] == pytest.approx(whole["loss"], rel=1e-6)
    error = fail(iris_sqlite, again.format("lightgbm.dart"))
    assert "the model's booster is gbdt, and this statement's is dart" in error.message
    error = fail(iris_sqlite, again.format("xgboost.gbtree WITH objective='reg:squarederror'"))
    assert "the model is of lightgbm.gbdt, from which xgboost.gbtree cannot go on" in error.message


def test_its_messages_are_no_noise(iris_sqlite: Database) -> None:
    """LightGBM repeats that it finds no split in every round; a line of information is enough."""
    ran = succeed(iris_sqlite, NUMBERS.format("lightgbm.gbdt WITH min_data_in_leaf=100, num_iterations=50"))
    lines = [record for record in ran.of("log") if record["message"].startswith("LightGBM: ")]
    assert len(lines) <= 3
    assert {record["level"] for record in lines} <= {"info"}


def test_a_class_that_training_never_saw(iris_sqlite: Database) -> None:
    estimator = f"lightgbm.gbdt WITH validation.select='SELECT {MEASURES}, class FROM test'"
    error = fail(iris_sqlite, TWO.format(estimator))
    assert error.message == "validation.select has the label 2, which no training row has"
