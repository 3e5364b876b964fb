"""The metrics that EVALUATE may name: scikit-learn's functions of labels and predictions, and Keras' names for them.

A metric's own arguments are attributes under its name: `f1_score.average=micro`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

FAMILIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "classification": ("classes", "probabilities", "scores", "margins"),
        "multilabel": ("classes", "scores", "labels"),
        "multioutput": ("classes",),
        "regression": ("numbers", "orders"),
        "clustering": ("clusters", "shapes"),
        "outlier": ("classes", "scores"),
    }
)
"""Task of a model -> families of the metrics that judge it."""

DEFAULTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "classification": ("accuracy_score",),
        "multilabel": ("accuracy_score",),
        "multioutput": ("accuracy_score",),
        "regression": ("mean_squared_error", "r2_score"),
        "clustering": ("adjusted_rand_score",),
        "outlier": ("accuracy_score",),
    }
)
"""Task of a model -> its metrics where the statement names none."""

COUNTS = MappingProxyType(
    {"TrueNegatives": (0, 0), "FalsePositives": (0, 1), "FalseNegatives": (1, 0), "TruePositives": (1, 1)}
)
"""Metrics that count rows -> their cell in a class's confusion matrix: true, then predicted."""

_KERAS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "AUC": ("roc_auc_score", {}),
    "Accuracy": ("accuracy_score", {}),
    "BinaryAccuracy": ("accuracy_score", {}),
    "BinaryCrossentropy": ("log_loss", {}),
    "CategoricalAccuracy": ("accuracy_score", {}),
    "CategoricalCrossentropy": ("log_loss", {}),
    "F1Score": ("f1_score", {}),
    "FBetaScore": ("fbeta_score", {}),
    "MeanAbsoluteError": ("mean_absolute_error", {}),
    "MeanAbsolutePercentageError": ("mean_absolute_percentage_error", {}),
    "MeanSquaredError": ("mean_squared_error", {}),
    "MeanSquaredLogarithmicError": ("mean_squared_log_error", {}),
    "Precision": ("precision_score", {}),
    "R2Score": ("r2_score", {}),
    "Recall": ("recall_score", {}),
    "RootMeanSquaredError": ("root_mean_squared_error", {}),
    "SparseCategoricalAccuracy": ("accuracy_score", {}),
    "SparseCategoricalCrossentropy": ("log_loss", {}),
    "SparseTopKCategoricalAccuracy": ("top_k_accuracy_score", {"k": 5}),
    "TopKCategoricalAccuracy": ("top_k_accuracy_score", {"k": 5}),
}
"""Keras' names -> the function of scikit-learn that computes the same, and the arguments that Keras gives it."""

_PERCENT = ("MeanAbsolutePercentageError",)
"""Metrics that Keras gives in percent, and scikit-learn as a share."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: as programs write it.
        function: of `sklearn.metrics`; one of `COUNTS` counts rows instead.
        family: the truth that it takes and what it compares it to: `classes`; `probabilities`, `scores` or `margins` of
            classes; `labels` of a row with several; `numbers`; `orders` of the rows of a group; `clusters`;
            `shapes`: the clusters alone.
        attributes: its own arguments, each with its rule.
        arguments: those that it has where a program does not say otherwise.
        factor: what the function's value is multiplied by.
    """

    name: str
    function: str
    family: str
    attributes: Mapping[str, str]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    factor: float = 1


@cache
def metrics() -> Mapping[str, Metric]:
    """All metrics by name."""
    data = json.loads(Path(__file__).with_name("metrics.json").read_text(encoding="utf-8"))["metrics"]
    found = {name: Metric(name, name, one["family"], MappingProxyType(one["attributes"])) for name, one in data.items()}
    for name, (function, arguments) in _KERAS.items():
        factor = 100 if name in _PERCENT else 1
        found[name] = replace(found[function], name=name, arguments=arguments, factor=factor)
    found |= {name: Metric(name, name, "classes", MappingProxyType({})) for name in COUNTS}
    return MappingProxyType(found)


def metric_attributes() -> Mapping[str, str]:
    """The arguments of all metrics as attributes of EVALUATE: `f1_score.average`, each with its rule."""
    return MappingProxyType(
        {f"{one.name}.{name}": rule for one in metrics().values() for name, rule in one.attributes.items()}
    )


def fitting_metrics(task: str) -> tuple[str, ...]:
    """The names of the metrics for a model of that task, sorted; none where there is nothing to compare."""
    families = FAMILIES.get(task, ())
    return tuple(sorted(one.name for one in metrics().values() if one.family in families))


def named_metrics(text: str) -> list[str]:
    """The names in the value of `validation.metrics`."""
    return [name for name in map(str.strip, text.split(",")) if name]
