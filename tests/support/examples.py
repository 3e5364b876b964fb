"""How many random examples tests try: SQLFLOW_EXAMPLES, which `make properties` raises."""

from __future__ import annotations

import os

USUAL = 100
EXAMPLES = int(os.environ.get("SQLFLOW_EXAMPLES", USUAL))
"""Examples of one property."""

LONG = EXAMPLES > USUAL
"""True in a long run, which tries examples that no run has tried before."""


def scaled(usual: int) -> int:
    """A number of cases that grows with the number of examples."""
    return max(usual * EXAMPLES // USUAL, 1)
