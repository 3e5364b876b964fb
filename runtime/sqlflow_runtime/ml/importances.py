"""Importances of features for a whole model: those of XGBoost itself, as SQLFlow's XGBoostExplainer wrote them."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from sqlflow_codegen.language.ir import ExplainStatement

from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.ml.explainers import check_fits
from sqlflow_runtime.ml.into import result_table
from sqlflow_runtime.ml.shap_values import Groups
from sqlflow_runtime.ml.trained_model import TrainedModel
from sqlflow_runtime.step_context import StepContext

Importance = tuple[str, int, float]
"""Feature, fscore, gain."""


def write_importances(context: StepContext, statement: ExplainStatement, model: TrainedModel) -> list[Importance]:
    """Write the table (feature, fscore, gain), and return its rows.

    Raises:
        RunError: kind `estimator`, at USING: the model has no trees of XGBoost; or of the database.
    """
    check_fits(statement, model)
    rows = _importances(model)
    database = context.database
    kinds = {"feature": "string", "fscore": "int", "gain": "float"}
    columns = [Column(name, database.type_for(kind), kind) for name, kind in kinds.items()]
    table = result_table(context, statement)
    assert table is not None  # the parser has made sure
    with context.effect(statement):
        database.results.fill(table, columns, rows)
    return rows


def _importances(model: TrainedModel) -> list[Importance]:
    """Splits by a feature, and the mean gain of one, features with the greatest gain first."""
    booster = cast("Any", model.fitted).booster
    groups = Groups(model.features)
    splits, gains = np.zeros(len(groups.names)), np.zeros(len(groups.names))
    weights, totals = (_by_column(booster, kind) for kind in ("weight", "total_gain"))
    np.add.at(splits, groups.index, weights)
    np.add.at(gains, groups.index, totals)
    mean = np.divide(gains, splits, out=np.zeros_like(gains), where=splits > 0)
    order = np.argsort(-mean, kind="stable")
    return [(groups.names[at], int(splits[at]), float(mean[at])) for at in order.tolist()]


def _by_column(booster: Any, kind: str) -> Any:
    names = booster.feature_names or [f"f{number}" for number in range(booster.num_features())]
    scores = booster.get_score(importance_type=kind)
    return np.array([scores.get(name, 0.0) for name in names])
