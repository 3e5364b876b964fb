"""Did-you-mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.language.suggest import closest, did_you_mean, distance


@pytest.mark.parametrize(
    ("left", "right", "edits"),
    [("", "", 0), ("a", "", 1), ("label", "lable", 1), ("train", "trian", 1), ("with", "wiht", 1), ("abc", "xyz", 3)],
)
def test_distance(left: str, right: str, edits: int) -> None:
    assert distance(left, right, 5) == edits


def test_more_than_the_limit() -> None:
    assert distance("abc", "xyz", 2) == 3
    assert distance("a" * 1000, "b" * 1000, 2) == 3


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_distance_is_symmetric_and_at_most_the_longer_word(left: str, right: str) -> None:
    edits = distance(left, right, 20)
    assert edits == distance(right, left, 20)
    assert abs(len(left) - len(right)) <= edits <= max(len(left), len(right))
    assert (edits == 0) == (left == right)


def test_closest() -> None:
    assert closest("LABLE", ["LABEL", "COLUMN"]) == "LABEL"
    assert closest("max_dept", ["max_depth", "max_bin"]) == "max_depth"
    assert closest("xy", ["zz", "aa"]) is None
    assert closest("a", ["b"]) is None
    assert did_you_mean("lable", ["LABEL"]) == "Did you mean `LABEL`?"
    assert did_you_mean("nonsense", ["LABEL"]) == ""
