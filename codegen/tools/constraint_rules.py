"""Rules of the catalogue (see `catalogue/rules.py`) from scikit-learn's parameter constraints."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from sklearn.utils import _param_validation as validation
from sklearn.utils._param_validation import make_constraint

_WORDS = {"verbose": "bool | int [0,inf)", "random_state": "int [0,4294967295] | none", "boolean": "bool"}
_WORDS |= {"array-like": "list", "cv_object": "int [2,inf) | none", "nan": "float"}
_TYPES = {numbers.Integral: "int", numbers.Real: "float", float: "float", str: "str", list: "list", tuple: "list"}
_TYPES |= {np.ndarray: "list"}


def rule(constraints: Any) -> str:
    """The rule for those constraints; "" where no value of SQL can keep them."""
    if constraints == "no_validation":
        return "str | float | bool | list | none"
    alternatives: list[str] = []
    for constraint in constraints:
        alternatives += [one for one in _alternatives(constraint) if one not in alternatives]
    return " | ".join(alternatives)


def _alternatives(constraint: Any) -> list[str]:
    if constraint is None:
        return ["none"]
    if isinstance(constraint, str):
        return _WORDS[constraint].split(" | ") if constraint in _WORDS else []
    if isinstance(constraint, type):
        return [_TYPES[constraint]] if constraint in _TYPES else []
    made = make_constraint(constraint)
    if isinstance(made, validation.Hidden):
        return []
    if isinstance(made, validation.Interval):
        return [_interval(made)]
    if isinstance(made, validation.StrOptions):
        words = sorted(set(map(str, made.options)) - {"deprecated", "warn"})
        return ["{" + ",".join(words) + "}"] if words else []
    if isinstance(made, validation.Options):
        return ["int" if made.type is numbers.Integral else "float"]
    return []


def _interval(interval: Any) -> str:
    kind = "int" if interval.type is numbers.Integral else "float"
    low = "-inf" if interval.left is None else f"{float(interval.left):g}"
    high = "inf" if interval.right is None else f"{float(interval.right):.12g}"
    if low == "-inf" and high == "inf":
        return kind
    left = "[" if interval.closed in ("left", "both") and low != "-inf" else "("
    right = "]" if interval.closed in ("right", "both") and high != "inf" else ")"
    return f"{kind} {left}{low},{high}{right}"
