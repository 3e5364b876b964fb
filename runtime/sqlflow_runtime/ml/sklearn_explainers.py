"""shap's explainers of scikit-learn's trees and linear models."""

from __future__ import annotations

from typing import Any

import numpy as np
import shap

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.background import background_matrix
from sqlflow_runtime.ml.shap_values import Explainer, Groups, ShapValues, dense, joined, slices
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel

_LOG_LINK = ("PoissonRegressor", "GammaRegressor")


class _Exact(Explainer):
    _explainer: Any

    def __init__(self, model: TrainedModel, groups: Groups) -> None:
        self._groups = groups
        self._estimator: Any = model.fitted.estimator  # type: ignore[attr-defined]  # scikit-learn's only
        try:
            self._explainer = self._make(model)
            base = self._explainer.expected_value
        except (
            shap.utils._exceptions.InvalidModelError,
            NotImplementedError,
            AttributeError,
            TypeError,
            ValueError,
            AssertionError,
        ) as error:
            name = type(self._estimator).__name__
            raise RunError("estimator", f"shap's {self.name} cannot explain {name}: {error}") from error
        self._base = np.atleast_1d(np.asarray(base, dtype=np.float64))
        self.outputs = len(self._base)

    def _make(self, model: TrainedModel) -> Any:
        raise NotImplementedError

    def _contributions(self, matrix: Matrix) -> Any:
        raise NotImplementedError

    def explain(self, matrix: Matrix) -> ShapValues:
        """See `Explainer`."""
        parts = []
        for rows in slices(matrix, self.outputs * matrix.shape[1]):
            found = np.asarray(self._contributions(dense(rows)), dtype=np.float64)
            found = found.reshape(rows.shape[0], rows.shape[1], self.outputs).transpose(0, 2, 1)
            parts.append(ShapValues(self._groups.sums(found), np.tile(self._base, (rows.shape[0], 1))))
        return joined(parts)


class TreeShap(_Exact):
    """TreeSHAP along the trees' own paths: needs no background rows."""

    name = "TreeExplainer"

    def _make(self, model: TrainedModel) -> Any:
        boosted = "GradientBoosting" in type(self._estimator).__name__
        self.unit = _unit(model, boosted)
        return shap.TreeExplainer(self._estimator, feature_perturbation="tree_path_dependent")

    def _contributions(self, matrix: Matrix) -> Any:
        return self._explainer.shap_values(matrix, check_additivity=False)


class LinearShap(_Exact):
    """Weight by distance from the mean of the background rows."""

    name = "LinearExplainer"

    def _make(self, model: TrainedModel) -> Any:
        self.unit = (
            "log-odds"
            if model.classes and hasattr(self._estimator, "predict_proba")
            else _linear_unit(self._estimator, model)
        )
        return shap.LinearExplainer(self._estimator, shap.maskers.Independent(background_matrix(model)))

    def _contributions(self, matrix: Matrix) -> Any:
        return self._explainer.shap_values(matrix)


def _unit(model: TrainedModel, boosted: bool) -> str:
    if model.classes:
        return "log-odds" if boosted else "probability"
    return "prediction" if model.task == "regression" else "score"


def _linear_unit(estimator: Any, model: TrainedModel) -> str:
    if model.classes:
        return "score"
    return "logarithm of the prediction" if type(estimator).__name__ in _LOG_LINK else "prediction"
