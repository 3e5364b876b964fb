"""Checks that a stored scikit-learn estimator is intact before it predicts.

Most of scikit-learn is Python and says itself what it cannot do. Its trees are not: they follow the numbers of nodes
and features without a look, and one that does not exist ends the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.interpolate import BSpline
from scipy.sparse import issparse
from sklearn.tree._tree import Tree

from sqlflow_runtime.ml.booster_shape import check_splits


def check_fitted(estimator: Any, features: int, classes: int) -> None:
    """Check that the estimator is intact and is the one that its metadata describes.

    Args:
        estimator: as it was read.
        features: columns of the matrix.
        classes: classes of the label; 0 if it predicts numbers or clusters.

    Raises:
        ValueError: it is not; says why.
    """
    found = getattr(estimator, "n_features_in_", features)
    if found != features:
        raise ValueError(f"its number of features is {found}, not {features}")
    known = getattr(estimator, "classes_", None)
    if classes and (known is None or np.ndim(known) != 1 or not set(np.asarray(known).tolist()) <= set(range(classes))):
        raise ValueError(f"its classes are not the {classes} of the label")
    for part in _parts(estimator):
        if isinstance(part, Tree):
            check_splits(part.children_left, part.children_right, part.feature, part.n_features)
        elif isinstance(part, BSpline):
            _check_spline(part)
        elif issparse(part):
            part.check_format(full_check=True)


def _check_spline(spline: BSpline) -> None:
    knots = np.asarray(spline.t)
    if knots.ndim != 1 or spline.k < 0 or len(spline.c) != len(knots) - spline.k - 1 or (np.diff(knots) < 0).any():
        raise ValueError("one of its splines has coefficients that do not fit its knots")


def _parts(root: Any) -> Iterator[Any]:
    """The trees, splines and sparse matrices inside, however deep in other estimators, lists, dictionaries, arrays."""
    pending, seen = [root], set()
    while pending:
        part = pending.pop()
        if id(part) in seen or isinstance(part, str | int | float):
            continue
        seen.add(id(part))
        if isinstance(part, Tree | BSpline) or issparse(part):
            yield part
        elif isinstance(part, dict):
            pending += part.values()
        elif isinstance(part, list | tuple):
            pending += part
        elif isinstance(part, np.ndarray):
            pending += part.ravel().tolist() if part.dtype == object else ()
        elif type(part).__module__.startswith("sklearn.") and hasattr(part, "__dict__"):
            pending += vars(part).values()
