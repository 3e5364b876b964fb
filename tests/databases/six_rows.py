"""A table of six rows, a model that knows them, and what it predicts: for the tests of result tables."""

from __future__ import annotations

from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import succeed

DATA = (
    "CREATE TABLE d (id INTEGER, a {double}, y INTEGER); INSERT INTO d VALUES (1, 1.5, 0), (2, 3, 1), (3, 4.5, 0), "
    "(4, 6, 1), (5, 7.5, 0), (6, 9, 1);"
)
TRAIN = "SELECT a, y FROM d TO TRAIN sklearn.tree.DecisionTreeClassifier LABEL y INTO m;"
PREDICT = "SELECT * FROM d TO PREDICT pr.y USING m;"
ROWS = "SELECT id, y FROM pr ORDER BY id"
SIX = [[1, 0], [2, 1], [3, 0], [4, 1], [5, 0], [6, 1]]


def rows(database: Database, text: str = ROWS) -> list[list[object]]:
    return succeed(database, text).rows()
