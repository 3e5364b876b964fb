"""Statement numbers as text, in arguments and records: `3-5,7`."""

from __future__ import annotations

import re
from collections.abc import Iterable

_RANGE = re.compile(r"\s*([0-9]{1,9})(?:\s*-\s*([0-9]{1,9}))?\s*")


def format_ranges(numbers: Iterable[int]) -> str:
    """The numbers in ascending order, each once; "" for none."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def parse_ranges(text: str, last: int | None = None) -> tuple[int, ...]:
    """The numbers in the order given; none for "".

    Args:
        text: numbers and ranges, separated by commas.
        last: the highest number that there is; None if it is not known.

    Raises:
        ValueError: the text has another form, or names a number that is not from 1 to `last`.
    """
    numbers: list[int] = []
    for part in text.split(",") if text else ():
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"{text!r} names no statements")
        low, high = int(match[1]), int(match[2] or match[1])
        if not 1 <= low <= high or (last is not None and high > last):
            raise ValueError(f"there is no statement {part.strip()}")
        numbers.extend(range(low, high + 1))
    return tuple(numbers)
