"""How many random examples tests try: SQLFLOW_EXAMPLES, which `make properties` raises."""

from __future__ import annotations

import os
import random

USUAL = 100
EXAMPLES = int(os.environ.get("SQLFLOW_EXAMPLES", USUAL))
"""Examples of one property."""

LONG = EXAMPLES > USUAL
"""True in a long run, which tries examples that no run has tried before."""

SEED = random.SystemRandom().randrange(1 << 32) if LONG else 0
"""Where random programs begin. What fails names its program, and its seed where that helps."""


def chance(name: str) -> random.Random:
    """The random choices of that test: the same every time, but in a long run."""
    return random.Random(f"{name} {SEED}")


def scaled(usual: int) -> int:
    """A number of cases that grows with the number of examples."""
    return max(usual * EXAMPLES // USUAL, 1)
