"""The treatment of text columns of which COLUMN says nothing: it depends on the estimator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlflow_codegen.catalogue import Estimator

from sqlflow_runtime.ml.column_profile import DISTINCT_LIMIT

_HISTOGRAM = "sklearn.ensemble.HistGradientBoosting"
_MAX_BINS = 255
"""Default of its `max_bins`, which is also the most categories of a column."""


@dataclass(frozen=True, slots=True)
class TextColumns:
    """The feature of a text column of which COLUMN says nothing, and which is neither numbers nor a list of them.

    Attributes:
        form: `category`, `embedding`, or "" where the estimator takes numbers only.
        limit: the most categories of one column that the estimator takes.
        estimator: its name, for messages.
    """

    form: str = "category"
    limit: int = DISTINCT_LIMIT
    estimator: str = "the estimator"


AS_CATEGORY = TextColumns()


def text_columns(estimator: Estimator, parameters: Mapping[str, Any]) -> TextColumns:
    """The treatment that the estimator with those parameters gives text.

    XGBoost's trees, LightGBM and scikit-learn's histogram boosting split categories as such, without an order.
    XGBoost's linear booster and its exact splits know numbers only. Neural networks learn an embedding.
    """
    name = estimator.name
    match estimator.library:
        case "keras":
            return TextColumns("embedding", estimator=name)
        case "xgboost":
            numbers_only = parameters.get("booster") == "gblinear" or parameters.get("tree_method") == "exact"
            return TextColumns("" if numbers_only else "category", estimator=name)
        case "lightgbm":
            return TextColumns("category", estimator=name)
    if name.startswith(_HISTOGRAM):
        return TextColumns("category", min(_MAX_BINS, int(parameters.get("max_bins") or _MAX_BINS)), name)
    return TextColumns("", estimator=name)
