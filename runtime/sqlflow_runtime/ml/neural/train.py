"""TRAIN with SQLFlow's neural estimators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue import Estimator

from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.evaluation import Evaluation, metric_names
from sqlflow_runtime.ml.labels import Label, different
from sqlflow_runtime.ml.neural import optimizers
from sqlflow_runtime.ml.neural.backend import keras, quiet
from sqlflow_runtime.ml.neural.clustering import cluster
from sqlflow_runtime.ml.neural.fitting import Course, plan
from sqlflow_runtime.ml.neural.layout import Layout
from sqlflow_runtime.ml.neural.models import Network
from sqlflow_runtime.ml.neural.networks import Blueprint, network
from sqlflow_runtime.ml.neural.rows import Rows, moments
from sqlflow_runtime.ml.neural.targets import label_of, spread_of, targets_of
from sqlflow_runtime.ml.trained_model import TrainedModel
from sqlflow_runtime.ml.training import Training

dtype = np.float32


def precision(_estimator: Estimator) -> type[np.floating[Any]]:
    """The dtype that the estimator computes with."""
    return np.float32


def train(training: Training) -> TrainedModel:
    """Train a network; see `Training`."""
    with quiet():
        return _train(training)


def _train(training: Training) -> TrainedModel:
    seed = int(training.parameters.get("train.seed", 0))
    keras.utils.clear_session(free_memory=False)  # layers count from one again: equal networks have equal names
    keras.utils.set_random_seed(seed)
    if training.estimator.task == "cluster":
        return cluster(training, *moments(training.data))
    task = training.estimator.task
    label = label_of(training)
    layout = Layout(training.data.features)
    blueprint = _blueprint(training, layout, label)
    model = _begun(training, label) or network(training.estimator.name, blueprint)
    name, loss = optimizers.loss(task, training.parameters, blueprint.unit)
    metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")] if label.classes else []
    optimizer = optimizers.optimizer(training.estimator.name, training.parameters)
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics)
    fitted = Network(model, layout, "classification" if task == "classifier" else "regression")
    course = plan(training)
    callback = Course(training, course, _validation(training, fitted, label))
    rows = Rows(training.data, layout, targets_of(label), seed)
    training.log(
        f"{model.count_params()} parameters, loss {name}, {course.steps} steps in each of {course.epochs} epochs"
    )
    batches = rows.batches(course.batch)
    model.fit(
        batches,
        steps_per_epoch=course.steps,
        epochs=course.epochs,
        callbacks=[callback],
        verbose=0,
        shuffle=False,  # they are shuffled
    )
    return training.model(fitted, label, callback.metrics, {})


def _blueprint(training: Training, layout: Layout, label: Label) -> Blueprint:
    mean, scale = moments(training.data)
    if label.classes:
        return Blueprint(layout, training.parameters, len(label.classes), mean, scale)
    offset, unit = spread_of(training, label)
    return Blueprint(layout, training.parameters, len(unit), mean, scale, offset, unit)


def _begun(training: Training, label: Label) -> Any | None:
    """The network of the model that USING names, to go on from; None without USING.

    Raises:
        RunError: kind `model`; it is of another estimator, or of other classes.
    """
    start = training.start
    if start is None:
        return None
    hint = "Leave USING out to train a new model."
    if start.estimator != training.estimator.name or not isinstance(start.fitted, Network):
        message = f"the model is of {start.estimator}, from which {training.estimator.name} cannot go on"
        raise RunError("model", f"cannot go on from the model that USING names: {message}", hint)
    if start.label is None or start.label.classes != label.classes:
        known = listed([repr(one) for one in start.classes], 10) or "numbers"
        raise RunError("model", f"cannot go on from the model that USING names: it predicts {known}", hint)
    return start.fitted.model


def _validation(training: Training, fitted: Network, label: Label) -> Callable[[], Mapping[str, float]] | None:
    """Measures the loss and the metrics of `validation.metrics` on the rows of `validation.select`."""
    data = training.validation
    if data is None:
        return None
    unknown = [one for one in different(data.labels) if one not in label.classes] if label.classes else []
    if unknown:
        message = f"validation.select has the label {unknown[0]!r}, which no training row has"
        raise RunError("data", message, "Select rows of the same classes.")
    task = "classification" if label.classes else "regression"
    names = metric_names(training.parameters.get("validation.metrics"), task)

    def measure() -> dict[str, float]:
        found = Evaluation(training.model(fitted, label, {}, {}), data.batches())
        return {"loss": found.loss(), **{name: found.metric(name) for name in names}}

    return measure
