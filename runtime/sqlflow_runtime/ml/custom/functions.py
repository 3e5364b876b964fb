"""Functions of the user's own that learn by themselves; their module stores and reads what they return."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue.boosting import SAMPLE_WEIGHT

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.custom.definition import Definition, locate_stored
from sqlflow_runtime.ml.custom.targets import target_of, task_of
from sqlflow_runtime.ml.metadata import ModelMetadata
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel
from sqlflow_runtime.ml.training import Training


class OwnModel:
    """A model that a function of the user's own returned."""

    codec = "custom-module"
    dtype: type[np.floating[Any]] = np.float64

    def __init__(self, model: Any, definition: Definition) -> None:
        self.model, self._definition = model, definition

    def predict(self, matrix: Matrix) -> Matrix:
        """See `Fitted`."""
        return self._applied("predict", matrix)

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        return self._applied("predict_proba", matrix) if hasattr(self.model, "predict_proba") else None

    def scores(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        return self._applied("decision_function", matrix) if hasattr(self.model, "decision_function") else None

    def dump(self) -> bytes:
        """The module's `save` of the model."""
        content = self._definition.hook("save")(self.model)  # type: ignore[misc]  # `train` has made sure of it
        if not isinstance(content, bytes):
            message = f"save of {self._definition.module.__name__} returns {type(content).__name__}, not bytes"
            raise RunError("estimator", message)
        return content

    def _applied(self, method: str, matrix: Matrix) -> Matrix:
        try:
            return np.asarray(getattr(self.model, method)(matrix))
        except Exception as error:  # the user's own code
            raise RunError("data", f"{self._definition.path} cannot predict these rows: {error}") from error


def load(content: bytes, metadata: ModelMetadata) -> OwnModel:
    """Return the model that the module's `load` makes of the content.

    Raises:
        RunError: kind `model` or `estimator`; the module is not here, or cannot read it.
    """
    definition = locate_stored(metadata.estimator)
    _check_hooks(definition)
    try:
        model = definition.hook("load")(content)  # type: ignore[misc]  # checked just now
    except Exception as error:  # the user's own code
        hint = "Train it again, or use the image that trained it."
        message = f"load of {definition.module.__name__} cannot read the stored model: {type(error).__name__}: {error}"
        raise RunError("model", message, hint) from error
    return OwnModel(model, definition)


def train(training: Training, definition: Definition, offered: dict[str, Any]) -> TrainedModel:
    """Call the function with the matrix, and keep what it returns."""
    _check_hooks(definition)
    task = task_of(training, definition)
    label, target = target_of(training, task)
    weights = training.data.weights
    if weights is not None and "weights" not in inspect.signature(definition.target).parameters:
        raise RunError("estimator", f"{definition.path} takes no weights", f"Leave {SAMPLE_WEIGHT} out.")
    given = {**offered, "matrix": training.data.matrix, "labels": target, "weights": weights}
    model = definition.call(training.parameters, given)
    if not hasattr(model, "predict"):
        raise RunError("estimator", f"{definition.path} returns {type(model).__name__}, which has no method predict")
    return training.model(OwnModel(model, definition), label, {}, {}, task=task)


def _check_hooks(definition: Definition) -> None:
    name = definition.module.__name__
    for hook in ("save", "load"):
        found = definition.hook(hook)
        if not callable(found) or getattr(found, "__module__", None) != name:
            hint = "Write save(model) -> bytes and load(content) -> model in the module; pickle only what you trust."
            raise RunError("estimator", f"the module {name} has no function {hook}, so its model cannot be kept", hint)
