"""The class whose SHAP values are shown: the one that a statement names, or that the model predicts for the row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue.explainers import EXPLAIN_CLASS
from sqlflow_codegen.language.ir import Attribute, ExplainStatement

from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.shap_values import Explainer, Floats, ShapValues
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel


@dataclass(frozen=True, slots=True)
class ExplainedClass:
    """The class that is explained.

    Attributes:
        names: the classes, or the clusters' numbers; empty if the model predicts numbers.
        position: of the class in `names`; None if each row has its own, the one that the model predicts for it.
    """

    names: tuple[Any, ...]
    position: int | None

    @classmethod
    def of(cls, statement: ExplainStatement, model: TrainedModel, explainer: Explainer) -> ExplainedClass:
        """The class that a statement means: of two classes by default the second one.

        Raises:
            RunError: kind `estimator`, at the attribute; the model has no such class.
        """
        outputs = explainer.outputs
        clusters = tuple(range(outputs)) if model.task == "clustering" and outputs > 1 else ()
        names: tuple[Any, ...] = model.classes or clusters
        if outputs != len(names) and not (outputs == 1 and len(names) in (0, 2)):
            what = f"a model of {model.estimator} that gives {outputs} values for each row cannot be explained"
            raise RunError("estimator", what, "Train a model for each of them.", place=statement.model.span.start)
        attribute = next((one for one in statement.attributes if one.name == EXPLAIN_CLASS), None)
        if attribute is not None:
            return cls(names, _position(attribute, model, names))
        return cls(names, 1 if len(model.classes) == 2 else None)

    @property
    def varies(self) -> bool:
        """True if each row has a class of its own."""
        return bool(self.names) and self.position is None

    def words(self, unit: str) -> str:
        """Unit and class in words: `log-odds of class setosa`."""
        if not self.names:
            return unit
        return (
            f"{unit} of class {self.names[self.position]}"
            if self.position is not None
            else (f"{unit} of the class that the model predicts for the row")
        )

    def values(self, found: ShapValues, position: int | None) -> tuple[Floats, Floats]:
        """SHAP values (rows x names) and base values of one class; of the only output for None."""
        if found.base.shape[1] > 1 and position is not None:
            return found.values[:, :, position], found.base[:, position]
        sign = -1.0 if self.names and position == 0 else 1.0  # the one output is that of the second class
        return sign * found.values[:, :, 0], sign * found.base[:, 0]

    def row_values(self, found: ShapValues, predicted: Matrix) -> tuple[Floats, Floats]:
        """The same of each row's own class, given the number of the class that the model predicts for it."""
        if not self.varies:
            return self.values(found, self.position)
        rows = np.arange(len(found.base))
        return found.values[rows, :, predicted], found.base[rows, predicted]


def _position(attribute: Attribute, model: TrainedModel, names: tuple[Any, ...]) -> int:
    value: Any = attribute.value
    place = attribute.value_span.start
    if not names:
        what = f"{model.estimator} predicts no classes"
        raise RunError("estimator", what, f"Leave {EXPLAIN_CLASS} out.", place=place)
    found = [position for position, name in enumerate(names) if name == value or str(name) == str(value)]
    if not found:
        hint = f"Its classes are {listed([repr(name) for name in names], 12)}."
        raise RunError("estimator", f"the model has no class {value!r:.80}", hint, place=place)
    return found[0]
