"""The statements that a step's arguments select."""

from __future__ import annotations

from sqlflow_codegen.ranges import parse_ranges

from sqlflow_runtime.errors import RunError


def parse_selection(text: str, count: int) -> tuple[int, ...]:
    """Numbers named by `text` (`3-5,7`), in the order given.

    Raises:
        RunError: it is malformed, or names a statement that a program of `count` statements does not have.
    """
    try:
        if not text:
            raise ValueError("'' names no statements")
        return parse_ranges(text, count)
    except ValueError as error:
        raise RunError("usage", str(error), f"Write numbers and ranges from 1 to {count}: 3-5,7.") from error
