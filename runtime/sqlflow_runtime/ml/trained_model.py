"""A trained model: what is known of it, what it can do, and how it is stored."""

from __future__ import annotations

import importlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sqlflow_codegen.contract import IMAGE_ENV

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.column_clause import find_column
from sqlflow_runtime.ml.features import Feature, dump_feature
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.metadata import read_metadata
from sqlflow_runtime.model_store import METADATA_FORMAT, damaged, load_model

Matrix = npt.NDArray[Any]

CODECS = {
    "xgboost-ubj": "sqlflow_runtime.ml.xgboost_models",
    "skops": "sqlflow_runtime.ml.sklearn_models",
}
"""Name of a storage format -> the module whose `load(content, known)` reads it. None can carry code."""

_TRIED_ROWS = 100
"""Rows that a new model predicts before it is stored."""


class Fitted(Protocol):
    """A model that has learned."""

    codec: str
    dtype: type[np.floating[Any]]
    """The matrix that it takes."""

    def predict(self, matrix: Matrix) -> Matrix:
        """For each row the number of its class, the regression's value, or the number of its cluster."""

    def probabilities(self, matrix: Matrix) -> Matrix | None:
        """Rows x classes; None where the model gives none."""

    def dump(self) -> bytes:
        """The model in its library's own safe format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a library's module gets to know when it reads a model back; the names are those of `Model`."""

    features: tuple[Feature, ...]
    label: Label | None
    attributes: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """For each column of the matrix, the selected column that it comes from."""
        return [feature.column for feature in self.features for _ in range(feature.width)]

    @property
    def classes(self) -> int:
        """How many classes it tells apart; 0 if it predicts numbers or clusters."""
        return len(self.label.classes) if self.label is not None else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A trained model and all that PREDICT and EVALUATE need to know of it.

    Attributes:
        estimator: as the catalogue names it: `xgboost.gbtree`.
        task: `classification`, `regression` or `clustering`.
        features: what TRAIN made of its columns, in the matrix's order.
        label: None for an unsupervised model.
        statement: the TRAIN statement as written.
        attributes: its WITH clause, names canonical.
        rows: how many rows it learned from.
        metrics: last values measured while training.
    """

    estimator: str
    task: str
    features: tuple[Feature, ...]
    label: Label | None
    fitted: Fitted
    statement: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    columns: Sequence[Column] = ()
    rows: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """All but the fitted model itself, as JSON."""
        label = self.label
        return {
            "format": METADATA_FORMAT,
            "codec": self.fitted.codec,
            "estimator": self.estimator,
            "task": self.task,
            "statement": self.statement,
            "attributes": dict(self.attributes),
            "columns": [{"name": c.name, "type": c.type, "kind": c.kind} for c in self.columns],
            "features": [dump_feature(feature) for feature in self.features],
            "label": label and {"name": label.name, "kind": label.kind, "classes": list(label.classes)},
            "rows": self.rows,
            "metrics": dict(self.metrics),
            "libraries": _versions(self.fitted.codec),
            "image": os.environ.get(IMAGE_ENV, ""),
        }

    @property
    def label_column(self) -> Column | None:
        """The label's column as TRAIN's SELECT returned it, with its type in the database; None without a label."""
        return find_column(self.columns, self.label.name) if self.label is not None else None

    def result(self, matrix: Matrix) -> list[Any]:
        """Predictions for the rows of a matrix, as values for the database."""
        found = self.fitted.predict(matrix)
        if self.label is not None and self.label.classes:
            return self.label.decode(found)
        return list(found.tolist())

    @property
    def result_kind(self) -> str:
        """The kind of the predictions: the label's for classes, else `float`; `int` for clusters."""
        if self.task == "clustering":
            return "int"
        return self.label.kind if self.label is not None and self.label.classes else "float"


def load(database: Database, reference: str, place: int) -> tuple[TrainedModel, int]:
    """The stored model of that name, ready to use, and its version.

    Raises:
        RunError: kind `model`, at `place`; there is none, or it cannot be read.
    """
    try:
        stored = load_model(database, reference)
        try:
            return restore(stored.metadata, stored.content), stored.version
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise damaged(stored.name, stored.version, str(error)) from error
    except RunError as failure:
        failure.place = place if failure.kind == "model" else failure.place
        raise


def restore(metadata: Mapping[str, Any], content: bytes) -> TrainedModel:
    """The model of that metadata and content, each checked by itself and against the other.

    Raises:
        RunError: kind `model`; the library cannot read it, or this version does not know its format.
        ValueError: something is wrong with it; says what.
    """
    codec = CODECS.get(str(metadata.get("codec")))
    if codec is None:
        raise RunError(
            "model",
            f"the stored model is in a format that this version does not know: {metadata.get('codec')!r:.80}",
            "Use the image that trained it, or train it again.",
        )
    known = read_metadata(metadata)
    fitted = importlib.import_module(codec).load(content, Known(**{name: known[name] for name in Known.__slots__}))
    return TrainedModel(fitted=fitted, **known)


def dump_usable(model: TrainedModel, matrix: Matrix) -> bytes:
    """The content to store for a model that was just trained. It is read back and predicts some of its own rows first.

    Raises:
        RunError: kind `estimator`; the model cannot be stored, or what is stored could not predict.
    """
    content = model.fitted.dump()
    rows = matrix[:_TRIED_ROWS]
    try:
        found = restore(json.loads(json.dumps(model.metadata())), content).result(rows)
    except (RunError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        words = error.message if isinstance(error, RunError) else f"{type(error).__name__}: {error}"
        raise RunError("estimator", f"{model.estimator} has learned, but its model cannot be used: {words}") from error
    if len(found) != len(rows):
        raise RunError("estimator", f"{model.estimator} predicts {len(found)} values for {len(rows)} rows")
    return content


def _versions(codec: str) -> dict[str, str]:
    names = {"xgboost-ubj": ("xgboost", "numpy"), "skops": ("sklearn", "skops", "numpy")}[codec]
    return {"python": platform.python_version()} | {
        name: str(importlib.import_module(name).__version__) for name in names
    }
