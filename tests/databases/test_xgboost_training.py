"""Attributes of XGBoost that need more than to be passed on: each gives a model that predicts."""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, run_program, succeed

FLOWERS = "SELECT sepal_length, petal_length, species FROM train "
ROWS = "SELECT sepal_length, petal_length, petal_width AS y FROM train TO TRAIN {} LABEL y INTO m;"
USE = "SELECT * , petal_width AS y FROM test TO EVALUATE m LABEL y; SELECT * FROM test TO PREDICT p.y USING m;"
REGRESSION = "objective='reg:squarederror'"
VALIDATION = "validation.select='SELECT sepal_length, petal_length, petal_width AS y FROM test'"


@pytest.mark.parametrize(
    "estimator",
    [
        f"xgboost.gblinear WITH {REGRESSION}, num_boost_round=300, early_stopping_rounds=3, {VALIDATION}",
        f"xgboost.dart WITH {REGRESSION}, num_boost_round=100, early_stopping_rounds=3, {VALIDATION}",
        f"xgboost.gbtree WITH objective='reg:linear', num_boost_round=100, early_stopping_rounds=3, {VALIDATION}",
        f"xgboost.gbtree WITH {REGRESSION}, monotone_constraints=[1,-1]",
        f"xgboost.gbtree WITH {REGRESSION}, monotone_constraints='(1,-1)'",
        f"xgboost.gbtree WITH {REGRESSION}, interaction_constraints=[[sepal_length],[petal_length]]",
        f"xgboost.gbtree WITH {REGRESSION}, interaction_constraints=[[0],[1]]",
        f"xgboost.gbtree WITH {REGRESSION}, interaction_constraints='[[0],[1]]'",
        f"xgboost.gbtree WITH {REGRESSION}, base_score=[0.5]",
        f"xgboost.gblinear WITH {REGRESSION}, feature_selector=greedy",
        f"xgboost.gblinear WITH {REGRESSION}, updater=shotgun",
        "xgboost.gbtree WITH objective='reg:quantileerror', quantile_alpha=0.9",
        "xgboost.gbtree WITH objective='reg:quantileerror', quantile_alpha=[0.9]",
        "xgboost.gbtree WITH objective='survival:aft', eval_metric='aft-nloglik'",
        "xgboost.gbtree WITH objective='survival:cox'",
        "xgboost.gbtree WITH objective='reg:tweedie'",
        "xgboost.gbtree WITH objective='count:poisson'",
    ],
)
def test_a_model_that_predicts(iris_sqlite: Database, estimator: str) -> None:
    succeed(iris_sqlite, ROWS.format(estimator) + USE)
    (lowest, highest), *_ = succeed(iris_sqlite, "SELECT min(y), max(y) FROM p").rows()
    assert lowest < highest


def test_a_linear_model_keeps_its_best_round(iris_sqlite: Database) -> None:
    estimator = "xgboost.gblinear WITH objective='reg:squarederror', num_boost_round={}, {}" + VALIDATION.replace(
        "petal_width AS", "petal_width * 0.8 + 0.1 AS"
    )
    stopped = succeed(iris_sqlite, ROWS.format(estimator.format(100, "early_stopping_rounds=5, ")) + USE)
    lines = [record["message"] for record in stopped.of("log") if "validate-rmse" in record["message"]]
    best = min(range(len(lines)), key=lambda n: float(lines[n].split("validate-rmse:")[1]))
    assert best < len(lines) - 1
    again = succeed(iris_sqlite, ROWS.format(estimator.format(best + 1, "")) + USE)
    assert again.metrics["loss"] == pytest.approx(stopped.metrics["loss"])


def test_constraints_go_by_features_not_by_columns_of_the_matrix(iris_sqlite: Database) -> None:
    text = (
        "SELECT species, petal_length, petal_width AS y FROM train TO TRAIN xgboost.gbtree WITH "
        "objective='reg:squarederror', monotone_constraints=[0, 1], interaction_constraints=[[species, petal_length]] "
        "COLUMN INDICATOR(CATEGORY_HASH(species, 5)) LABEL y INTO m"
    )
    succeed(iris_sqlite, text)
    error = fail(iris_sqlite, text.replace("[0, 1]", "[0, 1, 1]"))
    assert (error.kind, "3 signs, but there are 2 features" in error.message) == ("estimator", True)
    assert error.hint == "List one for each of species, petal_length, in this order."
    error = fail(iris_sqlite, text.replace("[[species, ", "[[specie, "))
    assert "names 'specie', which is no feature" in error.message


def test_monotone_predictions(iris_sqlite: Database) -> None:
    succeed(iris_sqlite, ROWS.format("xgboost.gbtree WITH objective='reg:squarederror', monotone_constraints=[0, -1]"))
    grid = " UNION ALL ".join(f"SELECT 5.5 AS sepal_length, {n} * 0.1 AS petal_length" for n in range(10, 70))
    succeed(iris_sqlite, f"{grid} TO PREDICT p.y USING m")
    found = [y for (y,) in succeed(iris_sqlite, "SELECT y FROM p ORDER BY petal_length").rows()]
    assert found == sorted(found, reverse=True)


def test_times_must_be_positive(iris_sqlite: Database) -> None:
    error = fail(
        iris_sqlite,
        "SELECT sepal_length, petal_width - 1 AS y FROM train "
        "TO TRAIN xgboost.gbtree WITH objective='survival:aft' LABEL y INTO m",
    )
    assert error.kind == "data"
    assert "is 0 or less in" in error.message


def test_more_classes_said_than_there_are(iris_sqlite: Database) -> None:
    text = FLOWERS + "TO TRAIN xgboost.gbtree WITH num_class=5 LABEL species INTO m"
    ran = succeed(
        iris_sqlite, f"{text}; SELECT * FROM test TO EVALUATE m WITH validation.metrics='log_loss' LABEL species"
    )
    assert ran.metrics["log_loss"] < 1


def test_a_score_for_each_class(iris_sqlite: Database) -> None:
    text = FLOWERS + "TO TRAIN xgboost.gbtree WITH base_score={} LABEL species INTO m"
    succeed(iris_sqlite, text.format("[0.2, 0.3, 0.5]"))
    error = fail(iris_sqlite, text.format("[0.2, 0.8]"))
    assert "lists 2 numbers, but species has 3 classes" in error.message


def test_no_model_is_stored_that_cannot_be_used(iris_sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlflow_runtime.ml import xgboost_models

    def broken(content: bytes, known: object) -> object:
        raise ValueError("it cannot be read back")

    monkeypatch.setattr(xgboost_models, "load", broken)
    ran = run_program(iris_sqlite, ROWS.format("xgboost.gbtree WITH objective='reg:squarederror'"))
    assert ran.error is not None
    assert "has learned, but its model cannot be used: ValueError: it cannot be read back" in ran.error.message
    assert iris_sqlite.execute("SELECT count(*) FROM sqlflow_models") == [(0,)]


@pytest.mark.parametrize("booster", ["gblinear", "dart"])
def test_deprecated_names_are_no_noise(iris_sqlite: Database, booster: str) -> None:
    """SQLFlow's names work as before; XGBoost's warnings about them reach nobody, in training and in using."""
    text = ROWS.format(f"xgboost.{booster} WITH objective='reg:squarederror'") + USE
    ran = succeed(iris_sqlite, text)
    assert "deprecated" not in ran.logged
    assert not [record for record in ran.of("log") if record["level"] == "warning"]


def test_a_parameter_that_does_nothing_is_said_once(iris_sqlite: Database) -> None:
    ran = succeed(iris_sqlite, ROWS.format("xgboost.gblinear WITH objective='reg:squarederror', max_depth=3"))
    [warning] = [record["message"] for record in ran.of("log") if record["level"] == "warning"]
    assert warning == 'XGBoost: Parameters: { "max_depth" } are not used.'


def test_a_quiet_training_leaves_the_next_one_its_warnings(iris_sqlite: Database) -> None:
    succeed(iris_sqlite, ROWS.format("xgboost.gbtree WITH objective='reg:squarederror', verbosity=0"))
    ran = succeed(iris_sqlite, ROWS.format("xgboost.gblinear WITH objective='reg:squarederror', max_depth=3"))
    assert "are not used" in ran.logged
