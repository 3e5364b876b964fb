"""scikit-learn: any estimator of the installed package, stored by skops with types of scikit-learn's own only."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import skops.io
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.ensemble import IsolationForest
from sklearn.ensemble._bagging import BaseBagging
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._weight_boosting import BaseWeightBoosting
from sklearn.exceptions import NotFittedError
from sklearn.tree import BaseDecisionTree
from sklearn.utils import get_tags
from sqlflow_codegen.catalogue import Estimator

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.features import matrix_columns
from sqlflow_runtime.ml.fitted_shape import check_fitted
from sqlflow_runtime.ml.labels import Label, classes_of
from sqlflow_runtime.ml.metadata import ModelMetadata
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel
from sqlflow_runtime.ml.training import Training

dtype = np.float64

_THREADED = ("RandomForest", "ExtraTrees")
"""Estimators whose `n_jobs` are threads, which cost nothing; elsewhere it has no effect, or starts processes."""

_NARROW = (
    BaseDecisionTree, BaseForest, BaseGradientBoosting, BaseBagging, BaseWeightBoosting,
)  # fmt: skip
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
        """See `Fitted`."""
        return self._apply(self.estimator.predict, matrix)

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        try:
            method = self.estimator.predict_proba
        except AttributeError:  # only some estimators, and some only with certain attributes
            return None
        return self._apply(method, matrix)

    def _apply(self, method: Callable[[Matrix], Any], matrix: Matrix) -> Matrix:
        check_no_nans(self.estimator, matrix, self._names)
        try:
            return self._in_slices(method, matrix) if self._forest else np.asarray(method(matrix))
        except (ValueError, IndexError) as error:
            name = type(self.estimator).__name__
            hint = "The rows differ from those of the training in a way that this estimator cannot take."
            raise RunError("data", f"{name} cannot predict these rows: {error}", hint) from error

    def _in_slices(self, method: Callable[[Matrix], Any], matrix: Matrix) -> Matrix:
        """Threads over rows. Those of `n_jobs` are over trees, and add each tree's share as it comes.

        Sums of floats depend on the order: the last digits were others at each prediction.
        """
        self.estimator.n_jobs = 1
        count = max(1, min(processors(), len(matrix) // _SLICE))
        if count == 1:
            return np.asarray(method(matrix))
        with ThreadPoolExecutor(count) as pool:
            return np.concatenate(list(pool.map(method, np.array_split(matrix, count))))

    def dump(self) -> bytes:
        """A skops file: data and type names, no code."""
        try:
            content: bytes = skops.io.dumps(self.estimator)
        except Exception as error:  # skops raises what it likes for a type that it does not know
            name = type(self.estimator).__name__
            raise RunError("estimator", f"a model of {name} cannot be stored without pickle: {error}") from error
        return content


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
    if not isinstance(estimator, BaseEstimator):
        raise RunError("model", "the stored model is not a scikit-learn estimator", hint)
    names = matrix_columns(metadata.features)
    check_fitted(estimator, len(names), len(metadata.classes))
    return Fitting(estimator, names)


def is_own_type(name: str) -> bool:
    """True if a type that skops does not know is a class of scikit-learn's own: a class, not any function."""
    module, _, attribute = name.rpartition(".")
    if not module.startswith("sklearn."):
        return False
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    return inspect.isclass(found) and found.__module__.startswith("sklearn.")


def estimator_class(path: str) -> type[Any]:
    """The class of that public path, `sklearn.ensemble.RandomForestClassifier`.

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
    if not hasattr(found, "predict"):
        raise RunError("estimator", f"{path} does not predict, so no model can be made of it", hint)
    estimator: type[Any] = found  # type: ignore[assignment]  # `own` has made sure
    return estimator


def precision(estimator: Estimator) -> type[np.floating[Any]]:
    """The dtype that the estimator computes with: trees, and ensembles of them by default, narrow the matrix."""
    narrow = issubclass(estimator_class(estimator.class_path), _NARROW)
    return np.float32 if narrow else np.float64


def train(training: Training) -> TrainedModel:
    """Fit an estimator; see `Training`."""
    estimator = _make(training)
    label = training.label
    supervised = is_classifier(estimator) or is_regressor(estimator)
    if supervised and label is None:
        raise RunError(
            "estimator", f"{training.estimator.name} learns from a label", "Add LABEL column to the statement."
        )
    check_no_nans(estimator, training.data.matrix, training.names)
    if training.start is not None:
        hint = "Leave USING out, or use an estimator of xgboost."
        raise RunError("estimator", f"{training.estimator.name} cannot go on from a stored model", hint)
    target = None
    if supervised and label is not None:
        label, target = _target(estimator, label, training)
    else:
        label = None
    training.context.check_stopped()
    try:
        estimator.fit(training.data.matrix) if target is None else estimator.fit(training.data.matrix, target)
    except (ValueError, TypeError, NotFittedError) as error:
        raise RunError("estimator", f"{training.estimator.name}: {str(error).strip()}") from error
    return training.model(Fitting(estimator, training.names), label, {}, {})


def _target(estimator: Any, label: Label, training: Training) -> tuple[Label, Matrix]:
    if is_classifier(estimator):
        label = classes_of(label, training.data.labels)
        return label, label.encode(training.data.labels)
    if label.kind == "string":
        raise RunError(
            "data", f"the label {label.name} is text, but {training.estimator.name} needs numbers", "Use a classifier."
        )
    return label, label.numbers(training.data.labels)


def _make(training: Training) -> Any:
    found = estimator_class(training.estimator.class_path)
    parameters = {key: value for key, value in training.parameters.items() if "." not in key}
    known = inspect.signature(found).parameters
    if "random_state" in known:
        parameters.setdefault("random_state", 0)
    if found.__name__.startswith(_THREADED):
        parameters.setdefault("n_jobs", processors())
    made = found(**parameters)
    if not hasattr(made, "predict"):
        raise RunError("estimator", f"{training.estimator.name} does not predict with these attributes")
    return made


def check_no_nans(estimator: Any, matrix: Matrix, names: Sequence[str]) -> None:
    """Refuse NULLs where the estimator cannot take them, naming the columns.

    Raises:
        RunError: kind `data`.
    """
    if get_tags(estimator).input_tags.allow_nan:
        return
    counts = np.isnan(matrix).sum(axis=0)
    if counts.any():
        found = list(dict.fromkeys(f"{names[i]} ({counts[i]} rows)" for i in np.flatnonzero(counts).tolist()))
        raise RunError(
            "data",
            f"{type(estimator).__name__} takes no NULL or NaN, but there are some in {', '.join(found[:10])}",
            "Write COALESCE(column, 0) in the SELECT, or WHERE column IS NOT NULL (for NaN: column <> 'NaN'); or use "
            "one that takes both, such as xgboost.gbtree or sklearn.ensemble.HistGradientBoostingClassifier.",
        )
