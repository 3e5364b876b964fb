"""A SELECT runs once, whatever a statement does with its rows."""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import succeed

SELECT = "SELECT a, b, y FROM t, (SELECT nextval('reads') AS number OFFSET 0) q WHERE number > 0"
"""Each time that it runs, it takes a number of the sequence."""


@pytest.fixture
def rows(postgres: Database) -> Database:
    succeed(
        postgres,
        "CREATE SEQUENCE reads; CREATE TABLE t AS SELECT n AS a, n % 7 * 0.5 AS b, n % 2 AS y "
        "FROM generate_series(1, 90) n",
    )
    return postgres


def runs(database: Database) -> int:
    """How often it ran since the last call."""
    count = database.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM reads")[0][0]
    database.execute("SELECT setval('reads', 1, false)")
    return int(count)


@pytest.mark.database
@pytest.mark.parametrize(
    "estimator",
    [
        "xgboost.gbtree",
        "xgboost.gbtree WITH tree_method='exact'",
        "xgboost.gbtree COLUMN INDICATOR(b)",
        "lightgbm.LGBMClassifier",
        "sklearn.linear_model.LogisticRegression",
    ],
)
def test_in_every_kind_of_statement(rows: Database, estimator: str) -> None:
    for statement in (
        f"{SELECT} TO TRAIN {estimator} LABEL y INTO m",
        f"{SELECT} TO EVALUATE m LABEL y INTO e",
        f"{SELECT} TO PREDICT p.y USING m",
    ):
        succeed(rows, statement)
        assert runs(rows) == 1, statement


@pytest.mark.database
def test_rows_to_validate_on_are_read_once_too(rows: Database) -> None:
    check = SELECT.replace("'", "''")
    succeed(rows, f"SELECT a, b, y FROM t TO TRAIN xgboost.gbtree WITH validation.select='{check}' LABEL y INTO m")
    assert runs(rows) == 1
