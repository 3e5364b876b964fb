"""The metrics that most programs name, by scikit-learn's definitions, without its import.

Importing `sklearn.metrics` takes three seconds of processor time, more than a whole `EVALUATE` of a booster needs
besides. `tests/unit/runtime/test_metrics.py` holds each of these to scikit-learn's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sqlflow_runtime.ml.trained_model import Matrix

Metric = Callable[[Matrix, Matrix, bool], float]
"""Of the true and the predicted numbers, and whether there are more than two classes."""


def _accuracy(truth: Matrix, found: Matrix, _many: bool) -> float:
    return float(np.mean(truth == found))


def _mean_squared(truth: Matrix, found: Matrix, _many: bool) -> float:
    return float(np.mean((truth - found) ** 2))


def _root_mean_squared(truth: Matrix, found: Matrix, many: bool) -> float:
    return float(np.sqrt(_mean_squared(truth, found, many)))


def _mean_absolute(truth: Matrix, found: Matrix, _many: bool) -> float:
    return float(np.mean(np.abs(truth - found)))


def _r2(truth: Matrix, found: Matrix, _many: bool) -> float:
    if len(truth) < 2:
        return float("nan")
    wrong = float(np.sum((truth - found) ** 2))
    spread = float(np.sum((truth - np.mean(truth)) ** 2))
    if spread == 0:
        return 1.0 if wrong == 0 else 0.0
    return 1 - wrong / spread


def _by_class(of: Callable[[Any, Any, Any], Any]) -> Metric:
    """A metric of each class: their mean (macro) where there are many, else that of class 1."""

    def metric(truth: Matrix, found: Matrix, many: bool) -> float:
        classes = np.union1d(truth, found) if many else np.array([1])
        hits = np.array([np.sum((truth == one) & (found == one)) for one in classes], dtype=np.float64)
        there = np.array([np.sum(truth == one) for one in classes], dtype=np.float64)
        said = np.array([np.sum(found == one) for one in classes], dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = of(hits, there, said)
        return float(np.mean(np.where(np.isfinite(values), values, 0.0)))

    return metric


def area(truth: Matrix, probabilities: Matrix) -> float:
    """`roc_auc_score`: each class against the rest, averaged where there are more than two. NaN if a class is missing.

    Args:
        truth: numbers of the classes.
        probabilities: rows x classes.
    """
    count = probabilities.shape[1]
    classes = range(count) if count > 2 else (1,)
    return float(np.mean([_area_of_one(truth == one, probabilities[:, one]) for one in classes]))


def _area_of_one(positive: Matrix, likely: Matrix) -> float:
    """The share of pairs of a positive and another row in which the positive one is likelier; ties count half."""
    there, others = int(positive.sum()), int((~positive).sum())
    if not there or not others:
        return float("nan")
    _, inverse, counts = np.unique(likely, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - there * (there + 1) / 2) / (there * others))


PLAIN: Mapping[str, Metric] = {
    "accuracy_score": _accuracy,
    "precision_score": _by_class(lambda hits, there, said: hits / said),
    "recall_score": _by_class(lambda hits, there, said: hits / there),
    "f1_score": _by_class(lambda hits, there, said: 2 * hits / (there + said)),
    "mean_squared_error": _mean_squared,
    "root_mean_squared_error": _root_mean_squared,
    "mean_absolute_error": _mean_absolute,
    "r2_score": _r2,
}
"""Name of a metric -> it."""
