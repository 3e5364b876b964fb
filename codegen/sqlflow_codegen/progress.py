"""The progress of a training: one record, and its words for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

VALUES_LIMIT = 16
"""Values that one record carries."""
_SHOWN = 3
_NAME_LIMIT = 40
"""Characters of a value's name."""
_UNITS = ("round", "epoch")


@dataclass(frozen=True, slots=True)
class StepProgress:
    """The progress of a training.

    Attributes:
        statement: number of the TRAIN statement.
        iteration: rounds or epochs that are done, from 1.
        total: rounds or epochs there will be at most; 0 if that is not known.
        unit: `round` or `epoch`.
        values: what was measured after that iteration, such as `train-merror`.
    """

    statement: int
    iteration: int
    total: int
    unit: str
    values: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, statement: int, iteration: int, total: int, values: Mapping[str, float], unit: str) -> Self:
        """The progress without values that no record can carry: NaN, infinities, more than `VALUES_LIMIT`."""
        numbers = {str(name)[:_NAME_LIMIT]: float(value) for name, value in values.items() if math.isfinite(value)}
        kept = dict(list(numbers.items())[:VALUES_LIMIT])
        return cls(statement, int(iteration), int(total), unit, kept)

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Self:
        """The progress in a record, or in an outcome.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is none.
        """
        if record["unit"] not in _UNITS:
            raise ValueError(f"not a unit: {str(record['unit'])[:40]}")
        values = {str(name): float(value) for name, value in record["values"].items()}
        number, iteration, total = (int(record[name]) for name in ("statement", "iteration", "total"))
        return cls.of(number, iteration, total, values, record["unit"])

    @property
    def words(self) -> str:
        """One short line: `round 37/100 train-merror 0.012`."""
        of = f"/{self.total}" if self.total else ""
        shown = [f"{name} {value:.4g}" for name, value in list(self.values.items())[:_SHOWN]]
        return " ".join([f"{self.unit} {self.iteration}{of}", *shown])
