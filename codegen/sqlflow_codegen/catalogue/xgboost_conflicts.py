"""Conflicts between XGBoost's attributes, which it would refuse only after the data is read, or silently ignore.

All of it was tried with XGBoost 3; `tests/databases/test_xgboost_training.py` tries it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sqlflow_codegen.catalogue.boosting import (
    STOP_AFTER,
    Conflict,
    Parameters,
    constraint_conflicts,
    role_conflicts,
    stopping_conflicts,
)

_SHARES = ("binary:logistic", "reg:logistic", "binary:logitraw")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")
_GROWERS = (
    "grow_colmaker", "grow_histmaker", "grow_quantile_histmaker", "grow_gpu_hist", "grow_gpu_approx",
)  # fmt: skip
_CHANGERS = ("refresh", "prune", "sync")
"""Updaters that change trees which are there, and grow none."""
_OF_CLASSES = ("merror", "mlogloss")
_OF_MANY = (*_OF_CLASSES, "auc", "aucpr")
_METRIC = re.compile(
    r"rmse|rmsle|mae|mape|mphe|logloss|auc|aucpr|merror|mlogloss|error(@[\d.]+)?|(pre|ndcg|map)(@\d+)?-?"
    r"|(poisson|gamma|cox|aft)-nloglik|gamma-deviance|tweedie-nloglik@[\d.]+|interval-regression-accuracy|quantile"
    r"|expectile"
)


def conflicts(parameters: Parameters, *, continues: bool) -> Iterator[Conflict]:
    """Each attribute that cannot work beside the others.

    Args:
        parameters: see `Parameters`; `objective` only where the statement, or its estimator for good, says it.
        continues: the training goes on from a model (USING).
    """
    for check in _CHECKS:
        yield from check(parameters)
    yield from _process(parameters, continues)


def _linear(parameters: Parameters) -> bool:
    return parameters.get("booster") == "gblinear"


def _stopping(parameters: Parameters) -> Iterator[Conflict]:
    yield from stopping_conflicts(parameters)
    disabled = parameters.get("disable_default_eval_metric") and not parameters.get("eval_metric")
    if parameters.get(STOP_AFTER) and disabled:
        yield Conflict(STOP_AFTER, "has no metric to go by", "Leave disable_default_eval_metric out.")


def _shares(parameters: Parameters) -> Iterator[Conflict]:
    for name, objective, what in (
        ("quantile_alpha", "reg:quantileerror", "quantiles"),
        ("expectile_alpha", "reg:expectileerror", "expectiles"),
    ):
        shares = parameters.get(name)
        if isinstance(shares, list) and len(shares) != 1:
            message = f"lists {len(shares)} {what}, but a model predicts one value for a row"
            yield Conflict(name, message, f"Train a model for each: {name}=0.9.")
        elif isinstance(shares, list) and not (isinstance(shares[0], int | float) and 0 < shares[0] < 1):
            yield Conflict(name, "must be between 0 and 1")
        elif shares is None and parameters.get("objective") == objective:
            yield Conflict("objective", f"{objective} needs {name}", f"Add {name}=0.5.")


def _base_score(parameters: Parameters) -> Iterator[Conflict]:
    score, objective = parameters.get("base_score"), str(parameters.get("objective", ""))
    if isinstance(score, list):
        if not all(isinstance(one, int | float) for one in score):
            yield Conflict("base_score", "must be a number, or one for each class")
        elif len(score) != 1 and objective and not objective.startswith("multi:"):
            yield Conflict("base_score", f"lists {len(score)} numbers, but {objective} has one score for a row")
    elif score is not None and objective in _SHARES and not 0 < score < 1:
        yield Conflict("base_score", f"must be over 0 and under 1 for {objective}")


def _metrics(parameters: Parameters) -> Iterator[Conflict]:
    said = parameters.get("eval_metric")
    objective = str(parameters.get("objective", ""))
    for name in said if isinstance(said, list) else filter(None, [said]):
        if isinstance(name, str) and "," in name:
            listed = ", ".join(f'"{one.strip()}"' for one in name.split(","))
            yield Conflict("eval_metric", f"is one metric or a list, not {name!r}", f"Write eval_metric=[{listed}].")
        elif not isinstance(name, str) or not _METRIC.fullmatch(name):
            hint = "Write tweedie-nloglik@1.5." if name == "tweedie-nloglik" else ""
            yield Conflict("eval_metric", f"cannot be {name!r}: XGBoost has no such metric", hint)
        elif reason := _metric_misfit(name, objective, parameters):
            yield Conflict("eval_metric", f"{name} {reason}")


def _metric_misfit(name: str, objective: str, parameters: Parameters) -> str:
    if name in ("aft-nloglik", "interval-regression-accuracy") and objective != "survival:aft":
        return "needs objective=survival:aft"
    if name in ("quantile", "expectile") and f"{name}_alpha" not in parameters:
        return f"needs {name}_alpha"
    if objective.startswith("multi:") and name not in _OF_MANY:
        return f"does not measure {objective}; {', '.join(_OF_MANY)} do"
    if objective and not objective.startswith("multi:") and name in _OF_CLASSES:
        return f"measures multi:softprob and multi:softmax, not {objective}"
    return ""


def _booster(parameters: Parameters) -> Iterator[Conflict]:
    words = _updaters(parameters)
    if not _linear(parameters):
        for word in [one for one in words if one not in (*_GROWERS, *_CHANGERS)]:
            known = ", ".join((*_GROWERS[:3], *_CHANGERS))
            yield Conflict("updater", f"cannot be {word!r}: trees have {known}")
        return
    for word in [one for one in words if one not in _LINEAR_UPDATERS]:
        yield Conflict("updater", f"cannot be {word!r}: a linear model has {' and '.join(_LINEAR_UPDATERS)}")
    for name in ("monotone_constraints", "interaction_constraints", "process_type"):
        if parameters.get(name) not in (None, "default"):
            yield Conflict(name, "is for trees, and gblinear has none", "Use xgboost.gbtree.")
    selector = parameters.get("feature_selector")
    if "shotgun" in words and selector in ("random", "greedy", "thrifty"):
        yield Conflict("feature_selector", f"{selector} needs updater=coord_descent")


def _updaters(parameters: Parameters) -> list[str]:
    return [word.strip() for word in str(parameters.get("updater", "")).split(",") if word.strip()]


def _process(parameters: Parameters, continues: bool) -> Iterator[Conflict]:
    if _linear(parameters):
        return
    words = _updaters(parameters)
    changes = [word for word in words if word in _CHANGERS]
    if parameters.get("process_type") == "update":
        if not continues:
            yield Conflict("process_type", "update changes the trees of a model", "Name the model: USING model.")
        if not changes or len(changes) < len(words):
            yield Conflict("process_type", f"update needs updater to be of {', '.join(_CHANGERS)}")
    elif changes and len(changes) == len(words):
        yield Conflict("updater", f"{words[0]} grows no tree", "Add process_type=update, and USING model.")


def _trees(parameters: Parameters) -> Iterator[Conflict]:
    if parameters.get("multi_strategy") == "multi_output_tree":
        if parameters.get("booster") in ("dart", "gblinear"):
            yield Conflict("multi_strategy", f"multi_output_tree is not for {parameters['booster']}")
        if parameters.get("tree_method") in ("exact", "approx"):
            yield Conflict("multi_strategy", "multi_output_tree needs tree_method=hist")
        for name in ("monotone_constraints", "interaction_constraints"):
            if name in parameters:
                yield Conflict(name, "does not go with multi_strategy=multi_output_tree")
    if parameters.get("tree_method") == "exact":
        if parameters.get("sampling_method") == "gradient_based":
            yield Conflict("sampling_method", "gradient_based does not go with tree_method=exact")
        if parameters.get("max_depth") == 0:
            yield Conflict("max_depth", "must be 1 or more for tree_method=exact")


def _roles(parameters: Parameters) -> Iterator[Conflict]:
    objective = str(parameters.get("objective", ""))
    yield from role_conflicts(parameters, ranks=objective.startswith("rank:"), survives=objective == "survival:aft")


_CHECKS: tuple[Callable[[Parameters], Iterator[Conflict]], ...] = (
    _stopping, _shares, _base_score, _metrics, _booster, _trees, constraint_conflicts, _roles,
)  # fmt: skip
