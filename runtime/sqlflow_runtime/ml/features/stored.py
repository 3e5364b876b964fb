"""Features as JSON. Reading takes nothing on trust: what is not as `dump_feature` wrote it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from itertools import pairwise
from typing import Any

from sqlflow_runtime.ml.features.category import CategoryHash, CategoryId, Cross, PlainKey, Vocabulary
from sqlflow_runtime.ml.features.composed import COMBINERS, Embedding, Indicator, SequenceIds
from sqlflow_runtime.ml.features.feature import Feature
from sqlflow_runtime.ml.features.numeric import Bucket, Dense, Numeric
from sqlflow_runtime.ml.features.sparse import Sparse

_CATEGORIES = (CategoryId, CategoryHash, Vocabulary, Bucket, Cross, Sparse)
_INNER: Mapping[type, tuple[type, ...]] = {
    Indicator: _CATEGORIES,
    Embedding: (*_CATEGORIES, SequenceIds),
    Cross: (PlainKey, Bucket, Numeric),
}
"""A feature made of others -> the forms that those may have."""

_KINDS: Mapping[str, type[Any]] = {
    kind.form: kind
    for kind in (Numeric, Dense, Bucket, CategoryId, CategoryHash, Vocabulary, Sparse, SequenceIds, Cross, Indicator,
                 Embedding, PlainKey)
}  # fmt: skip


def _text(value: Any) -> bool:
    return type(value) is str


def _flag(value: Any) -> bool:
    return type(value) is bool


def _count(value: Any) -> bool:
    return type(value) is int and value > 0


def _counts(value: Any) -> bool:
    return all(map(_count, value))


def _boundaries(value: Any) -> bool:
    numbers = value and all(type(one) in (int, float) for one in value)
    return bool(numbers) and all(low < high for low, high in pairwise(value))


def _values(value: Any) -> bool:
    return bool(value) and all(map(_text, value)) and len(set(value)) == len(value)


_VALID: Mapping[str, Callable[[Any], bool]] = {
    "target": lambda value: _text(value) and bool(value),
    "column": _text,
    "size": _count,
    "length": _count,
    "dimension": _count,
    "delimiter": lambda value: _text(value) and bool(value),
    "pair": _text,
    "initializer": _text,
    "combiner": lambda value: value in COMBINERS,
    "hashed": _flag,
    "weighted": _flag,
    "shape": _counts,
    "boundaries": _boundaries,
    "values": _values,
}
"""Field of a feature -> True for its values."""

_LISTS = ("shape", "boundaries", "values")


def dump_feature(feature: Feature) -> dict[str, Any]:
    """The feature as JSON."""
    found: dict[str, Any] = {"form": feature.form}
    for one in fields(feature):  # type: ignore[arg-type]  # every feature is a dataclass
        value = getattr(feature, one.name)
        if one.name == "of":
            value = dump_feature(value)
        elif one.name == "keys":
            value = [dump_feature(key) for key in value]
        elif isinstance(value, tuple):
            value = list(value)
        found[one.name] = value
    return found


def load_feature(data: Any) -> Feature:
    """The feature that `dump_feature` wrote.

    Raises:
        ValueError: it is none; says what is wrong.
    """
    return _load(data, tuple(kind for kind in _KINDS.values() if kind is not PlainKey))


def _load(data: Any, allowed: tuple[type, ...]) -> Feature:
    kind = _KINDS.get(str(data.get("form"))) if isinstance(data, dict) else None
    if kind is None or kind not in allowed:
        raise ValueError(f"one of its features is {data!r:.80}")
    found: dict[str, Any] = {}
    for name, value in data.items():
        if name != "form":
            found[name] = _field(kind, name, value)
    try:
        feature: Feature = kind(**found)
    except TypeError as error:
        raise ValueError(f"one of its features is not as it should be: {error}") from error
    if isinstance(feature, Dense) and feature.shape and _product(feature.shape) != feature.size:
        raise ValueError(f"one of its features has {feature.size} numbers and the shape {feature.shape}")
    return feature


def _field(kind: type[Any], name: str, value: Any) -> Any:
    if name == "of" and kind in _INNER:
        return _load(value, _INNER[kind])
    if name == "keys" and kind in _INNER and isinstance(value, list) and len(value) > 1:
        return tuple(_load(key, _INNER[kind]) for key in value)
    if isinstance(value, list) == (name in _LISTS) and name in _VALID and _VALID[name](value):
        return tuple(value) if isinstance(value, list) else value
    raise ValueError(f"{name} of one of its features is {value!r:.80}")


def _product(shape: tuple[int, ...]) -> int:
    found = 1
    for one in shape:
        found *= one
    return found
