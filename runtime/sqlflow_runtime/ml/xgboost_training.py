"""Training a booster by XGBoost's native interface."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlflow_codegen.catalogue import Estimator
from sqlflow_codegen.catalogue.boosting import ROUNDS, STOP_AFTER

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.boosting import library_warnings, words_of, xgboost
from sqlflow_runtime.ml.boosting_features import interaction_columns, monotone_columns
from sqlflow_runtime.ml.boosting_rounds import Rounds
from sqlflow_runtime.ml.boosting_targets import target
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.ml.trained_model import TrainedModel
from sqlflow_runtime.ml.training import Training
from sqlflow_runtime.ml.xgboost_models import OBJECTIVES, Boosted
from sqlflow_runtime.ml.xgboost_rows import training_matrix

dtype = np.float32

_NOT_PARAMETERS = ("missing", "importance_type", "enable_categorical")
_ROUNDS = {"xgboost.gbtree": 10, "xgboost.gblinear": 10, "xgboost.dart": 10}
"""SQLFlow's defaults; the classes named after scikit-learn's interface have that interface's 100."""


def precision(_estimator: Estimator) -> type[np.floating[Any]]:
    """The dtype that the estimator computes with."""
    return np.float32


def train(training: Training) -> TrainedModel:
    """Train a booster; see `Training`."""
    label, objective = target(training, OBJECTIVES)
    parameters = _parameters(training, label, objective)
    rounds = _rounds(training, parameters)
    start = training.start.fitted if training.start is not None else None
    missing = start.missing if isinstance(start, Boosted) else float(training.parameters.get("missing", np.nan))
    watched = _matrices(training, label, parameters, missing)
    history: dict[str, dict[str, list[float]]] = {}
    best = _Best()
    stop_after = training.parameters.get(STOP_AFTER)
    stopping = [xgboost.callback.EarlyStopping(rounds=stop_after), best] if stop_after else []
    try:
        with library_warnings(training.context.recorder.log):
            booster = xgboost.train(
                parameters,
                watched[0][0],
                num_boost_round=rounds,
                evals=watched,
                evals_result=history,
                verbose_eval=False,
                callbacks=[_Rounds(Rounds(training, rounds)), *stopping],
                xgb_model=start.booster if isinstance(start, Boosted) else None,
            )
            booster = best.of(booster) if stop_after else booster
            booster.save_config()  # some parameters are looked at only here
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        raise RunError("estimator", f"XGBoost: {words_of(error)}") from error
    metrics = {f"{data}-{name}": values[-1] for data, found in history.items() for name, values in found.items()}
    decided = {"objective": objective} | ({} if np.isnan(missing) else {"missing": missing})
    return training.model(Boosted(booster, objective, missing), label, metrics, decided)


def _matrices(
    training: Training, label: Label, parameters: dict[str, Any], missing: float
) -> list[tuple[xgboost.DMatrix, str]]:
    """The rows to learn from, and those to measure on if there are any, with their names in the metrics."""
    continued = training.start is not None
    learned = training_matrix(training.data, label, parameters, missing, continued=continued)
    if training.validation is None:
        return [(learned, "train")]
    other = training_matrix(training.validation, label, parameters, missing, ref=learned, continued=continued)
    return [(learned, "train"), (other, "validate")]


class _Rounds(xgboost.callback.TrainingCallback):
    """Notes the metrics of each round."""

    def __init__(self, rounds: Rounds) -> None:
        super().__init__()
        self._rounds = rounds

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Called by XGBoost after each round."""
        measured = evals_log.items()
        self._rounds.note(
            epoch + 1, {f"{data}-{name}": found[-1] for data, metrics in measured for name, found in metrics.items()}
        )
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
        signs = monotone_columns(found["monotone_constraints"], training.names)
        found["monotone_constraints"] = f"({','.join(map(str, signs))})"
    if "interaction_constraints" in found:
        found["interaction_constraints"] = str(interaction_columns(found["interaction_constraints"], training.names))
    return found


def _check_base_score(score: Any, label: Label) -> None:
    if isinstance(score, list) and len(score) != len(label.classes):
        raise RunError(
            "estimator",
            f"base_score lists {len(score)} numbers, but {label.name} has {len(label.classes)} classes",
            "List one number for each class, or write one number.",
        )


def _rounds(training: Training, parameters: dict[str, Any]) -> int:
    rounds = training.parameters.get(ROUNDS, _ROUNDS.get(training.estimator.name, 100))
    if "XGBRF" in training.estimator.name:  # a random forest is one round of many trees
        parameters.setdefault("num_parallel_tree", rounds)
        return 1
    return int(rounds)
