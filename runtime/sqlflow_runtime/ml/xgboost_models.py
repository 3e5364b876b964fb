"""XGBoost by its native interface: one `Booster` behind every name that SQLFlow and scikit-learn users know it by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xgboost

from sqlflow_runtime.failures import RunError
from sqlflow_runtime.ml.dataset import Dataset
from sqlflow_runtime.ml.labels import CLASS_LIMIT, Label, classes_of
from sqlflow_runtime.ml.model import Matrix
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.ml.training import Trained, Training
from sqlflow_runtime.ml.ubjson import check_ubjson

dtype = np.float32

_CLASSES = ("binary:logistic", "binary:hinge", "multi:softmax", "multi:softprob")
_NOT_PARAMETERS = ("missing", "importance_type", "enable_categorical", "validation.metrics")
_ROUNDS = {"xgboost.gbtree": 10, "xgboost.gblinear": 10, "xgboost.dart": 10}
"""As SQLFlow has it; the classes named after scikit-learn's interface have that interface's 100."""

_ROUND_LINES = 100
"""Lines of log that a training writes about its rounds, about."""


class Boosted:
    """A trained booster."""

    codec = "xgboost-ubj"
    dtype: type[np.floating[Any]] = np.float32

    def __init__(self, booster: xgboost.Booster, objective: str, missing: float = np.nan) -> None:
        self.booster = booster
        self.objective = objective
        self._missing = missing

    def predict(self, matrix: Matrix) -> Matrix:
        """See `Fitted`. Objectives of classes give the likeliest; others what XGBoost predicts."""
        data = self._matrix(matrix)
        if self.objective not in _CLASSES:
            found: Matrix = self.booster.predict(data)
            if found.ndim > 1:
                raise RunError(
                    "estimator", f"objective={self.objective} gives {found.shape[1]} values for each row, not one"
                )
            return found
        margin: Matrix = self.booster.predict(data, output_margin=True)
        return margin.argmax(axis=1) if margin.ndim == 2 else (margin > 0).astype(np.int64)

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        if self.objective not in _CLASSES or self.objective == "binary:hinge":
            return None
        margin = self.booster.predict(self._matrix(matrix), output_margin=True).astype(np.float64)
        if margin.ndim == 1:
            positive = 1 / (1 + np.exp(-margin))
            return np.column_stack([1 - positive, positive])
        power = np.exp(margin - margin.max(axis=1, keepdims=True))
        found: Matrix = power / power.sum(axis=1, keepdims=True)
        return found

    def dump(self) -> bytes:
        """XGBoost's own binary JSON (UBJSON)."""
        return bytes(self.booster.save_raw(raw_format="ubj"))

    def _matrix(self, matrix: Matrix) -> xgboost.DMatrix:
        return xgboost.DMatrix(matrix, missing=self._missing, nthread=processors())


def load(content: bytes, attributes: Mapping[str, Any], names: Sequence[str]) -> Boosted:
    """The booster that `dump` wrote.

    Raises:
        RunError: kind `model`; it is none.
    """
    try:
        check_ubjson(content)
        booster = xgboost.Booster({"nthread": processors()}, model_file=bytearray(content))
        booster.num_features()
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        raise RunError(
            "model",
            f"the stored model cannot be read by XGBoost {xgboost.__version__}: {_words(error)}",
            "Train it again, or use the image that trained it.",
        ) from error
    return Boosted(booster, attributes["objective"], float(attributes.get("missing", "nan")))


def train(training: Training) -> Trained:
    """Train a booster; see `Training`."""
    parameters = {key: value for key, value in training.parameters.items() if "." not in key}
    label, objective = _label_and_objective(training)
    classes = len(label.classes) if label else 0
    if objective.startswith("multi:"):
        parameters["num_class"] = training.parameters.get("num_class", classes)
    else:
        parameters.pop("num_class", None)
    parameters |= {"objective": objective, "nthread": parameters.get("nthread", processors())}
    parameters.setdefault("seed", 0)
    rounds = _rounds(training, parameters)
    missing = float(parameters.get("missing", np.nan))
    for name in _NOT_PARAMETERS:
        parameters.pop(name, None)
    watched = [(_matrix(training.data, label, missing, parameters["nthread"]), "train")]
    if training.validation is not None:
        watched.append((_matrix(training.validation, label, missing, parameters["nthread"]), "validate"))
    history: dict[str, dict[str, list[float]]] = {}
    stop_after = training.parameters.get("train.early_stopping_rounds")
    if stop_after and training.validation is None:
        raise RunError(
            "estimator", "train.early_stopping_rounds has nothing to measure on", 'Add validation.select="SELECT ..".'
        )
    try:
        booster = xgboost.train(
            parameters,
            watched[0][0],
            num_boost_round=rounds,
            evals=watched,
            evals_result=history,
            early_stopping_rounds=stop_after,
            verbose_eval=False,
            callbacks=[_Rounds(training, rounds)],
            xgb_model=training.start.booster if isinstance(training.start, Boosted) else None,
        )
    except xgboost.core.XGBoostError as error:
        raise RunError("estimator", f"XGBoost: {_words(error)}") from error
    if stop_after:
        booster = booster[: booster.best_iteration + 1]
    metrics = {f"{data}-{name}": values[-1] for data, found in history.items() for name, values in found.items()}
    task = "classification" if label and label.classes else "regression"
    return Trained(Boosted(booster, objective, missing), task, label, metrics, {"objective": objective})


class _Rounds(xgboost.callback.TrainingCallback):
    """Tells how the training goes, and ends it when the step is to stop."""

    def __init__(self, training: Training, rounds: int) -> None:
        super().__init__()
        self._training = training
        self._every = max(1, rounds // _ROUND_LINES)
        self._last = rounds - 1

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Called by XGBoost after each round."""
        self._training.check()
        if epoch % self._every == 0 or epoch == self._last:
            values = [
                f"{data}-{name}:{found[-1]:.5f}"
                for data, metrics in evals_log.items()
                for name, found in metrics.items()
            ]
            self._training.log(f"[{epoch}] {' '.join(values)}")
        return False


def _label_and_objective(training: Training) -> tuple[Label | None, str]:
    """What is to be learned: as the statement says, else as the label's type suggests."""
    label, values = training.label, training.data.labels
    if label is None:
        raise RunError(
            "estimator", f"{training.estimator.name} learns from a label", "Add LABEL column to the statement."
        )
    said = training.parameters.get("objective") if _said_objective(training) else None
    if said is None:
        return _inferred(training, label, values)
    if said in _CLASSES:
        label = _classes(training, label, values, binary=said.startswith("binary:"))
    elif label.kind == "string":
        hint = 'A text label needs classes: objective="multi:softprob" or, for two, "binary:logistic".'
        raise RunError("data", f"the label {label.name} is text, but the objective {said} needs numbers", hint)
    return label, str(said)


def _said_objective(training: Training) -> bool:
    return "objective" in training.given or training.estimator.task in ("regressor", "ranker")


def _inferred(training: Training, label: Label, values: list[Any]) -> tuple[Label, str]:
    wants_classes = training.estimator.task == "classifier" or label.kind in ("string", "bool")
    if not wants_classes and label.kind == "int":
        different = len(set(values))
        if different > CLASS_LIMIT:
            raise RunError(
                "estimator",
                f"the label {label.name} is an integer with {different} different values: is it a class or a measure?",
                'Say so: WITH objective="reg:squarederror" or objective="multi:softprob".',
            )
        wants_classes = True
    if not wants_classes:
        training.log(f'objective="reg:squarederror", because the label {label.name} is a fractional number')
        return label, "reg:squarederror"
    label = _classes(training, label, values, binary=False)
    objective = "binary:logistic" if len(label.classes) == 2 else "multi:softprob"
    training.log(f'objective="{objective}", because the label {label.name} has {len(label.classes)} classes')
    return label, objective


def _classes(training: Training, label: Label, values: list[Any], *, binary: bool) -> Label:
    count = None if binary else training.parameters.get("num_class")
    label = classes_of(label, values, count)
    if binary and len(label.classes) > 2:
        raise RunError(
            "data",
            f"the label {label.name} has {len(label.classes)} classes, but the objective tells two apart",
            f'Write objective="multi:softmax", num_class={len(label.classes)}.',
        )
    return label


def _rounds(training: Training, parameters: dict[str, Any]) -> int:
    rounds = training.parameters.get("train.num_boost_round", _ROUNDS.get(training.estimator.name, 100))
    if "XGBRF" in training.estimator.name:  # a random forest is one round of many trees
        parameters.setdefault("num_parallel_tree", rounds)
        return 1
    return int(rounds)


def _matrix(data: Dataset, label: Label | None, missing: float, threads: int) -> xgboost.DMatrix:
    assert label is not None
    numbers: Matrix
    if label.classes:
        numbers = label.encode(data.labels)
        unknown = [value for value, number in zip(data.labels, numbers, strict=True) if number < 0]
        if unknown:
            raise RunError(
                "data",
                f"validation.select has the label {unknown[0]!r}, which no training row has",
                "Select rows of the same classes.",
            )
    else:
        numbers = np.array([float(value) for value in data.labels])
    return xgboost.DMatrix(data.matrix, label=numbers, missing=missing, nthread=threads)


def _words(error: Exception) -> str:
    """XGBoost's own words without its C++ stack."""
    text = re.sub(r"Stack trace:.*", "", str(error), flags=re.DOTALL)
    text = re.sub(r"^\[[\d:]+\] \S+:\d+:\s*", "", text.strip())
    return re.sub(r"\s+", " ", text).strip()
