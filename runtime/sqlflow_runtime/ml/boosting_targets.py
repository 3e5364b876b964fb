"""The objective of a booster and its classes, by the statement, the label, or the model that USING names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sqlflow_codegen.catalogue.boosting import GROUP

from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.boosting_objectives import Objectives
from sqlflow_runtime.ml.labels import CLASS_LIMIT, Label, classes_of, different
from sqlflow_runtime.ml.trained_model import TrainedModel
from sqlflow_runtime.ml.training import Training

_SHOWN = 10


def target(training: Training, objectives: Objectives) -> tuple[Label, str]:
    """Return the label, with its classes if the objective predicts classes, and the objective.

    Args:
        training: see `Training`.
        objectives: of the library.

    Raises:
        RunError: kind `estimator`, `data` or `model`; the label does not fit.
    """
    if training.label is None:
        raise RunError(
            "estimator", f"{training.estimator.name} learns from a label", "Add LABEL column to the statement."
        )
    if training.start is not None:
        return _continued(training, objectives, training.label, training.start)
    said = training.parameters.get("objective") if _says_objective(training) else None
    if said is None:
        return _inferred(training, objectives, training.label)
    return _fitting(training, objectives, training.label, str(said))


def _fitting(training: Training, objectives: Objectives, label: Label, objective: str) -> tuple[Label, str]:
    if objective in objectives.classes:
        return _classes(training, objectives, label, binary=objective in objectives.binary), objective
    objective = objectives.same(objective)
    if objective in objectives.classes:
        return _classes(training, objectives, label, binary=objective in objectives.binary), objective
    if label.kind == "string":
        of_two, of_many = objectives.binary[0], objectives.many[0]
        hint = f'A text label needs classes: objective="{of_many}" or, for two, "{of_two}".'
        raise RunError("data", f"the label {label.name} is text, but the objective {objective} needs numbers", hint)
    if objective in objectives.ranking and GROUP not in training.given:
        training.log("all rows are ranked as one group: no column of the SELECT says which rows belong together")
    return label, objective


def _says_objective(training: Training) -> bool:
    return "objective" in training.given or training.estimator.task in ("regressor", "ranker")


def _inferred(training: Training, objectives: Objectives, label: Label) -> tuple[Label, str]:
    values = training.data.labels
    wants_classes = training.estimator.task == "classifier" or label.kind in ("string", "bool")
    if not wants_classes and label.kind == "int":
        count = len(values.unique())
        if count > CLASS_LIMIT:
            raise RunError(
                "estimator",
                f"the label {label.name} is an integer with {count} different values: is it a class or a measure?",
                f'Say so: WITH objective="{objectives.regression}" or objective="{objectives.many[0]}".',
            )
        wants_classes = True
    if not wants_classes:
        training.log(f'objective="{objectives.regression}", because the label {label.name} is a fractional number')
        return label, objectives.regression
    label = _classes(training, objectives, label, binary=False)
    objective = objectives.binary[0] if len(label.classes) == 2 else objectives.many[0]
    training.log(f'objective="{objective}", because the label {label.name} has {len(label.classes)} classes')
    return label, objective


def _classes(training: Training, objectives: Objectives, label: Label, *, binary: bool) -> Label:
    count = None if binary else training.parameters.get("num_class")
    label = classes_of(label, training.data.labels, count)
    if binary and len(label.classes) > 2:
        raise RunError(
            "data",
            f"the label {label.name} has {len(label.classes)} classes, but the objective predicts two",
            f'Write objective="{objectives.many[-1]}", num_class={len(label.classes)}.',
        )
    return label


def _continued(training: Training, objectives: Objectives, label: Label, start: TrainedModel) -> tuple[Label, str]:
    """Label and objective of the model that USING names: its trees mean what they mean by its classes' numbers."""
    estimator = training.estimator.name
    if start.fitted.codec.partition("-")[0] != training.estimator.library or start.label is None:
        raise _refused(f"the model is of {start.estimator}, from which {estimator} cannot go on")
    before, after = (_booster(training, one) for one in (start.attributes, training.parameters))
    if before != after:
        raise _refused(f"the model's booster is {before}, and this statement's is {after}")
    objective = str(start.attributes.get("objective"))
    if _says_objective(training):
        _check_objective(training, objectives, start, objective)
    if training.estimator.task == "classifier" and not start.classes:
        raise _refused(f"the model predicts numbers ({objective}), and {estimator} predicts classes")
    known = float(start.attributes.get("missing", "nan"))
    missing = float(training.parameters.get("missing", known))
    if missing != known and not (math.isnan(missing) and math.isnan(known)):
        raise _refused(f"the model was trained with missing={known:g}")
    if not start.classes:
        return _fitting(training, objectives, label, objective)
    return _same_classes(training, label, start.label), objective


def _check_objective(training: Training, objectives: Objectives, start: TrainedModel, objective: str) -> None:
    classes = start.classes
    said = str(training.parameters["objective"])
    if bool(classes) != (objectives.same(said) in objectives.classes):
        learned = f"predicts the classes {_shown(classes)}" if classes else "predicts numbers"
        raise _refused(f"the model {learned} ({objective}), and this statement's objective is {said}")
    if "objective" in training.given and objectives.same(said) != objectives.same(objective):
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


def _booster(training: Training, parameters: Mapping[str, Any]) -> str:
    """The kind of booster: XGBoost's `booster`, LightGBM's `boosting`."""
    name, usual = ("booster", "gbtree") if training.estimator.library == "xgboost" else ("boosting", "gbdt")
    return str(parameters.get(name) or usual)


def _refused(message: str, hint: str = "Leave USING out to train a new model.") -> RunError:
    return RunError("model", f"cannot go on from the model that USING names: {message}", hint)
