"""The one place of the tests where time passes: waiting until a condition holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(
    condition: Callable[[], T],
    what: str,
    seconds: float = 30,
    *,
    every: float = 0.02,
    ignoring: tuple[type[Exception], ...] = (),
    seen: Callable[[], object] | None = None,
) -> T:
    """Poll a condition until it is true.

    Args:
        condition: what is polled.
        what: the awaited condition in words, for the failure.
        seconds: the time-out.
        every: seconds between two calls.
        ignoring: exceptions of the condition that count as false.
        seen: describes the state for the failure; by default the last value of the condition.

    Returns:
        The first true value.

    Raises:
        AssertionError: the condition did not become true in time.
    """
    deadline = time.monotonic() + seconds  # noqa: TID251
    while True:
        last: object
        try:
            value = condition()
        except ignoring as error:
            last = error
        else:
            if value:
                return value
            last = value
        if time.monotonic() > deadline:  # noqa: TID251
            raise AssertionError(f"not within {seconds:g} s: {what}; seen: {seen() if seen else last!r}")
        time.sleep(every)  # noqa: TID251
