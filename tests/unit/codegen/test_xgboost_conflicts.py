"""XGBoost's attributes that cannot work together: each is refused here, and the real library refuses it too."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_codegen.catalogue.boosting import interaction_groups, monotone_signs
from sqlflow_codegen.catalogue.xgboost_conflicts import conflicts

REG = "reg:squarederror"
CONSTRAINTS = {"monotone_constraints": "(1,-1)"}

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"train.early_stopping_rounds": 2}, "train.early_stopping_rounds"),
    ({"objective": "reg:quantileerror"}, "objective"),
    ({"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]}, "quantile_alpha"),
    ({"objective": REG, "base_score": [0.1, 0.2]}, "base_score"),
    ({"objective": "binary:logistic", "base_score": 1.5}, "base_score"),
    ({"eval_metric": "rmsee"}, "eval_metric"),
    ({"eval_metric": "rmse,mae"}, "eval_metric"),
    ({"eval_metric": "tweedie-nloglik"}, "eval_metric"),
    ({"objective": REG, "eval_metric": ["rmse", "mlogloss"]}, "eval_metric"),
    ({"objective": "multi:softprob", "num_class": 3, "eval_metric": "rmse"}, "eval_metric"),
    ({"objective": REG, "eval_metric": "aft-nloglik"}, "eval_metric"),
    ({"objective": REG, "eval_metric": "quantile"}, "eval_metric"),
    ({"updater": "shotgun"}, "updater"),
    ({"updater": "prune"}, "updater"),
    ({"booster": "gblinear", "updater": "grow_colmaker"}, "updater"),
    ({"booster": "gblinear", "updater": "shotgun", "feature_selector": "greedy"}, "feature_selector"),
    ({"process_type": "update", "updater": "grow_colmaker"}, "process_type"),
    (
        {"booster": "dart", "objective": "multi:softprob", "num_class": 3, "multi_strategy": "multi_output_tree"},
        "multi_strategy",
    ),
    (
        {"objective": "multi:softprob", "num_class": 3, "multi_strategy": "multi_output_tree", "tree_method": "exact"},
        "multi_strategy",
    ),
    (
        {"objective": "multi:softprob", "num_class": 3, "multi_strategy": "multi_output_tree", **CONSTRAINTS},
        "monotone_constraints",
    ),
    ({"tree_method": "exact", "sampling_method": "gradient_based", "subsample": 0.5}, "sampling_method"),
    ({"tree_method": "exact", "max_depth": 0}, "max_depth"),
]

SILENT: list[tuple[dict[str, Any], str]] = [
    ({"booster": "gblinear", **CONSTRAINTS}, "monotone_constraints"),
    ({"booster": "gblinear", "interaction_constraints": "[[0],[1]]"}, "interaction_constraints"),
    ({"monotone_constraints": [1, 2]}, "monotone_constraints"),
    ({"interaction_constraints": ["a", "b"]}, "interaction_constraints"),
    ({"interaction_constraints": "a, b"}, "interaction_constraints"),
    ({"train.early_stopping_rounds": 2, "validation.select": "S", "disable_default_eval_metric": 1}, "train.early"),
]
"""Those that the library takes without a word or that are this project's own."""


@pytest.mark.parametrize(("parameters", "attribute"), REFUSED + SILENT)
def test_refused(parameters: dict[str, Any], attribute: str) -> None:
    (found, *_) = conflicts(parameters, continues=False)
    assert found.attribute.startswith(attribute)


@pytest.mark.parametrize("parameters", [parameters for parameters, _ in REFUSED])
def test_the_library_refuses_it_too(parameters: dict[str, Any]) -> None:
    xgboost = pytest.importorskip("xgboost")
    numpy = pytest.importorskip("numpy")
    rows = numpy.random.default_rng(0).random((40, 2))
    classes = 3 if str(parameters.get("objective", "")).startswith("multi:") else 2
    data = xgboost.DMatrix(rows, label=numpy.floor(rows[:, 0] * classes))
    given = {"verbosity": 0} | {key: value for key, value in parameters.items() if "." not in key}
    stop = parameters.get("train.early_stopping_rounds")

    def model() -> None:
        watched = [] if stop else [(data, "train")]
        booster = xgboost.train(given, data, 3, evals=watched, early_stopping_rounds=stop, verbose_eval=False)
        booster.save_raw()
        assert booster.predict(data).shape == (40,), "it predicts several values for a row"

    with pytest.raises((xgboost.core.XGBoostError, ValueError, AssertionError)):
        model()


@pytest.mark.parametrize(
    "parameters",
    [
        {"train.early_stopping_rounds": 2, "validation.select": "SELECT 1"},
        {"objective": "reg:quantileerror", "quantile_alpha": 0.9},
        {"objective": "reg:quantileerror", "quantile_alpha": [0.9], "eval_metric": "quantile"},
        {"objective": "multi:softprob", "base_score": [0.2, 0.3, 0.5], "eval_metric": ["mlogloss", "auc"]},
        {"eval_metric": ["error@0.3", "ndcg@5-", "map@2", "tweedie-nloglik@1.5", "cox-nloglik"]},
        {"updater": "grow_colmaker,prune"},
        {"booster": "gblinear", "updater": "coord_descent", "feature_selector": "thrifty"},
        {"monotone_constraints": [1, 0, -1], "interaction_constraints": [["a", "b"], ["c"]]},
        {"monotone_constraints": "(1, 0)", "interaction_constraints": "[[0, 1], [2]]"},
        {"objective": "multi:softprob", "multi_strategy": "multi_output_tree"},
    ],
)
def test_taken(parameters: dict[str, Any]) -> None:
    assert list(conflicts(parameters, continues=False)) == []


def test_changing_trees_needs_a_model() -> None:
    parameters = {"process_type": "update", "updater": "refresh"}
    assert [one.attribute for one in conflicts(parameters, continues=False)] == ["process_type"]
    assert list(conflicts(parameters, continues=True)) == []


def test_spellings_of_constraints() -> None:
    assert monotone_signs("(1, -1,0)") == [1, -1, 0]
    assert monotone_signs("") is None
    assert monotone_signs([True]) is None
    assert interaction_groups('[["a"], ["b", "c"]]') == [["a"], ["b", "c"]]
    assert interaction_groups([[]]) is None
