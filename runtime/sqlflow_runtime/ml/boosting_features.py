"""Constraints of features, spread over the columns of the matrix that each feature fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlflow_codegen.catalogue.boosting import interaction_groups, monotone_signs

from sqlflow_runtime.errors import RunError


def monotone_columns(value: Any, names: Sequence[str]) -> list[int]:
    """For each column of the matrix the sign of its feature: 1 to rise with it, -1 to fall, 0 for either.

    Args:
        value: of `monotone_constraints`, a sign for each feature.
        names: for each column of the matrix its feature.

    Raises:
        RunError: kind `estimator`; there are more or fewer signs than features.
    """
    signs, features = monotone_signs(value) or [], _positions(names)
    if len(signs) != len(features):
        raise RunError(
            "estimator",
            f"monotone_constraints lists {len(signs)} signs, but there are {len(features)} features",
            f"List one for each of {', '.join(features)}, in this order.",
        )
    spread = dict(zip(features, signs, strict=True))
    return [spread[name] for name in names]


def interaction_columns(value: Any, names: Sequence[str]) -> list[list[int]]:
    """The groups of columns of the matrix that may occur in one branch of a tree.

    Args:
        value: of `interaction_constraints`, groups of features by name or number.
        names: for each column of the matrix its feature.

    Raises:
        RunError: kind `estimator`; one of them is no feature.
    """
    features = _positions(names)
    listed = list(features)
    groups: list[list[int]] = []
    for group in interaction_groups(value) or []:
        columns: list[int] = []
        for feature in group:
            inside = isinstance(feature, int) and 0 <= feature < len(listed)
            name = listed[int(feature)] if inside else feature
            if name not in features:
                message = f"interaction_constraints names {feature!r}, which is no feature"
                raise RunError("estimator", message, f"There are {', '.join(listed)}.")
            columns += features[str(name)]
        groups.append(columns)
    return groups


def _positions(names: Sequence[str]) -> dict[str, list[int]]:
    """For each feature, in order, the columns of the matrix that it fills."""
    found: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        found.setdefault(name, []).append(position)
    return found
