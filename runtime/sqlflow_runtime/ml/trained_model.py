"""A trained model: its predictions, and its way into the model store and out of it."""

from __future__ import annotations

import importlib
import json
import os
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sqlflow_codegen.contract import IMAGE_ENV

from sqlflow_runtime.errors import RunError, not_installed
from sqlflow_runtime.ml.list_labels import ListLabel
from sqlflow_runtime.ml.metadata import ModelMetadata, read_metadata
from sqlflow_runtime.model_store import METADATA_FORMAT, ModelStore, StoredModel, damaged

Matrix = npt.NDArray[Any]

CODECS = {
    "xgboost-json": "sqlflow_runtime.ml.xgboost_models:load",
    "lightgbm-text": "sqlflow_runtime.ml.lightgbm_models:load",
    "xgboost-ubj": "sqlflow_runtime.ml.xgboost_models:load_ubjson",
    "skops": "sqlflow_runtime.ml.sklearn_models:load",
    "keras": "sqlflow_runtime.ml.neural.models:load",
    "custom-keras": "sqlflow_runtime.ml.custom.networks:load",
    "custom-skops": "sqlflow_runtime.ml.custom.estimators:load",
    "custom-module": "sqlflow_runtime.ml.custom.functions:load",
}
"""Name of a storage format -> the function that reads it, given the content and the metadata. None can carry code.

Those of the user's own models read data with classes, or by a function, of the module that the statement named.
"""

_LIBRARIES = {
    "xgboost-json": ("xgboost", "numpy"),
    "lightgbm-text": ("lightgbm", "numpy"),
    "skops": ("sklearn", "skops", "numpy"),
    "keras": ("keras", "jax", "numpy"),
    "custom-keras": ("keras", "jax", "numpy"),
    "custom-skops": ("sklearn", "skops", "numpy"),
    "custom-module": ("numpy",),
}
"""Name of a storage format -> the libraries whose versions are stored with a model."""

_READ_OLDER = frozenset({"xgboost", "lightgbm", "sklearn", "skops", "keras"})
"""The libraries that write models in a format of their own."""

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

    def scores(self, matrix: Matrix) -> Matrix | None:
        """The raw scores that decide, for each row one, or one for each class; None where the model gives none."""

    # Some have more: `contributions(matrix)`, rows x outputs x (matrix columns + 1): SHAP values, and last the base
    # value, which add up to the margin, an output for each class or 1; its unit in words is `margin_unit`.

    def dump(self) -> bytes:
        """The model in its library's own safe format."""


def predict_once(fitted: Fitted, matrix: Any, *, with_probabilities: bool) -> tuple[Matrix, Matrix | None]:
    """The results of `predict` and `probabilities`, by one prediction where the model can give both by one."""
    if not with_probabilities:
        return fitted.predict(matrix), None
    both: Callable[[Any], tuple[Matrix, Matrix | None]] | None = getattr(fitted, "predict_with_probabilities", None)
    return both(matrix) if both is not None else (fitted.predict(matrix), fitted.probabilities(matrix))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel(ModelMetadata):
    """A trained model: its metadata, and what it has learned."""

    fitted: Fitted

    def metadata(self) -> dict[str, Any]:
        """All but the fitted model itself, as JSON."""
        codec = self.fitted.codec
        versions = {name: str(importlib.import_module(name).__version__) for name in _LIBRARIES[codec]}
        return self.dump() | {
            "format": METADATA_FORMAT,
            "codec": codec,
            "libraries": {"python": platform.python_version()} | versions,
            "image": os.environ.get(IMAGE_ENV, ""),
        }

    def result_columns(self, matrix: Matrix) -> list[list[Any]]:
        """Predictions for the rows of a matrix, as values for the database: a list for each of the `outputs`."""
        found = self.fitted.predict(matrix)
        if self.label is not None and (self.classes or isinstance(self.label, ListLabel)):
            return [self.label.decode(found)]
        if self.is_series:  # str of each number: the shortest text that means it
            return [[",".join(map(str, row)) for row in found.reshape(len(found), -1)]]
        return [list(found.tolist())] if found.ndim == 1 else [part.tolist() for part in found.T]


def load(models: ModelStore, reference: str, place: int) -> tuple[TrainedModel, int]:
    """Return the stored model of that name, ready to use, and its version.

    Raises:
        RunError: kind `model`, at `place`; there is none, or it cannot be read.
    """
    try:
        stored = models.load(reference)
        check_libraries(stored)
        try:
            return restore(stored.metadata, stored.content), stored.version
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise damaged(stored.name, stored.version, str(error)) from error
    except RunError as failure:
        failure.place = place if failure.kind == "model" else failure.place
        raise


def check_libraries(stored: StoredModel) -> None:
    """Refuse a model whose libraries are newer than those here: they read what older ones wrote, and no more.

    Raises:
        RunError: kind `model`; names the versions and, where it is known, the image that has them.
    """
    codec = CODECS.get(str(stored.metadata.get("codec")))
    if codec is not None:
        importlib.import_module(codec.partition(":")[0])  # loads its library as it must be: Keras on JAX
    versions = stored.metadata.get("libraries")
    for name, version in versions.items() if isinstance(versions, dict) else ():
        if name not in _READ_OLDER:
            continue
        try:
            here = str(importlib.import_module(name).__version__)
        except ModuleNotFoundError as error:
            raise not_installed(error) from error
        if _release(str(version)) > _release(here):
            image = stored.metadata.get("image")
            with_image = f"Use the image that trained it (spec.image: {image})" if image else "Use a newer step image"
            raise RunError(
                "model",
                f"the model {stored.name}, version {stored.version}, was trained with {name} {version}; here is {here}",
                f"{with_image}, or train it again.",
            )


def _release(version: str) -> tuple[int, ...]:
    """Major and minor number of a version."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def restore(metadata: Mapping[str, Any], content: bytes) -> TrainedModel:
    """Return the model of that metadata and content, each checked by itself and against the other.

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
    module, _, function = codec.partition(":")
    fitted = getattr(importlib.import_module(module), function)(content, known)
    return TrainedModel(fitted=fitted, **known.fields())


def dump_verified(model: TrainedModel, matrix: Matrix) -> bytes:
    """Return the content to store for a model that was just trained. It is read back and predicts some rows first.

    Raises:
        RunError: kind `estimator`; the model cannot be stored, or what is stored could not predict.
    """
    content = model.fitted.dump()
    rows = matrix[:_TRIED_ROWS]
    try:
        found = restore(json.loads(json.dumps(model.metadata())), content).result_columns(rows)
    except (RunError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        words = error.message if isinstance(error, RunError) else f"{type(error).__name__}: {error}"
        raise RunError("estimator", f"{model.estimator} has learned, but its model cannot be used: {words}") from error
    if len(found) != model.outputs or any(len(values) != rows.shape[0] for values in found):
        sizes = " and ".join(sorted({str(len(values)) for values in found}))
        raise RunError("estimator", f"{model.estimator} predicts {sizes} values for {rows.shape[0]} rows")
    return content
