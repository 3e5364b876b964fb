"""Statement numbers as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.ranges import format_ranges, parse_ranges


@pytest.mark.parametrize(
    ("numbers", "text"), [((), ""), ((1,), "1"), ((3, 4, 5, 7), "3-5,7"), ((2, 1), "1-2"), ((7, 7, 9), "7,9")]
)
def test_format(numbers: tuple[int, ...], text: str) -> None:
    assert format_ranges(numbers) == text


@given(st.sets(st.integers(1, 60)))
def test_what_is_formatted_is_parsed(numbers: set[int]) -> None:
    assert parse_ranges(format_ranges(numbers)) == tuple(sorted(numbers))
    assert parse_ranges(format_ranges(numbers), 60) == tuple(sorted(numbers))


def test_order_is_kept() -> None:
    assert parse_ranges(" 2 , 1 ") == (2, 1)


@pytest.mark.parametrize("text", ["0", "8", "2-9", "5-3", "a", "1,,2", "-1", "1-", " ", "1;", "\u0661", "1-" + "9" * 8])
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="statement"):
        parse_ranges(text, 7)
