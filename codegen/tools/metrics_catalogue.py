"""Writes `catalogue/metrics.json` from the functions of `sklearn.metrics` and their parameter constraints.

    python codegen/tools/metrics_catalogue.py

A function is a metric here if it makes one number of labels and predictions. Each is tried on a few rows.
"""

from __future__ import annotations

import inspect
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from constraint_rules import rule
from sklearn import metrics

TARGET = Path(__file__).parents[1] / "sqlflow_codegen" / "catalogue" / "metrics.json"

_FAMILIES = {
    ("_classification", "y_pred"): "classes",
    ("_classification", "y2"): "classes",
    ("_classification", "y_proba"): "probabilities",
    ("_classification", "pred_decision"): "margins",
    ("_ranking", "y_score"): "scores",
    ("_regression", "y_pred"): "numbers",
    ("_supervised", "labels_pred"): "clusters",
    ("_unsupervised", "labels"): "shapes",
}
"""Module and second argument of a function -> what it compares."""
_GROUPED = ("dcg_score", "ndcg_score")
"""Functions that compare an order in each group of rows."""
_LABELS = ("coverage_error", "label_ranking_average_precision_score", "label_ranking_loss")
"""Functions of several labels for each row."""

_GIVEN = frozenset({"sample_weight", "y_pred", "contingency", "kwds"})
"""Parameters that the step gives, or that a program has no use for."""
_ARRAYS = ("none", "raw_values")
"""Values that make a metric return several numbers."""


def _family(name: str, function: Any) -> str:
    """The family of a function (see `Metric`); "" if it is no metric of labels and predictions."""
    if name in _GROUPED:
        return "orders"
    if name in _LABELS:
        return "labels"
    second = list(inspect.signature(function).parameters)[1:2]
    return _FAMILIES.get((function.__module__.rpartition(".")[2], *second), "")


def _attributes(function: Any) -> dict[str, str]:
    constraints = getattr(function, "_skl_parameter_constraints", {})
    names = [name for name in list(inspect.signature(function).parameters)[2:] if name not in _GIVEN]
    rules = {name: _single(name, rule(constraints[name])) for name in names if name in constraints}
    return {name: found for name, found in rules.items() if found}


def _single(name: str, found: str) -> str:
    """The rule without the values that make a metric return several numbers."""
    alternatives = [one for one in found.split(" | ") if not (name == "average" and one == "none")]
    return " | ".join(
        "{" + ",".join(word for word in one.strip("{}").split(",") if word not in _ARRAYS) + "}"
        if one.startswith("{")
        else one
        for one in alternatives
    )


def _is_number(family: str, function: Any) -> bool:
    """True if it makes one number of a few rows."""
    rows = np.random.default_rng(0).random((40, 3))
    truth = (rows[:, 0] > 0.5).astype(int)
    found = (rows[:, 1] > 0.5).astype(int)
    arguments: dict[str, tuple[Any, Any]] = {
        "classes": (truth, found),
        "clusters": (truth, found),
        "labels": (rows > 0.5, rows),
        "margins": (truth, rows[:, 1] - 0.5),
        "numbers": (rows[:, 0] + 1, rows[:, 1] + 1),
        "orders": (rows[:, :2], rows[:, 1:]),
        "probabilities": (truth, rows[:, 1]),
        "scores": (truth, rows[:, 1]),
        "shapes": (rows, found),
    }
    needed = [one.name for one in inspect.signature(function).parameters.values() if one.default is one.empty][2:]
    further = {"beta": 1.0} if needed == ["beta"] else {}
    if set(needed) - {"beta", "kwds"}:
        return False
    return isinstance(function(*arguments[family], **further), float | int | np.number)


def catalogue() -> dict[str, Any]:
    """The whole catalogue as plain data."""
    found: dict[str, Any] = {}
    for name in sorted(metrics.__all__):
        function = getattr(metrics, name)
        family = _family(name, function) if inspect.isfunction(function) else ""
        if family and _is_number(family, function):
            attributes = _attributes(function)
            if family != "classes":  # probabilities and scores are of all classes
                attributes.pop("labels", None)
            found[name] = {"family": family, "attributes": attributes}
    return {"version": sklearn.__version__, "metrics": found}


def main() -> None:
    """Write the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = catalogue()
    TARGET.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{TARGET}: {len(data['metrics'])} metrics of scikit-learn {data['version']}\n")


if __name__ == "__main__":
    main()
