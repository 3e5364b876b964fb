"""Models of one's own for `TO TRAIN image/flower_models.Name`: one of each kind that a step can use."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


@keras.saving.register_keras_serializable("flower_models")
class FlowerClassifier(keras.Model):  # type: ignore[misc]
    """A Keras model class: `model.hidden_units` and the like in WITH are its arguments."""

    def __init__(self, n_classes: int, hidden_units: Sequence[int] = (16,), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_classes, self.hidden_units = n_classes, list(hidden_units)
        self.body = [keras.layers.Dense(units, "relu") for units in self.hidden_units]
        self.head = keras.layers.Dense(n_classes, "softmax")

    def call(self, inputs: Any) -> Any:
        """From rows x columns of the matrix to probabilities."""
        for layer in self.body:
            inputs = layer(inputs)
        return self.head(inputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor: the stored model is read back with them."""
        return {**super().get_config(), "n_classes": self.n_classes, "hidden_units": self.hidden_units}

    @staticmethod
    def default_training_epochs() -> int:
        """Epochs where the statement sets no train.epoch."""
        return 20


def optimizer(learning_rate: float = 0.01) -> Any:
    """The optimizer of the module's networks; `optimizer.learning_rate` in WITH is its argument."""
    return keras.optimizers.Adam(learning_rate)


def eval_metrics_fn() -> dict[str, Callable[[Any, Any], Any]]:
    """Functions of labels and outputs that are measured while the module's networks learn."""
    return {"accuracy": keras.metrics.sparse_categorical_accuracy}


def flower_network(n_features: int, n_classes: int, hidden_units: Sequence[int] = (16,)) -> Any:
    """A function that makes a network by Keras's functional interface."""
    inputs = keras.Input((n_features,))
    found = inputs
    for units in hidden_units:
        found = keras.layers.Dense(units, "relu")(found)
    return keras.Model(inputs, keras.layers.Dense(n_classes, "softmax")(found))


class NearestMean(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator in scikit-learn's manner: the class whose mean is the nearest, by the distance of that order."""

    def __init__(self, order: float = 2.0) -> None:
        self.order = order

    def fit(self, matrix: Any, labels: Any) -> NearestMean:
        """Find the mean of each class."""
        self.classes_ = np.unique(labels)
        self.means_ = np.stack([matrix[labels == one].mean(axis=0) for one in self.classes_])
        return self

    def predict(self, matrix: Any) -> Any:
        """The number of the class of each row."""
        distances = [(np.abs(matrix - mean) ** self.order).sum(axis=1) for mean in self.means_]
        return self.classes_[np.argmin(distances, axis=0)]


class Threshold:
    """The model that `threshold` returns: above a limit in one column, or not."""

    def __init__(self, column: int, limit: float) -> None:
        self.column, self.limit = column, limit

    def predict(self, matrix: Any) -> Any:
        """1 above the limit, else 0."""
        return (matrix[:, self.column] > self.limit).astype(np.int64)


def threshold(matrix: Any, labels: Any, column: int = 0) -> Threshold:
    """A function that learns by itself: half-way between the means of two classes."""
    values = matrix[:, column]
    return Threshold(column, float((values[labels == 0].mean() + values[labels == 1].mean()) / 2))


def save(model: Threshold) -> bytes:
    """The bytes that are stored of a model that a function returned."""
    return json.dumps({"column": model.column, "limit": model.limit}).encode()


def load(content: bytes) -> Threshold:
    """The model that `save` wrote."""
    return Threshold(**json.loads(content))
