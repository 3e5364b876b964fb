"""The label as a network's targets: numbers of classes, or the numbers of a regression, several in a text if so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.labels import CLASS_LIMIT, Label, classes_of, different
from sqlflow_runtime.ml.training import Training

Array = npt.NDArray[Any]


def label_of(training: Training) -> Label:
    """The label, with its classes for a classifier.

    Raises:
        RunError: there is none, or it does not fit the estimator.
    """
    label, name = training.label, training.estimator.name
    if label is None:
        raise RunError("estimator", f"{name} learns from a label", "Add LABEL column to the statement.")
    if training.estimator.task != "classifier":
        return label
    if vocabulary := training.parameters.get("model.label_vocabulary"):
        return _of_vocabulary(training, label, vocabulary)
    count = training.parameters.get("model.n_classes")
    found = len(training.data.labels.unique())
    if label.kind in ("int", "float") and found > CLASS_LIMIT and count is None:
        message = f"the label {label.name} has {found} different values: is it a class or a measure?"
        hint = f"Use {name.replace('Classifier', 'Regressor')}, or say model.n_classes={found}."
        raise RunError("estimator", message, hint)
    try:
        return classes_of(label, training.data.labels, count)
    except RunError as failure:
        failure.message = failure.message.replace("num_class", "model.n_classes")
        failure.hint = failure.hint.replace("num_class", "model.n_classes")
        raise


def _of_vocabulary(training: Training, label: Label, vocabulary: Sequence[Any]) -> Label:
    try:
        classes = tuple(label.values(pa.array(vocabulary)).to_pylist())
    except (RunError, pa.ArrowException) as failure:
        message = "model.label_vocabulary lists what are no values of the label " + label.name
        raise RunError("data", message, "List the label's own values.") from failure
    unknown = [one for one in different(training.data.labels) if one not in classes]
    if unknown:
        shown = listed([repr(one) for one in unknown], 6)
        message = f"the label {label.name} has {shown}, which model.label_vocabulary does not list"
        raise RunError("data", message, "List all classes, or leave it out.")
    return Label(label.name, label.kind, classes)


def targets_of(label: Label) -> Callable[[pa.Array], Array]:
    """The function from labels to targets: numbers of classes, or rows x values."""
    if label.classes:
        return lambda labels: label.encode(labels).astype(np.int32)
    return lambda labels: values_of(label, labels).astype(np.float32)


def values_of(label: Label, labels: pa.Array) -> Array:
    """Rows x values of a regression's label.

    Raises:
        RunError: kind `data`; it is a text that lists no numbers.
    """
    found = label.series(labels) if label.kind == "string" else label.numbers(labels)
    return found[:, np.newaxis] if found.ndim == 1 else found


def spread_of(training: Training, label: Label) -> tuple[Array, Array]:
    """The mean of a regression's label and its standard deviation, 1 where it is constant: one for each value."""
    values = values_of(label, training.data.labels)
    for name in ("model.n_out", "model.label_dimension"):
        wanted = training.parameters.get(name, values.shape[1])
        if wanted != values.shape[1]:
            what = f"the label {label.name} lists {values.shape[1]} values, but {name} is {wanted}"
            hint = f"Write {name}={values.shape[1]}, or select {wanted} values, with commas between them, as one text."
            raise RunError("data", what, hint)
    unit = values.std(axis=0)
    unit[unit == 0] = 1.0
    return values.mean(axis=0), unit
