"""Rows of a dataset as XGBoost's quantile matrix: read batch by batch, only their bins stay in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlflow_runtime.ml.batch import Batch, Matrix
from sqlflow_runtime.ml.boosting import xgboost
from sqlflow_runtime.ml.dataset import Dataset

Fields = Mapping[str, Matrix | None]
"""Values of all rows, in their order, by XGBoost's names: `label`, `weight`, `label_lower_bound`, ..."""

_BINS = 256
"""XGBoost's default of `max_bin`."""


def takes_quantiles(parameters: Mapping[str, Any]) -> bool:
    """True if a training with these parameters learns from bins.

    `exact` and `approx` look at the numbers themselves, and so do linear boosters and updaters named one by one.
    """
    if parameters.get("booster", "gbtree") == "gblinear" or "updater" in parameters:
        return False
    return parameters.get("tree_method", "auto") in ("auto", "hist") and "process_type" not in parameters


def quantile_matrix(
    data: Dataset,
    fields: Fields,
    parameters: Mapping[str, Any],
    missing: float,
    feature_types: Sequence[str],
    ref: xgboost.DMatrix | None = None,
) -> xgboost.QuantileDMatrix:
    """The bins of all rows.

    Args:
        data: the rows.
        fields: further values of them.
        parameters: of the training: threads, and the number of bins.
        missing: the number that stands for a missing value, besides NaN.
        feature_types: of the columns: `q`, or `c` for a category.
        ref: the matrix of the rows to learn from, whose bins are used; None if these are they.
    """
    return xgboost.QuantileDMatrix(
        _Batches(data, fields, list(feature_types)),
        missing=missing,
        nthread=parameters.get("nthread"),
        max_bin=parameters.get("max_bin", _BINS),
        ref=ref,
        enable_categorical=True,
    )


class _Batches(xgboost.DataIter):
    """Hands out the batches; XGBoost reads them four times."""

    def __init__(self, data: Dataset, fields: Fields, feature_types: list[str]) -> None:
        super().__init__()
        self._data, self._fields, self._types = data, fields, feature_types
        self._rows: Iterator[Batch] = iter(())
        self._at = 0

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Called by XGBoost for the next batch; False after the last one."""
        batch = next(self._rows, None)
        if batch is None:
            return False
        end = self._at + len(batch)
        fields = {name: values[self._at : end] for name, values in self._fields.items() if values is not None}
        input_data(data=batch.matrix, feature_types=self._types, **fields)
        self._at = end
        return True

    def reset(self) -> None:
        """Called by XGBoost to begin anew."""
        self._rows, self._at = self._data.batches(), 0
