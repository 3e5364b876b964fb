"""Estimators of the user's own in scikit-learn's manner, stored by skops: types of scikit-learn's and the module's."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np
import skops.io
from sklearn.base import is_classifier, is_regressor
from sqlflow_codegen.catalogue.boosting import SAMPLE_WEIGHT

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.custom.definition import Definition, locate_stored
from sqlflow_runtime.ml.custom.targets import target_of, task_of
from sqlflow_runtime.ml.metadata import ModelMetadata
from sqlflow_runtime.ml.sklearn_types import is_own_type
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel
from sqlflow_runtime.ml.training import Training

_HINT = "Train it again, or use the image that trained it."


class OwnEstimator:
    """An estimator of the user's own that has learned."""

    codec = "custom-skops"
    dtype: type[np.floating[Any]] = np.float64

    def __init__(self, estimator: Any, path: str) -> None:
        self.estimator, self._path = estimator, path

    def predict(self, matrix: Matrix) -> Matrix:
        """See `Fitted`."""
        return self._applied("predict", matrix)

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        return self._applied("predict_proba", matrix) if hasattr(self.estimator, "predict_proba") else None

    def scores(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        return self._applied("decision_function", matrix) if hasattr(self.estimator, "decision_function") else None

    def dump(self) -> bytes:
        """A skops file: data and type names, no code."""
        try:
            content: bytes = skops.io.dumps(self.estimator)
        except Exception as error:  # skops raises what it likes for a type that it does not know
            hint = "Give it attributes of plain Python, NumPy and scikit-learn, or a function with save and load."
            raise RunError("estimator", f"{self._path} cannot be stored without pickle: {error}", hint) from error
        return content

    def _applied(self, method: str, matrix: Matrix) -> Matrix:
        try:
            return np.asarray(getattr(self.estimator, method)(matrix))
        except Exception as error:  # the user's own code
            raise RunError("data", f"{self._path} cannot predict these rows: {error}") from error


def load(content: bytes, metadata: ModelMetadata) -> OwnEstimator:
    """Return the estimator that `OwnEstimator.dump` wrote.

    Raises:
        RunError: kind `model` or `estimator`; its class is not here, or it names types of other packages.
    """
    definition = locate_stored(metadata.estimator)
    try:
        untrusted = skops.io.get_untrusted_types(data=content)
        foreign = [name for name in untrusted if not (is_own_type(name) or _is_of(definition, name))]
        if foreign:
            raise RunError(
                "model", f"the stored model holds {foreign[0]}, which is no type of {definition.path}", _HINT
            )
        estimator = skops.io.loads(content, trusted=untrusted)
    except RunError:
        raise
    except Exception as error:
        raise RunError("model", f"the stored model cannot be read: {type(error).__name__}: {error}", _HINT) from error
    if inspect.isclass(definition.target) and not isinstance(estimator, definition.target):
        raise RunError("model", f"the stored model is none of {definition.path}", _HINT)
    return OwnEstimator(estimator, definition.path)


def _is_of(definition: Definition, name: str) -> bool:
    """True if a type is a class that the user's module, or another one of its package, defines."""
    module, _, attribute = name.rpartition(".")
    if module.partition(".")[0] != definition.module.__name__.partition(".")[0]:
        return False
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    return inspect.isclass(found) and found.__module__ == module


def fit(training: Training, definition: Definition, estimator: Any) -> TrainedModel:
    """Let an estimator of the user's own learn."""
    known = "classification" if is_classifier(estimator) else "regression" if is_regressor(estimator) else None
    task = task_of(training, definition, known)
    label, target = target_of(training, task)
    try:
        given = (training.data.matrix,) if target is None else (training.data.matrix, target)
        estimator.fit(*given, **_weights(training, definition, estimator))
    except RunError:
        raise
    except Exception as error:  # the user's own code
        raise RunError("estimator", f"{definition.path}: {type(error).__name__}: {error}"[:600]) from error
    return training.model(OwnEstimator(estimator, definition.path), label, {}, {}, task=task)


def _weights(training: Training, definition: Definition, estimator: Any) -> dict[str, Any]:
    """The weights of the rows as `fit` takes them.

    Raises:
        RunError: kind `estimator`; the statement gives some, and `fit` takes none.
    """
    if training.data.weights is None:
        return {}
    if "sample_weight" not in inspect.signature(estimator.fit).parameters:
        raise RunError("estimator", f"fit of {definition.path} takes no sample_weight", f"Leave {SAMPLE_WEIGHT} out.")
    return {"sample_weight": training.data.weights}
