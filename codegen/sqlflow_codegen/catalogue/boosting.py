"""Names and rules that XGBoost's and LightGBM's attributes have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

ROUNDS = "train.num_boost_round"
STOP_AFTER = "train.early_stopping_rounds"
SAMPLE_WEIGHT = "train.sample_weight"
"""Attribute of TRAIN with the column that says how much each row counts."""
GROUP = "train.group"
"""Attribute of TRAIN with the column that says which rows are ranked together."""
LOWER_BOUND = "train.label_lower_bound"
"""Attribute of TRAIN with the column of the times at which events had not happened yet."""
UPPER_BOUND = "train.label_upper_bound"
"""Attribute of TRAIN with the column of the times at which events had happened; NULL if that is not known."""
ROLES = (SAMPLE_WEIGHT, GROUP, LOWER_BOUND, UPPER_BOUND)
"""Attributes that name a column which is no feature."""
WEIGHT_COLUMN = "model.weight_column"
"""The name that SQLFlow's neural estimators have for `SAMPLE_WEIGHT`."""
ROLE_OF: Mapping[str, str] = MappingProxyType({**{one: one for one in ROLES}, WEIGHT_COLUMN: SAMPLE_WEIGHT})
"""Each name of an attribute that names a column which is no feature -> its canonical name."""
VALIDATION = "validation.select"

_NUMBER = re.compile(r"[+-]?\d+")

Parameters = Mapping[str, Any]
"""The attributes under canonical names, the estimator's defaults included; values as Python has them."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """An attribute that cannot work.

    Attributes:
        attribute: its canonical name.
        message: the reason, as the rest of a sentence.
        hint: the alternative.
    """

    attribute: str
    message: str
    hint: str = ""


def stopping_conflicts(parameters: Parameters) -> Iterator[Conflict]:
    """Early stopping without rows to measure on."""
    if parameters.get(STOP_AFTER) and not str(parameters.get(VALIDATION, "")).strip():
        yield Conflict(STOP_AFTER, "has nothing to measure on", 'Add validation.select="SELECT ..".')


def constraint_conflicts(parameters: Parameters) -> Iterator[Conflict]:
    """Constraints of features that are no lists of signs, or no groups."""
    signs = parameters.get("monotone_constraints")
    if signs is not None and monotone_signs(signs) is None:
        message = "must list -1, 0 or 1 for each feature, in the SELECT's order"
        yield Conflict("monotone_constraints", message, "Write monotone_constraints=[1, 0, -1].")
    groups = parameters.get("interaction_constraints")
    if groups is not None and interaction_groups(groups) is None:
        message = "must be a list of lists of features"
        yield Conflict("interaction_constraints", message, "Write interaction_constraints=[[a, b], [c]].")


def role_conflicts(parameters: Parameters, *, ranks: bool | None, survives: bool | None) -> Iterator[Conflict]:
    """Columns of groups and of bounds where the objective has no use for them.

    Args:
        parameters: see `Parameters`.
        ranks: True if the objective ranks; None if the label decides, which never makes it rank.
        survives: True if the objective learns times between two bounds.
    """
    for name in ROLES:
        if name in parameters and not str(parameters[name]).strip():
            yield Conflict(name, "must name a column", f'Write {name}="column".')
    if GROUP in parameters and not ranks:
        yield Conflict(GROUP, "is for objectives that rank", "Choose one that ranks, or leave it out.")
    for name in (LOWER_BOUND, UPPER_BOUND):
        if name in parameters and not survives:
            yield Conflict(name, "needs objective=survival:aft")


def monotone_signs(value: Any) -> list[int] | None:
    """The signs that `monotone_constraints` lists, or holds as text (`(1,-1)`); None if it does neither."""
    if isinstance(value, str):
        words = [word.strip() for word in value.strip().strip("()[]").split(",")]
        value = [int(word) if _NUMBER.fullmatch(word) else word for word in words]
    fits = isinstance(value, list) and value and all(type(one) is int and -1 <= one <= 1 for one in value)
    return list(value) if fits else None


def interaction_groups(value: Any) -> list[list[str | int]] | None:
    """The groups of `interaction_constraints`, a list or JSON text, by columns' names or numbers; None if neither."""
    if isinstance(value, str):
        import json

        try:
            value = json.loads(value)
        except ValueError:
            return None
    if not isinstance(value, list) or not value:
        return None
    for group in value:
        if not isinstance(group, list) or not group or not all(type(one) in (str, int) for one in group):
            return None
    return value
