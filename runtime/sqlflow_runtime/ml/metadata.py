"""Reads a stored model's metadata, and takes nothing on trust: whatever is not as TRAIN wrote it is damage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.ml.features import (
    Bucket,
    CategoryHash,
    CategoryId,
    Dense,
    Feature,
    Indicator,
    Numeric,
    load_feature,
)
from sqlflow_runtime.ml.labels import Label

WIDTH_LIMIT = 10_000_000
"""More columns than this no matrix has."""

_TASKS = ("classification", "regression", "clustering")
_VALUES: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "string": (str,), "bool": (bool,)}
"""For each kind of label the types that its classes have in JSON."""


def read_metadata(data: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `Model` that the metadata holds: all but `fitted`.

    Raises:
        ValueError: something in it is wrong; says what.
    """
    try:
        found = {
            "estimator": _of(data, "estimator", str),
            "task": _of(data, "task", str),
            "features": tuple(map(load_feature, _of(data, "features", list))),
            "label": _label(data["label"]),
            "statement": _of(data, "statement", str),
            "attributes": _of(data, "attributes", dict),
            "columns": [Column(**_texts(column)) for column in _of(data, "columns", list)],
            "rows": _of(data, "rows", int),
            "metrics": _of(data, "metrics", dict),
        }
    except KeyError as error:
        raise ValueError(f"its metadata lacks {error}") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(f"its metadata is not as it should be: {error}") from error
    _check(found["task"], found["features"], found["label"])
    return found


def _of(data: Mapping[str, Any], name: str, kind: type) -> Any:
    if type(data[name]) is not kind:
        raise ValueError(f"its {name} is {data[name]!r:.80}")
    return data[name]


def _texts(column: Any) -> dict[str, str]:
    if not all(isinstance(value, str) for value in column.values()):
        raise ValueError(f"a column of it is {column!r:.80}")
    return dict(column)


def _label(data: Any) -> Label | None:
    if data is None:
        return None
    kind, classes = _of(data, "kind", str), _of(data, "classes", list)
    if kind not in _VALUES:
        raise ValueError(f"its label is of kind {kind!r:.80}")
    if not all(type(value) in _VALUES[kind] for value in classes) or len(set(classes)) < len(classes):
        raise ValueError("its classes are not different values of the label's kind")
    return Label(_of(data, "name", str), kind, tuple(classes))


def _check(task: str, features: tuple[Feature, ...], label: Label | None) -> None:
    if task not in _TASKS:
        raise ValueError(f"its task is {task!r:.80}")
    if (label is None) != (task == "clustering") or bool(label and label.classes) != (task == "classification"):
        raise ValueError(f"its label does not fit its task, {task}")
    width = 0
    for feature in features:
        if not _is_sound(feature):
            raise ValueError("one of its features is not as it should be")
        width += feature.width
    if not 0 < width <= WIDTH_LIMIT:
        raise ValueError(f"its features make {width} columns")


def _is_sound(feature: Any) -> bool:
    """Whether a feature's fields are of their types."""
    match feature:
        case Numeric(column=str()):
            return True
        case Bucket(column=str(), boundaries=tuple(boundaries)):
            return all(type(one) in (int, float) for one in boundaries)
        case CategoryId(column=str(), size=int(size)) | CategoryHash(column=str(), size=int(size)):
            return size > 0
        case Dense(column=str(), size=int(size), delimiter=str(delimiter)):
            return size > 0 and bool(delimiter)
        case Indicator(of=Bucket() | CategoryId() | CategoryHash() as category):
            return _is_sound(category)
    return False
