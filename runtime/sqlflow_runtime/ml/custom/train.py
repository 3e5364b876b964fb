"""TRAIN with a class or function of the user's own."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue import Estimator, split_image
from sqlflow_codegen.catalogue.boosting import SAMPLE_WEIGHT
from sqlflow_codegen.catalogue.neural import OWN_ATTRIBUTES
from sqlflow_codegen.contract import IMAGE_ENV

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.custom.definition import Definition, arguments, locate, wrong_image
from sqlflow_runtime.ml.labels import classes_of
from sqlflow_runtime.ml.trained_model import TrainedModel
from sqlflow_runtime.ml.training import Training

dtype = np.float64

_USED = frozenset({SAMPLE_WEIGHT})
"""Attributes that steer the training of every model of the user's own."""
_USED_BY_NETWORKS = _USED | {
    "train.batch_size", "train.epoch", "train.seed", "train.early_stopping_patience", "validation.select",
}  # fmt: skip


def precision(_estimator: Estimator) -> type[np.floating[Any]]:
    """The dtype of the matrix."""
    return np.float64


def train(training: Training) -> TrainedModel:
    """Train a model of the user's own; see `Training`."""
    _check_image(training)
    if training.start is not None:
        raise RunError("model", f"{training.estimator.name} cannot go on from a stored model", "Leave USING out.")
    definition = locate(training.estimator.name)
    offered = _offered(training, definition)
    if definition.trains:
        _warn_of_idle(training, _USED)
        from sqlflow_runtime.ml.custom.functions import train as train_by_function

        return train_by_function(training, definition, offered)
    keras = sys.modules.get("keras")
    if keras is not None:
        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(int(training.parameters.get("train.seed", 0)))
    made = definition.call(training.parameters, offered)
    if keras is not None and isinstance(made, keras.Model):
        from sqlflow_runtime.ml.custom.networks import fit
        from sqlflow_runtime.ml.neural.backend import quiet

        _warn_of_idle(training, _USED_BY_NETWORKS)
        with quiet():
            return fit(training, definition, made)
    if hasattr(made, "fit") and hasattr(made, "predict"):
        from sqlflow_runtime.ml.custom.estimators import fit as fit_estimator

        _warn_of_idle(training, _USED)
        return fit_estimator(training, definition, made)
    raise RunError(
        "estimator",
        f"{definition.path} makes {type(made).__name__}, which is no model",
        "Return a keras.Model, an object with fit and predict, or take matrix and labels and return one with predict.",
    )


def _check_image(training: Training) -> None:
    running = wrong_image(training.estimator.name)
    if running is not None:
        message = f"{training.estimator.name} is not of the image of this step, {running}"
        raise RunError("estimator", message, "Statements of an image of your own run in that image: render it again.")
    if not os.environ.get(IMAGE_ENV):
        image, path = split_image(training.estimator.name)
        what = f"there are no containers here: {path} is imported from this Python, not from the image {image}"
        training.context.recorder.log("warning", what)


def _warn_of_idle(training: Training, used: frozenset[str]) -> None:
    """Warn of attributes that steer a training, but not this one."""
    for attribute in training.statement.attributes:
        if attribute.name in OWN_ATTRIBUTES and attribute.name not in used:
            what = f"{attribute.name} has no effect on {training.estimator.class_path}"
            training.context.recorder.log("warning", what)


def _offered(training: Training, definition: Definition) -> dict[str, Any]:
    """Arguments that a class or function gets if it has parameters of these names."""
    names = list(training.names)
    offered: dict[str, Any] = {"n_features": len(names), "feature_names": names, "feature_columns": names}
    if training.label is not None and "n_classes" not in arguments(training.parameters):
        classes = _classes(training, definition)
        offered |= {"n_classes": classes} if classes else {}
    return offered


def _classes(training: Training, definition: Definition) -> int:
    """The number of classes of the label; 0 if it has none."""
    from sqlflow_runtime.ml.custom.targets import task_of

    if training.label is None or task_of(training, definition) != "classification":
        return 0
    return len(classes_of(training.label, training.data.labels).classes)
