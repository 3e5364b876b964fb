"""Training a booster by XGBoost's native interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue import Estimator
from sqlflow_codegen.catalogue.xgboost_conflicts import STOP_AFTER, interaction_groups, monotone_signs

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.boosting import xgboost
from sqlflow_runtime.ml.dataset import Dataset
from sqlflow_runtime.ml.extremes import LARGEST
from sqlflow_runtime.ml.features import category_sizes
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel
from sqlflow_runtime.ml.training import Training
from sqlflow_runtime.ml.xgboost_models import Boosted, words_of
from sqlflow_runtime.ml.xgboost_targets import target

dtype = np.float32

_NOT_PARAMETERS = ("missing", "importance_type", "enable_categorical")
_ROUNDS = {"xgboost.gbtree": 10, "xgboost.gblinear": 10, "xgboost.dart": 10}
"""SQLFlow's defaults; the classes named after scikit-learn's interface have that interface's 100."""

_ROUND_LINES = 100
"""Lines of log that a training writes about its rounds, about."""


def precision(_estimator: Estimator) -> type[np.floating[Any]]:
    """The dtype that the estimator computes with."""
    return np.float32


def train(training: Training) -> TrainedModel:
    """Train a booster; see `Training`."""
    label, objective = target(training)
    parameters = _parameters(training, label, objective)
    rounds = _rounds(training, parameters)
    start = training.start.fitted if training.start is not None else None
    missing = start.missing if isinstance(start, Boosted) else float(training.parameters.get("missing", np.nan))
    sets = [(training.data, "train"), (training.validation, "validate")]
    watched = [(_matrix(rows, label, objective, missing, parameters), name) for rows, name in sets if rows is not None]
    history: dict[str, dict[str, list[float]]] = {}
    best = _Best()
    stop_after = training.parameters.get(STOP_AFTER)
    stopping = [xgboost.callback.EarlyStopping(rounds=stop_after), best] if stop_after else []
    try:
        booster = xgboost.train(
            parameters,
            watched[0][0],
            num_boost_round=rounds,
            evals=watched,
            evals_result=history,
            verbose_eval=False,
            callbacks=[_Rounds(training, rounds), *stopping],
            xgb_model=start.booster if isinstance(start, Boosted) else None,
        )
        booster = best.of(booster) if stop_after else booster
        booster.save_config()  # some parameters are looked at only here
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        raise RunError("estimator", f"XGBoost: {words_of(error)}") from error
    metrics = {f"{data}-{name}": values[-1] for data, found in history.items() for name, values in found.items()}
    decided = {"objective": objective} | ({} if np.isnan(missing) else {"missing": missing})
    return training.model(Boosted(booster, objective, missing), label, metrics, decided)


class _Rounds(xgboost.callback.TrainingCallback):
    """Logs the metrics of rounds, and ends the training when the step is to stop."""

    def __init__(self, training: Training, rounds: int) -> None:
        super().__init__()
        self._training = training
        self._every = max(1, rounds // _ROUND_LINES)
        self._last = rounds - 1

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Called by XGBoost after each round."""
        values = {f"{data}-{name}": found[-1] for data, metrics in evals_log.items() for name, found in metrics.items()}
        if epoch % self._every == 0 or epoch == self._last:
            self._training.log(f"[{epoch}] {' '.join(f'{name}:{value:.5f}' for name, value in values.items())}")
        self._training.progress(epoch + 1, self._last + 1, values, "round")
        return False


class _Best(xgboost.callback.TrainingCallback):
    """Finds the best round again. Trees are cut after it; a linear model, which cannot be cut, is kept as it was."""

    def __init__(self) -> None:
        super().__init__()
        self._round: str | None = None
        self._kept: bytearray | None = None

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Called after early stopping has looked at the round."""
        found = model.attr("best_iteration")
        if found != self._round:
            self._round = found
            if self._kept is not None or epoch == 0:
                self._kept = model.save_raw("ubj") if _is_linear(model) else None
        return False

    def of(self, booster: xgboost.Booster) -> xgboost.Booster:
        """The booster as it was after its best round."""
        if self._kept is not None:
            return xgboost.Booster(model_file=self._kept)
        return booster[: booster.best_iteration + 1]


def _is_linear(model: xgboost.Booster) -> bool:
    return '"booster":"gblinear"' in model.save_config().replace(" ", "")


def _parameters(training: Training, label: Label, objective: str) -> dict[str, Any]:
    """The parameters for XGBoost."""
    given = training.parameters
    found = {key: value for key, value in given.items() if "." not in key and key not in _NOT_PARAMETERS}
    found.pop("num_class", None)
    found |= {"objective": objective, "nthread": found.get("nthread", processors())}
    found.setdefault("seed", 0)
    if objective.startswith("multi:"):
        found["num_class"] = len(label.classes)
    for name in ("quantile_alpha", "base_score"):
        if isinstance(found.get(name), list) and len(found[name]) == 1:
            (found[name],) = found[name]
    _check_base_score(found.get("base_score"), label)
    if found.get("booster") == "gblinear":
        # Its own default, shotgun, gives another model at each run with several threads: they overwrite each other.
        updater = found.setdefault("updater", "coord_descent")
        found["nthread"] = 1 if updater == "shotgun" else found["nthread"]
    if "monotone_constraints" in found:
        found["monotone_constraints"] = _monotone(found["monotone_constraints"], training.names)
    if "interaction_constraints" in found:
        found["interaction_constraints"] = _interactions(found["interaction_constraints"], training.names)
    return found


def _check_base_score(score: Any, label: Label) -> None:
    if isinstance(score, list) and len(score) != len(label.classes):
        raise RunError(
            "estimator",
            f"base_score lists {len(score)} numbers, but {label.name} has {len(label.classes)} classes",
            "List one number for each class, or write one number.",
        )


def _positions(names: Sequence[str]) -> dict[str, list[int]]:
    """For each feature, in order, the columns of the matrix that it fills."""
    found: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        found.setdefault(name, []).append(position)
    return found


def _monotone(value: Any, names: Sequence[str]) -> str:
    signs, features = monotone_signs(value) or [], _positions(names)
    if len(signs) != len(features):
        raise RunError(
            "estimator",
            f"monotone_constraints lists {len(signs)} signs, but there are {len(features)} features",
            f"List one for each of {', '.join(features)}, in this order.",
        )
    spread = dict(zip(features, signs, strict=True))
    return f"({','.join(str(spread[name]) for name in names)})"


def _interactions(value: Any, names: Sequence[str]) -> str:
    features = _positions(names)
    listed = list(features)
    groups: list[list[int]] = []
    for group in interaction_groups(value) or []:
        columns: list[int] = []
        for feature in group:
            inside = isinstance(feature, int) and 0 <= feature < len(listed)
            name = listed[int(feature)] if inside else feature
            if name not in features:
                message = f"interaction_constraints names {feature!r}, which is no feature"
                raise RunError("estimator", message, f"There are {', '.join(listed)}.")
            columns += features[str(name)]
        groups.append(columns)
    return str(groups)


def _rounds(training: Training, parameters: dict[str, Any]) -> int:
    rounds = training.parameters.get("train.num_boost_round", _ROUNDS.get(training.estimator.name, 100))
    if "XGBRF" in training.estimator.name:  # a random forest is one round of many trees
        parameters.setdefault("num_parallel_tree", rounds)
        return 1
    return int(rounds)


def _matrix(
    data: Dataset, label: Label, objective: str, missing: float, parameters: Mapping[str, Any]
) -> xgboost.DMatrix:
    numbers: Matrix
    if label.classes:
        numbers = label.encode(data.labels)
        unknown = np.flatnonzero(numbers < 0)
        if unknown.size:
            raise RunError(
                "data",
                f"validation.select has the label {data.labels[int(unknown[0])].as_py()!r}, which no training row has",
                "Select rows of the same classes.",
            )
    else:
        numbers = label.numbers(data.labels)
        _check_numbers(label, numbers, objective)
    kinds = ["c" if size else "q" for size in category_sizes(data.features)]
    matrix = xgboost.DMatrix(
        data.matrix,
        label=numbers,
        missing=missing,
        nthread=parameters["nthread"],
        feature_types=kinds,
        enable_categorical=True,
    )
    if objective == "survival:aft":  # the label is the time of the event itself: the interval is a point
        matrix.set_float_info("label_lower_bound", numbers)
        matrix.set_float_info("label_upper_bound", numbers)
    return matrix


def _check_numbers(label: Label, numbers: Matrix, objective: str) -> None:
    beyond = int((np.abs(numbers) > LARGEST).sum())
    if beyond:
        message = f"the label {label.name} is beyond ±{LARGEST:.2g} in {beyond} of {len(numbers)} rows"
        raise RunError("data", message, "Select it in a larger unit, such as its logarithm.")
    wrong = int((numbers <= 0).sum()) if objective == "survival:aft" else 0
    if wrong:
        message = f"the label {label.name} is 0 or less in {wrong} of {len(numbers)} rows; {objective} learns times"
        raise RunError("data", message, f"Add WHERE {label.name} > 0 to the SELECT.")
