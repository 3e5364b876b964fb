"""Background rows: a few of the rows that a model learned from, kept with it.

An explainer that tries predictions compares a row with them. Rows of the EXPLAIN statement would not do: it may select
one row, which would not differ from itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.row_sample import RowSample

if TYPE_CHECKING:
    from sqlflow_runtime.ml.dataset import Dataset
    from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel

Background = tuple[tuple[float | None, ...], ...]

ROWS = 100
NUMBERS = 50_000
"""The most numbers that are kept: of very wide matrices, fewer rows."""


def background_of(data: Dataset) -> Background:
    """A random choice of the rows; None for NaN."""
    width = sum(feature.width for feature in data.features)
    sample = RowSample(min(ROWS, max(1, NUMBERS // max(width, 1))))
    for batch in data.batches():
        sample.add(batch.matrix)
    rows = sample.rows()
    numbers = rows.toarray() if hasattr(rows, "toarray") else rows
    return tuple(tuple(None if np.isnan(x) else float(x) for x in row) for row in numbers.tolist())


def background_matrix(model: TrainedModel) -> Matrix:
    """The background rows of a model, rows x matrix columns.

    Raises:
        RunError: kind `model`; it has none.
    """
    if not model.background:
        what = "the model has no background rows, which this explainer needs: an older version trained it"
        raise RunError("model", what, "Train it again.")
    return np.array(model.background, dtype=np.float64)
