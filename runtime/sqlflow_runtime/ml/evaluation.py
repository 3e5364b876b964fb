"""Metrics of EVALUATE: scikit-learn's functions under their own names, each with the arguments that it is meant for.

SQLFlow called them all with predicted classes and default arguments. Here those that judge probabilities get
probabilities, and those made for two classes average over more of them (`average="macro"`).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue import CLASSIFICATION_METRICS, METRICS, REGRESSION_METRICS
from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.arrays import numbers
from sqlflow_runtime.ml.batch import Batch
from sqlflow_runtime.ml.metric_functions import PLAIN, area
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel, predict_once

_BY_PROBABILITY = ("roc_auc_score", "average_precision_score", "log_loss", "brier_score_loss", "hinge_loss")
_AVERAGED = ("precision_score", "recall_score", "f1_score", "fbeta_score", "jaccard_score")
_DEFAULTS = {"classification": ("accuracy_score",), "regression": ("mean_squared_error", "r2_score")}
_SMALLEST = 1e-15


def metric_names(text: str | None, task: str, place: int | None = None) -> tuple[str, ...]:
    """The metrics that `validation.metrics` names, or the task's own.

    Raises:
        RunError: kind `estimator`; one of them does not exist or does not fit the task.
    """
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip()) or _DEFAULTS[task]
    fitting = CLASSIFICATION_METRICS if task == "classification" else REGRESSION_METRICS
    for name in names:
        if name in fitting:
            continue
        if name in METRICS:
            hint = f"For a {task} model there are {', '.join(fitting)}."
            raise RunError("estimator", f"the metric {name} does not fit a {task} model", hint, place=place)
        hint = did_you_mean(name, fitting) or f"There are {', '.join(fitting)}."
        raise RunError("estimator", f"there is no metric {name}", hint, place=place)
    return names


class Evaluation:
    """A model's predictions next to the truth; computes metrics and the loss."""

    def __init__(self, model: TrainedModel, batches: Iterable[Batch]) -> None:
        """Predict each row once.

        Raises:
            RunError: kind `data` or `estimator`; the model cannot predict these rows.
        """
        self._label, self._series = model.label, model.is_series
        self._classes = list(model.label.classes) if model.label else []
        self._unseen: dict[Any, int] = {}
        truth, found, probabilities = [], [], []
        for batch in batches:
            predicted, likely = predict_once(model.fitted, batch.matrix, with_probabilities=bool(self._classes))
            truth.append(self._numbers(batch.labels))
            found.append(predicted)
            probabilities.append(likely)
        self._truth, self._found = np.concatenate(truth), np.concatenate(found)
        known = [likely for likely in probabilities if likely is not None]
        self._probabilities = np.concatenate(known) if known else None

    def __len__(self) -> int:
        """The number of rows."""
        return len(self._truth)

    def _numbers(self, truth: pa.Array) -> Matrix:
        """Class numbers (values that TRAIN never saw get numbers of their own), or the values themselves."""
        if self._label is not None and self._series:
            series = self._label.series(truth)
            return series[:, 0] if series.shape[1] == 1 else series
        if not self._classes or self._label is None:
            return numbers(truth).astype(np.float64)
        known = self._label.encode(truth)
        for row in np.flatnonzero(known < 0).tolist():
            known[row] = self._unseen.setdefault(truth[row].as_py(), len(self._classes) + len(self._unseen))
        return known

    def loss(self) -> float:
        """Logarithmic loss, or the share of wrong classes where there are no probabilities; mean squared error."""
        if not self._classes:
            return float(np.mean((self._truth - self._found) ** 2))
        if self._probabilities is None:
            return float(np.mean(self._truth != self._found))
        known = self._truth < self._probabilities.shape[1]
        likely = np.zeros(len(self._truth))
        likely[known] = self._probabilities[np.flatnonzero(known), self._truth[known]]
        return float(-np.mean(np.log(np.clip(likely, _SMALLEST, 1))))

    def metric(self, name: str) -> float:
        """One metric; NaN where it is not defined for these rows.

        Raises:
            RunError: kind `data` or `estimator`; it cannot be computed.
        """
        if name in PLAIN:
            value = PLAIN[name](self._truth, self._found, self._many())
            return value if math.isfinite(value) else math.nan
        if name == "roc_auc_score" and self._probabilities is not None:
            return area(self._known(name), self._probabilities)
        return self._metric_of_sklearn(name)

    def _metric_of_sklearn(self, name: str) -> float:
        from sklearn import metrics
        from sklearn.exceptions import UndefinedMetricWarning

        function: Callable[..., Any] = getattr(metrics, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
            try:
                value = float(function(*self._arguments(name), **self._options(name)))
            except ValueError as error:
                raise RunError("data", f"{name} cannot be computed: {error}") from error
        return value if math.isfinite(value) else math.nan

    def _arguments(self, name: str) -> tuple[Matrix, Matrix]:
        if name not in _BY_PROBABILITY:
            return self._truth, self._found
        if self._probabilities is None:
            raise RunError("estimator", f"{name} needs probabilities, which this model does not give")
        if len(self._classes) == 2:
            positive = self._probabilities[:, 1]
            if name == "hinge_loss":  # of the margin, which is the log odds of the probability
                odds = np.clip(positive, _SMALLEST, 1 - _SMALLEST)
                return self._truth, np.log(odds / (1 - odds))
            return self._truth, positive
        if name == "average_precision_score":
            return np.eye(len(self._classes))[self._known(name)], self._probabilities
        return self._truth, self._probabilities

    def _known(self, name: str) -> Matrix:
        if (self._truth >= len(self._classes)).any():
            raise RunError("data", f"{name} cannot be computed: the rows have a label that no training row had")
        return self._truth

    def _many(self) -> bool:
        """True if there are more than two classes, those counted that only the rows have."""
        return bool(self._classes) and len({*range(len(self._classes)), *self._truth.tolist()}) > 2

    def _options(self, name: str) -> dict[str, Any]:
        many = self._many()
        options: dict[str, Any] = {}
        if name in _AVERAGED:
            options["average"] = "macro" if many else "binary"
            options["zero_division"] = 0
        if name == "fbeta_score":
            options["beta"] = 1.0
        if name == "roc_auc_score" and many:
            options |= {"multi_class": "ovr", "labels": list(range(len(self._classes)))}
        if name in ("log_loss", "hinge_loss") or (name == "brier_score_loss" and many):
            options["labels"] = list(range(len(self._classes)))
        return options
