"""A fitted estimator of scikit-learn, stored by skops with types of scikit-learn's own only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import skops.io
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.ensemble._forest import BaseForest
from sklearn.utils import get_tags

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.features import matrix_columns
from sqlflow_runtime.ml.fitted_shape import check_fitted
from sqlflow_runtime.ml.metadata import ModelMetadata
from sqlflow_runtime.ml.sklearn_types import PREDICTING, is_own_type
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.ml.trained_model import Matrix

_SCORING = ("decision_function", "score_samples")
_SLICE = 2000
"""Rows that are worth a thread of their own."""


class Fitting:
    """A fitted scikit-learn estimator."""

    codec = "skops"
    dtype: type[np.floating[Any]] = np.float64

    def __init__(self, estimator: Any, names: Sequence[str]) -> None:
        self.estimator = estimator
        self._names = names
        self._forest = isinstance(estimator, BaseForest | IsolationForest)

    def predict(self, matrix: Matrix) -> Matrix:
        """See `Fitted`. A transformer gives its columns; an estimator of density or distance gives that."""
        method = next(name for name in PREDICTING if hasattr(self.estimator, name))
        found = self._apply(getattr(self.estimator, method), matrix)
        return found.astype(np.float64) if method == "transform" and found.dtype != np.float64 else found

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        return self._first(("predict_proba",), matrix)

    def scores(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`: the decision function; of a mixture or a density the logarithm of it."""
        return self._first(_SCORING, matrix)

    def _first(self, names: Sequence[str], matrix: Matrix) -> Matrix | None:
        for name in names:
            try:
                method = getattr(self.estimator, name)
            except AttributeError:  # only some estimators, and some only with certain attributes
                continue
            return self._apply(method, matrix)
        return None

    def _apply(self, method: Callable[[Matrix], Any], matrix: Matrix) -> Matrix:
        check_no_nans(self.estimator, matrix, self._names)
        try:
            return self._in_slices(method, matrix) if self._forest else _array(method(matrix))
        except (ValueError, IndexError) as error:
            name = type(self.estimator).__name__
            hint = "The rows differ from those of the training in a way that this estimator cannot take."
            raise RunError("data", f"{name} cannot predict these rows: {error}", hint) from error

    def _in_slices(self, method: Callable[[Matrix], Any], matrix: Matrix) -> Matrix:
        """Threads over rows. Those of `n_jobs` are over trees, and add each tree's share as it comes.

        Sums of floats depend on the order: the last digits were others at each prediction.
        """
        self.estimator.n_jobs = 1
        rows = matrix.shape[0]
        count = max(1, min(processors(), rows // _SLICE))
        if count == 1:
            return _array(method(matrix))
        edges = np.linspace(0, rows, count + 1).astype(int)
        parts = [matrix[start:end] for start, end in pairwise(edges.tolist())]
        with ThreadPoolExecutor(count) as pool:
            return np.concatenate([_array(part) for part in pool.map(method, parts)])

    def dump(self) -> bytes:
        """A skops file: data and type names, no code."""
        try:
            content: bytes = skops.io.dumps(self.estimator)
        except Exception as error:  # skops raises what it likes for a type that it does not know
            name = type(self.estimator).__name__
            raise RunError("estimator", f"a model of {name} cannot be stored without pickle: {error}") from error
        return content


def _array(found: Any) -> Matrix:
    """The result of a method; of a list of probabilities of two classes each those of the second ones."""
    if isinstance(found, list) and all(np.shape(one)[1] == 2 for one in found):
        return np.column_stack([one[:, 1] for one in found])
    return np.asarray(found.toarray() if issparse(found) else found)


def load(content: bytes, metadata: ModelMetadata) -> Fitting:
    """Return the estimator that `Fitting.dump` wrote.

    Raises:
        RunError: kind `model`; it cannot be read, or names a type that is not scikit-learn's.
    """
    hint = "Train it again, or use the image that trained it."
    try:
        untrusted = skops.io.get_untrusted_types(data=content)
        foreign = [name for name in untrusted if not is_own_type(name)]
        if foreign:
            raise RunError("model", f"the stored model holds {foreign[0]}, which is not a type of scikit-learn's", hint)
        estimator = skops.io.loads(content, trusted=untrusted)
    except RunError:
        raise
    except Exception as error:
        raise RunError("model", f"the stored model cannot be read: {type(error).__name__}: {error}", hint) from error
    if not isinstance(estimator, BaseEstimator) or not any(hasattr(estimator, name) for name in PREDICTING):
        raise RunError("model", "the stored model is not a scikit-learn estimator that predicts", hint)
    names = matrix_columns(metadata.features)
    check_fitted(estimator, len(names), len(metadata.classes))
    return Fitting(estimator, names)


def check_no_nans(estimator: Any, matrix: Matrix, names: Sequence[str]) -> None:
    """Refuse NULLs where the estimator cannot take them, naming the columns.

    Raises:
        RunError: kind `data`.
    """
    if get_tags(estimator).input_tags.allow_nan:
        return
    counts = _nans(matrix)
    if counts.any():
        found = list(dict.fromkeys(f"{names[i]} ({counts[i]} rows)" for i in np.flatnonzero(counts).tolist()))
        raise RunError(
            "data",
            f"{type(estimator).__name__} takes no NULL or NaN, but there are some in {', '.join(found[:10])}",
            "Write COALESCE(column, 0) in the SELECT, or WHERE column IS NOT NULL (for NaN: column <> 'NaN'); or use "
            "one that takes both, such as xgboost.gbtree or sklearn.ensemble.HistGradientBoostingClassifier.",
        )


def _nans(matrix: Any) -> Matrix:
    """The number of NaNs in each column, of a sparse matrix too."""
    if issparse(matrix):
        return np.bincount(matrix.indices[np.isnan(matrix.data)], minlength=matrix.shape[1])
    return np.asarray(np.isnan(matrix).sum(axis=0))
