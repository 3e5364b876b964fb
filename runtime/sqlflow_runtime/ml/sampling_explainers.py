"""Explainers for any model: they predict rows of which some features come from background rows.

shap explains, for each row, a function of which features are the row's own. So the features are the selected columns,
whatever the number of their matrix columns, and a row's values do not depend on the rows beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar

import numpy as np
import shap

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.background import background_matrix
from sqlflow_runtime.ml.shap_values import Explainer, Floats, Groups, ShapValues, dense
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel

_EVALUATIONS = 2000
"""Coalitions of features that are tried for a row, if they are enough for one permutation."""
_PREDICTIONS = 250_000_000
"""Predictions that one statement may take."""
_NUMBERS = 8_000_000
"""Numbers of the rows that are predicted at once: 64 MB."""


class SamplingShap(Explainer):
    """The base class: the model's outputs, and the function of coalitions."""

    picture_rows: ClassVar[int] = 100

    def __init__(self, model: TrainedModel, groups: Groups) -> None:
        self._background = background_matrix(model)
        self._groups = groups
        self._predict, self.unit = model_outputs(model)
        self.outputs = self._predict(self._background[:1]).shape[1]
        self._predictions = 0

    def evaluations(self) -> int:
        """The number of coalitions that are tried for a row."""
        raise NotImplementedError

    def explain(self, matrix: Matrix) -> ShapValues:
        """See `Explainer`."""
        self._predictions += matrix.shape[0] * self.evaluations() * len(self._background)
        if self._predictions > _PREDICTIONS:
            each = self.evaluations() * len(self._background)
            what = f"{self.name} predicts {each} times for each row, and these are too many rows"
            raise RunError("estimator", what, f"Select at most {max(1, _PREDICTIONS // each)} rows, such as by LIMIT.")
        values = np.empty((matrix.shape[0], len(self._groups.names), self.outputs))
        base = np.tile(self._predict(self._background).mean(axis=0), (matrix.shape[0], 1))
        for position in range(matrix.shape[0]):
            values[position] = self._row(dense(matrix[[position]])[0])
        return ShapValues(values, base)

    def _row(self, row: Matrix) -> Floats:
        def value(coalitions: Any) -> Floats:
            return self._value(np.asarray(coalitions) > 0.5, row)

        with _seeded():
            found = np.asarray(self._shap(value, len(self._groups.names)), dtype=np.float64)
        return found.reshape(len(self._groups.names), self.outputs)

    def _shap(self, value: Callable[[Any], Floats], count: int) -> Any:
        raise NotImplementedError

    def _value(self, coalitions: Any, row: Matrix) -> Floats:
        """Coalitions x outputs: the mean prediction where a coalition's features are the row's own."""
        known = coalitions[:, self._groups.index]
        count, width = len(self._background), len(row)
        step = max(1, _NUMBERS // (count * width))
        parts = []
        for start in range(0, len(known), step):
            part = known[start : start + step]
            mixed = np.where(part[:, np.newaxis, :], row, self._background).reshape(-1, width)
            parts.append(self._predict(mixed).reshape(len(part), count, self.outputs).mean(axis=1))
        return np.concatenate(parts)


class PermutationShap(SamplingShap):
    """shap's PermutationExplainer: always adds up."""

    name = "PermutationExplainer"

    def evaluations(self) -> int:
        """See `SamplingShap`."""
        once = 2 * len(self._groups.names) + 1
        return once * max(1, min(10, _EVALUATIONS // once))

    def _shap(self, value: Callable[[Any], Floats], count: int) -> Any:
        masker = shap.maskers.Independent(np.zeros((1, count)))
        explainer = shap.PermutationExplainer(value, masker, seed=0)
        return explainer(np.ones((1, count)), max_evals=self.evaluations(), silent=True).values[0]


class KernelShap(SamplingShap):
    """shap's KernelExplainer: exact up to ten features or so, a weighted regression beyond."""

    name = "KernelExplainer"

    def evaluations(self) -> int:
        """See `SamplingShap`."""
        count = len(self._groups.names)
        return min(2**count if count < 30 else _EVALUATIONS + 2 * count, _EVALUATIONS + 2 * count)

    def _shap(self, value: Callable[[Any], Floats], count: int) -> Any:
        explainer = shap.KernelExplainer(value, np.zeros((1, count)))
        return explainer.shap_values(np.ones((1, count)), nsamples=self.evaluations(), l1_reg=False, silent=True)[0]


def model_outputs(model: TrainedModel) -> tuple[Callable[[Matrix], Floats], str]:
    """The function whose values are explained, rows x outputs, and their unit.

    Probabilities of classes and clusters; scores of classes where there are none, and of outliers; else what the model
    predicts: a number, or the class or cluster, as 1 in a column of its own.
    """
    fitted = model.fitted
    rows = background_matrix(model).astype(fitted.dtype)
    grouped = bool(model.classes) or model.task == "clustering"
    for function, unit, used in (
        (fitted.probabilities, "probability", grouped),
        (fitted.scores, "score", bool(model.classes) or model.task == "outlier"),
    ):
        if used and function(rows[:1]) is not None:
            return partial(_outputs, function, fitted.dtype), unit
    if not grouped:
        return partial(_outputs, fitted.predict, fitted.dtype), "prediction"
    number = len(model.classes) or int(np.max(fitted.predict(rows))) + 1
    return partial(_chosen, fitted.predict, fitted.dtype, number), "share of predictions"


def _outputs(function: Callable[[Matrix], Any], dtype: Any, matrix: Matrix) -> Floats:
    return _table(function(matrix.astype(dtype)))


def _chosen(predict: Callable[[Matrix], Any], dtype: Any, number: int, matrix: Matrix) -> Floats:
    """Rows x classes: 1 for the class that is predicted."""
    return _table(np.asarray(predict(matrix.astype(dtype)))[:, np.newaxis] == np.arange(number))


def _table(found: Any) -> Floats:
    table: Floats = np.asarray(found, dtype=np.float64)
    return table.reshape(len(table), -1)


@contextmanager
def _seeded() -> Iterator[None]:
    """NumPy's global generator, which shap uses, as after `seed(0)`; at the end as it was."""
    before = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(before)
