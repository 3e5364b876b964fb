"""Arguments and results of a training, the same for all libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlflow_codegen.catalogue import Estimator

from sqlflow_runtime.ml.dataset import Dataset
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.trained_model import Fitted, TrainedModel


@dataclass(frozen=True, slots=True)
class Training:
    """The arguments of a training.

    Attributes:
        estimator: the catalogue's entry.
        parameters: the WITH clause under canonical names, the estimator's defaults included.
        given: the names that the statement itself sets.
        data: the rows to learn from.
        validation: rows to measure on while learning; None without `validation.select`.
        label: name and kind, no classes yet; None where the statement has no LABEL.
        names: for each column of the matrix, the selected column that it comes from.
        log: takes one line.
        check: called now and then; raises where the step is to stop.
        start: the model to go on from (USING), already loaded.
    """

    estimator: Estimator
    parameters: Mapping[str, Any]
    given: frozenset[str]
    data: Dataset
    validation: Dataset | None
    label: Label | None
    names: Sequence[str]
    log: Callable[[str], None]
    check: Callable[[], None]
    start: TrainedModel | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of a training.

    Attributes:
        fitted: the model.
        task: `classification`, `regression` or `clustering`, as it turned out.
        label: with its classes; None for an unsupervised model.
        metrics: last values measured on the way.
        attributes: what was decided where the statement says nothing, such as the objective.
    """

    fitted: Fitted
    task: str
    label: Label | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
