"""The learning curve of a training: what was measured after each iteration, of bounded length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

POINTS_LIMIT = 1000
"""Points of a curve that is stored."""
ITERATION = "iteration"
"""The name of the list of iterations, beside those of the metrics."""
_METRICS_LIMIT = 100

Curve = Mapping[str, Sequence[int | float | None]]
"""`iteration`, ascending from 1, and for each metric its values, None where it has none. Lists of one length."""


class CurveRecorder:
    """Collects a curve. A long one keeps every second, then every fourth iteration, and so on, and the last."""

    def __init__(self) -> None:
        self._points: list[tuple[int, dict[str, float]]] = []
        self._last: tuple[int, dict[str, float]] | None = None
        self._every = 1

    def add(self, iteration: int, values: Mapping[str, float]) -> None:
        """Note what was measured after an iteration; iterations ascend."""
        point = (iteration, {name: float(value) for name, value in values.items() if math.isfinite(value)})
        self._last = point
        if (iteration - 1) % self._every == 0:
            self._points.append(point)
        if len(self._points) >= POINTS_LIMIT:
            self._every *= 2
            self._points = [one for one in self._points if (one[0] - 1) % self._every == 0]

    def curve(self) -> dict[str, list[int | float | None]]:
        """The curve; empty if nothing was measured."""
        points = list(self._points)
        if self._last is not None and (not points or points[-1] is not self._last):
            points.append(self._last)
        names = list(dict.fromkeys(name for _, values in points for name in values))[:_METRICS_LIMIT]
        if not names:
            return {}
        found: dict[str, list[int | float | None]] = {ITERATION: [iteration for iteration, _ in points]}
        return found | {name: [values.get(name) for _, values in points] for name in names}


def check_curve(data: Any) -> dict[str, list[int | float | None]]:
    """Return a curve that was stored.

    Raises:
        ValueError: it is none; says why.
    """
    if not isinstance(data, dict) or len(data) > _METRICS_LIMIT + 1:
        raise ValueError(f"its curve is {data!r:.80}")
    if not data:
        return {}
    iterations = data.get(ITERATION)
    if not isinstance(iterations, list) or not 0 < len(iterations) <= POINTS_LIMIT:
        raise ValueError(f"its curve has the iterations {iterations!r:.80}")
    if not all(type(one) is int for one in iterations) or sorted(set(iterations)) != iterations:
        raise ValueError("the iterations of its curve do not ascend")
    for name, values in data.items():
        if not isinstance(values, list) or len(values) != len(iterations) or not all(map(_is_value, values)):
            raise ValueError(f"its curve of {name!r:.80} is not as it should be")
    return data


def _is_value(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and math.isfinite(value))
