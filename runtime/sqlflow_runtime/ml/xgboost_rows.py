"""Rows of a dataset as XGBoost's matrix: with labels, weights, groups, and bounds of times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue.boosting import LOWER_BOUND, UPPER_BOUND

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.boosting import xgboost
from sqlflow_runtime.ml.boosting_rows import BoostingRows, boosting_rows
from sqlflow_runtime.ml.dataset import Dataset
from sqlflow_runtime.ml.features import category_sizes
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.trained_model import Matrix
from sqlflow_runtime.ml.xgboost_matrix import quantile_matrix, takes_quantiles

AFT = "survival:aft"


def training_matrix(
    data: Dataset,
    label: Label,
    parameters: Mapping[str, Any],
    missing: float,
    *,
    ref: xgboost.DMatrix | None = None,
    continued: bool = False,
) -> xgboost.DMatrix:
    """The rows to learn from, or to measure on: their bins alone where the training learns from bins.

    Args:
        data: the rows.
        label: with its classes.
        parameters: of the training.
        missing: the number that stands for a missing value, besides NaN.
        ref: the matrix of the rows to learn from; None if these are they.
        continued: a stored model goes on, whose trees split between other bins.

    Raises:
        RunError: kind `data`; labels, weights or bounds that the objective cannot learn.
    """
    rows = boosting_rows(data, label)
    fields: dict[str, Matrix | None] = {"label": rows.labels, "weight": rows.group_weights()}
    if parameters["objective"] == AFT:
        fields["label_lower_bound"], fields["label_upper_bound"] = _bounds(data, label, rows)
    types = ["c" if size else "q" for size in category_sizes(data.features)]
    if rows.sizes is None and not continued and takes_quantiles(parameters):
        return quantile_matrix(data, fields, parameters, missing, types, ref)
    return xgboost.DMatrix(
        rows.matrix,
        **fields,
        group=rows.sizes,
        missing=missing,
        nthread=parameters["nthread"],
        feature_types=types,
        enable_categorical=True,
    )


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
