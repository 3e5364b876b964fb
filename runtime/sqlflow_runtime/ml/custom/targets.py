"""The label of a model of the user's own: classes, numbers or none, as the model or the label says."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.custom.definition import Definition
from sqlflow_runtime.ml.labels import CLASS_LIMIT, Label, classes_of
from sqlflow_runtime.ml.neural.targets import values_of
from sqlflow_runtime.ml.training import Training


def task_of(training: Training, definition: Definition, known: str | None = None) -> str:
    """The model's task: what its class says, else by the label: classes of text, truth values and few integers."""
    label = training.label
    task = definition.task or known
    if task == "clustering" or (task is None and label is None):
        return "clustering"
    if label is None:
        raise RunError("estimator", f"{definition.path} learns from a label", "Add LABEL column to the statement.")
    if task is not None:
        return task
    if label.kind == "int":
        found = len(training.data.labels.unique())
        return "classification" if found <= CLASS_LIMIT else "regression"
    return "regression" if label.kind == "float" else "classification"


def target_of(training: Training, task: str) -> tuple[Label | None, npt.NDArray[Any] | None]:
    """The label with its classes, and for each row its class's number or its value; both None without a label."""
    label = training.label
    if task == "clustering" or label is None:
        return None, None
    if task == "classification":
        label = classes_of(label, training.data.labels)
        return label, label.encode(training.data.labels)
    values = values_of(label, training.data.labels)
    return label, values[:, 0] if values.shape[1] == 1 else values
