"""Deep embedded clustering: an autoencoder, k-means on what it encodes, then both learn together.

Xie, Girshick, Farhadi: Unsupervised Deep Embedding for Clustering Analysis (2016).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.neural.backend import keras
from sqlflow_runtime.ml.neural.fitting import predicted
from sqlflow_runtime.ml.neural.layers import Clusters
from sqlflow_runtime.ml.neural.layout import Layout
from sqlflow_runtime.ml.neural.models import Network
from sqlflow_runtime.ml.neural.networks import Blueprint, Inputs, encoded, joined
from sqlflow_runtime.ml.neural.rows import Rows
from sqlflow_runtime.ml.trained_model import TrainedModel
from sqlflow_runtime.ml.training import Training

layers = keras.layers
Array = npt.NDArray[Any]

_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "n_clusters": 10, "kmeans_init": 20, "run_pretrain": True, "pretrain_dims": [500, 500, 2000, 10],
        "pretrain_activation_func": "relu", "pretrain_batch_size": 256, "train_batch_size": 256, "pretrain_epochs": 10,
        "pretrain_initializer": "glorot_uniform", "pretrain_lr": 0.1, "train_lr": 0.1, "train_max_iters": 8000,
        "update_interval": 100, "tol": 0.001,
    }
)  # fmt: skip
"""SQLFlow's own defaults, but for pretrain_lr: with its 1.0 the autoencoder forgets all of its input."""
_MOMENTUM = 0.9
_CLIP = 1.0
"""Longest gradient of a step."""


def cluster(training: Training, mean: Array, scale: Array) -> TrainedModel:
    """Train on the rows of the matrix, whose columns have that mean and standard deviation."""
    given = dict(_DEFAULTS) | {key.partition(".")[2]: value for key, value in training.parameters.items()}
    if training.start is not None:
        raise RunError("model", f"{training.estimator.name} cannot go on from a stored model", "Leave USING out.")
    if len(training.data) < given["n_clusters"]:
        message = f"{len(training.data)} rows cannot make {given['n_clusters']} clusters"
        raise RunError("data", message, "Write a smaller model.n_clusters, or select more rows.")
    layout = Layout(training.data.features)
    inputs = Inputs(Blueprint(layout, training.parameters, given["n_clusters"], mean, scale))
    plain = joined(encoded(layout, inputs, layout.targets[0]), layout.targets[0])
    code = _coder(plain, given["pretrain_dims"], given)
    rows = Rows(training.data, layout, None, int(given.get("seed", 0)))
    pretrained = _pretrain(training, inputs.tensors, plain, code, rows, given) if given["run_pretrain"] else 0
    encoder = keras.Model(inputs.tensors, code)
    layer = Clusters(given["n_clusters"], name="clusters")
    model = keras.Model(inputs.tensors, layer(code), name="network")
    layer.set_weights([_centres(predicted(encoder, layout, training.data.matrix), given)])
    metrics = _Refining(training, model, layout, given, pretrained).run()
    return training.model(Network(model, layout, "clustering"), None, metrics, {}, task="clustering")


def _coder(found: Any, sizes: list[int], given: Mapping[str, Any]) -> Any:
    """Dense layers of those sizes; the last one without an activation."""
    for size in sizes[:-1]:
        found = layers.Dense(size, given["pretrain_activation_func"], kernel_initializer=given["pretrain_initializer"])(
            found
        )
    return layers.Dense(sizes[-1], kernel_initializer=given["pretrain_initializer"])(found)


def _pretrain(
    training: Training, inputs: Mapping[str, Any], plain: Any, code: Any, rows: Rows, given: Mapping[str, Any]
) -> int:
    """Let the encoder learn codes from which the rows can be made again; returns the number of epochs."""
    again = _coder(code, [*reversed(given["pretrain_dims"][:-1]), plain.shape[-1]], given)
    model = keras.Model(inputs, layers.Subtract()([again, plain]))
    model.compile(_descent(given["pretrain_lr"]), loss=lambda _, error: keras.ops.mean(keras.ops.square(error)))
    batch = min(given["pretrain_batch_size"], len(training.data))
    steps, epochs = math.ceil(len(training.data) / batch), int(given["pretrain_epochs"])
    batches = _without_labels(rows.batches(batch))
    for epoch in range(1, epochs + 1):
        losses = []
        for _ in range(steps):
            training.context.check_stopped()
            losses.append(float(model.train_on_batch(*next(batches))))
        loss = float(np.mean(losses))
        if not math.isfinite(loss):
            message = f"the autoencoder's loss is no number any more after epoch {epoch}: it has diverged"
            raise RunError("estimator", message, "Write a smaller model.pretrain_lr.")
        training.progress(epoch, epochs, {"pretrain-loss": loss}, "epoch")
    return epochs


def _without_labels(batches: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, Array]]:
    """Inputs, and the label that Keras wants to have for each row."""
    for (inputs,) in batches:
        yield inputs, np.zeros((len(next(iter(inputs.values()))), 1), dtype=np.float32)


def _descent(rate: float) -> Any:
    return keras.optimizers.SGD(rate, momentum=_MOMENTUM, clipnorm=_CLIP)


def _centres(codes: Array, given: Mapping[str, Any]) -> Array:
    """The centres of k-means on the codes."""
    from sklearn.cluster import KMeans

    found = KMeans(given["n_clusters"], n_init=given["kmeans_init"], random_state=int(given.get("seed", 0)))
    centres: Array = found.fit(codes).cluster_centers_
    return centres


class _Refining:
    """Moves codes and centres so that each row comes nearer to the cluster that it is nearest to."""

    def __init__(
        self, training: Training, model: Any, layout: Layout, given: Mapping[str, Any], pretrained: int
    ) -> None:
        self._training, self._model, self._layout, self._given = training, model, layout, given
        self._pretrained = pretrained

    def run(self) -> dict[str, float]:
        """Learn until hardly any row changes its cluster; returns the last values measured."""
        given, model = self._given, self._model
        model.compile(_descent(given["train_lr"]), loss="kl_divergence")
        most, interval = int(given["train_max_iters"]), int(given["update_interval"])
        rounds = self._pretrained + math.ceil(most / interval)
        before: Array | None = None
        values: dict[str, float] = {}
        for number in range(math.ceil(most / interval)):
            shares = predicted(model, self._layout, self._training.data.matrix)
            clusters = shares.argmax(axis=1)
            changed = 1.0 if before is None else float(np.mean(clusters != before))
            if changed <= given["tol"]:
                self._training.log(f"{changed:.2%} of the rows have changed their cluster: done")
                break
            before = clusters
            steps = min(interval, most - number * interval)
            values = {"train-loss": self._learn(_targets(shares), steps), "changed": changed}
            self._training.progress(self._pretrained + number + 1, rounds, values, "round")
        return values

    def _learn(self, targets: Array, steps: int) -> float:
        """Some steps towards the targets, over the rows in their order, from their beginning again at the end."""
        matrix, batch = self._training.data.matrix, int(self._given["train_batch_size"])
        losses, start = [], 0
        for _ in range(steps):
            self._training.context.check_stopped()
            rows = slice(start, start + batch)
            losses.append(float(self._model.train_on_batch(self._layout.inputs(matrix[rows]), targets[rows])))
            start = start + batch if start + batch < matrix.shape[0] else 0
        return float(np.mean(losses))


def _targets(shares: Array) -> Array:
    """Shares that are surer of their cluster; clusters of many rows weigh no more than those of few."""
    weights = shares**2 / shares.sum(axis=0)
    found: Array = weights / weights.sum(axis=1, keepdims=True)
    return found
