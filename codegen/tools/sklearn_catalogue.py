"""Writes `catalogue/sklearn.json` from the installed scikit-learn's own parameter constraints and tags.

    python codegen/tools/sklearn_catalogue.py

It tries each estimator on a few rows, the whole way from `fit` to a stored model that predicts. Those of which no
model can come get a reason under `refused`; attributes without which an estimator does not predict are its `needs`.
Parameters that take other estimators are its `parts`.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import skops.io
from constraint_rules import rule
from sklearn.base import BiclusterMixin, ClassifierMixin, ClusterMixin, OutlierMixin, RegressorMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import has_fit_parameter
from skops.io.exceptions import UnsupportedTypeException
from sqlflow_runtime.ml.sklearn_types import FUNCTIONS, is_own_type

TARGET = Path(__file__).parents[1] / "sqlflow_codegen" / "catalogue" / "sklearn.json"

_TASKS = {
    OutlierMixin: "outlier",
    ClassifierMixin: "classifier",
    RegressorMixin: "regressor",
    ClusterMixin: "cluster",
}
_OUTPUTS = {"transform": "transformer", "score_samples": "density", "mahalanobis": "distance"}
"""Method that makes the predictions where there is no `predict` -> the task."""

_MANY = {"estimators": "", "steps": "steps", "transformer_list": "transformer", "transformers": "columns"}
"""Parameters with a list of other estimators -> the role of those; "" for that of the whole."""
_ROLES = {"covariance_estimator": "covariance", "transformer": "transformer"}
_OF_PARTS = ("FrozenEstimator", "GridSearchCV", "Pipeline", "RFE", "RFECV", "RandomizedSearchCV")
"""Estimators whose last part decides on the task."""

_TEXTS = "it takes texts, and features are numbers: CATEGORY_HASH and CATEGORY_ID in COLUMN make numbers of them"
_LABELS = "it is made for labels, and TRAIN turns labels into numbers itself"
_GRAPH = "it finds neighbours among the rows that it learned from, and says nothing else about a row"
_REASONS = {
    "CountVectorizer": _TEXTS,
    "DictVectorizer": "it takes dictionaries, and features are numbers",
    "FeatureHasher": "it takes dictionaries, and features are numbers",
    "FrozenEstimator": "it needs an estimator that has learned already",
    "HashingVectorizer": _TEXTS,
    "KNeighborsTransformer": _GRAPH,
    "KernelCenterer": "it takes a square matrix of similarities, and rows of a SELECT are not one",
    "LabelBinarizer": _LABELS,
    "LabelEncoder": _LABELS,
    "MultiLabelBinarizer": _LABELS,
    "NearestNeighbors": _GRAPH,
    "PatchExtractor": "it takes images, and features are numbers",
    "RadiusNeighborsTransformer": _GRAPH,
    "SparseCoder": "it cannot be made without dictionary, which SQL cannot give",
    "TfidfVectorizer": _TEXTS,
}

_EXAMPLES = {
    "classifier": LogisticRegression,
    "regressor": LinearRegression,
    "transformer": StandardScaler,
    "any": LogisticRegression,
}


def _refusal(estimator: type) -> str:
    """The reason why it can make no model; "" if it can."""
    if reason := _REASONS.get(estimator.__name__):
        return reason
    if issubclass(estimator, BiclusterMixin):
        return "it groups the rows and columns that it learned from, and cannot predict others"
    if not _method(estimator, _example(estimator)):
        does = "groups" if issubclass(estimator, ClusterMixin) else "places"
        return f"it {does} the rows that it learned from, and cannot predict others"
    return _trial(_example(estimator))


def _method(estimator: type, made: Any) -> str:
    """The method that makes the predictions; "" if there is none."""
    return next((name for name in ("predict", *_OUTPUTS) if hasattr(estimator, name) and hasattr(made, name)), "")


def _example(estimator: type) -> Any:
    """An instance that can learn from a few rows."""
    arguments: dict[str, Any] = dict(_needs(estimator))
    for name, part in _parts(estimator).items():
        if part["required"]:
            arguments[name] = _example_part(part)
    if grid := _grid(estimator):
        arguments[grid] = {"C": [1]}
    if estimator.__name__ == "RandomizedSearchCV":
        arguments["n_iter"] = 1
    return estimator(**arguments)


def _grid(estimator: type) -> str:
    """The parameter with the values that a search tries; "" if it does not search."""
    if not estimator.__name__.endswith("SearchCV"):
        return ""
    return next(name for name in inspect.signature(estimator).parameters if name.startswith("param_"))


def _example_part(part: dict[str, Any]) -> Any:
    match part["role"]:
        case "steps":
            return [("scaler", StandardScaler()), ("classifier", LogisticRegression())]
        case "columns":
            return [("scaler", StandardScaler(), [0])]
        case role:
            return [("one", _EXAMPLES[role]())] if part["many"] else _EXAMPLES[role]()


def _needs(estimator: type) -> dict[str, bool]:
    """Switches without which an instance has no `predict`, though its class has."""
    if not hasattr(estimator, "predict") or _parts(estimator) or hasattr(estimator(), "predict"):
        return {}
    for name, constraints in getattr(estimator, "_parameter_constraints", {}).items():
        if constraints == ["boolean"] and hasattr(estimator(**{name: True}), "predict"):
            return {name: True}
    return {}


def _parts(estimator: type) -> dict[str, dict[str, Any]]:
    """Its parameters that take other estimators: how many, of which role, and whether it can be made without."""
    constraints = getattr(estimator, "_parameter_constraints", {})
    found: dict[str, dict[str, Any]] = {}
    usual = _task(estimator) if _task(estimator) in ("classifier", "regressor") else "any"
    for name, parameter in inspect.signature(estimator).parameters.items():
        methods = [one.methods for one in constraints.get(name, ()) if isinstance(one, HasMethods)]
        takes = [one for one in methods if {"fit", "transform"} & set(one)]
        if name in _MANY or (takes and name != "remainder"):
            role = _MANY.get(name) or _ROLES.get(name, usual)
            required = parameter.default is parameter.empty or (name == "estimator" and role == "any")
            required |= estimator.__name__ == "SelfTrainingClassifier"
            found[name] = {"many": name in _MANY, "role": role, "required": required}
    return found


def _trial(estimator: Any) -> str:
    """The fault between `fit` and a stored model, whatever the rows; "" if there is none."""
    rows = np.random.default_rng(0).random((40, 1 if "Isotonic" in type(estimator).__name__ else 3))
    if "missing" in type(estimator).__name__.lower():
        rows[0, 0] = np.nan
    try:
        if "n_components" in estimator.get_params():
            estimator.set_params(n_components=1)
        estimator.fit(rows, _label(estimator, rows[:, -1]))
        found = getattr(estimator, _method(type(estimator), estimator))(rows)
        untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    except UnsupportedTypeException:
        return "a model of it cannot be stored without pickle"
    if not all(map(is_own_type, untrusted)):
        return "a model of it cannot be stored without pickle"
    return "" if np.shape(found)[0] == len(rows) else "it does not predict a value for each row"


def _label(estimator: Any, values: Any) -> Any:
    classes = (values > values.mean()).astype(int)
    wants_classes = not isinstance(estimator, RegressorMixin)
    if get_tags(estimator).target_tags.single_output:
        return classes if wants_classes else values + 1
    return np.column_stack([classes, 1 - classes]) if wants_classes else np.column_stack([values + 1, values * 2])


def _task(estimator: type) -> str:
    if estimator.__name__ in _OF_PARTS:
        return "part"
    if estimator.__module__.startswith("sklearn.mixture"):
        return "mixture"
    if not hasattr(estimator, "predict"):
        return next((task for method, task in _OUTPUTS.items() if hasattr(estimator, method)), "")
    return next((task for mixin, task in _TASKS.items() if issubclass(estimator, mixin)), "")


def _attributes(estimator: type) -> dict[str, str]:
    constraints = getattr(estimator, "_parameter_constraints", {})
    accepted = {name for name in inspect.signature(estimator).parameters if name != _grid(estimator)}
    rules = {key: rule(value) for key, value in sorted(constraints.items()) if key in accepted}
    rules |= {key: "{" + ",".join(sorted(names)) + "}" for key, names in FUNCTIONS.items() if key in accepted}
    return {key: value for key, value in rules.items() if value and key not in _MANY}


def _tags(estimator: type) -> list[str]:
    """The abilities that programs are checked by."""
    example = _example(estimator)
    tags = get_tags(example)
    target = tags.target_tags
    able = {
        "label": target.required or _learns_from_label(estimator),
        "multi_label": bool(tags.classifier_tags and tags.classifier_tags.multi_label),
        "multi_output": target.multi_output,
        "nan": tags.input_tags.allow_nan,
        "sample_weight": has_fit_parameter(example, "sample_weight"),
        "single_output": target.single_output,
        "sparse": tags.input_tags.sparse,
        "transform": hasattr(estimator, "transform") and hasattr(example, "transform"),
        "warm_start": "warm_start" in example.get_params(deep=False),
    }
    return [name for name, has in able.items() if has]


def _learns_from_label(estimator: type) -> bool:
    """True if it predicts labels, or cannot learn from rows without them."""
    if _task(estimator) in ("classifier", "regressor"):
        return True
    if _task(estimator) != "transformer" or _parts(estimator):
        return False
    try:
        _example(estimator).fit(np.random.default_rng(0).random((40, 3)))
    except (TypeError, ValueError):
        return True
    return False


def _entry(estimator: type) -> dict[str, Any]:
    entry = {"task": _task(estimator), "attributes": _attributes(estimator), "tags": _tags(estimator)}
    further = {"needs": _needs(estimator), "parts": _parts(estimator), "grid": _grid(estimator)}
    return entry | {name: value for name, value in further.items() if value}


def _public_module(estimator: type) -> str:
    """The shortest module that the class can be imported from."""
    parts = estimator.__module__.split(".")
    modules = [".".join(parts[:count]) for count in range(2, len(parts) + 1)]
    return next(name for name in modules if hasattr(importlib.import_module(name), estimator.__name__))


def catalogue() -> dict[str, Any]:
    """The whole catalogue as plain data."""
    estimators: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for short, estimator in sorted(all_estimators()):
        name = f"{_public_module(estimator)}.{short}"
        if reason := _refusal(estimator):
            refused[name] = reason
        else:
            estimators[name] = _entry(estimator)
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
