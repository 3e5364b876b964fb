"""XGBoost by its native interface: one `Booster` behind every name that SQLFlow and scikit-learn users know it by."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.booster_shape import check_booster
from sqlflow_runtime.ml.boosting import xgboost
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.ml.trained_model import Known, Matrix
from sqlflow_runtime.ml.ubjson import read_ubjson

CLASS_OBJECTIVES = ("binary:logistic", "binary:hinge", "multi:softmax", "multi:softprob")
"""Objectives that tell classes apart; all others predict numbers."""


class Boosted:
    """A trained booster."""

    codec = "xgboost-ubj"
    dtype: type[np.floating[Any]] = np.float32

    def __init__(self, booster: xgboost.Booster, objective: str, missing: float = np.nan) -> None:
        self.booster = booster
        self.objective = objective
        self.missing = missing

    def predict(self, matrix: Matrix) -> Matrix:
        """See `Fitted`. Objectives of classes give the likeliest; others what XGBoost predicts."""
        data = self._matrix(matrix)
        if self.objective not in CLASS_OBJECTIVES:
            found: Matrix = self.booster.predict(data)
            if found.ndim > 1:
                raise RunError(
                    "estimator", f"objective={self.objective} gives {found.shape[1]} values for each row, not one"
                )
            return found
        margin: Matrix = self.booster.predict(data, output_margin=True)
        return margin.argmax(axis=1) if margin.ndim == 2 else (margin > 0).astype(np.int64)

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        if self.objective not in CLASS_OBJECTIVES or self.objective == "binary:hinge":
            return None
        margin = self.booster.predict(self._matrix(matrix), output_margin=True).astype(np.float64)
        if margin.ndim == 1:
            positive = 1 / (1 + np.exp(-margin))
            return np.column_stack([1 - positive, positive])
        power = np.exp(margin - margin.max(axis=1, keepdims=True))
        found: Matrix = power / power.sum(axis=1, keepdims=True)
        return found

    def dump(self) -> bytes:
        """XGBoost's own binary JSON (UBJSON)."""
        return bytes(self.booster.save_raw(raw_format="ubj"))

    def _matrix(self, matrix: Matrix) -> xgboost.DMatrix:
        return xgboost.DMatrix(matrix, missing=self.missing, nthread=processors())


def load(content: bytes, known: Known) -> Boosted:
    """The booster that `dump` wrote.

    Raises:
        RunError: kind `model`; it is none, or not the one that is known.
    """
    objective = str(known.attributes.get("objective"))
    try:
        check_booster(read_ubjson(content), features=len(known.names), classes=known.classes, objective=objective)
        booster = xgboost.Booster({"nthread": processors()}, model_file=bytearray(content))
        booster.num_features()
        missing = float(known.attributes.get("missing", "nan"))
    except (xgboost.core.XGBoostError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else words_of(error)
        raise RunError(
            "model",
            f"the stored model is damaged, or cannot be read by XGBoost {xgboost.__version__}: {reason}",
            "Train it again, or use the image that trained it.",
        ) from error
    return Boosted(booster, objective, missing)


def words_of(error: Exception) -> str:
    """XGBoost's own words without its C++ stack."""
    text = re.sub(r"Stack trace:.*", "", str(error), flags=re.DOTALL)
    text = re.sub(r"^\[[\d:]+\] \S+:\d+:\s*", "", text.strip())
    return re.sub(r"\s+", " ", text).strip()
