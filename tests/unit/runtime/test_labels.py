"""Labels as Arrow arrays: their kinds, classes and numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.labels import Label, LabelChecks, classes_of, label_kind

BIG = 18446744073709551615


@pytest.mark.parametrize(
    ("kind", "array", "classes"),
    [
        ("int", pa.array([3, 1, 3], pa.int16()), [1, 3]),
        ("int", pa.array([3, BIG, 3], pa.uint64()), [3, BIG]),
        ("int", pa.array([3, 1, 3], pa.uint64()), [1, 3]),
        ("int", pa.array(["170141183460469231731687303715884105727", "-1"]), [-1, 2**127 - 1]),
        ("int", pa.array([2.0, 1.0]), [1, 2]),
        ("int", pa.array([Decimal(2), Decimal(1)]), [1, 2]),
        ("float", pa.array(["1.10", "-0.0", "0.0"]), [0.0, 1.1]),
        ("float", pa.array([Decimal("1.10"), Decimal("2.00")]), [1.1, 2.0]),
        ("bool", pa.array([True, False]), [False, True]),
        ("bool", pa.array([0, 1]), [False, True]),
        ("string", pa.array(["b", "a", "é"]), ["a", "b", "é"]),
        ("string", pa.array([2, 10]), ["10", "2"]),
    ],
)
def test_classes(kind: str, array: pa.Array, classes: list[Any]) -> None:
    label = Label("y", kind)
    values = label.values(array)
    found = classes_of(label, values)
    assert list(found.classes) == classes
    numbers = found.encode(values)
    assert numbers.dtype == np.int64
    assert found.decode(numbers) == [classes[number] for number in numbers]
    assert set(numbers) == set(range(len(classes)))
    assert label.values(array.slice(0, 1)).type == values.type  # one type in all batches


def test_a_value_that_is_no_class() -> None:
    assert Label("y", "int", (1, BIG)).encode(pa.array([1, 2, None])).tolist() == [0, -1, -1]
    assert Label("y", "string", ("a", "b")).encode(pa.array(["c", "b"])).tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("kind", "array"), [("int", pa.array([1.5])), ("int", pa.array(["x"])), ("float", pa.array(["x"]))]
)
def test_values_of_another_type(kind: str, array: pa.Array) -> None:
    with pytest.raises(RunError, match="not of the type"):
        Label("y", kind).values(array)


@pytest.mark.parametrize(
    ("kind", "types", "found"),
    [
        ("int", [], "int"),
        ("decimal", [pa.string()], "float"),
        ("date", [pa.string()], "string"),
        ("", [pa.int64(), pa.null()], "int"),
        ("", [pa.int64(), pa.float64()], "float"),
        ("", [pa.int64(), pa.string()], "string"),
    ],
)
def test_kinds(kind: str, types: list[pa.DataType], found: str) -> None:
    assert label_kind(Column("y", "", kind), types) == found


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("int", [1, None, 3], "NULL in 1 of 5 rows"),
        ("float", [1.0, float("nan")], "NaN (not a number) in 1 of 4 rows"),
        ("decimal", ["1.5", "NaN", "NaN"], "NaN (not a number) in 2 of 5 rows"),
        ("float", [1.0, float("inf"), float("-inf")], "infinite in 2 of 5 rows"),
        ("string", ["NaN", "inf"], ""),
    ],
)
def test_labels_from_which_nothing_can_be_learned(kind: str, values: list[Any], words: str) -> None:
    checks = LabelChecks(Column("y", "", kind))
    good = {"int": 1, "float": 1.0, "decimal": "1", "string": "a"}[kind]
    for batch in ([good], values, [good]):
        checks.note(pa.array(batch))
    if not words:
        checks.check()
        return
    with pytest.raises(RunError) as caught:
        checks.check()
    assert caught.value.message == f"the label y is {words}"
