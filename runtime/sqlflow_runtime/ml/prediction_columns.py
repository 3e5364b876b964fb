"""The columns that `TO PREDICT` adds: the predictions, and what `predict.extra_outputs` names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlflow_codegen.catalogue import PREDICTION_OUTPUTS

from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.list_labels import ListLabel
from sqlflow_runtime.ml.trained_model import Matrix, TrainedModel


@dataclass(frozen=True, slots=True)
class Added:
    """One column that is computed.

    Attributes:
        name: of the column.
        kind: see `Column`; None for predictions of the label itself, which have the label's own type.
    """

    name: str
    kind: str | None


class PredictionColumns:
    """The added columns of one statement, and their values for a matrix."""

    def __init__(self, model: TrainedModel, name: str, extra: Sequence[str] = ()) -> None:
        """Ask the model, with one row of zeros, how many values it gives for a row.

        Args:
            model: ready to use.
            name: of the predictions' column.
            extra: names out of `PREDICTION_OUTPUTS`.

        Raises:
            RunError: kind `estimator`; there is no such output, or this model does not give it.
        """
        self._model = model
        self._extra = tuple(dict.fromkeys(extra))
        self._sources: dict[str, Callable[[Matrix], Matrix | None]] = {
            "probability": model.fitted.probabilities,
            "score": model.fitted.scores,
        }
        unknown = [one for one in self._extra if one not in self._sources]
        if unknown:
            hint = f"There are {', '.join(PREDICTION_OUTPUTS)}."
            raise RunError("estimator", f"there is no output {unknown[0]}", hint)
        self.columns = self._columns(name)

    def values(self, matrix: Matrix) -> list[list[Any]]:
        """The values of each column, for the rows of a matrix."""
        found = self._model.result_columns(matrix)
        for source in self._extra:
            found += [part.tolist() for part in self._parts(source, matrix)]
        return found

    def _columns(self, name: str) -> tuple[Added, ...]:
        width = self._model.outputs
        names = [name] if width == 1 else [f"{name}_{number}" for number in range(width)]
        added = [Added(one, None) for one in names]
        for source in self._extra:
            zeros = np.zeros((1, sum(feature.width for feature in self._model.features)), self._model.fitted.dtype)
            added += [Added(one, "float") for one in self._names(source, len(self._parts(source, zeros)))]
        return tuple(added)

    def _names(self, source: str, width: int) -> list[str]:
        """`score`, or `score_setosa` and so on where there is one for each class."""
        if width == 1:
            return [source]
        label = self._model.label
        classes = label.parts[0] if isinstance(label, ListLabel) and label.is_set else self._model.classes
        return [f"{source}_{one}" for one in (classes if len(classes) == width else range(width))]

    def _parts(self, source: str, matrix: Matrix) -> list[Matrix]:
        """One array for each column of an output."""
        several = self._model.task == "multioutput"  # classes at each place have probabilities of their own
        found = None if several else self._sources[source](matrix)
        if found is None:
            given = [one for one in PREDICTION_OUTPUTS if one != source and self._gives(one, matrix)]
            hint = f"It gives {listed(given)}." if given else "Leave predict.extra_outputs out."
            raise RunError("estimator", f"a model of {self._model.estimator} gives no {source}", hint)
        return [found] if found.ndim == 1 else list(found.T)

    def _gives(self, source: str, matrix: Matrix) -> bool:
        return self._sources[source](matrix) is not None
