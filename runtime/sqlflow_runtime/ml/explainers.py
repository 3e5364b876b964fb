"""Explainers: by a library's own contributions, by shap's for trees and linear models, and by trying predictions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
from sqlflow_codegen.catalogue import Estimator, find_estimator
from sqlflow_codegen.catalogue.explainers import EXPLAINERS, is_linear_model, is_tree_model, misfit
from sqlflow_codegen.language.ir import ExplainStatement

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.shap_values import Explainer, Groups, ShapValues, joined, slices
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel

Log = Callable[[str, str], None]

_SAMPLING = {"KernelExplainer": "sqlflow_runtime.ml.sampling_explainers:KernelShap"}
_FITTING = {
    "TreeExplainer": "sqlflow_runtime.ml.sklearn_explainers:TreeShap",
    "LinearExplainer": "sqlflow_runtime.ml.sklearn_explainers:LinearShap",
}


class OwnContributions(Explainer):
    """The contributions that XGBoost and LightGBM compute themselves: TreeSHAP, or weight by value."""

    def __init__(self, model: TrainedModel, groups: Groups) -> None:
        self.name = "LinearExplainer" if is_linear_model(_estimator(model)) else "TreeExplainer"
        self._fitted = fitted = cast("Any", model.fitted)
        self._groups = groups
        self.outputs = len(model.classes) if len(model.classes) > 2 else 1
        self.unit = str(fitted.margin_unit)

    def explain(self, matrix: Matrix) -> ShapValues:
        """See `Explainer`."""
        parts = []
        for rows in slices(matrix, self.outputs * (matrix.shape[1] + 1)):
            found = self._fitted.contributions(rows).astype(np.float64)
            parts.append(ShapValues(self._groups.sums(found[:, :, :-1]), found[:, :, -1]))
        return joined(parts)


def choose_explainer(statement: ExplainStatement, model: TrainedModel, groups: Groups, log: Log) -> Explainer:
    """The explainer that USING names, if the model can be explained by it; else the one that fits it best.

    Raises:
        RunError: kind `estimator`, at USING; the explainer does not fit. Kind `model`; the model is too old for it.
    """
    named = statement.explainer.text if statement.explainer is not None else ""
    if named not in EXPLAINERS:
        if named:
            log("warning", f"there is no explainer {named}: SHAP chooses one")
        return _fitting(model, groups, log)
    check_fits(statement, model)
    if named in ("KernelExplainer", "PermutationExplainer"):
        return _sampling(named, model, groups)
    return _exact(named, model, groups)


def check_fits(statement: ExplainStatement, model: TrainedModel) -> None:
    """Refuse an explainer that cannot explain that model.

    Raises:
        RunError: kind `estimator`, at USING.
    """
    explainer = statement.explainer
    if explainer is not None and (reason := misfit(explainer.text, _estimator(model))):
        hint = "Leave USING out: the explainer that fits the model is chosen."
        raise RunError("estimator", reason, hint, place=explainer.span.start)


def _fitting(model: TrainedModel, groups: Groups, log: Log) -> Explainer:
    estimator = _estimator(model)
    name = "TreeExplainer" if is_tree_model(estimator) else "LinearExplainer" if is_linear_model(estimator) else ""
    if name or hasattr(model.fitted, "contributions"):
        try:
            return _exact(name, model, groups)
        except RunError as failure:  # some kinds of trees are beyond shap
            log("info", f"{failure.message}: PermutationExplainer is taken")
    return _sampling("PermutationExplainer", model, groups)


def _exact(name: str, model: TrainedModel, groups: Groups) -> Explainer:
    if hasattr(model.fitted, "contributions"):
        return OwnContributions(model, groups)
    return _loaded(_FITTING[name])(model, groups)


def _sampling(name: str, model: TrainedModel, groups: Groups) -> Explainer:
    path = _SAMPLING.get(name, "sqlflow_runtime.ml.sampling_explainers:PermutationShap")
    return _loaded(path)(model, groups)


def _loaded(path: str) -> Callable[[TrainedModel, Groups], Explainer]:
    module, _, name = path.partition(":")
    kind: Callable[[TrainedModel, Groups], Explainer] = getattr(importlib.import_module(module), name)
    return kind


def _estimator(model: TrainedModel) -> Estimator:
    """The catalogue's entry of the model's estimator; one of no known kind if there is none."""
    found = find_estimator(model.estimator) or Estimator(model.estimator, "", model.estimator, "any", {})
    booster = model.attributes.get("booster")
    return replace(found, defaults={**found.defaults, "booster": booster}) if booster else found
