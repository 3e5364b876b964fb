"""The metrics that most programs name, as scikit-learn computes them, to the last bit, without its import.

`tests/unit/runtime/test_metrics.py` holds each of these to scikit-learn's own. See decision 0047.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from sqlflow_runtime.ml.batch import Matrix


def _accuracy(truth: Matrix, found: Matrix) -> float:
    return float(np.average(truth == found))


def _mean_squared(truth: Matrix, found: Matrix) -> float:
    return _mean((truth - found) ** 2)


def _root_mean_squared(truth: Matrix, found: Matrix) -> float:
    return float(np.sqrt(_mean_squared(truth, found)))


def _mean_absolute(truth: Matrix, found: Matrix) -> float:
    return _mean(np.abs(truth - found))


def _r2(truth: Matrix, found: Matrix) -> float:
    if len(truth) < 2:
        return float("nan")
    wrong = _sum((truth - found) ** 2)
    spread = _sum((truth - _mean(truth)) ** 2)
    if spread == 0:
        return 1.0 if wrong == 0 else 0.0
    return 1 - wrong / spread


def _mean(values: Matrix) -> float:
    """The mean in the order in which scikit-learn adds: of a column, not of a row."""
    return float(np.average(values[:, np.newaxis], axis=0)[0])


def _sum(values: Matrix) -> float:
    return float(np.sum(values[:, np.newaxis], axis=0)[0])


PLAIN: Mapping[str, Callable[[Matrix, Matrix], float]] = {
    "accuracy_score": _accuracy,
    "mean_squared_error": _mean_squared,
    "root_mean_squared_error": _root_mean_squared,
    "mean_absolute_error": _mean_absolute,
    "r2_score": _r2,
}
"""Name of a metric -> it, of the true and the predicted numbers of the rows."""
