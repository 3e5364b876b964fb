"""The same numbers as the library's own on the same matrix, to the last bit: boosted trees.

The matrix, the labels and what else belongs to rows are read as a step reads them, in a step's order; the library then
learns and predicts by itself, as a script would. PREDICT's table must hold the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import TrainStatement
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.ml.boosting import library_warnings, xgboost
from sqlflow_runtime.ml.column_clause import plan_features
from sqlflow_runtime.ml.dataset import Dataset, read_dataset
from sqlflow_runtime.ml.light import lightgbm
from sqlflow_runtime.recorder import Recorder
from sqlflow_runtime.step_context import StepContext

from tests.databases.harness import load_model, succeed
from tests.databases.ranked_pages import PAGES, load_pages

FLOWERS = "sepal_length, sepal_width, petal_length, petal_width"
XGB = {"seed": 0}
LIGHT: dict[str, Any] = {"verbosity": -1, "deterministic": True, "force_col_wise": True}


def read(database: Database, statement: str, dtype: Any) -> Dataset:
    """The rows of a TRAIN statement as a step reads them."""
    program = parse_program(statement, database.dialect)
    train = program.statement(1)
    assert isinstance(train, TrainStatement)
    context = StepContext(program=program, database=database, recorder=Recorder(lambda record: None))
    return read_dataset(
        context,
        train.select,
        train.label,
        lambda columns, label: plan_features(columns, train.columns, label),
        dtype,
        attributes=train.attributes,
    )


def by_group(data: Dataset) -> tuple[Any, Any, Any, Any]:
    """Matrix, labels, weights and sizes of groups, the rows of each group side by side."""
    labels = np.asarray(data.labels.to_numpy(zero_copy_only=False), dtype=np.float64)
    if data.groups is None:
        return data.matrix, labels, data.weights, None
    groups = data.groups.to_numpy()
    order = np.argsort(groups, kind="stable")
    _, sizes = np.unique(groups, return_counts=True)
    return data.matrix[order], labels[order], None if data.weights is None else data.weights[order], sizes


@dataclass(frozen=True)
class Pair:
    """An estimator and its data: the statement, and the library's own parameters."""

    name: str
    train: str
    parameters: dict[str, Any]
    rounds: int = 10
    predict: str = "SELECT id, a, b FROM pages"
    options: dict[str, Any] = field(default_factory=dict)


PAGES_OF = "SELECT a, b, {} t FROM pages TO TRAIN {} LABEL t INTO m"
CLASSES_OF = "SELECT a, b, relevance FROM pages TO TRAIN {} LABEL relevance INTO m"
RANKED = "SELECT a, b, query, relevance FROM pages TO TRAIN {}, train.group=query LABEL relevance INTO m"
SQUARED = "objective='reg:squarederror'"

XGBOOST = [
    Pair("gbtree", PAGES_OF.format("", f"xgboost.gbtree WITH {SQUARED}, max_depth=4"),
         {"objective": "reg:squarederror", "max_depth": 4}),
    Pair("gbtree softprob", CLASSES_OF.format("xgboost.gbtree WITH objective='multi:softprob', num_class=4"),
         {"objective": "multi:softprob", "num_class": 4}),
    Pair("weights", PAGES_OF.format("weight,", f"xgboost.gbtree WITH {SQUARED}, train.sample_weight=weight"),
         {"objective": "reg:squarederror"}),
    Pair("dart", PAGES_OF.format("", f"xgboost.dart WITH {SQUARED}, rate_drop=0.3, seed=3"),
         {"objective": "reg:squarederror", "booster": "dart", "rate_drop": 0.3, "seed": 3}),
    Pair("gblinear", PAGES_OF.format("", f"xgboost.gblinear WITH {SQUARED}, lambda=0.1"),
         {"objective": "reg:squarederror", "booster": "gblinear", "updater": "coord_descent", "lambda": 0.1}),
    Pair("forest", PAGES_OF.format("", "XGBRFRegressor WITH n_estimators=20"),
         {"objective": "reg:squarederror", "eta": 1, "subsample": 0.8, "colsample_bynode": 0.8, "lambda": 1e-5,
          "num_parallel_tree": 20}, rounds=1),
    Pair("rank", RANKED.format("XGBRanker WITH objective='rank:ndcg', num_boost_round=10"), {"objective": "rank:ndcg"}),
    Pair("aft", PAGES_OF.format("late,", "xgboost.gbtree WITH objective='survival:aft', train.label_upper_bound=late"),
         {"objective": "survival:aft"}),
    Pair("cox", PAGES_OF.format("", "xgboost.gbtree WITH objective='survival:cox'"), {"objective": "survival:cox"}),
    Pair("tweedie", PAGES_OF.format("", "xgboost.gbtree WITH objective='reg:tweedie', tweedie_variance_power=1.3"),
         {"objective": "reg:tweedie", "tweedie_variance_power": 1.3}),
    Pair("expectile", PAGES_OF.format("", "xgboost.gbtree WITH objective='reg:expectileerror', expectile_alpha=0.8"),
         {"objective": "reg:expectileerror", "expectile_alpha": 0.8}),
]  # fmt: skip

LIGHTGBM = [
    Pair("gbdt", PAGES_OF.format("", "lightgbm.gbdt WITH num_leaves=7"), {"objective": "regression", "num_leaves": 7},
         100),
    Pair("multiclass", CLASSES_OF.format("lightgbm.gbdt WITH objective=multiclass, num_class=4, n_estimators=10"),
         {"objective": "multiclass", "num_class": 4}),
    Pair("dart", PAGES_OF.format("", "lightgbm.dart WITH drop_rate=0.4, seed=5, n_estimators=10"),
         {"objective": "regression", "boosting": "dart", "drop_rate": 0.4, "seed": 5}),
    Pair("goss", PAGES_OF.format("", "lightgbm.goss WITH n_estimators=30"),
         {"objective": "regression", "data_sample_strategy": "goss"}, 30),
    Pair("rf", PAGES_OF.format("", "lightgbm.rf WITH n_estimators=10"),
         {"objective": "regression", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.8,
          "feature_fraction_bynode": 0.8}),
    Pair("lambdarank", RANKED.format("lightgbm.LGBMRanker WITH n_estimators=10"), {"objective": "lambdarank"}),
    Pair("weights", PAGES_OF.format("weight,", "lightgbm.gbdt WITH train.sample_weight=weight, n_estimators=10"),
         {"objective": "regression"}),
    Pair("poisson", PAGES_OF.format("", "lightgbm.gbdt WITH objective=poisson, n_estimators=10"),
         {"objective": "poisson"}),
]  # fmt: skip


def xgboost_by_hand(data: Dataset, pair: Pair) -> Callable[[Any], Any]:
    matrix, labels, weights, sizes = by_group(data)
    rows = xgboost.DMatrix(matrix, label=labels, weight=weights, group=sizes)
    if pair.parameters["objective"] == "survival:aft":
        rows.set_float_info("label_lower_bound", labels)
        rows.set_float_info("label_upper_bound", data.upper_bounds)
    with library_warnings():  # that a booster is deprecated
        booster = xgboost.train({**XGB, **pair.parameters}, rows, num_boost_round=pair.rounds)

    def predict(wanted: Any) -> Any:
        with library_warnings():
            return booster.predict(xgboost.DMatrix(wanted))

    return predict


def lightgbm_by_hand(data: Dataset, pair: Pair) -> Callable[[Any], Any]:
    matrix, labels, weights, sizes = by_group(data)
    rows = lightgbm.Dataset(matrix, label=labels, weight=weights, group=sizes, params=LIGHT, categorical_feature=[])
    booster = lightgbm.train({**LIGHT, **pair.parameters}, rows, num_boost_round=pair.rounds)
    return lambda wanted: booster.predict(wanted)


@pytest.mark.parametrize(
    ("pair", "by_hand", "dtype"),
    [
        *(pytest.param(pair, xgboost_by_hand, np.float32, id=f"xgboost {pair.name}") for pair in XGBOOST),
        *(pytest.param(pair, lightgbm_by_hand, np.float64, id=f"lightgbm {pair.name}") for pair in LIGHTGBM),
    ],
)
def test_predictions(sqlite: Database, pair: Pair, by_hand: Callable[..., Any], dtype: Any) -> None:
    load_pages(sqlite)
    expected = by_hand(read(sqlite, pair.train, dtype), pair)
    wanted = np.array([[page.a, page.b] for page in PAGES], dtype=dtype)
    numbers = np.asarray(expected(wanted), dtype=np.float64)
    succeed(sqlite, pair.train)
    succeed(sqlite, f"{pair.predict} TO PREDICT p.y USING m")
    found = [y for (y,) in sqlite.execute("SELECT y FROM p ORDER BY id")]
    if numbers.ndim == 2:
        stored = load_model(sqlite, "m")
        assert found == numbers.argmax(axis=1).tolist()
        assert stored.metadata["label"]["classes"] == [0, 1, 2, 3]
    else:
        assert found == numbers.tolist()
    assert len(set(found)) > 1


KINDS = "SELECT a, b, 'k' || kind AS k, t FROM pages"
BAGS = "SELECT a, kind || ':' || (b + 1) || ' ' || (query + 6) || ':2' AS k, t FROM pages"


@pytest.mark.parametrize(
    ("select", "column"), [(KINDS, ""), (BAGS, "COLUMN SPARSE(k, 20)")], ids=["categories", "sparse"]
)
def test_categories_and_sparse_rows(sqlite: Database, select: str, column: str) -> None:
    """Text as the libraries' own categories, and a matrix in compressed sparse rows."""
    load_pages(sqlite)
    for estimator, dtype in (
        (f"xgboost.gbtree WITH {SQUARED}, max_cat_to_onehot=1", np.float32),
        ("lightgbm.gbdt WITH n_estimators=10, min_data_per_group=5, max_cat_to_onehot=1", np.float64),
    ):
        statement = f"{select} TO TRAIN {estimator} {column} LABEL t INTO m"
        data = read(sqlite, statement, dtype)
        labels, categories = data.labels.to_numpy(), [] if column else [2]
        assert data.matrix.shape == (len(PAGES), 3 if categories else 21)
        if "xgboost" in estimator:
            kinds = ["c" if place in categories else "q" for place in range(data.matrix.shape[1])]
            rows = xgboost.DMatrix(data.matrix, label=labels, feature_types=kinds, enable_categorical=True)
            parameters = {**XGB, "objective": "reg:squarederror", "max_cat_to_onehot": 1}
            expected = xgboost.train(parameters, rows, num_boost_round=10).predict(rows)
        else:
            parameters = {**LIGHT, "min_data_per_group": 5, "max_cat_to_onehot": 1, "objective": "regression"}
            light = lightgbm.Dataset(data.matrix, labels, params=parameters, categorical_feature=categories)
            expected = lightgbm.train(parameters, light, num_boost_round=10).predict(data.matrix)
        succeed(sqlite, f"{statement}; {select} TO PREDICT p.y USING m")
        found = [y for (y,) in sqlite.execute("SELECT y FROM p")]
        assert sorted(found) == sorted(np.asarray(expected, dtype=np.float64).tolist())
        assert len(set(found)) > 5
        sqlite.execute("DROP TABLE p")


def test_metrics_are_the_librarys_own(sqlite: Database) -> None:
    """Those of the last round, as the library measures them."""
    load_pages(sqlite)
    statement = PAGES_OF.format("", f"xgboost.gbtree WITH {SQUARED}, eval_metric=[rmse, mae]")
    data = read(sqlite, statement, np.float32)
    history: dict[str, Any] = {}
    labels = data.labels.to_numpy()
    assert isinstance(data.labels, pa.Array)
    rows = xgboost.DMatrix(data.matrix, label=labels)
    parameters = {**XGB, "objective": "reg:squarederror", "eval_metric": ["rmse", "mae"]}
    xgboost.train(parameters, rows, evals=[(rows, "train")], evals_result=history, verbose_eval=False)
    succeed(sqlite, statement)
    curve = load_model(sqlite, "m").metadata["curve"]
    assert curve["train-rmse"] == history["train"]["rmse"]
    assert curve["train-mae"] == history["train"]["mae"]
