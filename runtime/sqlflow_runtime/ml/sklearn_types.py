"""The types that a stored scikit-learn model may hold, and the classes that a program may name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sklearn.base import BaseEstimator

from sqlflow_runtime.errors import RunError

_SELECTION = "sklearn.feature_selection"
FUNCTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "score_func": {
            "chi2": _SELECTION,
            "f_classif": _SELECTION,
            "f_regression": _SELECTION,
            "mutual_info_classif": _SELECTION,
            "mutual_info_regression": _SELECTION,
            "r_regression": _SELECTION,
        }
    }
)
"""Parameter that takes a function -> the functions' names, each with its module."""

PREDICTING = ("predict", "transform", "score_samples", "mahalanobis")
"""Methods that make predictions; the first one that an estimator has is meant."""

_HARMLESS = frozenset(
    {
        "functools.partial",  # of a function that is here itself
        "numpy.dtype",
        "numpy.mean",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "scipy.interpolate._bsplines.BSpline",
        "scipy.sparse._csr.csr_array",
        "scipy.sparse._csr.csr_matrix",
        "sklearn.cluster._kmeans._kmeans_single_elkan",
        "sklearn.cluster._kmeans._kmeans_single_lloyd",
        "sklearn.utils.validation.check_array",
    }
)
"""Further types and functions that scikit-learn's estimators keep; none reaches anything outside of the process."""

_METRICS = ("sklearn.metrics._classification", "sklearn.metrics._ranking", "sklearn.metrics._regression")
"""Modules whose functions compute a number of arrays: estimators that search keep one."""


def is_own_type(name: str) -> bool:
    """True if a type that skops does not know is a class of scikit-learn's own, or harmless."""
    module, _, attribute = name.rpartition(".")
    if name in _HARMLESS or module in _METRICS:
        return True
    if not module.startswith("sklearn."):
        return False
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    if inspect.isclass(found):
        return found.__module__.startswith("sklearn.")
    return any(attribute in names and module.startswith(names[attribute]) for names in FUNCTIONS.values())


def estimator_class(path: str, methods: Sequence[str] = ()) -> type[Any]:
    """The class of that public path, `sklearn.ensemble.RandomForestClassifier`.

    Args:
        path: of the class.
        methods: it must have one of these, if any are given.

    Raises:
        RunError: kind `estimator`; scikit-learn has none.
    """
    module, _, name = path.rpartition(".")
    hint = "Write the public path: sklearn.ensemble.RandomForestClassifier."
    try:
        found = getattr(importlib.import_module(module), name, None) if module.startswith("sklearn") else None
    except ImportError:
        found = None
    own = inspect.isclass(found) and found.__module__.startswith("sklearn.") and issubclass(found, BaseEstimator)
    if not own or not hasattr(found, "fit"):
        raise RunError("estimator", f"scikit-learn has no estimator {path}", hint)
    if methods and not any(hasattr(found, method) for method in methods):
        raise RunError("estimator", f"{path} does not predict, so no model can be made of it", hint)
    estimator: type[Any] = found  # type: ignore[assignment]  # `own` has made sure
    return estimator
