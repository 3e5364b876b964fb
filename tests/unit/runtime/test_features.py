"""Features: what a COLUMN clause makes of columns, and what each feature makes of values."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import TrainStatement
from sqlflow_runtime.databases.arrow_rows import array_of
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.column_clause import plan_features
from sqlflow_runtime.ml.features import (
    Bucket,
    CategoryHash,
    CategoryId,
    Dense,
    Feature,
    Indicator,
    Numeric,
    dump_feature,
    load_feature,
)

COLUMNS = (
    Column("petal_length", "float", "float"),
    Column("petal_width", "float", "float"),
    Column("colour", "text", "string"),
    Column("day", "date", "date"),
    Column("class", "int", "int"),
)
NAN = float("nan")


def planned(clause: str, columns: tuple[Column, ...] = COLUMNS[:2]) -> tuple[Feature, ...]:
    text = f"SELECT 1 TO TRAIN xgboost.gbtree WITH eta=0.1 COLUMN {clause} LABEL class INTO m"
    (statement,) = parse_program(text)
    assert isinstance(statement, TrainStatement)
    return plan_features((*columns, COLUMNS[-1]), statement.columns, COLUMNS[-1])


@pytest.mark.parametrize(
    ("clause", "first"),
    [
        ("petal_length", Numeric("petal_length")),
        ("PETAL_LENGTH", Numeric("petal_length")),
        ("*", Numeric("petal_length")),
        ('"petal_.*"', Numeric("petal_length")),
        ("DENSE(petal_length)", Numeric("petal_length")),
        ("DENSE(petal_length, 4, COMMA)", Dense("petal_length", 4, ",")),
        ('DENSE(petal_length, [3], ";")', Dense("petal_length", 3, ";")),
        ("BUCKET(petal_length, [1, 2])", Bucket("petal_length", (1.0, 2.0))),
        ("CATEGORY_ID(petal_length, 7)", CategoryId("petal_length", 7)),
        ("CATEGORY_HASH(petal_length, 7)", CategoryHash("petal_length", 7)),
        ("INDICATOR(CATEGORY_ID(petal_length, 7))", Indicator(CategoryId("petal_length", 7))),
    ],
)
def test_column_clauses(clause: str, first: Feature) -> None:
    assert planned(clause) == (first, Numeric("petal_width"))


def test_columns_keep_the_order_of_the_select() -> None:
    assert planned("BUCKET(petal_width, [1]), petal_length") == (Numeric("petal_length"), Bucket("petal_width", (1.0,)))


def test_a_text_column_needs_a_meaning() -> None:
    assert planned("CATEGORY_HASH(colour, 5)", COLUMNS[:3])[2] == CategoryHash("colour", 5)
    with pytest.raises(RunError, match="column colour is of type text") as caught:
        planned("petal_length", COLUMNS[:3])
    assert "CATEGORY_HASH(colour, 100)" in caught.value.hint


def test_a_date_is_no_number() -> None:
    with pytest.raises(RunError, match="column day is of type date") as caught:
        planned("petal_length", (COLUMNS[0], COLUMNS[3]))
    assert "EXTRACT(EPOCH FROM day)" in caught.value.hint


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        ("petal", "petal is not a column"),
        ('"x.*"', "x.* is not a column"),
        ("BUCKET(nope, [1])", "nope is not a column"),
    ],
)
def test_what_is_wrong_with_a_clause(clause: str, words: str) -> None:
    with pytest.raises(RunError) as caught:
        planned(clause)
    assert words in caught.value.message
    assert caught.value.place is not None


def sha(text: str, size: int) -> int:
    return int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16) % size


@pytest.mark.parametrize(
    ("feature", "values", "matrix"),
    [
        (Numeric("a"), [1, None, "2.5", True], [[1], [NAN], [2.5], [1]]),
        (Dense("a", 2), ["1,2", " 3 , 4 ,", None], [[1, 2], [3, 4], [NAN, NAN]]),
        (Bucket("a", (1.0, 2.0)), [0, 1, 1.5, 2, 9, None], [[0], [1], [1], [2], [2], [NAN]]),
        (CategoryId("a", 3), [0, 2, None], [[0], [2], [NAN]]),
        (CategoryHash("a", 10), ["x", "é", None], [[sha("x", 10)], [sha("é", 10)], [NAN]]),
        (Indicator(CategoryId("a", 3)), [0, 2, None], [[1, 0, 0], [0, 0, 1], [0, 0, 0]]),
        (Indicator(Bucket("a", (1.0,))), [0, 5], [[1, 0], [0, 1]]),
    ],
)
def test_values_become_numbers(feature: Feature, values: list[Any], matrix: list[list[float]]) -> None:
    found = feature.transform([array_of(values)])
    assert found.shape == (len(values), feature.width)
    np.testing.assert_array_equal(found, np.array(matrix, dtype=float))
    assert load_feature(dump_feature(feature)) == feature


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        (Numeric("a"), "x", "'x', which is not a number"),
        (Dense("a", 2), "1,2,3", "3 numbers where DENSE says 2"),
        (Dense("a", 2), "1,x", "not a number"),
        (CategoryId("a", 3), 3, "no category from 0 to 2"),
        (CategoryId("a", 3), 0.5, "no category"),
        (Bucket("a", (1.0,)), "x", "not a number"),
    ],
)
def test_values_that_do_not_fit(feature: Feature, value: Any, words: str) -> None:
    with pytest.raises(RunError, match=words) as caught:
        feature.transform([array_of([value])])
    assert caught.value.kind == "data"
    assert "column a" in caught.value.message
