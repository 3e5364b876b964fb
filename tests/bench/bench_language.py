"""How the time of parsing grows with the size of a text that is one piece over and over: linear is a growth of 1.

Run it with `make bench`, or `python tests/bench/bench_language.py`. Nothing is asserted: clocks differ, ratios are for
people. Target: the time per byte of a text of 32 KiB at most 1.5 times that of one of 4 KiB; were parsing quadratic, it
would be 8 times.
"""

from __future__ import annotations

import contextlib
import random
import sys
import time
from pathlib import Path

from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import parse_program

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.properties.test_fuzz import PILES, SUSPECTS

SMALL, LARGE = 1 << 12, 1 << 15
ROUNDS = 3
COUNT = 60
WORST = 5


def seconds(text: str, dialect: str) -> float:
    """CPU seconds of parsing, at best."""
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        with contextlib.suppress(ProgramError):
            parse_program(text, dialect)
        times.append(time.process_time() - begin)
    return min(times)


def growth(start: str, piece: str, dialect: str) -> float:
    """How much longer a byte of the large text takes than one of the small text."""
    small, large = (seconds(start + piece * (size // len(piece)), dialect) for size in (SMALL, LARGE))
    return large / max(small, 0.00025) * SMALL / LARGE


def main() -> None:
    """Print the piles whose time grows fastest."""
    for dialect in ("postgres", "mysql", "snowflake"):
        piles = [*SUSPECTS, *random.Random(dialect).sample(PILES, COUNT)]
        grown = sorted(((growth(start, piece, dialect), start, piece) for start, piece in piles), reverse=True)
        print(f"\n{dialect}: {len(piles)} piles, the {WORST} that grow fastest (target <= 1.5)")
        for ratio, start, piece in grown[:WORST]:
            print(f"{ratio:6.2f}x  {start + piece!r}")


if __name__ == "__main__":
    main()
