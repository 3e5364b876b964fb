"""The one matrix of all features: where each stands in it, and its parts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlflow_runtime.ml.features.category import Vocabulary
from sqlflow_runtime.ml.features.feature import Feature


@dataclass(frozen=True, slots=True)
class Slice:
    """The columns of the matrix from `start` up to `stop` are the feature's."""

    feature: Feature
    start: int
    stop: int


def layout(features: Sequence[Feature]) -> tuple[Slice, ...]:
    """The columns of the matrix that each feature fills."""
    found: list[Slice] = []
    start = 0
    for feature in features:
        found.append(Slice(feature, start, start + feature.width))
        start += feature.width
    return tuple(found)


def matrix_width(features: Sequence[Feature]) -> int:
    """The number of columns of the matrix."""
    return sum(feature.width for feature in features)


def matrix_columns(features: Sequence[Feature]) -> list[str]:
    """For each column of the matrix, the selected column that it comes from; of CROSS, all of them."""
    return [" x ".join(feature.columns) for feature in features for _ in range(feature.width)]


def matrix_names(features: Sequence[Feature]) -> list[str]:
    """A name for each column of the matrix, for people: `colour=red`."""
    return [name for feature in features for name in feature.names]


def category_sizes(features: Sequence[Feature]) -> list[int]:
    """For each column of the matrix its number of categories, which have no order; 0 for a number."""
    sizes: list[int] = []
    for feature in features:
        sizes += [feature.size] if isinstance(feature, Vocabulary) else [0] * feature.width
    return sizes


def is_sparse(features: Sequence[Feature]) -> bool:
    """True if the matrix is sparse (CSR): one of the features is."""
    return any(feature.sparse for feature in features)
