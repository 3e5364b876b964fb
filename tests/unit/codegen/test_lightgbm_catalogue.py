"""LightGBM's attributes: the library's own names, and those that cannot work together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlflow_codegen.catalogue import allows, find_estimator
from sqlflow_codegen.catalogue import lightgbm as catalogue
from sqlflow_codegen.catalogue.boosting import ROLES, ROUNDS, STOP_AFTER
from sqlflow_codegen.catalogue.lightgbm_conflicts import conflicts
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import runnable_program

OWN_NAMES = {ROUNDS: "num_iterations", STOP_AFTER: "early_stopping_round"}
"""Attributes that the library calls otherwise, beside what it calls so."""


def test_names_are_the_librarys() -> None:
    from sqlflow_runtime.ml.light import lightgbm

    library = {
        name: {name, *aliases} for name, aliases in lightgbm.basic._ConfigAliases._get_all_param_aliases().items()
    }
    ours: dict[str, set[str]] = {}
    for name in catalogue.ATTRIBUTES:
        if name in (*ROLES, "validation.select"):
            continue
        canonical = catalogue.ALIASES.get(name, name)
        own = OWN_NAMES.get(canonical, canonical)
        ours.setdefault(own, {own}).update({name} - {ROUNDS, STOP_AFTER})
    assert {name: aliases for name, aliases in library.items() if name not in catalogue.NOT_TAKEN} == ours
    assert set(library) >= catalogue.NOT_TAKEN


@pytest.mark.parametrize(
    ("attribute", "good", "bad"),
    [
        ("num_leaves", 2, 1),
        ("eta", 0.1, 0),
        ("lambda", 0, -1),
        ("subsample", 1, 1.5),
        ("objective", "rmse", "reg:squarederror"),
        ("extra_trees", True, 1),
        ("max_depth", -1, -2),
    ],
)
def test_rules(attribute: str, good: Any, bad: Any) -> None:
    estimator = find_estimator("LightGBM.GBDT")
    assert estimator is not None
    assert allows(estimator.attributes[attribute], good)
    assert not allows(estimator.attributes[attribute], bad)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"objective": "regression", "metric": "multi_error"}, "metric"),
    ({"objective": "multiclass", "num_class": 3, "metric": "l2"}, "metric"),
    ({"objective": "regression", "num_class": 3}, "num_class"),
    ({"objective": "quantile", "alpha": 1.5}, "alpha"),
    ({"objective": "binary", "is_unbalance": True, "scale_pos_weight": 2.0}, "is_unbalance"),
    ({"objective": "lambdarank"}, "objective"),
    ({"objective": "regression", "boosting": "rf"}, "bagging_fraction"),
    (
        {"objective": "regression", "data_sample_strategy": "goss", "bagging_freq": 1, "bagging_fraction": 0.5},
        "bagging_freq",
    ),
    ({"objective": "regression", "data_sample_strategy": "goss", "top_rate": 0.9, "other_rate": 0.2}, "top_rate"),
    ({"objective": "regression", "force_col_wise": True, "force_row_wise": True}, "force_col_wise"),
    ({"objective": "regression", "linear_tree": True, "zero_as_missing": True}, "zero_as_missing"),
    ({"objective": "regression_l1", "linear_tree": True}, "objective"),
]
IGNORED: list[tuple[dict[str, Any], str]] = [
    ({"objective": "regression", "metric": "rmsee"}, "metric"),
    ({"objective": "regression", "drop_rate": 0.5}, "drop_rate"),
    ({"objective": "regression", "top_rate": 0.5}, "top_rate"),
    ({"objective": "regression", "boosting": "rf", "feature_fraction": 0.5, "learning_rate": 0.2}, "learning_rate"),
    ({"objective": "regression", "is_unbalance": True}, "is_unbalance"),
    ({"objective": "regression", "metric": "ndcg"}, "metric"),
    ({STOP_AFTER: 3}, STOP_AFTER),
    ({STOP_AFTER: 3, "boosting": "dart", "validation.select": "SELECT 1"}, STOP_AFTER),
    ({"monotone_constraints": [2]}, "monotone_constraints"),
    ({"objective": "regression", "train.group": "q"}, "train.group"),
    ({"eval_at": [0]}, "eval_at"),
    ({"train.sample_weight": ""}, "train.sample_weight"),
]
"""The library says nothing of these, or only that it does something else."""


@pytest.mark.parametrize(("parameters", "attribute"), REFUSED + IGNORED)
def test_what_cannot_work_is_refused(parameters: dict[str, Any], attribute: str) -> None:
    assert [found.attribute for found in conflicts(parameters, continues=False)] == [attribute]


@pytest.mark.parametrize(("parameters", "_attribute"), REFUSED)
def test_the_library_refuses_it_too(parameters: dict[str, Any], _attribute: str) -> None:
    from sqlflow_runtime.ml.light import lightgbm

    chance = np.random.default_rng(0)
    matrix, labels = chance.random((200, 2)), chance.integers(0, 3, 200)
    rows = lightgbm.Dataset(matrix, label=labels if "num_class" in parameters else labels % 2, params=parameters)
    with pytest.raises(lightgbm.basic.LightGBMError):
        lightgbm.train({"verbosity": -1, **parameters}, rows, 2)


def test_a_forest_cannot_go_on() -> None:
    forest = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
    assert [one.attribute for one in conflicts(forest, continues=True)] == ["boosting"]
    assert list(conflicts({"boosting": "gbdt"}, continues=True)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lightgbm.gbdt WITH eta=0.1, learning_rate=0.2 LABEL y", "`learning_rate` and `eta` are the same attribute"),
        ("lightgbm.gbdt WITH boosting=dart LABEL y", "boosting `dart` contradicts lightgbm.gbdt"),
        ("lightgbm.LGBMRanker LABEL y", "lambdarank ranks rows within groups"),
        ("lightgbm.gbdt WITH train.sample_weight=y LABEL y", "column `y` of train.sample_weight is the label too"),
        ("lightgbm.LGBMRanker WITH train.group=a COLUMN a LABEL y", "column `a` of train.group is in COLUMN too"),
        ("lightgbm.gbdt WITH weight_column=w LABEL y", "unknown attribute `weight_column`"),
        ("lightgbm.gbdtt LABEL y", "there is no estimator `lightgbm.gbdtt`"),
        ("lightgbm.gbdt", "lightgbm.gbdt needs a LABEL"),
    ],
)
def test_before_anything_runs(text: str, message: str) -> None:
    with pytest.raises(ProgramError) as raised:
        runnable_program(f"SELECT * FROM t TO TRAIN {text} INTO m;")
    assert any(message in str(found) for found in raised.value.diagnostics)
