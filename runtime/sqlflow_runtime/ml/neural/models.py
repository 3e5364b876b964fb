"""Trained networks: their predictions, and their way into the model store and out of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.metadata import ModelMetadata
from sqlflow_runtime.ml.neural import archive
from sqlflow_runtime.ml.neural.backend import keras, quiet
from sqlflow_runtime.ml.neural.fitting import predicted
from sqlflow_runtime.ml.neural.layout import Layout
from sqlflow_runtime.ml.trained_model import Matrix


class Network:
    """A network that has learned."""

    codec = "keras"
    dtype: type[np.floating[Any]] = np.float32

    def __init__(self, model: Any, layout: Layout, task: str) -> None:
        """`task` as in the metadata; for classes the network gives logits, for clusters shares."""
        self.model, self._layout, self._task = model, layout, task

    def outputs(self, matrix: Matrix) -> Matrix:
        """The network's numbers: rows x outputs."""
        if not matrix.shape[0]:
            return np.zeros((0, self.model.output_shape[-1]), dtype=np.float32)
        return predicted(self.model, self._layout, matrix)

    def predict(self, matrix: Matrix) -> Matrix:
        """See `Fitted`."""
        found = self.outputs(matrix)
        if self._task == "regression":
            return found[:, 0].astype(np.float64) if found.shape[1] == 1 else found
        return np.asarray(found.argmax(axis=1))

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        return softmax(self.outputs(matrix)) if self._task == "classification" else None

    def predict_with_probabilities(self, matrix: Matrix) -> tuple[Matrix, Matrix | None]:
        """Both by one pass through the network."""
        if self._task != "classification":
            return self.predict(matrix), None
        found = self.outputs(matrix)
        return np.asarray(found.argmax(axis=1)), softmax(found)

    def scores(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`: the logits of classes, the nearness to clusters."""
        return self.outputs(matrix).astype(np.float64) if self._task != "regression" else None

    def dump(self) -> bytes:
        """The content of a `.keras` file."""
        with quiet():
            return archive.dump(self.model)


def softmax(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Probabilities of classes."""
    found = logits.astype(np.float64)
    power = np.exp(found - found.max(axis=1, keepdims=True))
    total: npt.NDArray[np.float64] = power / power.sum(axis=1, keepdims=True)
    return total


def load(content: bytes, metadata: ModelMetadata) -> Network:
    """Return the network that `Network.dump` wrote.

    Raises:
        RunError: kind `model`; it cannot be read, or is not the one that the metadata describes.
    """
    hint = "Train it again, or use the image that trained it."
    try:
        with quiet():
            model = archive.load(content)
        layout = Layout(metadata.features)
        _check(model, layout, metadata)
    except RunError:
        raise
    except Exception as error:  # Keras raises what it likes
        what = f"{type(error).__name__}: {error}"[:400]
        message = f"the stored model is damaged, or cannot be read by Keras {keras.__version__}: {what}"
        raise RunError("model", message, hint) from error
    return Network(model, layout, metadata.task)


def _check(model: Any, layout: Layout, metadata: ModelMetadata) -> None:
    """Refuse a network whose inputs or outputs are not those of the metadata."""
    row = np.zeros((1, len(layout.names)), dtype=np.float32)
    wanted = {name: part.shape[1:] for name, part in layout.inputs(row).items()}
    found = {one.name: tuple(one.shape[1:]) for one in model.inputs}
    if found != wanted:
        raise ValueError(f"its number of features is that of {found}, not of {wanted}"[:200])
    outputs = model.output_shape[-1]
    if metadata.classes and outputs != len(metadata.classes):
        raise ValueError(f"its classes are {outputs}, not the {len(metadata.classes)} of the label")
