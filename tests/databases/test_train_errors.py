"""What a person can get wrong in model statements: said plainly, with the place and what to do."""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, run_program, succeed

SELECT = "SELECT sepal_length, petal_length, class FROM train\n"
GOOD = SELECT + 'TO TRAIN xgboost.gbtree WITH objective="multi:softmax" LABEL class INTO m;'


def trains(rest: str, select: str = SELECT) -> str:
    return f"{select}TO TRAIN {rest}"


LENGTH = "SELECT sepal_length, class FROM train"
SPECIES = "SELECT sepal_length, species FROM train\n"
BOOST = "xgboost.gbtree LABEL class INTO m"
CLASSES = "XGBClassifier LABEL class INTO m"


@pytest.mark.parametrize(
    ("text", "kind", "place", "message", "hint"),
    [
        (trains("XGBClassifier LABEL clas INTO m"), "data", (2, 30), "clas is not a column", "Did you mean `class`?"),
        (trains("XGBClassifier COLUMN petal_lenght LABEL class INTO m"), "data", (2, 31), "petal_lenght", "length"),
        (trains('XGBClassifier COLUMN "[*" LABEL class INTO m'), "data", (2, 31), "regular expression", ""),
        (trains(BOOST, "SELECT * FROM trains\n"), "database", (1, 15), "trains", "train"),
        (trains(BOOST, "SELECT nope, class FROM train\n"), "database", (1, 8), "nope", ""),
        (trains(BOOST, "SELECT class FROM train\n"), "data", (1, 1), "no column", ""),
        (trains(BOOST, LENGTH + " WHERE class > 7\n"), "data", (1, 1), "no rows", "WHERE"),
        (trains(BOOST, LENGTH + " LIMIT 1\n"), "data", (1, 1), "one row", ""),
        (trains(CLASSES, LENGTH + " WHERE class = 1\n"), "data", (1, 1), "the value 1 in", ""),
        (
            trains('xgboost.gbtree WITH objective="multi:softmax", num_class=2 LABEL class INTO m'),
            "data", (1, 1), "3 classes (0, 1, 2), but num_class is 2", "num_class=3",
        ),
        (
            trains('xgboost.gbtree WITH objective="binary:logistic" LABEL class INTO m'),
            "data", (1, 1), "predicts two", "num_class=3",
        ),
        (
            trains("sklearn.linear_model.LogisticRegression LABEL class INTO m", "SELECT species, class FROM train\n"),
            "data", (1, 1), "takes numbers only, but species is text", "COLUMN INDICATOR(species)",
        ),
        (trains(BOOST, "SELECT class, class FROM train\n"), "data", (1, 1), "two columns named class", "AS name"),
        (
            trains('xgboost.gbtree WITH objective="reg:squarederror" LABEL species INTO m', SPECIES),
            "data", (1, 1), "is text", "multi:softprob",
        ),
        (
            trains("sklearn.linear_model.LinearRegression LABEL species INTO m", SPECIES),
            "data", (1, 1), "is text", "classifier",
        ),
        (
            trains('xgboost.gbtree WITH validation.select="SELECT * FROM nowhere" LABEL class INTO m'),
            "database", (2, 48), "validation.select: ", "",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_training(
    iris_sqlite: Database, text: str, kind: str, place: tuple[int, int], message: str, hint: str
) -> None:
    error = fail(iris_sqlite, text)
    assert message in error.message
    assert hint in error.hint
    assert error.kind == kind
    assert (error.line, error.column) == place


def test_null_labels(iris: Database) -> None:
    succeed(iris, "UPDATE train SET class = NULL WHERE class = 1")
    error = fail(iris, GOOD)
    assert error.message == "the label class is NULL in 40 of 120 rows"
    assert "WHERE class IS NOT NULL" in error.hint


def test_a_missing_table_has_its_place_in_the_program(iris: Database) -> None:
    error = fail(iris, "SELECT 1;\n\nSELECT *\nFROM nowhere\nTO TRAIN xgboost.gbtree LABEL class INTO m;")
    assert (error.statement, error.kind) == (2, "database")
    assert (error.line, error.column) == (4, 6)
    assert error.title == "TO TRAIN xgboost.gbtree INTO m"


def test_an_integer_that_is_no_class(iris_sqlite: Database) -> None:
    succeed(
        iris_sqlite,
        "CREATE TABLE houses AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
        "SELECT i * 1.5 AS area, i * 1000 AS price FROM n",
    )
    error = fail(iris_sqlite, "SELECT * FROM houses TO TRAIN xgboost.gbtree LABEL price INTO m")
    assert "300 different values" in error.message
    assert "reg:squarederror" in error.hint


def test_what_was_decided_is_said(iris_sqlite: Database) -> None:
    ran = succeed(iris_sqlite, trains("xgboost.gbtree LABEL class INTO m"))
    assert 'objective="multi:softprob", because the label class has 3 classes' in ran.logged
    ran = succeed(iris_sqlite, trains("xgboost.gbtree LABEL petal_length INTO m"))
    assert 'objective="reg:squarederror"' in ran.logged


def test_attributes_without_effect_are_said(iris_sqlite: Database) -> None:
    ran = succeed(iris_sqlite, trains("xgboost.gbtree WITH train.epoch=3 LABEL class INTO m"))
    assert "train.epoch has no effect" in ran.logged


@pytest.mark.parametrize(
    ("text", "kind", "message", "hint"),
    [
        ("SELECT * FROM test TO PREDICT p.class USING n", "model", "no model n", ""),
        ("SELECT * FROM test TO PREDICT p.class USING M", "model", "no model M", "Did you mean `m`?"),
        ("SELECT * FROM test TO PREDICT p.class USING m:7", "model", "no model m:7", "no such version"),
        ("SELECT sepal_length FROM test TO PREDICT p.class USING m", "data", "lacks petal_length", "sepal_length"),
        ("SELECT *, 1 AS class FROM test TO PREDICT p.class USING m", "data", "two columns", ""),
        ("SELECT * FROM test TO PREDICT p.species USING m", "data", "returns a column species too", ".predicted"),
        ("SELECT * FROM test TO EVALUATE m LABEL clas", "data", "clas", "Did you mean `class`?"),
        ("SELECT * FROM test TO EVALUATE m LABEL species", "data", "not of the type", ""),
        ("SELECT * FROM test WHERE class > 5 TO EVALUATE m LABEL class", "data", "no rows", ""),
        (
            'SELECT * FROM test TO EVALUATE m WITH validation.metrics="r2_score" LABEL class',
            "estimator", "does not fit", "",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_using_a_model(iris_sqlite: Database, text: str, kind: str, message: str, hint: str) -> None:
    succeed(iris_sqlite, GOOD)
    error = fail(iris_sqlite, text)
    assert message in error.message
    assert hint in error.hint
    assert error.kind == kind
    assert error.line == 1


def test_a_model_before_any(sqlite: Database) -> None:
    error = fail(sqlite, "SELECT 1 AS a TO PREDICT p.x USING m")
    assert (error.kind, error.line, error.column) == ("model", 1, 36)
    assert "train it first" in error.hint


def test_unseen_classes_count_as_wrong(iris_sqlite: Database) -> None:
    ran = succeed(
        iris_sqlite,
        SELECT.strip() + " WHERE class < 2 TO TRAIN XGBClassifier LABEL class INTO m;"
        'SELECT * FROM test TO EVALUATE m WITH validation.metrics="accuracy_score,recall_score" LABEL class',
    )
    assert 0.5 < ran.metrics["accuracy_score"] < 0.7
    assert ran.metrics["loss"] > 5


def test_a_metric_that_is_not_defined_is_left_out(iris_sqlite: Database) -> None:
    ran = succeed(
        iris_sqlite,
        SELECT.strip() + " WHERE class < 2 TO TRAIN XGBClassifier LABEL class INTO m;"
        "SELECT * FROM test WHERE class = 1 TO EVALUATE m "
        'WITH validation.metrics="accuracy_score,roc_auc_score" LABEL class INTO e; SELECT * FROM e',
    )
    assert "roc_auc_score" not in ran.metrics
    assert "roc_auc_score is not defined for these rows" in ran.logged
    assert ran.rows(3)[0][2] is None


def test_an_estimators_own_words(iris_sqlite: Database) -> None:
    error = fail(iris_sqlite, trains("sklearn.svm.SVC WITH gamma=0, C=1000000 COLUMN class LABEL class INTO m"))
    assert error.kind in ("estimator", "data")


def test_a_stopped_training_says_so(iris_sqlite: Database) -> None:
    from threading import Event

    from sqlflow_codegen.language import parse_program
    from sqlflow_runtime.execute import execute_program
    from sqlflow_runtime.recorder import Recorder
    from sqlflow_runtime.step_context import StepContext

    stop = Event()
    records: list[dict[str, object]] = []

    def emit(record: dict[str, object]) -> None:
        records.append(record)
        if record["type"] == "log":
            stop.set()

    text = trains('xgboost.gbtree WITH objective="multi:softmax", num_boost_round=100000 LABEL class INTO m')
    context = StepContext(
        program=parse_program(text, "sqlite"), database=iris_sqlite, recorder=Recorder(emit), stop_requested=stop
    )
    error = execute_program(context, [1])
    assert error is not None
    assert error.kind == "stopped"
    assert len(records) < 10
    assert run_program(iris_sqlite, "SELECT * FROM test TO PREDICT p.c USING m").error is not None
