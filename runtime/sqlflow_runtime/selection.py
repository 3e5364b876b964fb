"""Statement numbers as the step's arguments name them: `3-5,7`."""

from __future__ import annotations

import re

from sqlflow_runtime.failures import RunError


def parse_selection(text: str, count: int) -> tuple[int, ...]:
    """Numbers named by `text`, in the order given.

    Raises:
        RunError: it is malformed, or names a statement that a program of `count` statements does not have.
    """
    numbers: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", part)
        if match is None:
            raise RunError("usage", f"{text!r} names no statements", "Write numbers and ranges: 3-5,7.")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= count:
            raise RunError("usage", f"there is no statement {part.strip()}", f"The program has {count} statements.")
        numbers.extend(range(first, last + 1))
    return tuple(numbers)
