"""Explainers, the pictures that EXPLAIN draws, and their attributes: pure data, for checks and for runs.

A test holds the attributes against the signatures of the installed shap.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlflow_codegen.catalogue.estimator import Estimator

XGBOOST_EXPLAINER = "XGBoostExplainer"
"""Writes the importances that XGBoost itself gives; the others give SHAP values."""

EXPLAINERS = ("TreeExplainer", XGBOOST_EXPLAINER, "KernelExplainer", "LinearExplainer", "PermutationExplainer")

LABEL_COLUMN = "label_col"
"""Attribute of EXPLAIN that names a selected column to leave out: the label, if it has another name than in TRAIN."""
EXPLAIN_CLASS = "explain.class"
"""Attribute of EXPLAIN: the class whose values are wanted."""
EXPLAIN_BASE = "explain.base_value"
"""Attribute of EXPLAIN: add the base value to the table, as a column of the name `BASE_COLUMN`."""
BASE_COLUMN = "base_value"

PLOT_TYPE = "summary.plot_type"
PICTURE = "summary."
"""The prefix of the attributes that say how a picture looks."""

DISPLAY_LIMIT = 100
"""Features that one picture shows at most."""

_SUMMARY = {
    "alpha": "float [0,1]",
    "axis_color": "str",
    "color": "str",
    "color_bar": "bool",
    "color_bar_label": "str",
    "layered_violin_max_num_bins": "int [2,1000]",
    "max_display": f"int [1,{DISPLAY_LIMIT}]",
    "plot_size": "float (0,50] | list | {auto}",
    "show_values_in_legend": "bool",
    "sort": "bool",
    "title": "str",
    "use_log_scale": "bool",
}
_DECISION = {
    "alpha": "float [0,1]",
    "axis_color": "str",
    "color_bar": "bool",
    "feature_order": "{importance,hclust,none}",
    "legend_location": "str",
    "link": "{identity,logit}",
    "max_display": f"int [1,{DISPLAY_LIMIT}]",
    "plot_color": "str",
    "title": "str",
    "xlim": "list",
    "y_demarc_color": "str",
}
_FORCE = {
    "contribution_threshold": "float [0,1]",
    "figsize": "list",
    "link": "{identity,logit}",
    "plot_cmap": "str | list",
    "text_rotation": "float [-90,90]",
    "title": "str",
}
_WATERFALL = {"max_display": f"int [1,{DISPLAY_LIMIT}]", "title": "str"}

PLOTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "bar": _SUMMARY,
        "dot": _SUMMARY,
        "violin": _SUMMARY,
        "layered_violin": _SUMMARY,
        "decision": _DECISION,
        "force": _FORCE,
        "waterfall": _WATERFALL,
    }
)
"""Type of a picture -> its attributes, without `summary.`, each with its rule."""

IMPORTANCE_PLOT: Mapping[str, str] = MappingProxyType({"max_display": f"int [1,{DISPLAY_LIMIT}]", "title": "str"})
"""Attributes of the picture of XGBoost's own importances, a `bar`."""

EXPLAIN_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        LABEL_COLUMN: "str",
        EXPLAIN_CLASS: "str | float | bool",
        EXPLAIN_BASE: "bool",
        PLOT_TYPE: f"{{{','.join(PLOTS)}}}",
        **{PICTURE + name: rule for plot in (_FORCE, _DECISION, _SUMMARY) for name, rule in plot.items()},
    }
)
"""Attributes of EXPLAIN, each with its rule."""

_TREES = frozenset(
    ["DecisionTree", "ExtraTree", "ExtraTrees", "GradientBoosting", "HistGradientBoosting", "RandomForest"]
)
_NOT_LINEAR = frozenset({"RANSACRegressor", "SGDOneClassSVM"})
_LINEAR = frozenset({"LinearSVC", "LinearSVR", "LinearDiscriminantAnalysis"})


def is_tree_model(estimator: Estimator) -> bool:
    """True if TreeExplainer explains models of that estimator."""
    if estimator.library == "xgboost":
        return estimator.defaults.get("booster") != "gblinear"
    if estimator.library == "sklearn":
        name = estimator.name.rpartition(".")[2]
        return name.removesuffix("Classifier").removesuffix("Regressor") in _TREES or name == "IsolationForest"
    return estimator.library == "lightgbm"


def is_linear_model(estimator: Estimator) -> bool:
    """True if LinearExplainer explains models of that estimator."""
    if estimator.library == "xgboost":
        return estimator.defaults.get("booster") == "gblinear"
    module, _, name = estimator.name.rpartition(".")
    return (module == "sklearn.linear_model" and name not in _NOT_LINEAR) or name in _LINEAR


def misfit(explainer: str, estimator: Estimator) -> str:
    """The reason why an explainer cannot explain models of that estimator, as a sentence; "" if it can."""
    name = estimator.name
    match explainer:
        case "TreeExplainer" if not is_tree_model(estimator):
            return f"TreeExplainer explains trees, and {name} has none"
        case "LinearExplainer" if not is_linear_model(estimator):
            return f"LinearExplainer explains linear models, and {name} is none"
        case "XGBoostExplainer" if estimator.library != "xgboost" or not is_tree_model(estimator):
            return f"XGBoostExplainer explains trees of XGBoost, and {name} has none"
    return ""
