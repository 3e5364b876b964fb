"""Training a booster by LightGBM's native interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue import Estimator
from sqlflow_codegen.catalogue.boosting import ROUNDS, STOP_AFTER

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.boosting_features import interaction_columns, monotone_columns
from sqlflow_runtime.ml.boosting_rounds import Rounds
from sqlflow_runtime.ml.boosting_rows import boosting_rows
from sqlflow_runtime.ml.boosting_targets import target
from sqlflow_runtime.ml.dataset import Dataset
from sqlflow_runtime.ml.features import category_sizes
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.light import library_messages, lightgbm
from sqlflow_runtime.ml.lightgbm_models import OBJECTIVES, LightBoosted
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.ml.trained_model import TrainedModel
from sqlflow_runtime.ml.training import Training

dtype = np.float64

_DEFAULT_ROUNDS = 100
"""LightGBM's own."""
_OF_ROUNDS = ("early_stopping_min_delta", "first_metric_only")

History = dict[str, dict[str, list[float]]]


def precision(_estimator: Estimator) -> type[np.floating[Any]]:
    """The dtype that the estimator computes with."""
    return np.float64


def train(training: Training) -> TrainedModel:
    """Train a booster; see `Training`."""
    label, objective = target(training, OBJECTIVES)
    objective = OBJECTIVES.same(objective)
    parameters = _parameters(training, label, objective)
    rounds = int(training.parameters.get(ROUNDS, _DEFAULT_ROUNDS))
    history: History = {}
    start = training.start.fitted if training.start is not None else None
    try:
        with library_messages(training.context.recorder.log):
            rows = _dataset(training, training.data, label, parameters)
            sets, names = [rows], ["train"]
            if training.validation is not None:
                sets.append(_dataset(training, training.validation, label, parameters, rows))
                names.append("validate")
            booster = lightgbm.train(
                parameters,
                rows,
                num_boost_round=rounds,
                valid_sets=sets,
                valid_names=names,
                init_model=start.booster if isinstance(start, LightBoosted) else None,
                keep_training_booster=True,
                callbacks=_callbacks(training, rounds, history),
            )
    except (lightgbm.basic.LightGBMError, ValueError, TypeError) as error:
        raise RunError("estimator", f"LightGBM: {error}") from error
    metrics = {name: values[-1] for name, values in _flat(history).items()}
    return training.model(LightBoosted(booster, objective), label, metrics, {"objective": objective})


def _callbacks(training: Training, rounds: int, history: History) -> list[Callable[..., Any]]:
    noted = Rounds(training, rounds)

    def note(env: Any) -> None:
        found = env.evaluation_result_list or ()
        noted.note(env.iteration - env.begin_iteration + 1, {f"{one[0]}-{one[1]}": float(one[2]) for one in found})

    found = [lightgbm.record_evaluation(history), note]
    stop_after = training.parameters.get(STOP_AFTER)
    if stop_after:
        first = bool(training.parameters.get("first_metric_only"))
        least = float(training.parameters.get("early_stopping_min_delta", 0.0))
        found.append(lightgbm.early_stopping(stop_after, first_metric_only=first, verbose=False, min_delta=least))
    return found


def _flat(history: History) -> dict[str, list[float]]:
    return {f"{data}-{name}": values for data, found in history.items() for name, values in found.items()}


def _parameters(training: Training, label: Label, objective: str) -> dict[str, Any]:
    """The parameters for LightGBM."""
    given = training.parameters
    found = {key: value for key, value in given.items() if "." not in key and key not in _OF_ROUNDS}
    found.pop("num_class", None)
    found |= {"objective": objective, "num_threads": found.get("num_threads", processors())}
    found.setdefault("verbosity", 0)
    found.setdefault("deterministic", True)  # the same model from any number of threads
    if not found.get("force_row_wise"):
        found.setdefault("force_col_wise", True)  # else it tries which is faster, and the sums differ
    if objective in OBJECTIVES.many:
        found["num_class"] = len(label.classes)
    if "monotone_constraints" in found:
        found["monotone_constraints"] = monotone_columns(found["monotone_constraints"], training.names)
    if "interaction_constraints" in found:
        found["interaction_constraints"] = interaction_columns(found["interaction_constraints"], training.names)
    return found


def _dataset(
    training: Training, data: Dataset, label: Label, parameters: Mapping[str, Any], like: Any = None
) -> lightgbm.Dataset:
    """The rows as LightGBM takes them; those to validate on are put into the bins of `like`."""
    found = boosting_rows(data, label)
    return lightgbm.Dataset(
        found.matrix,
        label=found.labels,
        weight=found.weights,
        group=found.sizes,
        reference=like,
        feature_name=[f"c{number}" for number in range(len(training.names))],
        categorical_feature=[column for column, size in enumerate(category_sizes(data.features)) if size],
        params=dict(parameters),
        free_raw_data=training.start is None,
    )
