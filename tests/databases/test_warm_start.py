"""`USING model`: the trees of before mean what they meant, or the statement is refused."""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, succeed

ROWS = "SELECT sepal_length, petal_length, petal_width, {label} FROM train WHERE {where} "


def train(
    label: str = "species", where: str = "1 = 1", estimator: str = "xgboost.gbtree", more: str = "", into: str = "m"
) -> str:
    attributes, _, using = more.partition("USING")
    clauses = f"{attributes} LABEL {label.rpartition(' ')[2]}" + (f" USING{using}" if using else "")
    return f"{ROWS.format(label=label, where=where)}TO TRAIN {estimator} {clauses} INTO {into}"


def test_rows_of_other_classes_are_refused(iris: Database) -> None:
    succeed(iris, train(where="species <> 'virginica'"))
    error = fail(iris, train(where="species <> 'setosa'", more="USING m", into="n"))
    assert error.kind == "model"
    assert "knows the classes 'setosa', 'versicolor' of species" in error.message
    assert "has 'versicolor', 'virginica' here" in error.message
    assert (error.line, error.column) == (1, 139)
    assert fail(iris, "SHOW TRAIN n").kind == "model", "nothing is stored"


def test_rows_of_some_of_the_classes_keep_their_numbers(iris: Database) -> None:
    succeed(iris, train())
    succeed(iris, train(where="species <> 'setosa'", more="WITH num_boost_round=2 USING m", into="n"))
    succeed(iris, train(where="species = 'versicolor'", more="WITH num_boost_round=2 USING m", into="one"))
    for model in ("n", "one"):
        ran = succeed(iris, f"SELECT * FROM test TO EVALUATE {model} LABEL species")
        assert ran.metrics["accuracy_score"] >= 0.9


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            train(),
            train("petal_length + 0.5 AS y", estimator="XGBRegressor", more="USING m"),
            "predicts the classes 'setosa', 'versicolor', 'virginica' (multi:softprob), and this statement's",
        ),
        (
            train("petal_length + 0.5 AS y"),
            train(estimator="XGBClassifier", more="USING m"),
            "the model predicts numbers (reg:squarederror), and xgboost.XGBClassifier predicts classes",
        ),
        (
            train(estimator="sklearn.tree.DecisionTreeClassifier"),
            train(more="USING m"),
            "the model is of sklearn.tree.DecisionTreeClassifier, from which xgboost.gbtree cannot go on",
        ),
        (
            train(estimator="xgboost.gblinear"),
            train(more="USING m"),
            "the model's booster is gblinear, and this statement's is gbtree",
        ),
        (train("class"), train(more="USING m"), "knows the classes 0, 1, 2 of class, and the label species has"),
        (train(), train(more="WITH num_class=4 USING m"), "the model knows 3 classes, and num_class is 4"),
        (
            train("petal_length + 0.5 AS y"),
            train("petal_length + 0.5 AS y", more="WITH objective='reg:absoluteerror' USING m"),
            "trained with objective=reg:squarederror, and this statement's objective is reg:absoluteerror",
        ),
        (
            train(more="WITH missing=-1"),
            train(more="WITH missing=-2 USING m"),
            "the model was trained with missing=-1",
        ),
    ],
)
def test_what_cannot_go_on(iris_sqlite: Database, first: str, second: str, message: str) -> None:
    succeed(iris_sqlite, first)
    error = fail(iris_sqlite, second)
    assert error.kind == "model"
    assert message in error.message
    assert error.hint
    assert error.column > 90, "at USING"
    assert iris_sqlite.execute("SELECT count(*) FROM sqlflow_models") == [(1,)]


def test_the_objective_is_the_models(iris_sqlite: Database) -> None:
    text = train("petal_length + 0.5 AS y", more="WITH objective='reg:absoluteerror'")
    succeed(iris_sqlite, text)
    ran = succeed(iris_sqlite, train("petal_length + 0.5 AS y", more="WITH eta=0.2 USING m"))
    assert "train-mae" in ran.logged
    succeed(iris_sqlite, train(more="WITH objective='multi:softmax'", into="c"))
    succeed(iris_sqlite, train(more="WITH objective='multi:softprob' USING c", into="c"))


def test_trees_can_be_refreshed(iris_sqlite: Database) -> None:
    succeed(iris_sqlite, train())
    more = "WITH verbosity=0, process_type=update, updater=refresh, refresh_leaf=true, num_boost_round=10 USING m"
    succeed(iris_sqlite, train(more=more) + "; SELECT * FROM test TO EVALUATE m LABEL species")


def test_early_stopping_counts_the_rounds_of_before(iris_sqlite: Database) -> None:
    succeed(iris_sqlite, train())
    validation = "validation.select='SELECT * FROM test'"
    more = f"WITH num_boost_round=200, early_stopping_rounds=3, {validation} USING m"
    ran = succeed(iris_sqlite, train(more=more) + "; SELECT * FROM test TO EVALUATE m LABEL species")
    assert ran.metrics["accuracy_score"] >= 0.9
    assert len(ran.of("log")) < 150
