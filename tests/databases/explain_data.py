"""Data whose explanations are known: made here, on purpose, and the same each time."""

from __future__ import annotations

import itertools

from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import succeed

WEIGHTS = {"first": 8, "second": 4, "third": 2, "fourth": 1}
"""Column -> what one unit of it adds to the label `y`. No columns depend on each other, so SHAP knows this order."""


def load_weighted(database: Database) -> None:
    """A table `weighted`: every combination of 0 to 3 in four columns, their weighted sum `y`, and a number, `id`."""
    rows = []
    for number, values in enumerate(itertools.product(range(4), repeat=len(WEIGHTS))):
        label = sum(weight * value for weight, value in zip(WEIGHTS.values(), values, strict=True))
        rows.append((number, *values, float(label)))
    double = "DOUBLE PRECISION" if database.dialect == "postgres" else "DOUBLE"
    columns = ", ".join(f"{name} INTEGER" for name in WEIGHTS)
    listed = ", ".join(map(str, rows))
    succeed(
        database, f"CREATE TABLE weighted (id INTEGER, {columns}, y {double}); INSERT INTO weighted VALUES {listed};"
    )


TRAIN_WEIGHTED = """
SELECT first, second, third, fourth, y FROM weighted
TO TRAIN xgboost.gbtree WITH objective="reg:squarederror", train.num_boost_round=30 LABEL y INTO weights;
"""
