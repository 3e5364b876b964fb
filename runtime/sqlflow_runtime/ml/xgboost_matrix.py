"""Rows of a dataset as XGBoost's quantile matrix: read batch by batch, only their bins stay in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    ref: xgboost.QuantileDMatrix | None = None,
    **types: Any,
) -> xgboost.QuantileDMatrix:
    """The bins of all rows.

    Args:
        data: the rows.
        fields: further values of them.
        parameters: of the training: threads, and the number of bins.
        missing: the number that stands for a missing value, besides NaN.
        ref: the matrix of the rows to learn from, whose bins are used; None if these are they.
        types: further arguments of `xgboost.QuantileDMatrix`.
    """
    return xgboost.QuantileDMatrix(
        _Batches(data, fields),
        missing=missing,
        nthread=parameters.get("nthread"),
        max_bin=parameters.get("max_bin", _BINS),
        ref=ref,
        **types,
    )


class _Batches(xgboost.DataIter):
    """Hands out the batches; XGBoost reads them four times."""

    def __init__(self, data: Dataset, fields: Fields) -> None:
        super().__init__()
        self._data, self._fields = data, fields
        self._rows: Iterator[Batch] = iter(())
        self._at = 0

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Called by XGBoost for the next batch; False after the last one."""
        batch = next(self._rows, None)
        if batch is None:
            return False
        end = self._at + len(batch)
        fields = {name: values[self._at : end] for name, values in self._fields.items() if values is not None}
        input_data(data=batch.matrix, **fields)
        self._at = end
        return True

    def reset(self) -> None:
        """Called by XGBoost to begin anew."""
        self._rows, self._at = self._data.batches(), 0
