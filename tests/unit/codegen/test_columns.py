"""The COLUMN clause and its functions."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import ColumnCall, ColumnName, ColumnStar


def one(program: str, dialect: str = "postgres") -> Any:
    (statement,) = parse_program(program, dialect)
    return statement


def columns(clause: str) -> Any:
    return one(f"SELECT 1 TO TRAIN image/Own COLUMN {clause} INTO m").columns


def codes(program: str, dialect: str = "postgres") -> list[str]:
    """Codes of the errors."""
    with pytest.raises(ProgramError) as caught:
        parse_program(program, dialect)
    return [one.code for one in caught.value.diagnostics if one.severity == "error"]


def test_columns() -> None:
    (clause,) = columns('a, "b c", *, BUCKET(DENSE(d, 3, COMMA), [-1, 2.5]), `e.*`')
    assert clause.target == "feature_columns"
    first, second, star, bucket, pattern = clause.columns
    assert isinstance(first, ColumnName)
    assert (first.text, first.quoted) == ("a", False)
    assert (second.text, second.quoted) == ("b c", True)
    assert isinstance(star, ColumnStar)
    assert isinstance(bucket, ColumnCall)
    assert bucket.args[1] == (-1, 2.5)
    assert bucket.args[0].args[1:] == (3, ",")
    assert pattern.text == "e.*"


def test_several_targets() -> None:
    first, second = columns("a, b FOR linear_feature_columns COLUMN c FOR dnn_feature_columns")
    assert (first.target, second.target) == ("linear_feature_columns", "dnn_feature_columns")
    assert [column.text for column in second.columns] == ["c"]


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("DENSE(a)", ("a",)),
        ("dense(a, none)", ("a", "none")),
        ("SPARSE(a, [4, 5], ',', int64, ':', float32)", ("a", (4, 5), ",", "int", ":", "float")),
        ("CATEGORY_ID(a, 10)", ("a", 10)),
        ("CATEGORY_ID('a.*', 10)", ("a.*", 10)),
        ("CATEGORY_HASH(SPARSE(a), 10, x)", ("SPARSE", 10, "x")),
        ("SEQ_CATEGORY_ID(a, 10)", ("a", 10)),
        ("CROSS([a, 'b', BUCKET(c, [1])], 10)", (("a", "b", "BUCKET"), 10)),
        ("WEIGHTED_CATEGORY(CATEGORY_HASH(SPARSE(a,10,',','int',':','float'),10))", ("CATEGORY_HASH",)),
        ("EMBEDDING(CROSS([a, b], 10), 128, 'sum')", ("CROSS", 128, "sum")),
        ('EMBEDDING(a, 8, MEAN, "normal")', ("a", 8, "mean", "normal")),
        ("INDICATOR(CATEGORY_ID(a, 3))", ("CATEGORY_ID",)),
        ("INDICATOR(a)", ("a",)),
    ],
)
def test_column_functions(text: str, args: tuple[object, ...]) -> None:
    def plain(argument: object) -> object:
        if isinstance(argument, tuple):
            return tuple(map(plain, argument))
        return argument.text if isinstance(argument, ColumnName) else getattr(argument, "name", argument)

    (clause,) = columns(text)
    assert plain(clause.columns[0].args) == args


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("NUMERIC(a)", "unknown-function"),
        ("BUCKTE(a, [1])", "unknown-function"),
        ("DENSE()", "wrong-arguments"),
        ("DENSE(1)", "wrong-arguments"),
        ("DENSE(a, 0)", "wrong-arguments"),
        ("DENSE(a, [1, 'x'])", "wrong-arguments"),
        ("DENSE(a, 1, ',', text)", "wrong-arguments"),
        ("DENSE(a, 1, ',', 'float', ':')", "wrong-arguments"),
        ("DENSE(a, 1, ',', 'int', ':', 'float', 1)", "wrong-arguments"),
        ("BUCKET(a)", "wrong-arguments"),
        ("BUCKET(a, 1)", "wrong-arguments"),
        ("BUCKET(a, [2, 1])", "wrong-arguments"),
        ("BUCKET(a, [])", "wrong-arguments"),
        ("BUCKET(SPARSE(a), [1])", "wrong-arguments"),
        ("CROSS([a], 10)", "wrong-arguments"),
        ("CROSS(a, 10)", "syntax-error"),
        ("CATEGORY_ID(a)", "wrong-arguments"),
        ("CATEGORY_ID(a, 0)", "wrong-arguments"),
        ("WEIGHTED_CATEGORY(a)", "wrong-arguments"),
        ("EMBEDDING(a, 8, max)", "wrong-arguments"),
        ("INDICATOR(a, 3)", "wrong-arguments"),
        ("DENSE(a", "syntax-error"),
        ("a b", "syntax-error"),
        ("a,", "syntax-error"),
        ("INDICATOR(" * 100 + "a" + ")" * 100, "nesting-too-deep"),
    ],
)
def test_wrong_columns(text: str, code: str) -> None:
    assert codes(f"SELECT 1 TO TRAIN image/Own COLUMN {text} INTO m") == [code]
