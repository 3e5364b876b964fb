"""Numbers that an estimator cannot take as they are: infinite or too large ones, and integers that it rounds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import numpy.typing as npt

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

    def note(self, column: str, values: Sequence[Any], numbers: npt.NDArray[np.float64]) -> None:
        """Look at a column's values and at the numbers (rows x width) that they became."""
        size = np.abs(numbers)
        largest = np.fmax.reduce(size, axis=None, initial=0.0)  # of what is not NaN
        if largest <= self._whole:
            return
        beyond = size > LARGEST
        if beyond.any():
            self._first.setdefault(column, float(numbers[beyond][0]))
            self._beyond[column] = self._beyond.get(column, 0) + int(beyond.any(axis=1).sum())
        rounded = self._rounded(values, numbers, size)
        if rounded:
            self.rounded[column] = self.rounded.get(column, 0) + rounded

    def _rounded(self, values: Sequence[Any], numbers: npt.NDArray[np.float64], size: npt.NDArray[np.float64]) -> int:
        large = (size > self._whole) & (size <= LARGEST)
        if self._dtype == np.float32:
            kept = numbers[large].astype(np.float32).astype(np.float64)
            large[large] = np.abs(kept - numbers[large]) >= 0.5
            return int(large.any(axis=1).sum())
        if numbers.shape[1] > 1:
            return 0
        found = np.flatnonzero(large[:, 0]).tolist()
        return sum(_differs(values[row], float(numbers[row, 0])) for row in found)

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


def _differs(value: Any, number: float) -> bool:
    """True if an integer lost digits; a value that is a float already has none to lose."""
    if isinstance(value, float):
        return False
    try:
        exact = Decimal(value) if isinstance(value, int | Decimal) else Decimal(str(value))
    except InvalidOperation:
        return False
    return exact != Decimal(number)
