"""Numbers that an estimator cannot take as they are: infinite or too large ones, and integers that it rounds."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.errors import RunError

LARGEST = float(np.finfo(np.float32).max)
"""XGBoost and scikit-learn's trees compute in this width; what is beyond it is infinite to them."""

_WHOLE = {np.dtype(np.float32): 2.0**24, np.dtype(np.float64): 2.0**53}
"""Up to here a float holds every integer."""


class Extremes:
    """Counts such numbers, column by column, batch by batch; `dtype` is what the estimator computes with."""

    def __init__(self, dtype: type[np.floating[Any]]) -> None:
        self._dtype = np.dtype(dtype)
        self._whole = _WHOLE[self._dtype]
        self._rows = 0
        self._first: dict[str, float] = {}
        self._beyond: dict[str, int] = {}
        self.rounded: dict[str, int] = {}
        """Columns with integers that are rounded, to the number of rows."""

    def begin(self, rows: int) -> None:
        """Call before the columns of a batch of so many rows."""
        self._rows += rows

    def note(self, column: str, array: pa.Array, numbers: npt.NDArray[Any]) -> None:
        """Look at a column's values and at the numbers (rows x width) that they became."""
        if not numbers.size:
            return
        # What is not NaN; two passes without a copy.
        largest = max(np.fmax.reduce(numbers, axis=None), -np.fmin.reduce(numbers, axis=None))
        if not largest > self._whole:
            return
        size = np.abs(numbers)
        beyond = size > LARGEST
        if beyond.any():
            self._first.setdefault(column, float(numbers[beyond][0]))
            self._beyond[column] = self._beyond.get(column, 0) + int(beyond.any(axis=1).sum())
        rounded = self._rounded(array, numbers, size)
        if rounded:
            self.rounded[column] = self.rounded.get(column, 0) + rounded

    def _rounded(self, array: pa.Array, numbers: npt.NDArray[Any], size: npt.NDArray[Any]) -> int:
        if pa.types.is_float32(array.type):  # rounded in the database already, if at all
            return 0
        large = (size > self._whole) & (size <= LARGEST)
        if self._dtype == np.float32:
            kept = numbers[large].astype(np.float32).astype(np.float64)
            large[large] = np.abs(kept - numbers[large]) >= 0.5
            return int(large.any(axis=1).sum())
        if numbers.shape[1] > 1 or pa.types.is_floating(array.type):  # a float has no digits to lose
            return 0
        found = np.flatnonzero(large[:, 0])
        exact = array.take(pa.array(found)).cast(pa.string()).to_pylist()
        return sum(_differs(value, float(numbers[row, 0])) for value, row in zip(exact, found.tolist(), strict=True))

    @property
    def found(self) -> bool:
        """True if there is a number that no model takes."""
        return bool(self._beyond)

    def check(self) -> None:
        """Refuse what no model takes.

        Raises:
            RunError: kind `data`; names the columns and how many rows of those seen so far hold such a number.
        """
        if not self._beyond:
            return
        found = ", ".join(
            f"{column} ({self._first[column]:g} and the like in {rows} of {self._rows} rows)"
            for column, rows in list(self._beyond.items())[:10]
        )
        name = next(iter(self._beyond))
        raise RunError(
            "data",
            f"infinite numbers, or numbers beyond ±{LARGEST:.2g}, are in {found}",
            f"Add WHERE abs({name}) < 1e38 to the SELECT, or select CASE WHEN abs({name}) < 1e38 THEN {name} END: "
            "that makes them NULL.",
        )


def _differs(value: str, number: float) -> bool:
    """True if an integer lost digits."""
    try:
        return Decimal(value) != Decimal(number)
    except InvalidOperation:
        return False
