"""Importances of columns for a whole model, as SQLFlow wrote them: of XGBoostExplainer, and of BoostedTrees models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
from sqlflow_codegen.language.ir import ExplainStatement

from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.explain_table import Explanation
from sqlflow_runtime.ml.explainers import check_fits
from sqlflow_runtime.ml.into import result_table
from sqlflow_runtime.ml.shap_values import Groups
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel
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
    _fill(context, statement, {"feature": "string", "fscore": "int", "gain": "float"}, rows)
    return rows


def write_mean_contributions(explanation: Explanation, batches: Iterator[Matrix]) -> None:
    """Write the table (feature, dfc, gain): the mean absolute contribution in some rows, and the share of all gain.

    TensorFlow calls the contributions of boosted trees directional feature contributions: DFC. The matrices of the
    rows come in batches.
    """
    names = explanation.groups.names
    sums, count = np.zeros(len(names)), 0
    for matrix in batches:
        values, _ = explanation.row_values(matrix)
        sums += np.abs(values).sum(axis=0)
        count += matrix.shape[0]
    if not count:
        raise RunError("data", "the SELECT returns no rows: there is no mean of them", "Check its WHERE.")
    totals = {name: fscore * gain for name, fscore, gain in _importances(explanation.model)}
    all_gain = sum(totals.values()) or 1.0
    order = np.argsort(-sums, kind="stable").tolist()
    rows = [(names[at], float(sums[at] / count), totals[names[at]] / all_gain) for at in order]
    kinds = {"feature": "string", "dfc": "float", "gain": "float"}
    _fill(explanation.context, explanation.statement, kinds, rows)


def _fill(
    context: StepContext, statement: ExplainStatement, kinds: Mapping[str, str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Put rows into the table that INTO names; `kinds` are those of its columns, by name."""
    database = context.database
    columns = [Column(name, database.type_for(kind), kind) for name, kind in kinds.items()]
    table = result_table(context, statement)
    assert table is not None  # the caller has made sure
    with context.effect(statement):
        database.results.fill(table, columns, rows)


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
