"""Numbers that no model takes, or that lose digits: named by column and count, in every database."""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, run_program, succeed

INFINITY = {"postgres": "'-Infinity'::float8", "duckdb": "'-inf'::double", "sqlite": "-9e999", "mysql": "-1e300"}
TRAIN = "SELECT a, b, y FROM {} TO TRAIN {} LABEL y INTO m"


@pytest.fixture
def points(database: Database) -> Database:
    """`good`: forty rows a, b, y; `bad`: the same with b infinite in one row and 1e300 in another."""
    rows = ", ".join(f"({n}, {n % 7}, {n % 2})" for n in range(40))
    for name in ("good", "bad"):
        columns = "a double precision, b double precision, y int"
        succeed(database, f"CREATE TABLE {name} ({columns}); INSERT INTO {name} VALUES {rows}")
    succeed(
        database,
        f"UPDATE bad SET b = {INFINITY[database.dialect]} WHERE a = 3; UPDATE bad SET b = 1e300 WHERE a = 5",
    )
    return database


@pytest.mark.parametrize("estimator", ["xgboost.gbtree", "sklearn.linear_model.LogisticRegression"])
def test_in_every_kind_of_statement(points: Database, estimator: str) -> None:
    succeed(points, TRAIN.format("good", estimator))
    for statement in (
        TRAIN.format("bad", estimator),
        "SELECT * FROM bad TO EVALUATE m LABEL y",
        "SELECT a, b FROM bad TO PREDICT p.y USING m",
    ):
        error = fail(points, statement)
        assert error.kind == "data", error
        assert "are in b (" in error.message
        assert "in 2 of 40 rows" in error.message
        assert "WHERE abs(b) < 1e38" in error.hint
    succeed(points, "SELECT a, b FROM bad WHERE abs(b) < 1e38 TO PREDICT p.y USING m")
    succeed(points, "SELECT a, CASE WHEN abs(b) < 1e38 THEN b END AS b FROM good TO PREDICT p.y USING m")


def test_in_the_rows_to_validate_on(points: Database) -> None:
    text = "xgboost.gbtree WITH validation.select='SELECT * FROM bad'"
    error = fail(points, TRAIN.format("good", text))
    assert error.kind == "data"
    assert error.message.startswith("validation.select: ")
    assert "b (" in error.message
    assert (error.line, error.column) == (1, 73)


def test_a_bucket_takes_them(points: Database) -> None:
    succeed(points, TRAIN.format("bad", "xgboost.gbtree COLUMN BUCKET(b, [1, 3])"))


@pytest.mark.database
def test_exact_numbers_too_large(postgres: Database) -> None:
    succeed(postgres, "CREATE TABLE t AS SELECT n AS a, CASE n WHEN 7 THEN 1e300 ELSE 1.5 END AS b, n % 2 AS y "
            "FROM generate_series(1, 30) n")  # fmt: skip
    error = fail(postgres, TRAIN.format("t", "xgboost.gbtree"))
    assert error.kind == "data"
    assert "b (1e+300 and the like in 1 of 30 rows)" in error.message


def test_two_columns_of_one_name_to_validate_on(points: Database) -> None:
    text = "xgboost.gbtree WITH validation.select='SELECT a, b, y, b FROM good'"
    error = fail(points, TRAIN.format("good", text))
    assert error.kind == "data"
    assert "column" in error.message


# -- labels


@pytest.mark.database
@pytest.mark.parametrize("of", ["float8", "numeric"])
def test_a_label_that_is_nan(postgres: Database, of: str) -> None:
    succeed(postgres, f"CREATE TABLE t AS SELECT n AS a, CASE WHEN n < 4 THEN 'NaN'::{of} ELSE n END AS y "
            "FROM generate_series(1, 20) n")  # fmt: skip
    regression = "SELECT * FROM t {} TO TRAIN xgboost.gbtree WITH objective='reg:squarederror' LABEL y INTO m"
    error = fail(postgres, regression.format(""))
    assert error.message == "the label y is NaN (not a number) in 3 of 20 rows"
    assert error.hint == "Add WHERE y <> 'NaN' to the SELECT."
    succeed(postgres, regression.format("WHERE y <> 'NaN'"))
    error = fail(postgres, "SELECT * FROM t TO EVALUATE m LABEL y")
    assert "is NaN" in error.message


def test_a_label_that_is_infinite(points: Database) -> None:
    if points.dialect == "mysql":
        pytest.skip("MySQL has no infinite numbers")
    error = fail(points, "SELECT a, b FROM bad TO TRAIN XGBRegressor LABEL b INTO m")
    assert error.message == "the label b is infinite in 1 of 40 rows"
    error = fail(points, "SELECT a, b FROM bad WHERE abs(b) < 1e308 TO TRAIN XGBRegressor LABEL b INTO m")
    assert "beyond" in error.message
    assert "1 of 39 rows" in error.message


def test_the_text_nan_is_a_class(points: Database) -> None:
    text = "SELECT a, CASE WHEN a < 20 THEN 'NaN' ELSE 'x' END AS y FROM good"
    succeed(points, f"{text} TO TRAIN xgboost.gbtree LABEL y INTO m; {text} TO PREDICT p.y USING m")
    assert succeed(points, "SELECT DISTINCT y FROM p ORDER BY y").rows() == [["NaN"], ["x"]]


# -- digits


BIG = 1_700_000_000


def test_large_integers_are_warned_of(points: Database) -> None:
    ran = succeed(points, f"SELECT a * 1 + {BIG} AS at, b, y FROM good TO TRAIN xgboost.gbtree LABEL y INTO m")
    assert "column at holds numbers of more than the 7 digits that this estimator keeps: 39 of 40 rows" in ran.logged
    assert "column b" not in ran.logged


@pytest.mark.parametrize(
    ("estimator", "digits", "columns"),
    [
        ("sklearn.linear_model.LogisticRegression", 16, {"id": 19}),
        ("sklearn.ensemble.HistGradientBoostingClassifier", 16, {"id": 19}),
        ("sklearn.tree.DecisionTreeClassifier", 7, {"id": 39, "at": 39}),
        ("sklearn.ensemble.AdaBoostClassifier", 7, {"id": 39, "at": 39}),
    ],
)
def test_digits_that_estimators_of_scikit_learn_keep(
    sqlite: Database, estimator: str, digits: int, columns: dict[str, int]
) -> None:
    rows = ", ".join(f"({n + 2**53}, {n + BIG}, {n % 2})" for n in range(40))
    succeed(sqlite, f"CREATE TABLE t (id bigint, at bigint, y int); INSERT INTO t VALUES {rows}")
    ran = run_program(sqlite, f"SELECT * FROM t TO TRAIN {estimator} LABEL y INTO m")
    for column in ("id", "at"):
        found = f"column {column} holds numbers of more than the {digits} digits"
        assert (found in ran.logged) == (column in columns)
    for column, count in columns.items():
        assert (
            f"column {column} holds numbers of more than the {digits} digits that this estimator keeps: " in ran.logged
        )
        assert f"{count} of 40 rows" in ran.logged
