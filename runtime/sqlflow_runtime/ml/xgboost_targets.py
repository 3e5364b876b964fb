"""XGBoost's objective and classes, by the statement, the label, or the model that USING names."""

from __future__ import annotations

import math
from typing import Any

from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.labels import CLASS_LIMIT, Label, classes_of, different
from sqlflow_runtime.ml.trained_model import TrainedModel
from sqlflow_runtime.ml.training import Training
from sqlflow_runtime.ml.xgboost_models import CLASS_OBJECTIVES, Boosted

_SAME = {"multi:softmax": "multi:softprob", "reg:linear": "reg:squarederror"}
"""Objectives that learn what another one does."""
_SHOWN = 10


def target(training: Training) -> tuple[Label, str]:
    """Return the label, with its classes if the objective predicts classes, and the objective.

    Raises:
        RunError: kind `estimator`, `data` or `model`; the label does not fit.
    """
    if training.label is None:
        raise RunError(
            "estimator", f"{training.estimator.name} learns from a label", "Add LABEL column to the statement."
        )
    if training.start is not None:
        return _continued(training, training.label, training.start)
    said = training.parameters.get("objective") if _says_objective(training) else None
    if said is None:
        return _inferred(training, training.label)
    return _fitting(training, training.label, str(said))


def _fitting(training: Training, label: Label, objective: str) -> tuple[Label, str]:
    if objective in CLASS_OBJECTIVES:
        return _classes(training, label, binary=objective.startswith("binary:")), objective
    if label.kind == "string":
        hint = 'A text label needs classes: objective="multi:softprob" or, for two, "binary:logistic".'
        raise RunError("data", f"the label {label.name} is text, but the objective {objective} needs numbers", hint)
    if objective.startswith("rank:"):
        training.log("all rows are ranked as one group: no column of the SELECT says which rows belong together")
    return label, _SAME[objective] if objective == "reg:linear" else objective


def _says_objective(training: Training) -> bool:
    return "objective" in training.given or training.estimator.task in ("regressor", "ranker")


def _inferred(training: Training, label: Label) -> tuple[Label, str]:
    values = training.data.labels
    wants_classes = training.estimator.task == "classifier" or label.kind in ("string", "bool")
    if not wants_classes and label.kind == "int":
        count = len(values.unique())
        if count > CLASS_LIMIT:
            raise RunError(
                "estimator",
                f"the label {label.name} is an integer with {count} different values: is it a class or a measure?",
                'Say so: WITH objective="reg:squarederror" or objective="multi:softprob".',
            )
        wants_classes = True
    if not wants_classes:
        training.log(f'objective="reg:squarederror", because the label {label.name} is a fractional number')
        return label, "reg:squarederror"
    label = _classes(training, label, binary=False)
    objective = "binary:logistic" if len(label.classes) == 2 else "multi:softprob"
    training.log(f'objective="{objective}", because the label {label.name} has {len(label.classes)} classes')
    return label, objective


def _classes(training: Training, label: Label, *, binary: bool) -> Label:
    count = None if binary else training.parameters.get("num_class")
    label = classes_of(label, training.data.labels, count)
    if binary and len(label.classes) > 2:
        raise RunError(
            "data",
            f"the label {label.name} has {len(label.classes)} classes, but the objective predicts two",
            f'Write objective="multi:softmax", num_class={len(label.classes)}.',
        )
    return label


def _continued(training: Training, label: Label, start: TrainedModel) -> tuple[Label, str]:
    """Label and objective of the model that USING names: its trees mean what they mean by its classes' numbers."""
    fitted, estimator = start.fitted, training.estimator.name
    if not isinstance(fitted, Boosted) or start.label is None:
        raise _refused(f"the model is of {start.estimator}, from which {estimator} cannot go on")
    before, after = _booster(start.attributes), _booster(training.parameters)
    if before != after:
        raise _refused(f"the model's booster is {before}, and this statement's is {after}")
    objective = fitted.objective
    if _says_objective(training):
        _check_objective(training, start, objective)
    if training.estimator.task == "classifier" and not start.classes:
        raise _refused(f"the model predicts numbers ({objective}), and {estimator} predicts classes")
    missing = float(training.parameters.get("missing", fitted.missing))
    if missing != fitted.missing and not (math.isnan(missing) and math.isnan(fitted.missing)):
        raise _refused(f"the model was trained with missing={fitted.missing:g}")
    if not start.classes:
        return _fitting(training, label, objective)
    return _same_classes(training, label, start.label), objective


def _check_objective(training: Training, start: TrainedModel, objective: str) -> None:
    classes = start.classes
    said = str(training.parameters["objective"])
    if bool(classes) != (said in CLASS_OBJECTIVES):
        learned = f"predicts the classes {_shown(classes)}" if classes else "predicts numbers"
        raise _refused(f"the model {learned} ({objective}), and this statement's objective is {said}")
    if "objective" in training.given and _SAME.get(said, said) != _SAME.get(objective, objective):
        raise _refused(f"the model was trained with objective={objective}, and this statement's objective is {said}")


def _same_classes(training: Training, label: Label, known: Label) -> Label:
    """The label with the model's classes; refuses rows of any other."""
    found = set(different(training.data.labels))
    unknown = found - set(known.classes) if label.kind == known.kind else found
    if unknown:
        rows = _shown(tuple(sorted(found)))
        raise _refused(
            f"the model knows the classes {_shown(known.classes)} of {known.name}, "
            f"and the label {label.name} has {rows} here",
            "Select rows of the model's classes, or train a new model on all rows: leave USING out.",
        )
    count = training.parameters.get("num_class")
    if count is not None and count != len(known.classes):
        raise _refused(f"the model knows {len(known.classes)} classes, and num_class is {count}")
    return Label(label.name, known.kind, known.classes)


def _shown(classes: tuple[Any, ...]) -> str:
    return listed([repr(one) for one in classes], _SHOWN)


def _booster(parameters: Any) -> str:
    return str(parameters.get("booster") or "gbtree")


def _refused(message: str, hint: str = "Leave USING out to train a new model.") -> RunError:
    return RunError("model", f"cannot go on from the model that USING names: {message}", hint)
