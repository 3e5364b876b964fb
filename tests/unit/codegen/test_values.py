"""Values of WITH clauses and names."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import parse_program


def one(program: str, dialect: str = "postgres") -> Any:
    (statement,) = parse_program(program, dialect)
    return statement


def attributes(clause: str, dialect: str = "postgres") -> dict[str, Any]:
    statement = one(f"SELECT 1 TO TRAIN image/Own WITH {clause} INTO m", dialect)
    return {attribute.name: attribute.value for attribute in statement.attributes}


def codes(program: str, dialect: str = "postgres") -> list[str]:
    """Codes of the errors."""
    with pytest.raises(ProgramError) as caught:
        parse_program(program, dialect)
    return [one.code for one in caught.value.diagnostics if one.severity == "error"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("+2", 2),
        ("1.5", 1.5),
        (".5", 0.5),
        ("0.", 0.0),
        ("-1e-3", -0.001),
        ("2E5", 200000.0),
        ("true", True),
        ("FALSE", False),
        ("word", "word"),
        ("reg:squarederror", "reg:squarederror"),
        ("none", "none"),
        ("'1'", "1"),
        ('"multi:softmax"', "multi:softmax"),
        ("'it''s'", "it's"),
        ('"it\'s"', "it's"),
        ('"say ""hi"""', 'say "hi"'),
        (r"'C:\new'", r"C:\new"),
        (r"E'a\tb\'c\\\u00e9\x41\101'", "a\tb'c\\éAA"),
        ("$$it's$$", "it's"),
        ("$q$a$$b$q$", "a$$b"),
        ("[]", ()),
        ("[1, -2.5, 'a', b, true]", (1, -2.5, "a", "b", True)),
        ("[[1, 2], [3,],]", ((1, 2), (3,))),
    ],
)
def test_values(text: str, value: object) -> None:
    (found,) = attributes(f"a = {text}").values()
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("dialect", "text", "value"),
    [
        ("mysql", r"'it\'s'", "it's"),
        ("mysql", r"'a\nb\t\\\"\0\Z\%\_\x'", 'a\nb\t\\"0\x1a\\%\\_x'),
        ("mysql", "'it''s'", "it's"),
        ("mysql", r'"say \"hi\" ""x"""', 'say "hi" "x"'),
        ("hive", r"'caf\u00e9 \101'", "café A"),
        ("spark", r"r'a\nb'", r"a\nb"),
        ("spark", r"'\U0001F600'", "😀"),
        ("bigquery", r"'a\x41\u00e9\a'", "aAé\a"),
        ("bigquery", r"r'a\nb'", r"a\nb"),
        ("bigquery", "'''it's\nlong'''", "it's\nlong"),
        ("snowflake", r"'it\'s \x41'", "it's A"),
        ("snowflake", "$$it's$$", "it's"),
        ("trino", "'it''s \\n'", "it's \\n"),
        ("sqlite", "'it''s'", "it's"),
        ("duckdb", r"e'\n'", "\n"),
    ],
)
def test_strings_are_decoded_by_the_dialect(dialect: str, text: str, value: str) -> None:
    assert attributes(f"a = {text}", dialect) == {"a": value}


@pytest.mark.parametrize(
    ("clause", "code"),
    [
        ("a", "syntax-error"),
        ("a =", "syntax-error"),
        ("a = , b = 1", "syntax-error"),
        ("a = 1, ", "syntax-error"),
        ("= 1", "syntax-error"),
        ("a = [1, 2", "syntax-error"),
        ("a = [1 2]", "syntax-error"),
        ("a = f(1)", "syntax-error"),
        ("a = (1)", "syntax-error"),
        ("a = 1 + 2", "syntax-error"),
        ("a = 1x", "malformed-number"),
        ("a = 1.2.3", "malformed-number"),
        ("a = 1e999", "number-out-of-range"),
        ("a = " + "9" * 100, "number-out-of-range"),
        (r"a = E'\ud800'", "invalid-escape"),
        ("a = 1, a = 2", "duplicate-attribute"),
        ("a = " + "[" * 100 + "]" * 100, "nesting-too-deep"),
    ],
)
def test_wrong_values(clause: str, code: str) -> None:
    assert codes(f"SELECT 1 TO TRAIN image/Own WITH {clause} INTO m") == [code]


@pytest.mark.parametrize(
    ("dialect", "written", "text"),
    [
        ("postgres", "class", "class"),
        ("postgres", '"class"', "class"),
        ("postgres", "'class'", "class"),
        ("postgres", '"my ""own"" class"', 'my "own" class'),
        ("mysql", "`my class`", "my class"),
        ("postgres", "`my class`", "my class"),
        ("postgres", "_x", "_x"),
        ("postgres", "été", "été"),
        ("postgres", "label", "label"),
        ("postgres", "into", "into"),
        ("postgres", "select", "select"),
    ],
)
def test_label_names(dialect: str, written: str, text: str) -> None:
    statement = one(f"SELECT 1 TO TRAIN image/Own LABEL {written} INTO m", dialect)
    assert statement.label.text == text
    assert statement.into.text == "m"


def test_quoted_tables_keep_their_quotes() -> None:
    statement = one('SELECT 1 TO PREDICT "My Db"."my.table"."the class" USING m')
    assert statement.into.text == '"My Db"."my.table"."the class"'
    assert (statement.result_table, statement.result_column) == ('"My Db"."my.table"', "the class")
    assert statement.into.parts == ("My Db", "my.table", "the class")
