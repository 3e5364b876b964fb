"""Arrays of truth and predictions, and scikit-learn's functions of them."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue.metrics import Metric

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.arrays import numbers
from sqlflow_runtime.ml.batch import Matrix


def computed(metric: Metric, compared: tuple[Any, Any], arguments: Mapping[str, Any]) -> float:
    """The value of scikit-learn's function."""
    function: Callable[..., Any] = getattr(importlib.import_module("sklearn.metrics"), metric.function)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")  # of metrics that are not defined
        try:
            return float(function(*compared, **arguments))
        except (ValueError, TypeError) as error:
            raise RunError("data", f"{metric.name} cannot be computed: {error}") from error


def joined(parts: Sequence[Any]) -> Any:
    """The rows of all batches; None where the model gave none, or nobody needs them."""
    known = [part for part in parts if part is not None]
    if known and not isinstance(known[0], np.ndarray):
        from scipy.sparse import vstack

        return vstack(known, format="csr")
    return np.concatenate(known) if known else None


def clusters(values: pa.Array) -> Matrix:
    """Each different value as a number of its own."""
    found: Matrix = values.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return found


def signs(truth: pa.Array) -> Matrix:
    """The label of an outlier model: 1, or -1 for an outlier.

    Raises:
        RunError: kind `data`; it is neither.
    """
    try:
        found = numbers(truth)
    except ValueError:
        found = np.zeros(1)
    if not np.isin(found, (-1, 1)).all():
        hint = "Write CASE WHEN condition THEN -1 ELSE 1 END AS label in the SELECT."
        raise RunError(
            "data", "the label must be 1 for a usual row and -1 for an outlier, as the predictions are", hint
        )
    return found.astype(np.int64)
