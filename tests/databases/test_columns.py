"""COLUMN functions and text columns, from TRAIN to PREDICT and EVALUATE on real databases.

The tables are made here, after the ones of SQLFlow's own examples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost
from scipy.sparse import csr_matrix
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, succeed

PAIRS = [("0:1 3:-1.5 7:0.5", 1), ("1:0.5 3:1.5", 0), ("2:2 3:2", 0)]
"""SQLFlow's example has three rows too."""
CHURN = [
    (f"C{number:04}", ("Female", "Male")[number % 2], round(20 + number * 37 % 80 + number / 7, 2), number // 2 % 2)
    for number in range(82)
]
CITIES = [("Paris", "Lyon", "Nice", "Lille")[number * 7 % 4] for number in range(80)]


def make(database: Database, table: str, columns: str, rows: list[Any]) -> None:
    values = ", ".join(repr(row).replace("None", "NULL").replace(",)", ")") for row in rows)
    succeed(database, f"CREATE TABLE {table} ({columns}); INSERT INTO {table} VALUES {values}")


def columns_of(database: Database, table: str) -> list[str]:
    return [column.name for column in database.describe(f"SELECT * FROM {table}")]


@pytest.fixture
def pairs(database: Database) -> Database:
    make(database, "pairs", "c1 VARCHAR(40), y INTEGER", PAIRS)
    return database


@pytest.mark.parametrize(("call", "width"), [("SPARSE(c1)", 8), ("SPARSE(c1, 11)", 11)])
def test_sparse_rows_of_key_value_text(pairs: Database, call: str, width: int) -> None:
    train = (
        "SELECT * FROM pairs TO TRAIN xgboost.gbtree WITH objective='reg:squarederror', train.num_boost_round=20, "
        f"min_child_weight=0 COLUMN {call} LABEL y INTO m;"
    )
    predict = "SELECT * FROM pairs TO PREDICT p.guess USING m; SELECT c1, guess FROM p"
    ran = succeed(pairs, train + predict)
    assert columns_of(pairs, "p") == ["c1", "guess"]
    found = dict(ran.rows(3))
    entries = [[(int(k), float(v)) for k, v in (pair.split(":") for pair in text.split())] for text, _ in PAIRS]
    rows = csr_matrix(
        (
            [v for row in entries for _, v in row],
            ([n for n, row in enumerate(entries) for _ in row], [k for row in entries for k, _ in row]),
        ),
        shape=(3, width),
    )
    parameters = {"objective": "reg:squarederror", "min_child_weight": 0, "seed": 0}
    own = xgboost.train(parameters, xgboost.DMatrix(rows, label=[y for _, y in PAIRS]), 20).predict(
        xgboost.DMatrix(rows)
    )
    assert [found[text] for text, _ in PAIRS] == pytest.approx(own.tolist(), abs=1e-6)


def test_an_index_that_training_did_not_know(pairs: Database) -> None:
    train = "SELECT * FROM pairs TO TRAIN xgboost.gbtree COLUMN SPARSE(c1) LABEL y INTO m;"
    make(pairs, "more", "c1 VARCHAR(40)", [("3:1 8:1",), ("9:1",)])
    ran = succeed(pairs, train + "SELECT c1 FROM more TO PREDICT p.y USING m; SELECT count(y) FROM p")
    (line,) = [record["message"] for record in ran.of("log", 2) if record["level"] == "warning"]
    assert line == "column c1 holds index 8, beyond the last one, 7, and 1 more such value: they count as missing"
    assert ran.rows(3) == [[2]]


def test_text_that_does_not_fit_the_size(pairs: Database) -> None:
    error = fail(pairs, "SELECT * FROM pairs\nTO TRAIN xgboost.gbtree COLUMN SPARSE(c1, 7) LABEL y INTO m")
    assert "column c1 holds index 7, beyond the last one, 6" in error.message
    assert (error.line, error.column) == (2, 32)


def test_sparse_text_for_scikit_learn(pairs: Database) -> None:
    ran = succeed(
        pairs,
        "SELECT * FROM pairs TO TRAIN sklearn.linear_model.LogisticRegression COLUMN SPARSE(c1) LABEL y INTO m;"
        "SELECT * FROM pairs TO EVALUATE m LABEL y; SELECT * FROM pairs TO PREDICT p.y USING m",
    )
    assert ran.metrics["accuracy_score"] == 1


def test_buckets_of_iris(iris: Database) -> None:
    ran = succeed(
        iris,
        "SELECT petal_length, class FROM train TO TRAIN xgboost.gbtree WITH objective='multi:softmax' "
        "COLUMN BUCKET(petal_length, [0, 1, 2, 3, 4, 5]) LABEL class INTO m;"
        "SELECT petal_length, class FROM test TO PREDICT p.guess USING m;"
        "SELECT count(DISTINCT guess) FROM p WHERE petal_length >= 3 AND petal_length < 4",
    )
    assert ran.rows(3) == [[1]], "one bucket, one prediction"


@pytest.mark.parametrize(
    "columns",
    [
        "CATEGORY_HASH(customerid, 10), CATEGORY_ID(gender, 2)",
        "INDICATOR(CATEGORY_HASH(customerid, 10)), INDICATOR(CATEGORY_ID(gender, 2))",
        "CROSS([gender, BUCKET(charges, [40, 60, 80])], 64), CATEGORY_HASH(customerid, 10)",
        "customerid, INDICATOR(gender)",
    ],
)
def test_categories_of_customers(database: Database, columns: str) -> None:
    make(database, "churn", "customerid VARCHAR(9), gender VARCHAR(9), charges FLOAT, senior INTEGER", CHURN)
    train = (
        "SELECT * FROM churn TO TRAIN xgboost.gbtree WITH objective='binary:logistic' COLUMN {} LABEL senior {} INTO m;"
    )
    ran = succeed(
        database,
        train.format(columns, "") + train.format(columns, "USING m") + "SELECT * FROM churn TO EVALUATE m LABEL senior;"
        "SELECT * FROM churn TO PREDICT p.guess USING m; SELECT count(*) FROM p WHERE guess IN (0, 1)",
    )
    assert ran.metrics["accuracy_score"] > 0.5
    assert ran.rows(5) == [[82]]


def test_lists_of_numbers(database: Database) -> None:
    rows = [(n / 4, f"{n % 2},{n % 3}, {n % 5},{n / 8}", int(n % 3 > 0)) for n in range(40)]
    make(database, "lists", "c1 FLOAT, c3 VARCHAR(40), y INTEGER", rows)
    train = (
        "SELECT * FROM lists TO TRAIN xgboost.gbtree WITH objective='binary:logistic', train.num_boost_round=100, "
        "eta=0.3, max_depth=5 {} LABEL y INTO {};"
    )
    use = "SELECT * FROM lists TO EVALUATE {} WITH validation.metrics='accuracy_score,f1_score' LABEL y;"
    first = succeed(database, train.format("COLUMN DENSE(c3, 4)", "m") + use.format("m"))
    second = succeed(database, train.format("", "n") + use.format("n"))
    assert first.metrics == second.metrics
    assert first.metrics["accuracy_score"] == 1
    assert "column c3 is taken as DENSE of 4 numbers" in second.logged
    error = fail(database, train.format("COLUMN DENSE(c3, 3)", "o"))
    assert "column c3 holds 4 numbers where DENSE says 3" in error.message


@pytest.mark.parametrize(
    "estimator",
    [
        "xgboost.gbtree WITH max_depth=1, max_cat_to_onehot=1, train.num_boost_round=1",
        "sklearn.ensemble.HistGradientBoostingClassifier WITH max_depth=1, max_iter=1, min_samples_leaf=1",
    ],
)
def test_text_is_a_category(database: Database, estimator: str) -> None:
    """A split by an order of the names would need more depth than one."""
    rows = [(city, number / 80, int(city in ("Lyon", "Paris"))) for number, city in enumerate(CITIES)]
    make(database, "trips", "city VARCHAR(9), far FLOAT, y INTEGER", rows)
    ran = succeed(
        database,
        f"SELECT * FROM trips TO TRAIN {estimator} LABEL y INTO m; "
        "SELECT * FROM trips TO EVALUATE m LABEL y;"
        "SELECT 'Rom' AS city, far FROM trips TO PREDICT p.guess USING m; SELECT NULL AS city, far FROM trips "
        "TO PREDICT q.guess USING m; SELECT count(*) FROM p JOIN q ON p.far = q.far AND p.guess = q.guess",
    )
    assert "column city is taken as a category with 4 values" in ran.logged
    assert ran.metrics["accuracy_score"] == 1
    (line,) = [record["message"] for record in ran.of("log", 3) if record["level"] == "warning"]
    assert line == "column city holds 'Rom', which no training row has, and 79 more such values: they count as missing"
    assert ran.rows(5) == [[80]]


@pytest.mark.parametrize("estimator", ["sklearn.svm.SVC", "xgboost.gbtree WITH tree_method=exact"])
def test_text_for_estimators_of_numbers(database: Database, estimator: str) -> None:
    make(database, "churn", "customerid VARCHAR(9), gender VARCHAR(9), charges FLOAT, senior INTEGER", CHURN)
    train = f"SELECT gender, charges, senior FROM churn TO TRAIN {estimator} {{}} LABEL senior INTO m;"
    error = fail(database, train.format(""))
    assert "takes numbers only, but gender is text" in error.message
    assert error.hint.startswith("Write COLUMN INDICATOR(gender)")
    succeed(database, train.format("COLUMN INDICATOR(gender)"))


def test_categories_of_a_stored_model_hold_in_further_training(database: Database) -> None:
    make(database, "trips", "city VARCHAR(9), y INTEGER", [(city, len(city) % 2) for city in CITIES])
    train = "SELECT * FROM trips WHERE city <> '{}' TO TRAIN xgboost.gbtree LABEL y {} INTO m;"
    ran = succeed(database, train.format("Lyon", "") + train.format("Paris", "USING m"))
    (line,) = [record["message"] for record in ran.of("log", 2) if record["level"] == "warning"]
    assert line.startswith("column city holds 'Lyon', which no training row has, and ")


def test_the_matrix_of_all_forms(database: Database) -> None:
    """Dense numbers beside a sparse feature stay entries: 0 is no missing value."""
    rows = [(float(n % 2), f"{n % 5}", n % 2) for n in range(40)]
    make(database, "mixed", "a FLOAT, tags VARCHAR(9), y INTEGER", rows)
    ran = succeed(
        database,
        "SELECT * FROM mixed TO TRAIN xgboost.gbtree COLUMN SPARSE(tags) LABEL y INTO m;"
        "SELECT * FROM mixed TO EVALUATE m LABEL y;"
        "SELECT CASE WHEN a > 5 THEN a END AS a, tags FROM mixed WHERE y = 0 TO PREDICT p.guess USING m;",
    )
    assert ran.metrics["accuracy_score"] == 1
    assert np.isfinite(ran.metrics["loss"])


USES = ("TO PREDICT p.guess USING m", "TO EVALUATE m LABEL y", "TO EXPLAIN m INTO why", "TO EXPLAIN m")
"""Statements that use a model."""


@pytest.mark.parametrize("use", USES)
def test_every_use_of_a_model_counts_what_it_left_out(sqlite: Database, use: str) -> None:
    make(sqlite, "trips", "city VARCHAR(9), far FLOAT, y INTEGER", [(c, n / 80, n % 2) for n, c in enumerate(CITIES)])
    succeed(sqlite, "SELECT * FROM trips TO TRAIN xgboost.gbtree LABEL y INTO m")
    ran = succeed(sqlite, f"SELECT CASE WHEN far < 0.1 THEN 'Rom' ELSE city END AS city, far, y FROM trips {use}")
    lines = [record["message"] for record in ran.of("log") if record["level"] == "warning"]
    assert lines == [
        "column city holds 'Rom', which no training row has, and 7 more such values: they count as missing"
    ]


@pytest.mark.parametrize("use", USES)
def test_every_use_of_a_model_refuses_what_is_no_number(sqlite: Database, use: str) -> None:
    make(sqlite, "trips", "city VARCHAR(9), far FLOAT, y INTEGER", [(c, n / 80, n % 2) for n, c in enumerate(CITIES)])
    succeed(sqlite, "SELECT far, y FROM trips TO TRAIN xgboost.gbtree LABEL y INTO m")
    error = fail(sqlite, f"SELECT CASE WHEN far < 0.1 THEN 'near' ELSE far END AS far, y FROM trips {use}")
    assert error.message == "column far holds 'near', which is not a number, and 7 more such values"
    assert error.hint.startswith("The model was trained without such values")
    assert not [table for table in sqlite.tables() if table in ("p", "why")]


def test_a_databases_own_lists_are_dense(database: Database) -> None:
    """PostgreSQL's and DuckDB's arrays; elsewhere a JSON array is one."""
    kind = {"postgres": "float8[]", "duckdb": "DOUBLE[]", "mysql": "JSON", "sqlite": "TEXT"}[database.dialect]
    lists = {"postgres": "ARRAY[{0}, {1}]", "duckdb": "[{0}, {1}]"}.get(database.dialect, "'[{0}, {1}]'")
    rows = ", ".join(f"({lists.format(n % 3, n / 8)}, {int(n % 3 == 1)})" for n in range(40))
    succeed(database, f"CREATE TABLE vectors (v {kind}, y INTEGER); INSERT INTO vectors VALUES {rows}")
    ran = succeed(
        database,
        "SELECT * FROM vectors TO TRAIN xgboost.gbtree COLUMN DENSE(v) LABEL y INTO m;"
        "SELECT * FROM vectors TO EVALUATE m LABEL y",
    )
    assert "column v is taken as DENSE of 2 numbers" in ran.logged
    assert ran.metrics["accuracy_score"] == 1


def test_values_of_any_type_may_be_categories(database: Database) -> None:
    rows = [(f"2024-0{n % 3 + 1}-01", f"{n % 4}.50", n % 2, int(n % 3 == 1)) for n in range(40)]
    make(database, "days", "day DATE, price DECIMAL(9, 2), flag INTEGER, y INTEGER", rows)
    ran = succeed(
        database,
        "SELECT * FROM days TO TRAIN sklearn.tree.DecisionTreeClassifier "
        "COLUMN INDICATOR(day), INDICATOR(price), INDICATOR(flag) LABEL y INTO m;"
        "SELECT * FROM days TO EVALUATE m LABEL y",
    )
    found = [line for line in ran.logged.splitlines() if "is taken as" in line]
    assert found == [f"column {name} is taken as INDICATOR of {size} categories"
                     for name, size in (("day", 3), ("price", 4), ("flag", 2))]  # fmt: skip
    assert ran.metrics["accuracy_score"] == 1
