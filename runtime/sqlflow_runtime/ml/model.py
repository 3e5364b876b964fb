"""A trained model: what is known of it, what it can do, and how it is stored."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.databases.base import Column, Database
from sqlflow_runtime.failures import RunError
from sqlflow_runtime.ml.features import Feature, dump_feature, load_feature
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.models import load_model

METADATA_FORMAT = 1
"""Number of the metadata's layout; a greater one was written by a newer version of this program."""

Matrix = npt.NDArray[Any]

CODECS = {
    "xgboost-ubj": "sqlflow_runtime.ml.xgboost_models",
    "skops": "sqlflow_runtime.ml.sklearn_models",
}
"""Name of a storage format -> the module whose `load(content, attributes, names)` reads it. None can carry code."""


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
class Model:
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
            "image": os.environ.get("SQLFLOW_IMAGE", ""),
        }

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


def load(database: Database, reference: str, place: int) -> tuple[Model, int]:
    """The stored model of that name, ready to use, and its version.

    Raises:
        RunError: kind `model`, at `place`; there is none, or it cannot be read.
    """
    try:
        stored = load_model(database, reference)
    except RunError as failure:
        failure.place = place if failure.kind == "model" else failure.place
        raise
    data = stored.metadata
    known = isinstance(data.get("format"), int) and data["format"] <= METADATA_FORMAT
    if not known or data.get("codec") not in CODECS:
        raise RunError(
            "model",
            f"the stored model {reference} was written by a newer version of sqlflow",
            "Use the image that trained it, or train it again.",
            place=place,
        )
    features = tuple(load_feature(feature) for feature in data["features"])
    names = [feature.column for feature in features for _ in range(feature.width)]
    fitted = importlib.import_module(CODECS[data["codec"]]).load(stored.content, data["attributes"], names)
    label = data["label"] and Label(data["label"]["name"], data["label"]["kind"], tuple(data["label"]["classes"]))
    model = Model(
        estimator=data["estimator"],
        task=data["task"],
        features=features,
        label=label,
        fitted=fitted,
        statement=data["statement"],
        attributes=data["attributes"],
        columns=[Column(**column) for column in data["columns"]],
        rows=data["rows"],
        metrics=data["metrics"],
    )
    return model, stored.version


def _versions(codec: str) -> dict[str, str]:
    names = {"xgboost-ubj": ("xgboost", "numpy"), "skops": ("sklearn", "skops", "numpy")}[codec]
    return {"python": platform.python_version()} | {
        name: str(importlib.import_module(name).__version__) for name in names
    }
