"""LightGBM by its native interface: one `Booster` behind every name that its users know it by."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue.lightgbm import CANONICAL_OBJECTIVES, RANKING

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.boosting_objectives import Objectives
from sqlflow_runtime.ml.light import lightgbm
from sqlflow_runtime.ml.lightgbm_text import checked_text
from sqlflow_runtime.ml.metadata import ModelMetadata
from sqlflow_runtime.ml.threads import processors
from sqlflow_runtime.ml.trained_model import Matrix

OBJECTIVES = Objectives(
    binary=("binary",),
    many=("multiclass", "multiclassova"),
    ranking=RANKING,
    regression="regression",
    names=CANONICAL_OBJECTIVES,
)

_LOGARITHM = "logarithm of the prediction"
_UNITS = {
    **dict.fromkeys(("binary", "multiclass", "multiclassova", "cross_entropy"), "log-odds"),
    **dict.fromkeys(RANKING, "score"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), _LOGARITHM),
}
"""Objective -> the unit of the raw score; of others it is the prediction itself."""


class LightBoosted:
    """A trained booster of LightGBM."""

    codec = "lightgbm-text"
    dtype: type[np.floating[Any]] = np.float64

    def __init__(self, booster: lightgbm.Booster, objective: str) -> None:
        self.booster = booster
        self.objective = objective

    def predict(self, matrix: Matrix) -> Matrix:
        """See `Fitted`. Objectives of classes give the likeliest; others what LightGBM predicts."""
        return self._result(self._predicted(matrix))

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """See `Fitted`."""
        return self.predict_with_probabilities(matrix)[1] if self.objective in OBJECTIVES.classes else None

    def predict_with_probabilities(self, matrix: Matrix) -> tuple[Matrix, Matrix | None]:
        """See `predict_once`."""
        found: Matrix = self._predicted(matrix)
        if self.objective not in OBJECTIVES.classes:
            return found, None
        return self._result(found), found if found.ndim == 2 else np.column_stack([1 - found, found])

    def _result(self, found: Matrix) -> Matrix:
        if self.objective not in OBJECTIVES.classes:
            return found
        return np.asarray(found.argmax(axis=1) if found.ndim == 2 else (found > 0.5).astype(np.int64))

    def scores(self, matrix: Matrix) -> Matrix:
        """See `Fitted`: the sums of the leaves, before the objective makes probabilities or numbers of them."""
        found: Matrix = self._predicted(matrix, raw_score=True)
        return found

    @property
    def margin_unit(self) -> str:
        """The unit of the raw score, which `contributions` add up to."""
        return _UNITS.get(self.objective, "prediction")

    def contributions(self, matrix: Matrix) -> Matrix:
        """Rows x outputs x (columns + 1): what each column adds to the raw score, and last the base value.

        Raises:
            RunError: kind `estimator`; its trees have linear models in their leaves.
        """
        try:
            found = self._predicted(matrix, pred_contrib=True)
        except lightgbm.basic.LightGBMError as error:
            raise RunError("estimator", f"LightGBM: {error}") from error
        if isinstance(found, list):  # sparse, for each class
            return np.stack([one.toarray() for one in found], axis=1)
        dense: Matrix = found if isinstance(found, np.ndarray) else found.toarray()
        width = matrix.shape[1] + 1
        return dense.reshape(len(dense), -1, width)

    def dump(self) -> bytes:
        """The model in LightGBM's own text, compressed."""
        best = self.booster.best_iteration
        text = self.booster.model_to_string(num_iteration=best if best > 0 else -1)
        return zlib.compress(text.encode())

    def _predicted(self, matrix: Matrix, **options: bool) -> Any:
        return self.booster.predict(matrix, num_threads=processors(), **options)


def load(content: bytes, metadata: ModelMetadata) -> LightBoosted:
    """Return the booster that `LightBoosted.dump` wrote.

    Raises:
        RunError: kind `model`; it is none, or not the one that the metadata describes.
    """
    objective = str(metadata.attributes.get("objective"))
    features = sum(feature.width for feature in metadata.features)
    try:
        text = zlib.decompress(content).decode("ascii")
        text = checked_text(text, features=features, classes=len(metadata.classes), objective=objective)
        return LightBoosted(lightgbm.Booster(model_str=text), objective)
    except (lightgbm.basic.LightGBMError, zlib.error, ValueError, KeyError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise RunError(
            "model",
            f"the stored model is damaged, or cannot be read by LightGBM {lightgbm.__version__}: {reason}",
            "Train it again, or use the image that trained it.",
        ) from error
