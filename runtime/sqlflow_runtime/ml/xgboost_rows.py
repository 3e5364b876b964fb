"""Rows of a dataset as XGBoost's matrix: with labels, weights, groups, and bounds of times."""

from __future__ import annotations

import numpy as np
from sqlflow_codegen.catalogue.boosting import LOWER_BOUND, UPPER_BOUND

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.boosting import xgboost
from sqlflow_runtime.ml.boosting_rows import BoostingRows, boosting_rows
from sqlflow_runtime.ml.dataset import Dataset
from sqlflow_runtime.ml.features import category_sizes
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.trained_model import Matrix

AFT = "survival:aft"


def training_matrix(data: Dataset, label: Label, objective: str, missing: float, threads: int) -> xgboost.DMatrix:
    """The rows to learn from, or to measure on.

    Raises:
        RunError: kind `data`; labels, weights or bounds that the objective cannot learn.
    """
    rows = boosting_rows(data, label)
    matrix = xgboost.DMatrix(
        rows.matrix,
        label=rows.labels,
        weight=rows.group_weights(),
        group=rows.sizes,
        missing=missing,
        nthread=threads,
        feature_types=["c" if size else "q" for size in category_sizes(data.features)],
        enable_categorical=True,
    )
    if objective == AFT:
        lower, upper = _bounds(data, label, rows)
        matrix.set_float_info("label_lower_bound", lower)
        matrix.set_float_info("label_upper_bound", upper)
    return matrix


def _bounds(data: Dataset, label: Label, rows: BoostingRows) -> tuple[Matrix, Matrix]:
    """The interval in which each event happened. Without bounds the label is the time of the event itself."""
    lower, upper = data.lower_bounds, data.upper_bounds
    if lower is None:
        wrong = int((rows.labels <= 0).sum())
        if wrong:
            message = f"the label {label.name} is 0 or less in {wrong} of {len(data)} rows; {AFT} learns times"
            raise RunError("data", message, f"Add WHERE {label.name} > 0 to the SELECT.")
        lower = rows.labels
    upper = lower if upper is None else upper
    wrong = int((upper < lower).sum() + ((lower == 0) & np.isinf(upper)).sum())
    if wrong:
        message = f"{UPPER_BOUND} is below {LOWER_BOUND}, or neither is known, in {wrong} of {len(data)} rows"
        raise RunError("data", message, "Compare the two columns; the lower bound is the label if none is named.")
    return lower, upper
