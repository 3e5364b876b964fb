"""The position of a long run, and about how long it still takes.

The seconds of each piece of work were measured on two quiet cores. They are scaled by this machine's cores, and, as
soon as a piece is done, by how long that one really took.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

REFERENCE_CORES = 2
USEFUL_CORES = 8
"""More cores do not make a build shorter: linking and the network set the pace."""


@dataclass(frozen=True, slots=True)
class Work:
    """One step of a long run.

    Attributes:
        title: the title under which the step is shown.
        seconds: that it took on two quiet cores.
    """

    title: str
    seconds: float


@dataclass(slots=True)
class Forecast:
    """The steps of one run, in order.

    Attributes:
        works: the steps.
        cores: of this machine.
    """

    works: Sequence[Work]
    cores: int = field(default_factory=lambda: os.cpu_count() or REFERENCE_CORES)
    _done: dict[str, float] = field(default_factory=dict)

    def number(self, title: str) -> str:
        """Position of a step, such as `[3/9]`; "" for one that is not in the plan."""
        titles = [work.title for work in self.works]
        return f"[{titles.index(title) + 1}/{len(titles)}]" if title in titles else ""

    def end(self, title: str, seconds: float) -> None:
        """Note that a step is done, and how long it took."""
        if self.number(title):
            self._done[title] = seconds

    def seconds_left(self) -> float:
        """Forecast of the seconds until all steps are done."""
        return sum(work.seconds for work in self.works if work.title not in self._done) * self._pace()

    def _pace(self) -> float:
        """Seconds here for a second of the reference."""
        expected = sum(work.seconds for work in self.works if work.title in self._done)
        guess = REFERENCE_CORES / min(max(self.cores, 1), USEFUL_CORES)
        # A minute of measured work counts as much as the guess from the number of cores.
        return (sum(self._done.values()) + 60 * guess) / (expected + 60)


def about(seconds: float) -> str:
    """A duration as a forecast may say it: `about 12 min`, `about 40 s`."""
    if seconds >= 90:
        return f"about {round(seconds / 60)} min"
    return f"about {max(10, round(seconds / 10) * 10)} s"
