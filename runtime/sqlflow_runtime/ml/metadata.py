"""A model's metadata. Reading it takes nothing on trust: anything that is not as TRAIN wrote it is damage."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.ml.background import Background
from sqlflow_runtime.ml.column_clause import find_column
from sqlflow_runtime.ml.curve import Curve, check_curve
from sqlflow_runtime.ml.features import Feature, dump_feature, load_feature, matrix_width
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.list_labels import ListLabel

WIDTH_LIMIT = 10_000_000
"""More columns than this no matrix has."""

_LABELS: Mapping[str, tuple[bool, ...]] = {
    "classification": (True,),
    "multilabel": (True,),
    "multioutput": (True,),
    "regression": (True,),
    "transformation": (True, False),
    "clustering": (False,),
    "outlier": (False,),
    "density": (False,),
    "distance": (False,),
}
"""Task of a model -> True if it has a label, False if it has none."""
_VALUES: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "string": (str,), "bool": (bool,)}
"""Kind of a label -> the types that its classes have in JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMetadata:
    """All that is known of a trained model but what it has learned.

    Attributes:
        estimator: as the catalogue names it: `xgboost.gbtree`.
        task: `classification`, `multilabel`, `multioutput` (see `ListLabel`), `regression`, `clustering`, `outlier` (1
            for a row as usual, -1 for an outlier), `transformation` (numbers made of a row's numbers), `density` (the
            logarithm of how likely a row is) or `distance` (from the rows of the training).
        features: made of TRAIN's columns, in the matrix's order.
        label: None for an unsupervised model.
        statement: the TRAIN statement as written.
        attributes: its WITH clause, names canonical.
        columns: of TRAIN's SELECT.
        rows: number of rows that it learned from.
        metrics: last values measured while training.
        fingerprint: of the rows that it learned from: the same for the same rows in any order; "" in a model of an
            older version.
        curve: values measured after each iteration; see `Curve`.
        outputs: number of columns of the predictions: 1, but for transformations.
        background: some of these rows, as the matrix has them, for explainers; none where no explainer needs them.
    """

    estimator: str
    task: str
    features: tuple[Feature, ...]
    label: Label | None
    statement: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    columns: Sequence[Column] = ()
    rows: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    fingerprint: str = ""
    curve: Curve = field(default_factory=dict)
    outputs: int = 1
    background: Background = ()

    @property
    def classes(self) -> tuple[Any, ...]:
        """The label's classes; none if the model predicts numbers or clusters."""
        return self.label.classes if self.label is not None else ()

    @property
    def label_column(self) -> Column | None:
        """The label's column as TRAIN's SELECT returned it, with its type in the database; None without a label."""
        return find_column(self.columns, self.label.name) if self.label is not None else None

    @property
    def result_kind(self) -> str:
        """The kind of the predictions: the label's for classes, else `float`; `int` for clusters and outliers.

        A regression whose label is a text of several numbers, `1.5,0,3`, predicts such texts.
        """
        if self.task in ("clustering", "outlier"):
            return "int"
        texts = self.is_series or isinstance(self.label, ListLabel)
        return self.label.kind if self.label is not None and (self.classes or texts) else "float"

    @property
    def is_series(self) -> bool:
        """True if each prediction is a text of several numbers, as the label is."""
        return self.task == "regression" and self.label is not None and self.label.kind == "string"

    def fields(self) -> dict[str, Any]:
        """The attributes by name."""
        return {one.name: getattr(self, one.name) for one in fields(ModelMetadata)}

    def dump(self) -> dict[str, Any]:
        """The metadata as JSON."""
        label = self.label
        return self.fields() | {
            "attributes": dict(self.attributes),
            "columns": [{"name": c.name, "type": c.type, "kind": c.kind} for c in self.columns],
            "features": [dump_feature(feature) for feature in self.features],
            "label": label and _dumped(label),
            "metrics": dict(self.metrics),
            "curve": {name: list(values) for name, values in self.curve.items()},
            "background": [list(row) for row in self.background],
        }


def read_metadata(data: Mapping[str, Any]) -> ModelMetadata:
    """The metadata that `ModelMetadata.dump` wrote.

    Raises:
        ValueError: something in it is wrong; says what.
    """
    try:
        found = ModelMetadata(
            estimator=_of(data, "estimator", str),
            task=_of(data, "task", str),
            features=tuple(map(load_feature, _of(data, "features", list))),
            label=_label(data["label"]),
            statement=_of(data, "statement", str),
            attributes=_of(data, "attributes", dict),
            columns=[Column(**_texts(column)) for column in _of(data, "columns", list)],
            rows=_of(data, "rows", int),
            metrics=_of(data, "metrics", dict),
            fingerprint=_fingerprint(data.get("fingerprint", "")),
            curve=check_curve(data.get("curve", {})),
            outputs=_of({"outputs": 1, **data}, "outputs", int),  # models of older versions have none
            background=_background(data.get("background", [])),
        )
    except KeyError as error:
        raise ValueError(f"its metadata lacks {error}") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(f"its metadata is not as it should be: {error}") from error
    _check(found)
    return found


def _of(data: Mapping[str, Any], name: str, kind: type) -> Any:
    if type(data[name]) is not kind:
        raise ValueError(f"its {name} is {data[name]!r:.80}")
    return data[name]


def _background(data: Any) -> Background:
    if not all(type(x) in (int, float, type(None)) for row in data for x in row):
        raise ValueError("its background rows are no numbers")
    return tuple(tuple(None if x is None else float(x) for x in row) for row in data)


def _fingerprint(text: Any) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"[0-9a-f]{16}|", text):
        raise ValueError(f"its fingerprint is {text!r:.80}")
    return text


def _texts(column: Any) -> dict[str, str]:
    if not all(isinstance(value, str) for value in column.values()):
        raise ValueError(f"a column of it is {column!r:.80}")
    return dict(column)


def _dumped(label: Label) -> dict[str, Any]:
    found: dict[str, Any] = {"name": label.name, "kind": label.kind, "classes": list(label.classes)}
    if isinstance(label, ListLabel):
        found |= {"parts": list(map(list, label.parts)), "is_set": label.is_set}
    return found


def _label(data: Any) -> Label | None:
    if data is None:
        return None
    kind, classes = _of(data, "kind", str), _of(data, "classes", list)
    if kind not in _VALUES:
        raise ValueError(f"its label is of kind {kind!r:.80}")
    if not all(type(value) in _VALUES[kind] for value in classes) or len(set(classes)) < len(classes):
        raise ValueError("its classes are not different values of the label's kind")
    name = _of(data, "name", str)
    return _list_label(data, name, kind) if "parts" in data else Label(name, kind, tuple(classes))


def _list_label(data: Mapping[str, Any], name: str, kind: str) -> ListLabel:
    parts, is_set = _of(data, "parts", list), _of(data, "is_set", bool)
    for part in parts:
        if (
            type(part) is not list
            or not part
            or not all(type(one) is str for one in part)
            or len(set(part)) < len(part)
        ):
            raise ValueError("the classes that its label lists are not different texts")
    if not parts or kind != "string" or (is_set and len(parts) > 1):
        raise ValueError("its label lists no classes")
    return ListLabel(name, kind, (), tuple(map(tuple, parts)), is_set)


def _check(found: ModelMetadata) -> None:
    if found.task not in _LABELS:
        raise ValueError(f"its task is {found.task!r:.80}")
    if not 1 <= found.outputs <= (WIDTH_LIMIT if found.task == "transformation" else 1):
        raise ValueError(f"its number of outputs is {found.outputs}")
    if (found.label is not None) not in _LABELS[found.task] or bool(found.classes) != (found.task == "classification"):
        raise ValueError(f"its label does not fit its task, {found.task}")
    listing = ("multilabel" if found.label.is_set else "multioutput") if isinstance(found.label, ListLabel) else ""
    if listing != (found.task if found.task in ("multilabel", "multioutput") else ""):
        raise ValueError(f"its label does not fit its task, {found.task}")
    width = matrix_width(found.features)
    if not 0 < width <= WIDTH_LIMIT:
        raise ValueError(f"its features make {width} columns")
    if any(len(row) != width for row in found.background):
        raise ValueError(f"its background rows do not have {width} numbers")
