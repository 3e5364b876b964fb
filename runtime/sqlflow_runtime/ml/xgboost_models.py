"""XGBoost by its native interface: one `Booster` behind every name that SQLFlow and scikit-learn users know it by."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.booster_shape import check_booster
from sqlflow_runtime.ml.boosting import library_warnings, words_of, xgboost
from sqlflow_runtime.ml.boosting_objectives import Objectives
from sqlflow_runtime.ml.features import category_sizes
from sqlflow_runtime.ml.metadata import ModelMetadata
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.ml.trained_model import Matrix

OBJECTIVES = Objectives(
    binary=("binary:logistic", "binary:hinge"),
    many=("multi:softprob", "multi:softmax"),
    ranking=("rank:pairwise", "rank:ndcg", "rank:map"),
    regression="reg:squarederror",
    names={"multi:softmax": "multi:softprob", "reg:linear": "reg:squarederror"},
)

_LOGARITHM = "logarithm of the prediction"
_UNITS = {
    "binary": "log-odds", "multi": "log-odds", "rank": "score", "survival": "score", "reg:logistic": "log-odds",
    "reg:gamma": _LOGARITHM, "reg:tweedie": _LOGARITHM, "count:poisson": _LOGARITHM,
}  # fmt: skip
"""Family of objectives, or objective -> the unit of the margin."""


class Boosted:
    """A trained booster."""

    codec = "xgboost-json"
    dtype: type[np.floating[Any]] = np.float32

    def __init__(self, booster: xgboost.Booster, objective: str, missing: float = np.nan) -> None:
        self.booster = booster
        self.objective = objective
        self.missing = missing

    def predict(self, matrix: Matrix) -> Matrix:
        """See `Fitted`. Objectives of classes give the likeliest; others what XGBoost predicts."""
        if self.objective not in OBJECTIVES.classes:
            found = self._predicted(matrix)
            if found.ndim > 1:
                raise RunError(
                    "estimator", f"objective={self.objective} gives {found.shape[1]} values for each row, not one"
                )
            return found
        return _classes(self._predicted(matrix, output_margin=True))

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        if self.objective not in OBJECTIVES.classes or self.objective == "binary:hinge":
            return None
        return _probabilities(self._predicted(matrix, output_margin=True))

    def predict_with_probabilities(self, matrix: Matrix) -> tuple[Matrix, Matrix | None]:
        """See `predict_once`."""
        if self.objective not in OBJECTIVES.classes or self.objective == "binary:hinge":
            return self.predict(matrix), None
        margin = self._predicted(matrix, output_margin=True)
        return _classes(margin), _probabilities(margin)

    def scores(self, matrix: Matrix) -> Matrix:
        """See `Fitted`: the sums of the leaves, before the objective makes probabilities or numbers of them."""
        return self._predicted(matrix, output_margin=True)

    @property
    def margin_unit(self) -> str:
        """The unit of the margin, which `contributions` add up to."""
        return _UNITS.get(self.objective.partition(":")[0], "") or _UNITS.get(self.objective, "prediction")

    def contributions(self, matrix: Matrix) -> Matrix:
        """See `Fitted`."""
        found = self._predicted(matrix, pred_contribs=True)
        return found if found.ndim == 3 else found[:, np.newaxis, :]

    def dump(self) -> bytes:
        """The model in XGBoost's JSON, compressed."""
        with library_warnings():
            return zlib.compress(self.booster.save_raw(raw_format="json"))

    def _predicted(self, matrix: Matrix, **options: bool) -> Matrix:
        data = xgboost.DMatrix(matrix, missing=self.missing, nthread=processors())
        with library_warnings():
            found: Matrix = self.booster.predict(data, **options)
        return found


def _classes(margin: Matrix) -> Matrix:
    """The numbers of the likeliest classes."""
    return margin.argmax(axis=1) if margin.ndim == 2 else (margin > 0).astype(np.int64)


def _probabilities(margin: Matrix) -> Matrix:
    """Rows x classes."""
    margin = margin.astype(np.float64)
    if margin.ndim == 1:
        positive = 1 / (1 + np.exp(-margin))
        return np.column_stack([1 - positive, positive])
    power = np.exp(margin - margin.max(axis=1, keepdims=True))
    found: Matrix = power / power.sum(axis=1, keepdims=True)
    return found


def load(content: bytes, metadata: ModelMetadata) -> Boosted:
    """Return the booster that `Boosted.dump` wrote.

    Raises:
        RunError: kind `model`; it is none, or not the one that the metadata describes.
    """
    with _damaged():
        return _load(zlib.decompress(content), metadata)


def load_ubjson(content: bytes, metadata: ModelMetadata) -> Boosted:
    """Return the booster of a model that an older version stored as UBJSON; see `load`."""
    with _damaged(), library_warnings():
        return _load(bytes(xgboost.Booster(model_file=bytearray(content)).save_raw("json")), metadata)


def _load(text: bytes, metadata: ModelMetadata) -> Boosted:
    objective = str(metadata.attributes.get("objective"))
    model = json.loads(text, object_pairs_hook=_unique)
    check_booster(
        model, categories=category_sizes(metadata.features), classes=len(metadata.classes), objective=objective
    )
    with library_warnings():
        booster = xgboost.Booster({"nthread": processors()}, model_file=bytearray(text))
        booster.num_features()
    return Boosted(booster, objective, float(metadata.attributes.get("missing", "nan")))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Of two values of one name the check would see one and XGBoost the other."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("it has a name twice")
    return found


@contextmanager
def _damaged() -> Iterator[None]:
    try:
        yield
    except (
        xgboost.core.XGBoostError, zlib.error, ValueError, TypeError, KeyError, AttributeError, RecursionError,
    ) as error:  # fmt: skip
        reason = f"it lacks {error}" if isinstance(error, KeyError) else words_of(error)
        raise RunError(
            "model",
            f"the stored model is damaged, or cannot be read by XGBoost {xgboost.__version__}: {reason}",
            "Train it again, or use the image that trained it.",
        ) from error
