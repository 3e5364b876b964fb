"""Learning by epochs: shuffled batches, progress, early stopping, and the end when the step is to stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.neural.backend import keras
from sqlflow_runtime.ml.neural.layout import Inputs
from sqlflow_runtime.ml.training import Training

Array = npt.NDArray[Any]

_MANY_STEPS = 50_000
_PREDICTED_ROWS = 4096
"""Rows that a network predicts at once, at most."""
_PREDICTED_CELLS = 1 << 22
"""Cells of the matrix, dense, that it takes at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The course of a training.

    Attributes:
        batch: rows of a step.
        epochs: times that all rows are read, at most.
        steps: steps of an epoch.
    """

    batch: int
    epochs: int
    steps: int


def plan(training: Training) -> Plan:
    """The course that the attributes ask for; warns of one that is very long."""
    given = training.parameters
    rows = len(training.data)
    batch = min(int(given.get("train.batch_size", 1)), rows)
    epochs, steps = int(given.get("train.epoch", 1)), math.ceil(rows / batch)
    if most := given.get("train.max_steps"):
        epochs, steps = min(epochs, math.ceil(most / steps)), min(steps, most)
    if steps * epochs > _MANY_STEPS and "train.batch_size" not in training.given:
        training.context.recorder.log(
            "warning",
            f"the network learns from one row at a time, in {steps * epochs} steps: write train.batch_size=128 or so, "
            "with a larger train.epoch, for a much shorter training",
        )
    return Plan(batch, epochs, steps)


class Course(keras.callbacks.Callback):  # type: ignore[misc]
    """Records the progress of a training, and ends it when the step is to stop."""

    def __init__(self, training: Training, course: Plan, validate: Callable[[], Mapping[str, float]] | None) -> None:
        super().__init__()
        self._training, self._course, self._validate = training, course, validate
        self._patience = int(training.parameters.get("train.early_stopping_patience", 0))
        self._best: tuple[float, int, list[Array]] = (math.inf, 0, [])
        self.metrics: dict[str, float] = {}

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called by Keras after each step."""
        self._training.context.check_stopped()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Called by Keras after each pass over the rows."""
        values = {f"train-{name}": float(value) for name, value in (logs or {}).items()}
        if not all(map(math.isfinite, values.values())):
            raise RunError(
                "estimator",
                f"the loss is no number any more after epoch {epoch + 1}: the network has diverged",
                "Write a smaller optimizer.learning_rate, or optimizer.clipnorm=1.",
            )
        if self._validate is not None:
            values |= {f"validate-{name}": value for name, value in self._validate().items()}
        self.metrics = values
        self._training.progress(epoch + 1, self._course.epochs, values, "epoch")
        if self._patience:
            self._stop_early(epoch + 1, values["validate-loss"])

    def _stop_early(self, epoch: int, loss: float) -> None:
        if loss < self._best[0]:
            self._best = (loss, epoch, [np.asarray(one.value) for one in self.model.weights])
        elif epoch - self._best[1] >= self._patience:
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Go back to the best epoch."""
        loss, epoch, weights = self._best
        if weights:
            self.model.set_weights(weights)
            self._training.log(f"epoch {epoch} had the lowest loss on the rows of validation.select, {loss:.6g}")


class Fed(Protocol):
    """Makes a network's inputs of the matrix."""

    def inputs(self, matrix: Any) -> Inputs | Array:
        """The inputs by name, or the only one."""


def predicted(model: Any, layout: Fed, matrix: Any) -> Array:
    """The network's numbers for each row of the matrix; one row at least."""
    count = matrix.shape[0]
    most = max(1, min(_PREDICTED_ROWS, _PREDICTED_CELLS // max(1, matrix.shape[1])))
    parts = [_predicted_part(model, layout.inputs(matrix[at : at + most])) for at in range(0, count, most)]
    return np.concatenate(parts)


def _predicted_part(model: Any, inputs: Inputs | Array) -> Array:
    """Filled up to a power of two: each number of rows costs a compilation of its own."""
    several = isinstance(inputs, dict)
    given: Inputs = inputs if isinstance(inputs, dict) else {"": inputs}
    rows = next(iter(given.values())).shape[0]
    size = 1 << (rows - 1).bit_length()
    filled = {name: np.concatenate([part, np.repeat(part[:1], size - rows, axis=0)]) for name, part in given.items()}
    return np.asarray(model.predict_on_batch(filled if several else filled[""]))[:rows]
