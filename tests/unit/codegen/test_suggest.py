"""Did-you-mean."""

from __future__ import annotations

import pytest
from sqlflow_codegen.language.suggest import closest, did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("LABLE", ["LABEL", "COLUMN"], "LABEL"),
        ("wiht", ["WITH", "LABEL"], "WITH"),
        ("max_dept", ["max_depth", "max_bin"], "max_depth"),
        ("Petal_Lenght", ["sepal_width", "petal_length"], "petal_length"),
        ("M", ["m"], "m"),
        ("customer", ["customers", "custom"], "customers"),
        ("xy", ["zz", "aa"], None),
        ("a", ["b"], None),
        ("", ["a"], None),
        ("x", ["petal_length"], None),
        ("a", [], None),
        ("label" * 100_000, ["label"], None),
    ],
)
def test_closest(word: str, known: list[str], found: str | None) -> None:
    assert closest(word, known) == found


def test_did_you_mean() -> None:
    assert did_you_mean("lable", ["LABEL"]) == "Did you mean `LABEL`?"
    assert did_you_mean("nonsense", ["LABEL"]) == ""
