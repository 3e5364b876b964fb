"""Training an estimator of scikit-learn: any of its public API of which a model can come."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble._bagging import BaseBagging
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._weight_boosting import BaseWeightBoosting
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.tree import BaseDecisionTree
from sklearn.utils import get_tags
from sqlflow_codegen.catalogue import Estimator
from sqlflow_codegen.catalogue.estimators import MULTI_LABEL, MULTI_OUTPUT

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.features import category_sizes
from sqlflow_runtime.ml.labels import Label, classes_of
from sqlflow_runtime.ml.list_labels import ListLabel, list_label
from sqlflow_runtime.ml.sklearn_models import Fitting, check_no_nans
from sqlflow_runtime.ml.sklearn_types import FUNCTIONS, PREDICTING, estimator_class
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel
from sqlflow_runtime.ml.training import Training

dtype = np.float64

_THREADED = ("RandomForest", "ExtraTrees")
"""Estimators whose `n_jobs` are threads, which cost nothing; elsewhere it has no effect, or starts processes."""

_NARROW = (
    BaseDecisionTree, BaseForest, BaseGradientBoosting, BaseBagging, BaseWeightBoosting,
)  # fmt: skip

_TASKS = {"cluster": "clustering", "mixture": "clustering", "transformer": "transformation"}
"""Task of the catalogue -> task of the model, where they differ."""


def precision(estimator: Estimator) -> type[np.floating[Any]]:
    """The dtype that the estimator computes with: trees, and ensembles of them by default, narrow the matrix."""
    narrow = issubclass(estimator_class(estimator.class_path), _NARROW)
    return np.float32 if narrow else np.float64


def train(training: Training) -> TrainedModel:
    """Fit an estimator; see `Training`."""
    estimator = make(training.estimator, training.parameters, _columns(training))
    _set_categories(estimator, training)
    if not any(hasattr(estimator, method) for method in PREDICTING):
        raise RunError("estimator", f"{training.estimator.name} does not predict with these attributes")
    _check_matrix(estimator, training)
    if training.start is not None:
        hint = "Leave USING out, or use an estimator of xgboost."
        raise RunError("estimator", f"{training.estimator.name} cannot go on from a stored model", hint)
    label, target = _target(estimator, training)
    training.context.check_stopped()
    _fit(estimator, training, target)
    fitted = Fitting(estimator, training.names)
    task = _task(estimator, training)
    if isinstance(label, ListLabel):
        task = "multilabel" if label.is_set else "multioutput"
    outputs = fitted.predict(training.data.matrix[:1]).shape[1] if task == "transformation" else 1
    return training.model(fitted, label, {}, {}, task=task, outputs=outputs)


def _set_categories(estimator: Any, training: Training) -> None:
    """Give an estimator that splits categories without an order the columns of the matrix that hold them."""
    columns = [position for position, size in enumerate(category_sizes(training.data.features)) if size]
    name = "categorical_features"
    if columns and name in inspect.signature(type(estimator)).parameters and name not in training.parameters:
        estimator.set_params(**{name: columns})


def _fit(estimator: Any, training: Training, target: Matrix | None) -> None:
    matrix, weights = training.data.matrix, training.data.weights
    given = [matrix] if target is None else [matrix, target]
    further = {} if weights is None else {"sample_weight": weights}
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            estimator.fit(*given, **further)
    except (ValueError, TypeError, NotFittedError) as error:
        raise RunError("estimator", f"{training.estimator.name}: {str(error).strip()}") from error
    for text in dict.fromkeys(str(one.message).splitlines()[0] for one in caught):
        training.context.recorder.log("warning", f"{training.estimator.name}: {text}")


def _check_matrix(estimator: Any, training: Training) -> None:
    if issparse(training.data.matrix) and not get_tags(estimator).input_tags.sparse:
        column = next(" x ".join(one.columns) for one in training.data.features if one.sparse)
        hint = "Use DENSE, or fewer categories; or an estimator that takes it, such as LogisticRegression."
        raise RunError("estimator", f"{training.estimator.name} takes no sparse features, as {column} is one", hint)
    check_no_nans(estimator, training.data.matrix, training.names)


def _task(estimator: Any, training: Training) -> str:
    """The model's task; "" where the label decides."""
    if is_classifier(estimator) or is_regressor(estimator):
        return ""
    task = training.estimator.task
    if task == "any":  # of a scikit-learn that the catalogue does not know
        task = "transformer" if not hasattr(estimator, "predict") else "cluster"
    return _TASKS.get(task, task)


def _target(estimator: Any, training: Training) -> tuple[Label | None, Matrix | None]:
    """The label as the model keeps it, and as numbers to learn from; both None where the estimator takes none."""
    label, name = training.label, training.estimator.name
    supervised = is_classifier(estimator) or is_regressor(estimator)
    if not supervised and not training.estimator.supervised:
        return None, None
    if label is None:
        raise RunError("estimator", f"{name} learns from a label", "Add LABEL column to the statement.")
    if is_classifier(estimator):
        label = _classes(estimator, label, training)
        return label, label.encode(training.data.labels)
    if not supervised and label.kind in ("string", "bool"):
        return label, classes_of(label, training.data.labels).encode(training.data.labels)
    if supervised:
        return label, _numbers(estimator, label, training)
    numbers = label.numbers(training.data.labels)
    return label, numbers.astype(np.int64) if not supervised and label.kind == "int" else numbers


def _classes(estimator: Any, label: Label, training: Training) -> Label:
    """The label with its classes; several for each row where the statement or the estimator says so."""
    if training.parameters.get(MULTI_LABEL):
        return list_label(label, training.data.labels, is_set=True)
    if training.parameters.get(MULTI_OUTPUT) or not get_tags(estimator).target_tags.single_output:
        return list_label(label, training.data.labels, is_set=False)
    return classes_of(label, training.data.labels)


def _numbers(estimator: Any, label: Label, training: Training) -> Matrix:
    """The numbers of a regression's label: one for each row, or rows x numbers of a text that lists several."""
    tags, name = get_tags(estimator).target_tags, training.estimator.name
    if label.kind != "string":
        if not tags.single_output:
            hint = "Select a text that lists them, such as concat(a, ',', b) AS labels."
            raise RunError("data", f"{name} learns several labels, but the label {label.name} is one number", hint)
        return label.numbers(training.data.labels)
    found = label.series(training.data.labels)
    if found.shape[1] > 1 and not tags.multi_output:
        message = f"the label {label.name} lists {found.shape[1]} numbers, but {name} learns one"
        hint = f'Write sklearn.multioutput.MultiOutputRegressor WITH estimator="{name}".'
        raise RunError("data", message, hint)
    return found[:, 0] if found.shape[1] == 1 and tags.single_output else found


def _columns(training: Training) -> dict[str, list[int]]:
    """For each target of the COLUMN clauses the columns of the matrix that are its own."""
    found: dict[str, list[int]] = {}
    at = 0
    for feature in training.data.features:
        found.setdefault(feature.target, []).extend(range(at, at + feature.width))
        at += feature.width
    return found


def make(estimator: Estimator, parameters: Mapping[str, Any], columns: Mapping[str, Sequence[int]]) -> Any:
    """The estimator, its parts made first.

    Args:
        estimator: with its `parts`.
        parameters: by name, those of the parts under their prefixes.
        columns: of the matrix, for each transformer of a `ColumnTransformer`.
    """
    found = estimator_class(estimator.class_path, PREDICTING if not estimator.slots else ())
    given = {key: _value(key, value) for key, value in parameters.items() if "." not in key}
    known = inspect.signature(found).parameters
    if "random_state" in known:
        given.setdefault("random_state", 0)
    if found.__name__.startswith(_THREADED):
        given.setdefault("n_jobs", processors())
    for part in estimator.parts:
        made = make(part.estimator, _under(parameters, part.name), columns)
        if estimator.slots[part.slot].many:
            member = (part.name, made, list(columns[part.name])) if part.slot == "transformers" else (part.name, made)
            given[part.slot] = [*([] if isinstance(given[part.slot], str) else given[part.slot]), member]
        else:
            given[part.slot] = made
    if estimator.grid:
        given[estimator.grid] = {
            name.replace(".", "__"): values for name, values in _under(parameters, estimator.grid).items()
        }
    return found(**given)


def _under(parameters: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(f"{prefix}."): value for key, value in parameters.items() if key.startswith(f"{prefix}.")}


def _value(name: str, value: Any) -> Any:
    """The function that an attribute names, where it takes one; else the value itself."""
    if name in FUNCTIONS and value in FUNCTIONS[name]:
        return getattr(importlib.import_module(FUNCTIONS[name][value]), value)
    return value
