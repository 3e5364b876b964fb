"""Columns of a SELECT that are no features: the weights of rows, their groups, the bounds of their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sqlflow_codegen.catalogue.boosting import GROUP, LOWER_BOUND, ROLE_OF, SAMPLE_WEIGHT, UPPER_BOUND
from sqlflow_codegen.language.ir import Attribute

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.arrays import NotNumericError, numbers
from sqlflow_runtime.ml.column_clause import require_column

FIELDS: Mapping[str, str] = {
    SAMPLE_WEIGHT: "weights",
    GROUP: "groups",
    LOWER_BOUND: "lower_bounds",
    UPPER_BOUND: "upper_bounds",
}
"""Attribute -> the field of a batch that its column fills."""

Roles = Mapping[str, Column]
"""Attribute -> the column that it names."""


def find_roles(attributes: Sequence[Attribute], columns: Sequence[Column], label: Column | None) -> Roles:
    """The columns that a statement's attributes name.

    Raises:
        RunError: kind `data`, at the attribute; there is no such column, or it has another role already.
    """
    found: dict[str, Column] = {}
    for attribute in attributes:
        if attribute.name not in ROLE_OF:
            continue
        try:
            column = require_column(columns, str(attribute.value), attribute.name)
            if column == label or column in found.values():
                raise RunError("data", f"{attribute.name} names {column.name}, which has another role already")
        except RunError as failure:
            failure.place = attribute.value_span.start
            raise
        found[ROLE_OF[attribute.name]] = column
    return found


def check_role(name: str, column: Column, parts: Sequence[pa.Array]) -> None:
    """Refuse values that cannot have that role.

    Args:
        name: the attribute.
        column: the column that it names.
        parts: all its values.

    Raises:
        RunError: kind `data`; a weight or a bound is no number that can be one, or a group is NULL.
    """
    fault, condition = _FAULTS[name]
    try:
        wrong = sum(_wrong(name, values) for values in parts)
    except NotNumericError as error:
        raise RunError("data", f"{name}: {error}, in the column {column.name}") from error
    if wrong:
        message = f"{name}: the column {column.name} is {fault} in {wrong} of {sum(map(len, parts))} rows"
        raise RunError("data", message, f"Add WHERE {column.name} {condition} to the SELECT.")


_FAULTS = {
    SAMPLE_WEIGHT: ("NULL, negative or infinite", ">= 0"),
    GROUP: ("NULL", "IS NOT NULL"),
    LOWER_BOUND: ("negative", ">= 0"),
    UPPER_BOUND: ("negative", ">= 0"),
}
"""Attribute -> the fault of values that cannot have that role, and the condition that leaves them out."""


def _wrong(name: str, values: pa.Array) -> int:
    if name == GROUP:
        return int(values.null_count)
    found = numbers(values)
    if name == SAMPLE_WEIGHT:
        return int((~(np.isfinite(found) & (found >= 0))).sum())
    return int((found < 0).sum())


def role_values(name: str, values: pa.Array) -> pa.Array:
    """The values of a column in its role: numbers but for groups. A lower bound of NULL is 0, an upper one infinite."""
    if name == GROUP:
        return values
    found: npt.NDArray[np.float64] = numbers(values).astype(np.float64)
    if name in (LOWER_BOUND, UPPER_BOUND):
        found = np.where(np.isnan(found), 0.0 if name == LOWER_BOUND else np.inf, found)
    return pa.array(found)
