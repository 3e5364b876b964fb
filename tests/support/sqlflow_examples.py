"""The programs of examples/03-sqlflow and what must be in the database after each."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "03-sqlflow"
PROGRAMS = tuple(sorted(path.stem for path in EXAMPLES.glob("*.sql")))

Query = Callable[[str], Sequence[Sequence[Any]]]
"""Rows of a query; values as the database's client gives them, text or not."""


def program(name: str) -> str:
    return (EXAMPLES / f"{name}.sql").read_text(encoding="utf-8")


def data() -> str:
    """The statements that make all tables."""
    return str(_module().script())


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sqlflow_examples_data", EXAMPLES / "data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numbers(rows: Sequence[Sequence[Any]]) -> list[list[float]]:
    return [[float(value) for value in row] for row in rows]


def one(query: Query, text: str) -> list[float]:
    (row,) = numbers(query(text))
    return row


def classes(query: Query, table: str, column: str) -> dict[float, float]:
    """Each predicted class, and its number of rows."""
    rows = numbers(query(f"SELECT {column}, count(*) FROM {table} GROUP BY {column}"))
    return {row[0]: row[1] for row in rows}


def metadata(query: Query, model: str) -> dict[str, Any]:
    ((found,),) = query(f"SELECT metadata FROM sqlflow_models WHERE name = '{model}' ORDER BY version DESC LIMIT 1")
    return dict(found if isinstance(found, dict) else json.loads(found))


def xgboost_iris(query: Query) -> None:
    assert metadata(query, "iris_trees")["metrics"]["train-merror"] < 0.01
    assert metadata(query, "iris_trees")["curve"]["iteration"][-1] == 20
    assert sum(classes(query, "iris_predicted", "class").values()) == 10
    right = one(query, "SELECT count(*) FROM iris_predicted p, iris_test t WHERE p.class = t.class AND "
                       "p.sepal_length = t.sepal_length AND p.petal_length = t.petal_length AND "
                       "p.sepal_width = t.sepal_width AND p.petal_width = t.petal_width")  # fmt: skip
    loss, accuracy = one(query, "SELECT loss, accuracy_score FROM iris_evaluated")
    assert accuracy == right[0] / 10
    assert accuracy >= 0.9
    assert 0 <= loss < 1
    explained = numbers(query("SELECT sepal_length, sepal_width, petal_length, petal_width FROM iris_explained"))
    assert len(explained) == 10
    assert all(math.isfinite(value) for row in explained for value in row)
    gains = [row[0] for row in query("SELECT feature FROM iris_gains ORDER BY gain DESC")]
    assert set(gains[:2]) == {"petal_length", "petal_width"}
    assert len(gains) == 4


def xgboost_housing(query: Query) -> None:
    metrics = metadata(query, "housing_trees")["metrics"]
    assert 0 < metrics["train-rmse"] <= 0.5
    assert metrics["validate-rmse"] >= metrics["train-rmse"]
    absolute, squared = one(query, "SELECT mean_absolute_error, mean_squared_error FROM housing_evaluated")
    assert 0 < absolute < 2
    assert absolute**2 <= squared < 4
    predicted = numbers(query("SELECT target FROM housing_predicted"))
    assert len(predicted) == 102
    assert all(0 < value < 60 for (value,) in predicted)
    means = one(query, "SELECT " + ", ".join(f"avg(abs(f{n}))" for n in range(1, 14)) + " FROM housing_explained")
    order = sorted(range(1, 14), key=lambda n: means[n - 1], reverse=True)
    assert order[:3] == [6, 13, 8], "the order in which the price depends on the columns"
    assert order[-1] == 4


def xgboost_binary(query: Query) -> None:
    assert set(classes(query, "iris_binary_predicted", "class")) == {0, 1}


def columns(query: Query) -> None:
    assert sum(classes(query, "churn_predicted", "seniorcitizen").values()) == 82
    assert set(classes(query, "churn_predicted", "seniorcitizen")) == {0, 1}
    assert one(query, "SELECT max(version) FROM sqlflow_models WHERE name = 'churn_model'")[0] >= 2
    sparse = query("SELECT * FROM sparse_predicted ORDER BY new_label_col")
    assert [len(row) for row in sparse] == [2, 2, 2]
    assert sparse[0][0] == "0:2.5 2:0.25"
    accuracy, f1 = one(query, "SELECT accuracy_score, f1_score FROM derived_evaluated")
    assert 0.5 <= accuracy <= 1
    assert 0.5 <= f1 <= 1


def without_label(query: Query) -> None:
    rows = numbers(query("SELECT label, score FROM iris_unusual"))
    assert len(rows) == 10
    assert all(label == (1 if score >= 0 else -1) for label, score in rows)
    clusters = classes(query, "iris_clustered", "cluster")
    assert set(clusters) <= {0, 1, 2}
    assert sum(clusters.values()) == 10


def networks(query: Query) -> None:
    assert set(classes(query, "iris_network_predicted", "class")) <= {0, 1, 2}
    sanity = numbers(query("SELECT f0, f1, f2, f3, f4, class FROM sanity_predicted"))
    assert sorted((row[:5].index(1), row[5]) for row in sanity) == [(n, n) for n in range(5)]
    linear = numbers(query("SELECT result FROM housing_linear_predicted"))
    assert len(linear) == 102
    assert all(value >= 0 for (value,) in linear)
    assert sum(classes(query, "iris_combined_predicted", "class").values()) == 10
    assert metadata(query, "weighted_model")["rows"] == 10


def texts_and_series(query: Query) -> None:
    assert set(classes(query, "news_predicted", "class_id")) <= set(map(float, range(17)))
    assert metadata(query, "reviews_model")["rows"] == 120
    predicted = query("SELECT next_two FROM series_predicted")
    assert len(predicted) == 40
    for (text,) in predicted:
        first, second = map(float, str(text).split(","))
        assert math.isfinite(first + second)


def clusters(query: Query) -> None:
    found = classes(query, "iris_embedded_predicted", "cluster")
    assert set(found) <= {0, 1, 2}
    assert sum(found.values()) == 10


def optimize(query: Query) -> None:
    assert dict(query("SELECT product, product_value FROM woodcarving_plan")).keys() == {"soldier", "train"}
    plan = {str(name): float(value) for name, value in query("SELECT product, product_value FROM woodcarving_plan")}
    assert plan == {"soldier": 20, "train": 60}
    assert (27 - 10 - 14) * plan["soldier"] + (21 - 9 - 10) * plan["train"] == 180
    distance = {"AA": 140, "AB": 210, "BA": 300, "BB": 90}
    for table, factor, objective in (("shipment_plan", 1.0, 28400), ("freight_plan", 0.09, 2556)):
        rows = query(f"SELECT plants, markets, shipment FROM {table} ORDER BY plants, markets")
        amounts = {str(plant)[-1] + str(market)[-1]: float(amount) for plant, market, amount in rows}
        assert amounts == {"AA": 100, "AB": 0, "BA": 30, "BB": 60}
        assert round(sum(amounts[way] * distance[way] for way in amounts) * factor, 6) == objective


CHECKS: Mapping[str, Callable[[Query], None]] = {
    "clusters": clusters,
    "columns": columns,
    "networks": networks,
    "optimize": optimize,
    "texts-and-series": texts_and_series,
    "without-label": without_label,
    "xgboost-binary": xgboost_binary,
    "xgboost-housing": xgboost_housing,
    "xgboost-iris": xgboost_iris,
}
"""Name of a program -> the function that raises AssertionError unless the database is as it must be."""
