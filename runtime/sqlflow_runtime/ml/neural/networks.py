"""The networks of SQLFlow's estimators, as Keras functional models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlflow_codegen.catalogue.neural import DNN_TARGET, LINEAR_TARGET

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.neural.backend import keras
from sqlflow_runtime.ml.neural.layers import Bag, BagEmbedding, OneHot, Standardize
from sqlflow_runtime.ml.neural.layout import Block, Layout, numbers_of

layers = keras.layers


@dataclass(frozen=True, slots=True)
class Blueprint:
    """All that a network is made of.

    Attributes:
        layout: of the matrix.
        parameters: the statement's attributes.
        outputs: numbers that the network gives for each row: one for each class, or the values of a regression.
        mean: of the matrix's columns.
        scale: their standard deviations; 1 for a column that is constant.
        offset: of the label: what the network's numbers are counted from.
        unit: of the label: what the network's numbers are multiplied by.
    """

    layout: Layout
    parameters: Mapping[str, Any]
    outputs: int
    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64] | None = None
    unit: npt.NDArray[np.float64] | None = None


class Inputs:
    """The inputs of a network, made as they are asked for."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self.tensors: dict[str, Any] = {}

    def numbers(self, target: str) -> Any | None:
        """The standardised numbers of one target; None if it has none."""
        layout = self._blueprint.layout
        columns = layout.columns(target)
        if not len(columns):
            return None
        found = self._input(numbers_of(target), (len(columns),), "float32")
        measures = layout.measures(target)
        mean = np.where(measures, self._blueprint.mean[columns], 0.0)
        scale = np.where(measures, self._blueprint.scale[columns], 1.0)
        return Standardize(mean.tolist(), scale.tolist(), name=f"standardize_{_dotless(numbers_of(target))}")(found)

    def block(self, block: Block) -> Any:
        """The input of one block."""
        return self._input(block.name, (block.stop - block.start,), "float32" if block.kind == "bag" else "int32")

    def _input(self, name: str, shape: tuple[int, ...], dtype: str) -> Any:
        if name not in self.tensors:
            self.tensors[name] = keras.Input(shape, dtype=dtype, name=name)
        return self.tensors[name]


def deep(blueprint: Blueprint, inputs: Inputs, target: str, prefix: str) -> Any:
    """Hidden layers on the features of one target, and the output."""
    parameters = blueprint.parameters
    found = joined(encoded(blueprint.layout, inputs, target), target)
    for units in parameters[f"model.{prefix}hidden_units"]:
        found = layers.Dense(units, parameters.get(f"model.{prefix}activation_fn", "relu"))(found)
        if rate := parameters.get(f"model.{prefix}dropout"):
            found = layers.Dropout(rate)(found)
        if parameters.get("model.batch_norm"):
            found = layers.BatchNormalization()(found)
    return layers.Dense(blueprint.outputs, name="deep_output")(found)


def linear(blueprint: Blueprint, inputs: Inputs, target: str, prefix: str) -> Any:
    """A weight for each number and each category, and a constant."""
    combiner = str(blueprint.parameters.get(f"model.{prefix}sparse_combiner", "sum"))
    found = joined(encoded(blueprint.layout, inputs, target, combiner), target)
    return layers.Dense(blueprint.outputs, kernel_initializer="zeros", name="linear_output")(found)


def encoded(layout: Layout, inputs: Inputs, target: str, combiner: str = "sum") -> list[Any]:
    """The features of one target as vectors; `combiner` for bags without an embedding."""
    numbers = inputs.numbers(target)
    found = [numbers] if numbers is not None else []
    for block in layout.of(target):
        tensor, name = inputs.block(block), f"encode_{_dotless(block.name)}"
        match block:
            case Block(kind="category", dimension=0):
                found.append(OneHot(block.size, name=name)(tensor))
            case Block(kind="category" | "sequence"):
                embedded = layers.Embedding(block.size + 1, block.dimension or 8, name=name)(tensor)
                found.append(layers.Flatten()(embedded))
            case Block(dimension=0):
                found.append(Bag(combiner, name=name)(tensor))
            case _:
                found.append(BagEmbedding(block.dimension, block.combiner, name=name)(tensor))
    return found


def joined(parts: Sequence[Any], target: str) -> Any:
    """Vectors side by side.

    Raises:
        RunError: kind `estimator`; there are none.
    """
    if not parts:
        raise RunError("estimator", f"no column is for {target}", f"Add COLUMN .. FOR {target}.")
    return parts[0] if len(parts) == 1 else layers.Concatenate()(list(parts))


def _deep_only(blueprint: Blueprint, inputs: Inputs) -> Any:
    return deep(blueprint, inputs, blueprint.layout.targets[0], "")


def _linear_only(blueprint: Blueprint, inputs: Inputs) -> Any:
    return linear(blueprint, inputs, blueprint.layout.targets[0], "")


def _combined(blueprint: Blueprint, inputs: Inputs) -> Any:
    wide = linear(blueprint, inputs, LINEAR_TARGET, "linear_")
    return layers.Add()([wide, deep(blueprint, inputs, DNN_TARGET, "dnn_")])


def _recurrent(blueprint: Blueprint, inputs: Inputs, kind: str, bidirectional: bool) -> Any:
    """Embedded categories in order, layers that read them one after the other, a hidden layer, and the output."""
    parameters, layout = blueprint.parameters, blueprint.layout
    blocks = [block for block in layout.blocks if block.kind == "sequence"]
    if len(blocks) != len(layout.blocks):
        names = sorted({layout.names[b.start] for b in layout.blocks if b.kind != "sequence"})
        hint = "Write COLUMN EMBEDDING(SEQ_CATEGORY_ID(column, 1000), 32)."
        raise RunError("estimator", f"{', '.join(names)} is no sequence: this estimator learns from sequences", hint)
    found = joined([_sequence(inputs, block) for block in blocks], layout.targets[0])
    found = stacked(found, parameters.get("model.stack_units", [32]), kind, bidirectional)
    found = layers.Dense(parameters.get("model.hidden_size", 64), "relu")(found)
    if rate := parameters.get("model.dropout"):
        found = layers.Dropout(rate)(found)
    return layers.Dense(blueprint.outputs, name="output")(found)


def _sequence(inputs: Inputs, block: Block) -> Any:
    # 0 fills up sequences that are shorter: what reads them skips it
    embedding = layers.Embedding(
        block.size + 1, block.dimension or 32, mask_zero=True, name=f"encode_{_dotless(block.name)}"
    )
    return embedding(inputs.block(block))


def stacked(found: Any, units: Sequence[int], kind: str, bidirectional: bool) -> Any:
    """Recurrent layers one on the other; the last gives one vector for each row."""
    make = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}[kind]
    for number, size in enumerate(units, 1):
        layer = make(size, return_sequences=number < len(units))
        found = (layers.Bidirectional(layer) if bidirectional else layer)(found)
    return found


def _bidirectional(blueprint: Blueprint, inputs: Inputs) -> Any:
    return _recurrent(blueprint, inputs, "lstm", bidirectional=True)


def _stacked_rnn(blueprint: Blueprint, inputs: Inputs) -> Any:
    parameters = blueprint.parameters
    kind = str(parameters.get("model.model_type", "rnn"))
    return _recurrent(blueprint, inputs, kind, bidirectional=bool(parameters.get("model.bidirectional")))


def _series(blueprint: Blueprint, inputs: Inputs) -> Any:
    """The row's numbers as steps in time, each of `n_features`, read in order."""
    parameters, layout = blueprint.parameters, blueprint.layout
    target, steps = layout.targets[0], parameters["model.n_in"]
    numbers = inputs.numbers(target)
    width = len(layout.columns(target))
    if numbers is None or layout.of(target):
        raise RunError(
            "estimator", "a time series takes numbers only", "Leave columns of categories out of the SELECT."
        )
    count = parameters.get("model.n_features", max(1, width // steps))
    if steps * count != width:
        message = f"the SELECT gives {width} numbers, but model.n_in={steps} steps of {count} need {steps * count}"
        raise RunError("estimator", message, "Select n_in * n_features columns besides the label.")
    found = layers.Reshape((steps, count))(numbers)
    kind = str(parameters.get("model.model_type", "rnn"))
    found = stacked(found, parameters.get("model.stack_units", [500, 500]), kind, bidirectional=False)
    return layers.Dense(blueprint.outputs, name="output")(found)


_BODIES: Mapping[str, Callable[[Blueprint, Inputs], Any]] = MappingProxyType(
    {
        "DNNClassifier": _deep_only,
        "DNNRegressor": _deep_only,
        "LinearClassifier": _linear_only,
        "LinearRegressor": _linear_only,
        "DNNLinearCombinedClassifier": _combined,
        "DNNLinearCombinedRegressor": _combined,
        "sqlflow_models.StackedRNNClassifier": _stacked_rnn,
        "sqlflow_models.StackedBiLSTMClassifier": _bidirectional,
        "sqlflow_models.RNNBasedTimeSeriesModel": _series,
    }
)


def network(estimator: str, blueprint: Blueprint) -> Any:
    """The network of that estimator, not trained: from named inputs to numbers, for classes their logits."""
    inputs = Inputs(blueprint)
    found = _BODIES[estimator](blueprint, inputs)
    if blueprint.unit is not None and blueprint.offset is not None:
        found = layers.Rescaling(blueprint.unit.tolist(), blueprint.offset.tolist(), name="label")(found)
    return keras.Model(inputs.tensors, found, name="network")


def _dotless(name: str) -> str:
    return name.replace(".", "_")
