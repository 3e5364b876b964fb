"""The arguments and the result of a training, the same for all libraries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlflow_codegen.catalogue import Estimator
from sqlflow_codegen.language.ir import TrainStatement

from sqlflow_runtime.ml.curve import CurveRecorder
from sqlflow_runtime.ml.dataset import Dataset
from sqlflow_runtime.ml.features import matrix_columns
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.trained_model import Fitted, TrainedModel
from sqlflow_runtime.step_context import StepContext


@dataclass(frozen=True, slots=True)
class Training:
    """The arguments of a training.

    Attributes:
        context: of the step.
        statement: the TRAIN statement.
        estimator: the catalogue's entry.
        parameters: the WITH clause under canonical names, the estimator's defaults included.
        data: the rows to learn from.
        validation: rows to measure on while learning; None without `validation.select`.
        label: name and kind, no classes yet; None where the statement has no LABEL.
        start: the model to go on from (USING), already loaded.
        curve: collects what was measured after each iteration.
    """

    context: StepContext
    statement: TrainStatement
    estimator: Estimator
    parameters: Mapping[str, Any]
    data: Dataset
    validation: Dataset | None
    label: Label | None
    start: TrainedModel | None = None
    curve: CurveRecorder = field(default_factory=CurveRecorder)

    @property
    def given(self) -> frozenset[str]:
        """The canonical names of the parameters that the statement itself sets."""
        return frozenset(self.estimator.aliases.get(one.name, one.name) for one in self.statement.attributes)

    @property
    def names(self) -> list[str]:
        """For each column of the matrix, the selected column that it comes from."""
        return matrix_columns(self.data.features)

    def log(self, line: str) -> None:
        """Record a line."""
        self.context.recorder.log("info", line)

    def progress(self, iteration: int, total: int, values: Mapping[str, float], unit: str) -> None:
        """Note an iteration: in the model's curve, and in a progress record, at most one a second and the last.

        Args:
            iteration: rounds or epochs of this training that are done, from 1, ascending.
            total: how many there will be at most; 0 if that is not known.
            values: what was measured after it, such as `train-rmse`.
            unit: `round` or `epoch`.

        Raises:
            RunError: kind `stopped`; the step is to stop.
        """
        self.curve.add(iteration, values)
        self.context.recorder.progress(iteration, total, values, unit)
        self.context.check_stopped()

    def model(
        self,
        fitted: Fitted,
        label: Label | None,
        metrics: Mapping[str, float],
        decided: Mapping[str, Any],
        *,
        task: str = "",
        outputs: int = 1,
    ) -> TrainedModel:
        """The result of the training.

        Args:
            fitted: the estimator that has learned.
            label: with its classes; None for an unsupervised model.
            metrics: last values measured on the way.
            decided: attributes of which the statement says nothing, such as the objective.
            task: see `ModelMetadata`; "" for `classification` where the label has classes, else `regression`.
            outputs: number of columns of the predictions.
        """
        return TrainedModel(
            estimator=self.estimator.name,
            task=task or ("classification" if label is not None and label.classes else "regression"),
            features=self.data.features,
            label=label,
            fitted=fitted,
            statement=self.statement.text,
            attributes={**self.parameters, **decided},
            columns=self.data.columns,
            rows=len(self.data),
            fingerprint=self.data.fingerprint,
            metrics=metrics,
            curve=self.curve.curve(),
            outputs=outputs,
        )
