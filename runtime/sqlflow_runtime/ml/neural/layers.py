"""Layers that Keras does not have. They are part of stored models: their names and configurations stay."""

from __future__ import annotations

from typing import Any

from sqlflow_runtime.ml.neural.backend import keras

ops = keras.ops
_PACKAGE = "sqlflow"


@keras.saving.register_keras_serializable(_PACKAGE)
class Standardize(keras.layers.Layer):  # type: ignore[misc]
    """Numbers minus their mean, divided by their standard deviation: those of the training's rows."""

    def __init__(self, mean: list[float], scale: list[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean, self.scale = [float(one) for one in mean], [float(one) for one in scale]

    def call(self, numbers: Any) -> Any:
        """Rows x numbers."""
        mean = ops.convert_to_tensor(self.mean, dtype=self.compute_dtype)
        return (numbers - mean) / ops.convert_to_tensor(self.scale, dtype=self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The same shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "mean": self.mean, "scale": self.scale}


@keras.saving.register_keras_serializable(_PACKAGE)
class OneHot(keras.layers.Layer):  # type: ignore[misc]
    """A category as one column for each: all zeros for 0, the category that is not known."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, category: Any) -> Any:
        """Rows x 1 category."""
        return ops.one_hot(category[:, 0] - 1, self.size, dtype=self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Rows x size."""
        return (*input_shape[:-1], self.size)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "size": self.size}


def _combined(weights: Any, combiner: str) -> Any:
    """The weights of a row's categories divided by their norm."""
    if combiner == "sum":
        return weights
    norm = ops.sum(weights, axis=1, keepdims=True)
    if combiner == "sqrtn":
        norm = ops.sqrt(ops.sum(ops.square(weights), axis=1, keepdims=True))
    return weights / ops.where(ops.equal(norm, 0.0), ops.ones_like(norm), norm)


@keras.saving.register_keras_serializable(_PACKAGE)
class Bag(keras.layers.Layer):  # type: ignore[misc]
    """The weights of a row's categories, or their shares by one of two norms."""

    def __init__(self, combiner: str = "sum", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.combiner = combiner

    def call(self, weights: Any) -> Any:
        """Rows x categories, the weight of each."""
        return _combined(weights, self.combiner)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The same shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "combiner": self.combiner}


@keras.saving.register_keras_serializable(_PACKAGE)
class BagEmbedding(keras.layers.Layer):  # type: ignore[misc]
    """The embeddings of a row's categories by their weights: their sum, or their mean by one of two norms."""

    def __init__(self, dimension: int, combiner: str = "sum", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dimension, self.combiner = dimension, combiner

    def build(self, input_shape: Any) -> None:
        """Create the embeddings."""
        scale = keras.initializers.TruncatedNormal(stddev=self.dimension**-0.5)
        self.embeddings = self.add_weight(shape=(input_shape[-1], self.dimension), initializer=scale, name="embeddings")

    def call(self, weights: Any) -> Any:
        """Rows x categories, the weight of each."""
        return ops.matmul(_combined(weights, self.combiner), self.embeddings)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Rows x dimension."""
        return (*input_shape[:-1], self.dimension)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "dimension": self.dimension, "combiner": self.combiner}


@keras.saving.register_keras_serializable(_PACKAGE)
class Clusters(keras.layers.Layer):  # type: ignore[misc]
    """For each row its nearness to each cluster's centre, by Student's t, as shares of one."""

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count

    def build(self, input_shape: Any) -> None:
        """Create the centres."""
        self.centres = self.add_weight(
            shape=(self.count, input_shape[-1]), initializer="glorot_uniform", name="centres"
        )

    def call(self, rows: Any) -> Any:
        """Rows x size of the encoding."""
        distance = ops.sum(ops.square(ops.expand_dims(rows, 1) - self.centres), axis=2)
        near = 1.0 / (1.0 + distance)
        return near / ops.sum(near, axis=1, keepdims=True)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Rows x clusters."""
        return (*input_shape[:-1], self.count)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "count": self.count}


OWN = (Standardize, OneHot, Bag, BagEmbedding, Clusters)
"""All layers of this module."""
