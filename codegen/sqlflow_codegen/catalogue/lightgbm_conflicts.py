"""Conflicts between LightGBM's attributes, which it would refuse only after the data is read, or silently ignore.

All of it was tried with LightGBM 4; `tests/databases/test_lightgbm_training.py` tries it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sqlflow_codegen.catalogue.boosting import (
    GROUP,
    STOP_AFTER,
    Conflict,
    Parameters,
    constraint_conflicts,
    role_conflicts,
    stopping_conflicts,
)
from sqlflow_codegen.catalogue.lightgbm import CANONICAL_OBJECTIVES, METRIC_NAMES, METRICS, RANKING

_MULTICLASS = ("multiclass", "multiclassova")
_OF_CLASSES = ("multi_logloss", "multi_error", "auc_mu")
_UNBALANCED = ("binary", "multiclassova")
_SHARED = tuple(name for name in METRICS if name not in _OF_CLASSES)
_AT = re.compile(r"(ndcg|map)@\d+(,\d+)*")


def conflicts(parameters: Parameters, *, continues: bool) -> Iterator[Conflict]:
    """Each attribute that cannot work beside the others.

    Args:
        parameters: see `Parameters`; `objective` only where the statement, or its estimator for good, says it.
        continues: the training goes on from a model (USING).
    """
    for check in _CHECKS:
        yield from check(parameters)
    if continues and parameters.get("boosting") == "rf":
        yield Conflict("boosting", "rf cannot go on from a model", "Leave USING out.")


def objective_of(parameters: Parameters) -> str:
    """The objective by its canonical name; "" if the label decides."""
    said = parameters.get("objective")
    return CANONICAL_OBJECTIVES.get(str(said), str(said)) if said is not None else ""


def _stopping(parameters: Parameters) -> Iterator[Conflict]:
    yield from stopping_conflicts(parameters)
    if parameters.get(STOP_AFTER) and parameters.get("boosting") == "dart":
        message = "is not for dart, which changes earlier trees in each round"
        yield Conflict(STOP_AFTER, message, "Leave it out, or use lightgbm.gbdt.")


def _objective(parameters: Parameters) -> Iterator[Conflict]:
    objective = objective_of(parameters)
    alpha = parameters.get("alpha")
    if objective == "quantile" and alpha is not None and alpha >= 1:
        yield Conflict("alpha", "must be under 1 for quantile")
    if "num_class" in parameters and objective and objective not in _MULTICLASS:
        yield Conflict("num_class", f"is for {' and '.join(_MULTICLASS)}, not {objective}")
    for name in ("is_unbalance", "scale_pos_weight"):
        if parameters.get(name) and objective and objective not in _UNBALANCED:
            yield Conflict(name, f"is for {' and '.join(_UNBALANCED)}, not {objective}")
    if parameters.get("is_unbalance") and "scale_pos_weight" in parameters:
        yield Conflict("is_unbalance", "and scale_pos_weight exclude each other", "Keep one of them.")
    if objective in RANKING and GROUP not in parameters:
        message = f"{objective} ranks rows within groups, and no column says which rows belong together"
        yield Conflict("objective", message, f'Add {GROUP}="column".')
    if parameters.get("bagging_by_query") and objective not in RANKING:
        yield Conflict("bagging_by_query", f"is for {' and '.join(RANKING)}")


def _metrics(parameters: Parameters) -> Iterator[Conflict]:
    said = parameters.get("metric")
    objective = objective_of(parameters)
    for name in said if isinstance(said, list) else filter(None, [said]):
        if not isinstance(name, str) or not (name in METRIC_NAMES or _AT.fullmatch(name)):
            hint = f"Metrics are {', '.join(METRICS)}."
            if isinstance(name, str) and "," in name:
                hint = f"Write metric=[{', '.join(repr(one.strip()) for one in name.split(','))}]."
            yield Conflict("metric", f"cannot be {name!r}: LightGBM has no such metric", hint)
            continue
        if not objective:
            continue
        of_classes = name in (*_OF_CLASSES, *(alias for one in _OF_CLASSES for alias in METRICS[one].split()))
        if of_classes != (objective in _MULTICLASS):
            fitting = ", ".join(_OF_CLASSES if objective in _MULTICLASS else _SHARED)
            yield Conflict("metric", f"{name} does not measure {objective}", f"These do: {fitting}.")
        elif (name.partition("@")[0] in ("ndcg", "map")) and objective not in RANKING:
            yield Conflict("metric", f"{name} measures {' and '.join(RANKING)}, not {objective}")
    for name in ("eval_at", "label_gain"):
        values = parameters.get(name)
        if isinstance(values, list) and not (values and all(_is_number(one, name == "eval_at") for one in values)):
            yield Conflict(name, "must be a list of numbers")


def _is_number(value: object, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return False
    return value >= 1 if whole else value >= 0


def _sampling(parameters: Parameters) -> Iterator[Conflict]:
    goss, forest = parameters.get("data_sample_strategy") == "goss", parameters.get("boosting") == "rf"
    bags = parameters.get("bagging_freq", 0) and parameters.get("bagging_fraction", 1) != 1
    if goss and not forest and bags:
        yield Conflict("bagging_freq", "does not go with goss, which samples rows by itself")
    if goss and parameters.get("top_rate", 0.2) + parameters.get("other_rate", 0.1) > 1:
        yield Conflict("top_rate", "and other_rate may make 1 together at most")
    if not goss:
        for name in ("top_rate", "other_rate"):
            if name in parameters:
                yield Conflict(name, "is for data_sample_strategy=goss", "Use lightgbm.goss.")
    if forest and not goss and not bags and parameters.get("feature_fraction", 1) == 1:
        message = "of a random forest needs a share of the rows or of the columns"
        yield Conflict("bagging_fraction", message, "Write bagging_freq=1, bagging_fraction=0.8.")
    if forest and "learning_rate" in parameters:
        yield Conflict("learning_rate", "has no effect on a random forest", "Leave it out.")


def _trees(parameters: Parameters) -> Iterator[Conflict]:
    if parameters.get("force_col_wise") and parameters.get("force_row_wise"):
        yield Conflict("force_col_wise", "and force_row_wise exclude each other", "Keep one of them.")
    if parameters.get("linear_tree"):
        if parameters.get("zero_as_missing"):
            yield Conflict("zero_as_missing", "does not go with linear_tree")
        if objective_of(parameters) == "regression_l1":
            yield Conflict("objective", "regression_l1 does not go with linear_tree")
        for name in ("monotone_constraints", "use_quantized_grad"):
            if parameters.get(name):
                yield Conflict(name, "does not go with linear_tree")
    if parameters.get("boosting") != "dart":
        for name in ("drop_rate", "max_drop", "skip_drop", "uniform_drop", "xgboost_dart_mode", "drop_seed"):
            if name in parameters:
                yield Conflict(name, "is for dart", "Use lightgbm.dart.")


def _roles(parameters: Parameters) -> Iterator[Conflict]:
    yield from role_conflicts(parameters, ranks=objective_of(parameters) in RANKING, survives=False)


_CHECKS: tuple[Callable[[Parameters], Iterator[Conflict]], ...] = (
    _stopping, _objective, _metrics, _sampling, _trees, constraint_conflicts, _roles,
)  # fmt: skip
