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
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree._tree import Tree

from sqlflow_runtime.ml.booster_shape import LEAF, check_splits

_SET_WORDS = 8
"""Numbers of 32 bits that hold a set of categories in histogram boosting."""


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
        elif isinstance(part, TreePredictor):
            _check_predictor(part, features)
        elif isinstance(part, _BinMapper):
            if np.shape(part.is_categorical_) != (features,):
                raise ValueError("its categorical features are not those of the matrix")
        elif isinstance(part, BSpline):
            _check_spline(part)
        elif issparse(part):
            part.check_format(full_check=True)


def _check_predictor(tree: TreePredictor, features: int) -> None:
    """Check a tree of histogram boosting, and that the sets of categories that it splits by exist."""
    nodes = tree.nodes
    inner = nodes["is_leaf"] == 0
    left, right = (np.where(inner, nodes[side].astype(np.int64), LEAF) for side in ("left", "right"))
    check_splits(left, right, nodes["feature_idx"].astype(np.int64), features)
    sets = nodes["bitset_idx"][inner & (nodes["is_categorical"] != 0)]
    shape = np.shape(tree.raw_left_cat_bitsets)
    if sets.size and (len(shape) != 2 or shape[1] != _SET_WORDS or sets.max() >= shape[0]):
        raise ValueError("a set of categories does not exist")


def _check_spline(spline: BSpline) -> None:
    knots = np.asarray(spline.t)
    if knots.ndim != 1 or spline.k < 0 or len(spline.c) != len(knots) - spline.k - 1 or (np.diff(knots) < 0).any():
        raise ValueError("one of its splines has coefficients that do not fit its knots")


def _parts(root: Any) -> Iterator[Any]:
    """The parts to check, however deep in other estimators, lists, dictionaries, arrays."""
    pending, seen = [root], set()
    while pending:
        part = pending.pop()
        if id(part) in seen or isinstance(part, str | int | float):
            continue
        seen.add(id(part))
        if isinstance(part, Tree | TreePredictor | BSpline | _BinMapper) or issparse(part):
            yield part
        elif isinstance(part, dict):
            pending += part.values()
        elif isinstance(part, list | tuple):
            pending += part
        elif isinstance(part, np.ndarray):
            pending += part.ravel().tolist() if part.dtype == object else ()
        elif type(part).__module__.startswith("sklearn.") and hasattr(part, "__dict__"):
            pending += vars(part).values()
