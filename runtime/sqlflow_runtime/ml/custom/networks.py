"""Networks of the user's own: a Keras model class, or a function that returns a Keras model."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.custom.definition import Definition, locate_stored
from sqlflow_runtime.ml.custom.matrices import PlainInputs
from sqlflow_runtime.ml.custom.targets import target_of, task_of
from sqlflow_runtime.ml.evaluation import Evaluation
from sqlflow_runtime.ml.features import matrix_columns
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.metadata import ModelMetadata
from sqlflow_runtime.ml.neural import archive
from sqlflow_runtime.ml.neural.backend import keras, quiet
from sqlflow_runtime.ml.neural.fitting import Course, Plan, predicted
from sqlflow_runtime.ml.neural.rows import Rows
from sqlflow_runtime.ml.neural.targets import targets_of
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel
from sqlflow_runtime.ml.training import Training

Array = npt.NDArray[Any]

_LOSSES = {"classification": "sparse_categorical_crossentropy", "regression": "mean_squared_error"}
_TOLERANCE = 1e-3


class OwnNetwork:
    """A network of the user's own that has learned."""

    codec = "custom-keras"
    dtype: type[np.floating[Any]] = np.float64

    def __init__(self, model: Any, definition: Definition, names: list[str], label: Label | None, task: str) -> None:
        self.model, self._definition = model, definition
        self._inputs = PlainInputs(names, definition.path)
        self._classes, self._task = len(label.classes) if label is not None else 0, task

    def predict(self, matrix: Matrix) -> Matrix:
        """See `Fitted`: by the module's `prepare_prediction_column`, if it has one."""
        found = self._outputs(matrix)
        prepare = self._definition.hook("prepare_prediction_column")
        if prepare is not None and self._task != "regression":
            return np.asarray([np.asarray(prepare(row)).item() for row in found], dtype=np.int64)
        if self._task == "regression":
            return found[:, 0].astype(np.float64) if found.shape[1] == 1 else found
        return (found[:, 0] > 0.5).astype(np.int64) if found.shape[1] == 1 else np.asarray(found.argmax(axis=1))

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`: what the network gives, if those are shares of one."""
        found = self._outputs(matrix).astype(np.float64)
        if self._task != "classification" or (found < 0).any() or (found > 1).any():
            return None
        if found.shape[1] == 1 and self._classes == 2:
            return np.column_stack([1 - found[:, 0], found[:, 0]])
        if found.shape[1] != self._classes or (np.abs(found.sum(axis=1) - 1) > _TOLERANCE).any():
            return None
        shares: Matrix = found / found.sum(axis=1, keepdims=True)
        return shares

    def scores(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        return self._outputs(matrix).astype(np.float64) if self._task != "regression" else None

    def dump(self) -> bytes:
        """The content of a `.keras` file."""
        with quiet():
            return archive.dump(self.model if archive.is_functional(self.model) else self._plain())

    def _plain(self) -> Any:
        """A copy of a model of a class, without what only its training needs, made by its configuration.

        Raises:
            RunError: kind `estimator`; the class cannot be made again by its configuration.
        """
        try:
            plain = type(self.model).from_config(self.model.get_config())
            plain(self._inputs.inputs(np.zeros((1, self._inputs.width))))
            for mine, one in zip(plain.weights, self.model.weights, strict=True):
                mine.assign(one.value)
        except Exception as error:  # the user's own code
            hint = "Its class needs a get_config that returns the arguments of its constructor."
            message = f"{self._definition.path} cannot be made again by its configuration: {error}"[:600]
            raise RunError("estimator", message, hint) from error
        return plain

    def _outputs(self, matrix: Matrix) -> Array:
        if not matrix.shape[0]:
            return np.zeros((0, max(1, self._classes)), dtype=np.float32)
        found = predicted(self.model, self._inputs, matrix)
        return found.reshape(len(found), -1)


def load(content: bytes, metadata: ModelMetadata) -> OwnNetwork:
    """Return the network that `OwnNetwork.dump` wrote.

    Raises:
        RunError: kind `model` or `estimator`; its class is not here, or it cannot be read.
    """
    definition = locate_stored(metadata.estimator)
    try:
        with quiet():
            model = archive.load(content, layers_of(definition))
    except RunError:
        raise
    except Exception as error:  # Keras and the user's own code
        what = f"{type(error).__name__}: {error}"[:400]
        hint = "Its classes need a get_config that returns their arguments, or train it again with this image."
        raise RunError("model", f"the stored model of {definition.path} cannot be read: {what}", hint) from error
    return OwnNetwork(model, definition, matrix_columns(metadata.features), metadata.label, metadata.task)


def layers_of(definition: Definition) -> dict[str, Any]:
    """The classes of the module that a model may be made of."""
    bases = (keras.layers.Layer, keras.losses.Loss, keras.metrics.Metric, keras.initializers.Initializer)
    found = {
        name: one for name, one in vars(definition.module).items() if inspect.isclass(one) and issubclass(one, bases)
    }
    return {**found, **{f"{definition.module.__name__}>{name}": one for name, one in found.items()}}


def fit(training: Training, definition: Definition, model: Any) -> TrainedModel:
    """Let a network of the user's own learn."""
    task = task_of(training, definition)
    if task == "clustering" and not hasattr(model, "sqlflow_train_loop"):
        hint = "Add LABEL column, or the method sqlflow_train_loop(self, dataset) to the class."
        raise RunError("estimator", f"{definition.path} learns from a label", hint)
    label, _ = target_of(training, task)
    fitted = OwnNetwork(model, definition, training.names, label, task)
    seed = int(training.parameters.get("train.seed", 0))
    targets = targets_of(label) if label is not None else None
    inputs = PlainInputs(training.names, definition.path)
    rows = Rows(training.data, inputs, targets, seed)
    course = _course(training, definition, model)
    try:
        model(inputs.inputs(training.data.head[:1]))  # a subclassed model is built by its first call
        metrics = _learn(training, definition, fitted, label, rows, course)
    except RunError:
        raise
    except Exception as error:  # Keras and the user's own code
        raise RunError("estimator", f"{definition.path} fails: {type(error).__name__}: {error}"[:600]) from error
    return training.model(fitted, label, metrics, {}, task=task)


def _learn(
    training: Training, definition: Definition, fitted: OwnNetwork, label: Label | None, rows: Rows, course: Plan
) -> Mapping[str, float]:
    model = fitted.model
    loop = getattr(model, "sqlflow_train_loop", None)
    model.compile(
        optimizer=_optimizer(training, definition),
        loss=_loss(training, definition, label),
        metrics=_metrics(definition),
    )
    if loop is not None:
        known = inspect.signature(loop).parameters
        offered = {"epochs": course.epochs, "verbose": int(training.parameters.get("train.verbose", 0))}
        loop(Passes(training, rows, course), **{name: value for name, value in offered.items() if name in known})
        return {}
    callback = Course(training, course, _validation(training, fitted, label))
    batches = rows.batches(course.batch)
    model.fit(
        batches, steps_per_epoch=course.steps, epochs=course.epochs, callbacks=[callback], verbose=0, shuffle=False
    )
    return callback.metrics


class Passes:
    """The rows for a training loop of the user's own: each iteration is one pass over them, in batches."""

    def __init__(self, training: Training, rows: Rows, course: Plan) -> None:
        self._training, self._course = training, course
        self._batches = rows.batches(course.batch)

    def __len__(self) -> int:
        return self._course.steps

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for _ in range(self._course.steps):
            self._training.context.check_stopped()
            yield next(self._batches)


def _course(training: Training, definition: Definition, model: Any) -> Plan:
    given, rows = training.parameters, len(training.data)
    epochs = definition.hook("default_training_epochs", model)
    count = given.get("train.epoch", epochs() if callable(epochs) else 1)
    batch = min(int(given.get("train.batch_size", 1)), rows)
    return Plan(batch, int(count), math.ceil(rows / batch))


def _optimizer(training: Training, definition: Definition) -> Any:
    given = _prefixed(training.parameters, "optimizer")
    make: Callable[..., Any] = definition.hook("optimizer") or keras.optimizers.Adam
    try:
        return make(**given)
    except (TypeError, ValueError) as error:
        raise RunError("estimator", f"the optimizer of {definition.path}: {error}") from error


def _loss(training: Training, definition: Definition, label: Label | None) -> Any:
    found = definition.hook("loss")
    if found is None:
        return _LOSSES["classification" if label is not None and label.classes else "regression"]
    given = _prefixed(training.parameters, "loss")
    return functools.partial(found, **given) if given else found


def _prefixed(parameters: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.partition(".")[2]: value for name, value in parameters.items() if name.startswith(f"{prefix}.")}


def _metrics(definition: Definition) -> list[Any]:
    functions = definition.hook("eval_metrics_fn")
    found = functions() if functions is not None else {}
    return [keras.metrics.MeanMetricWrapper(function, name=name) for name, function in found.items()]


def _validation(
    training: Training, fitted: OwnNetwork, label: Label | None
) -> Callable[[], Mapping[str, float]] | None:
    data = training.validation
    if data is None:
        return None

    def measure() -> dict[str, float]:
        model = training.model(fitted, label, {}, {})
        return {"loss": Evaluation(model, data.batches()).loss()}

    return measure
