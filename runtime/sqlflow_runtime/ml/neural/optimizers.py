"""Optimizers and losses by the names that statements give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlflow_codegen.catalogue.neural import LOSSES, OPTIMIZERS, optimizers

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.neural.backend import keras

_RATES = {"Adagrad": 0.05, "Ftrl": 0.2}
"""Learning rates that TensorFlow's estimators had, where Keras's own default is far too small to learn in few steps."""

_LINEAR_NAMES = ("linear_output",)

SCALED_LOSSES = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh")
"""Losses of a difference: they are computed on the standardised label."""


def optimizer(estimator: str, parameters: Mapping[str, Any]) -> Any:
    """The optimizer of an estimator; of one with two halves, one that has an optimizer for each.

    Raises:
        RunError: kind `estimator`; Keras refuses an argument.
    """
    made = {attribute: make(name, parameters) for attribute, name in optimizers(estimator, parameters).items()}
    if len(made) == 1:
        return next(iter(made.values()))
    return Halves(made["model.linear_optimizer"], made["model.dnn_optimizer"])


def make(name: str, parameters: Mapping[str, Any]) -> Any:
    """The optimizer of that name with the `optimizer.` attributes that it takes."""
    given = {
        argument: parameters[f"optimizer.{argument}"]
        for argument in OPTIMIZERS[name]
        if f"optimizer.{argument}" in parameters
    }
    if name in _RATES:
        given.setdefault("learning_rate", _RATES[name])
    try:
        return getattr(keras.optimizers, name)(**given)
    except (ValueError, TypeError) as error:
        raise RunError("estimator", f"Keras's optimizer {name}: {error}") from error


class Halves(keras.optimizers.Optimizer):  # type: ignore[misc]
    """An optimizer for the linear half of a network, and one for the rest of it."""

    def __init__(self, linear: Any, deep: Any) -> None:
        super().__init__(learning_rate=0.0)
        self._linear, self._deep = linear, deep

    def build(self, variables: list[Any]) -> None:
        """Create the slots of both."""
        super().build(variables)
        for part, mine in zip((self._linear, self._deep), self._split(variables), strict=True):
            part.build([variables[number] for number in mine])
            for variable in part.variables:
                self._track_variable(variable)

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """Let each half apply its own gradients."""
        variables = trainable_variables if trainable_variables is not None else self._trainable_variables
        for part, mine in zip((self._linear, self._deep), self._split(variables), strict=True):
            part.apply([grads[number] for number in mine], [variables[number] for number in mine])
        return self._iterations.assign_add(1)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Never called: each half updates its own variables."""
        raise NotImplementedError

    def _split(self, variables: list[Any]) -> tuple[list[int], list[int]]:
        linear = [number for number, one in enumerate(variables) if one.path.split("/")[-2] in _LINEAR_NAMES]
        return linear, [number for number in range(len(variables)) if number not in linear]


def loss(task: str, parameters: Mapping[str, Any], unit: Any) -> tuple[str, Callable[[Any, Any], Any]]:
    """The name of a loss, and the loss of labels and the network's numbers, one for each row.

    Args:
        task: `classifier` or `regressor`.
        parameters: the statement's attributes.
        unit: of a regression's label: losses of a difference are of differences in this unit.
    """
    name = str(parameters.get("model.loss", next(iter(LOSSES[task]))))
    given = {one: parameters[f"loss.{one}"] for one in LOSSES[task][name] if f"loss.{one}" in parameters}
    if "crossentropy" in name:
        given["from_logits"] = True
    function = getattr(keras.losses, name)
    if task == "regressor":
        scale = unit.tolist() if name in SCALED_LOSSES else [1.0] * len(unit)

        def of_numbers(truth: Any, found: Any) -> Any:
            factor = keras.ops.convert_to_tensor(scale, dtype="float32")
            return function(truth / factor, found / factor, **given)

        return name, of_numbers

    def of_classes(truth: Any, found: Any) -> Any:
        if name == "sparse_categorical_crossentropy":
            return function(truth, found, **given)
        return function(keras.ops.one_hot(truth, found.shape[-1]), found, **given)

    return name, of_classes
