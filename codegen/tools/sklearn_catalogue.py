"""Writes `catalogue/sklearn.json` from the installed scikit-learn's own parameter constraints.

    python codegen/tools/sklearn_catalogue.py

It tries each estimator on a few rows, the whole way from `fit` to a stored model that predicts. Those of which no
model can come get a reason under `refused`; attributes without which an estimator does not predict are its `needs`.
"""

from __future__ import annotations

import inspect
import json
import numbers
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import skops.io
from sklearn.base import ClassifierMixin, ClusterMixin, OutlierMixin, RegressorMixin
from sklearn.utils import _param_validation as validation
from sklearn.utils import all_estimators, get_tags
from sklearn.utils._param_validation import make_constraint
from skops.io.exceptions import UnsupportedTypeException
from sqlflow_runtime.ml.sklearn_models import is_own_type

TARGET = Path(__file__).parents[1] / "sqlflow_codegen" / "catalogue" / "sklearn.json"

_TASKS = {
    OutlierMixin: "outlier",
    ClassifierMixin: "classifier",
    RegressorMixin: "regressor",
    ClusterMixin: "cluster",
}
_WORDS = {"verbose": "bool | int [0,inf)", "random_state": "int [0,4294967295] | none", "boolean": "bool"}
_WORDS |= {"array-like": "list", "cv_object": "int [2,inf) | none", "nan": "float"}
_TYPES = {numbers.Integral: "int", numbers.Real: "float", float: "float", str: "str", list: "list", tuple: "list"}
_TYPES |= {np.ndarray: "list"}


def rule(constraints: Any) -> str:
    """The rule for those constraints; "" where no value of SQL can keep them."""
    if constraints == "no_validation":
        return "str | float | bool | list | none"
    alternatives: list[str] = []
    for constraint in constraints:
        alternatives += [one for one in _alternatives(constraint) if one not in alternatives]
    return " | ".join(alternatives)


def _alternatives(constraint: Any) -> list[str]:
    if constraint is None:
        return ["none"]
    if isinstance(constraint, str):
        return _WORDS[constraint].split(" | ") if constraint in _WORDS else []
    if isinstance(constraint, type):
        return [_TYPES[constraint]] if constraint in _TYPES else []
    made = make_constraint(constraint)
    if isinstance(made, validation.Hidden):
        return []
    if isinstance(made, validation.Interval):
        return [_interval(made)]
    if isinstance(made, validation.StrOptions):
        words = sorted(set(map(str, made.options)) - {"deprecated", "warn"})
        return ["{" + ",".join(words) + "}"] if words else []
    if isinstance(made, validation.Options):
        return ["int" if made.type is numbers.Integral else "float"]
    return []


def _interval(interval: Any) -> str:
    kind = "int" if interval.type is numbers.Integral else "float"
    low = "-inf" if interval.left is None else f"{float(interval.left):g}"
    high = "inf" if interval.right is None else f"{float(interval.right):.12g}"
    if low == "-inf" and high == "inf":
        return kind
    left = "[" if interval.closed in ("left", "both") and low != "-inf" else "("
    right = "]" if interval.closed in ("right", "both") and high != "inf" else ")"
    return f"{kind} {left}{low},{high}{right}"


def _missing_arguments(estimator: type) -> list[str]:
    """Parameters without which it cannot be made: all of them take other estimators or what SQL has no word for."""
    parameters = inspect.signature(estimator).parameters.values()
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [one.name for one in parameters if one.default is one.empty and one.kind not in kinds]


def _needs(estimator: type) -> dict[str, bool]:
    """Switches without which an instance has no `predict`."""
    if hasattr(estimator(), "predict"):
        return {}
    for name, constraints in getattr(estimator, "_parameter_constraints", {}).items():
        if constraints == ["boolean"] and hasattr(estimator(**{name: True}), "predict"):
            return {name: True}
    return {}


def _refusal(estimator: type) -> str:
    """The reason why it can make no model; "" if it can."""
    if not hasattr(estimator, "predict"):
        return "it does not predict, so no model can be made of it"
    if missing := _missing_arguments(estimator):
        return f"it cannot be made without {' and '.join(missing)}, which SQL cannot give"
    needs = _needs(estimator)
    made = estimator(**needs)
    if not hasattr(made, "predict"):  # only the estimator inside would
        return "it cannot be made without estimator, which SQL cannot give"
    if not get_tags(made).target_tags.single_output:
        return "it learns several labels at once, and LABEL names one"
    return _trial(made)


def _trial(estimator: Any) -> str:
    """The fault between `fit` and a stored model, whatever the rows; "" if there is none."""
    rows = np.random.default_rng(0).random((40, 1 if "Isotonic" in type(estimator).__name__ else 3))
    label = (rows[:, 0] > rows[:, 0].mean()).astype(int) if isinstance(estimator, ClassifierMixin) else rows[:, 0] + 1
    if "n_components" in estimator.get_params():
        estimator.set_params(n_components=1)
    try:
        estimator.fit(rows, label)
        found = estimator.predict(rows)
        untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    except UnsupportedTypeException:
        return "a model of it cannot be stored without pickle"
    if not all(map(is_own_type, untrusted)):
        return "a model of it cannot be stored without pickle"
    return "" if np.shape(found) == (len(rows),) else "it predicts several values for a row"


def _task(estimator: type) -> str:
    if estimator.__module__.startswith("sklearn.mixture"):
        return "mixture"
    return next((task for mixin, task in _TASKS.items() if issubclass(estimator, mixin)), "")


def _attributes(estimator: type) -> dict[str, str]:
    constraints = getattr(estimator, "_parameter_constraints", {})
    accepted = set(inspect.signature(estimator).parameters)
    rules = {key: rule(value) for key, value in sorted(constraints.items()) if key in accepted}
    return {key: value for key, value in rules.items() if value}


def catalogue() -> dict[str, Any]:
    """The whole catalogue as plain data."""
    estimators: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for short, estimator in sorted(all_estimators()):
        name = f"sklearn.{estimator.__module__.split('.')[1]}.{short}"
        if reason := _refusal(estimator):
            refused[name] = reason
            continue
        needs = _needs(estimator)
        entry = {"task": _task(estimator), "attributes": _attributes(estimator)}
        estimators[name] = entry | ({"needs": needs} if needs else {})
    return {"version": sklearn.__version__, "estimators": estimators, "refused": refused}


def main() -> None:
    """Write the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = catalogue()
    TARGET.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{TARGET}: {len(data['estimators'])} estimators of scikit-learn {data['version']}\n")


if __name__ == "__main__":
    main()
