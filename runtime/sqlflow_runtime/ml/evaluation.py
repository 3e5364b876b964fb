"""Metrics of EVALUATE: scikit-learn's functions under their own names, each with the arguments that it is meant for.

SQLFlow called them all with predicted classes and default arguments. Here those that judge probabilities or scores get
these, and those made for two classes average over more of them (`average="macro"`) unless the statement says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue.metrics import COUNTS, DEFAULTS, Metric, fitting_metrics, metrics, named_metrics
from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.arrays import numbers
from sqlflow_runtime.ml.batch import Batch
from sqlflow_runtime.ml.evaluation_arrays import clusters, computed, joined, signs
from sqlflow_runtime.ml.list_labels import ListLabel
from sqlflow_runtime.ml.metric_functions import PLAIN
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel, predict_once

_AVERAGED = ("precision_score", "recall_score", "f1_score", "fbeta_score", "jaccard_score")
_SMALLEST = 1e-15
_OF_CLASSES = ("pos_label", "labels")
"""Arguments of metrics that are classes."""


def metric_names(text: str | None, task: str, place: int | None = None) -> tuple[str, ...]:
    """The metrics that `validation.metrics` names, or the task's own.

    Raises:
        RunError: kind `estimator`; one of them does not exist or does not fit the task.
    """
    names = tuple(named_metrics(text or "")) or DEFAULTS[task]
    fitting = fitting_metrics(task)
    for name in names:
        if name in fitting:
            continue
        if name in metrics():
            hint = f"For a {task} model there are {', '.join(fitting)}."
            raise RunError("estimator", f"the metric {name} does not fit a {task} model", hint, place=place)
        hint = did_you_mean(name, fitting) or f"There are {', '.join(fitting)}."
        raise RunError("estimator", f"there is no metric {name}", hint, place=place)
    return names


class Evaluation:
    """A model's predictions next to the truth; computes metrics and the loss."""

    def __init__(self, model: TrainedModel, batches: Iterable[Batch], names: Sequence[str] = ()) -> None:
        """Predict each row once.

        Args:
            model: of a task that has metrics.
            batches: the rows, their labels of the kind of the model's label.
            names: the metrics that `metric` is to give; only for some of them rows, groups or scores are kept.

        Raises:
            RunError: kind `data` or `estimator`; the model cannot predict these rows.
        """
        self._model = model
        self._classes = list(model.classes)
        self._unseen: dict[Any, int] = {}
        families = {metrics()[name].family for name in names}
        kept: dict[str, list[Any]] = {"truth": [], "found": [], "likely": [], "scores": [], "matrix": [], "groups": []}
        for batch in batches:
            found, likely = predict_once(model.fitted, batch.matrix, with_probabilities=bool(self._classes))
            if isinstance(model.label, ListLabel):
                found, likely = self._of_lists(model.label, found, batch.matrix, families)
            scored = "margins" in families or (likely is None and bool({"scores", "labels"} & families))
            kept["truth"].append(self._numbers(batch.labels))
            kept["found"].append(found)
            kept["likely"].append(likely)
            kept["scores"].append(model.fitted.scores(batch.matrix) if scored else None)
            kept["matrix"].append(batch.matrix if "shapes" in families else None)
            kept["groups"].append(batch.groups if "orders" in families else None)
        self._truth: Matrix = joined(kept["truth"])
        self._found: Matrix = joined(kept["found"])
        self._probabilities: Matrix | None = joined(kept["likely"])
        self._scores: Matrix | None = joined(kept["scores"])
        self._matrix = joined(kept["matrix"])
        groups = [one for one in kept["groups"] if one is not None]
        self._groups = clusters(pa.concat_arrays(groups)) if groups else np.zeros(len(self._truth))

    def _of_lists(
        self, label: ListLabel, found: Matrix, matrix: Any, families: set[str]
    ) -> tuple[Matrix, Matrix | None]:
        """Predictions of several classes: members of sets, or a number for each different text."""
        if not label.is_set:
            return self._coded(label.decode(found)), None
        needed = bool({"scores", "labels"} & families)
        return found, self._model.fitted.probabilities(matrix) if needed else None

    def _coded(self, texts: list[Any]) -> Matrix:
        return np.array([self._unseen.setdefault(text, len(self._unseen)) for text in texts], dtype=np.int64)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self._truth)

    def _numbers(self, truth: pa.Array) -> Matrix:
        """Class numbers (values that TRAIN never saw get numbers of their own), or the values themselves."""
        label = self._model.label
        if label is None and self._model.task == "outlier":
            return signs(truth)
        if isinstance(label, ListLabel):
            encoded = label.encode(truth)  # refuses texts that list another number
            return encoded if label.is_set else self._coded(list(map(label.joined, truth.to_pylist())))
        if label is not None and self._model.is_series:
            series = label.series(truth)
            return series[:, 0] if series.shape[1] == 1 else series
        if label is not None and not self._classes:
            return numbers(truth).astype(np.float64)
        known = label.encode(truth) if label is not None else np.full(len(truth), -1)
        for row in np.flatnonzero(known < 0).tolist():
            known[row] = self._unseen.setdefault(truth[row].as_py(), len(self._classes) + len(self._unseen))
        return known

    def loss(self) -> float:
        """Logarithmic loss, or the share of wrong classes where there are no probabilities; mean squared error.

        NaN for clusters, which have no loss.
        """
        if self._model.task == "clustering":
            return math.nan
        if self._model.task == "regression":
            return float(np.mean((self._truth - self._found) ** 2))
        if self._truth.ndim == 2:
            return float(np.mean((self._truth != self._found).any(axis=1)))
        if self._probabilities is None:
            return float(np.mean(self._truth != self._found))
        known = self._truth < self._probabilities.shape[1]
        likely = np.zeros(len(self._truth))
        likely[known] = self._probabilities[np.flatnonzero(known), self._truth[known]]
        return float(-np.mean(np.log(np.clip(likely, _SMALLEST, 1))))

    def metric(self, name: str, given: Mapping[str, Any] | None = None) -> float:
        """One metric; NaN where it is not defined for these rows.

        Args:
            name: one of `metric_names`.
            given: arguments of its own that the statement gives.

        Raises:
            RunError: kind `data` or `estimator`; it cannot be computed.
        """
        metric = metrics()[name]
        if name in COUNTS:
            return self._count(*COUNTS[name])
        arguments = {**self._usual(metric), **metric.arguments, **self._encoded(name, given or {})}
        if metric.function in PLAIN and not arguments and self._truth.ndim == 1:
            value = PLAIN[metric.function](self._truth, self._found)
        elif metric.family == "orders":
            value = self._of_groups(metric, arguments)
        else:
            value = computed(metric, self._compared(metric), arguments)
        return value * metric.factor if math.isfinite(value) else math.nan

    def _count(self, true: int, predicted: int) -> float:
        """Rows of one cell of the confusion matrix: of the second of two classes, or of all classes together."""
        from sklearn.metrics import multilabel_confusion_matrix

        labels = self._all_classes if self._truth.ndim == 1 else None
        cells = multilabel_confusion_matrix(self._truth, self._found, labels=labels)
        cells = cells[1:2] if len(cells) == 2 else cells
        return float(cells[:, true, predicted].sum())

    @property
    def _all_classes(self) -> list[int]:
        """The numbers of the model's classes, and of those that only the rows have."""
        known = [-1, 1] if self._model.task == "outlier" else range(len(self._classes) or len(self._unseen))
        return sorted({*known, *self._truth.tolist()})

    def _compared(self, metric: Metric) -> tuple[Any, Any]:
        """The first two arguments of a metric's function."""
        match metric.family:
            case "probabilities":
                return self._known(metric.name), self._of_classes(self._needed(metric))
            case "scores":
                return self._ranked(metric)
            case "margins":
                return self._known(metric.name), self._margins(metric)
            case "labels":
                return self._truth, self._needed(metric)
            case "shapes":
                return self._matrix, self._found
        return self._truth, self._found

    def _ranked(self, metric: Metric) -> tuple[Any, Any]:
        """Truth and probabilities; scores where there are none."""
        if self._model.task in ("outlier", "multilabel"):
            return self._truth, self._needed(metric)
        truth, found = self._known(metric.name), self._of_classes(self._needed(metric))
        if metric.function == "average_precision_score" and len(self._classes) > 2:
            return np.eye(len(self._classes))[truth], found
        return truth, found

    def _needed(self, metric: Metric) -> Matrix:
        found = self._probabilities
        if found is None and metric.family in ("scores", "labels"):
            found = self._scores
        if found is None:
            what = "probabilities" if metric.family == "probabilities" else "probabilities or scores"
            raise RunError("estimator", f"{metric.name} needs {what}, which this model does not give")
        return found

    def _of_classes(self, found: Matrix) -> Matrix:
        """A column for each class; of two classes that of the second one."""
        second: Matrix = found[:, 1] if found.ndim == 2 and len(self._classes) == 2 else found
        return second

    def _margins(self, metric: Metric) -> Matrix:
        """The decision function, or else the logarithms of the odds of the probabilities of two classes."""
        if self._scores is not None:
            return self._scores
        found = self._of_classes(self._needed(metric))
        if found.ndim == 2:
            return found
        odds = np.clip(found, _SMALLEST, 1 - _SMALLEST)
        margins: Matrix = np.log(odds / (1 - odds))
        return margins

    def _known(self, name: str) -> Matrix:
        if self._classes and (self._truth >= len(self._classes)).any():
            raise RunError("data", f"{name} cannot be computed: the rows have a label that no training row had")
        return self._truth

    def _of_groups(self, metric: Metric, arguments: Mapping[str, Any]) -> float:
        """The mean over the groups; groups of one row have no order."""
        order = np.argsort(self._groups, kind="stable")
        edges = np.flatnonzero(np.diff(self._groups[order])) + 1
        values = [
            computed(metric, (self._truth[rows][np.newaxis], self._found[rows][np.newaxis]), arguments)
            for rows in np.split(order, edges)
            if len(rows) > 1
        ]
        return float(np.mean(values)) if values else math.nan

    def _many(self) -> bool:
        """True if there are more than two classes, those counted that only the rows have."""
        if isinstance(self._model.label, ListLabel):
            return True
        return bool(self._classes) and len(self._all_classes) > 2

    def _usual(self, metric: Metric) -> dict[str, Any]:
        """Arguments that the model's classes decide."""
        many, function = self._many(), metric.function
        classes = list(range(len(self._classes)))
        usual: dict[str, Any] = {}
        if function in _AVERAGED:
            usual["average"] = "macro" if many else "binary"
            usual["zero_division"] = 0
        if function == "fbeta_score":
            usual["beta"] = 1.0
        if function == "roc_auc_score" and many and self._classes:
            usual |= {"multi_class": "ovr", "labels": classes}
        if metric.family in ("probabilities", "margins") and (function in ("log_loss", "hinge_loss") or many):
            usual["labels"] = classes
        if function == "top_k_accuracy_score" and self._classes:
            usual["labels"] = classes
        if function == "silhouette_score":
            usual["random_state"] = 0
        return usual

    def _encoded(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments with the numbers of the classes that they name."""
        found = dict(given)
        for argument in set(_OF_CLASSES) & set(found):
            value = found[argument]
            if value is not None and self._classes:
                numbers_of = [self._number(name, argument, one) for one in (value if argument == "labels" else [value])]
                found[argument] = numbers_of if argument == "labels" else numbers_of[0]
        return found

    def _number(self, name: str, argument: str, value: Any) -> int:
        for number, known in enumerate(self._classes):
            if known == value or str(known) == str(value):
                return number
        classes = ", ".join(map(str, self._classes[:10]))
        raise RunError("estimator", f"{name}.{argument} is {value!r}, which is no class", f"Classes are {classes}.")
