"""Writes `catalogue/sklearn.json` from the installed scikit-learn's own parameter constraints.

    python codegen/tools/sklearn_catalogue.py

Estimators that need another estimator, or any argument, to be made are left out: SQL cannot give them one.
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
from sklearn.base import ClassifierMixin, ClusterMixin, OutlierMixin, RegressorMixin
from sklearn.utils import _param_validation as validation
from sklearn.utils import all_estimators
from sklearn.utils._param_validation import make_constraint

TARGET = Path(__file__).parents[1] / "sqlflow_codegen" / "catalogue" / "sklearn.json"

_TASKS = {
    OutlierMixin: "outlier",
    ClassifierMixin: "classifier",
    RegressorMixin: "regressor",
    ClusterMixin: "cluster",
}
_PACKAGES_LEFT_OUT = {"dummy", "frozen", "model_selection", "multioutput", "multiclass", "semi_supervised"}
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


def _needs_argument(estimator: type) -> bool:
    parameters = inspect.signature(estimator).parameters.values()
    return any(one.default is one.empty and one.kind is not one.VAR_KEYWORD for one in parameters)


def _deprecated(estimator: type) -> bool:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator()
    return any(issubclass(warning.category, FutureWarning) for warning in caught)


def _task(estimator: type) -> str | None:
    if estimator.__module__.startswith("sklearn.mixture"):
        return "mixture"
    return next((task for mixin, task in _TASKS.items() if issubclass(estimator, mixin)), None)


def catalogue() -> dict[str, Any]:
    """The whole catalogue as plain data."""
    estimators: dict[str, Any] = {}
    for name, estimator in sorted(all_estimators()):
        package = estimator.__module__.split(".")[1]
        if package in _PACKAGES_LEFT_OUT or _needs_argument(estimator) or _deprecated(estimator):
            continue
        task = _task(estimator)
        if task is None:
            continue
        constraints = getattr(estimator, "_parameter_constraints", {})
        accepted = set(inspect.signature(estimator).parameters)
        rules = {key: rule(value) for key, value in sorted(constraints.items()) if key in accepted}
        attributes = {key: value for key, value in rules.items() if value}
        estimators[f"sklearn.{package}.{name}"] = {"task": task, "attributes": attributes}
    return {"version": sklearn.__version__, "estimators": estimators}


def main() -> None:
    """Write the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = catalogue()
    TARGET.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{TARGET}: {len(data['estimators'])} estimators of scikit-learn {data['version']}\n")


if __name__ == "__main__":
    main()
