"""What is said about a wrong program: each error once, with its place and what to do."""

from __future__ import annotations

import pytest
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import parse_program


def problems(program: str) -> list[tuple[str, str, str]]:
    """Code, place and hint of each error."""
    with pytest.raises(ProgramError) as caught:
        parse_program(program)
    return [(d.code, f"{d.line}:{d.column}", d.hint) for d in caught.value.diagnostics if d.severity == "error"]


@pytest.mark.parametrize(
    ("program", "code", "place", "hint"),
    [
        ("SELECT 1 TO TRIAN m INTO x", "misspelled-keyword", "1:13", "Did you mean `TO TRAIN`?"),
        ("SELECT 1 TO predcit a.b USING m", "misspelled-keyword", "1:13", "Did you mean `TO PREDICT`?"),
        ("SELECT 1 TO TRAIN i/o LABLE y INTO x", "misspelled-keyword", "1:23", "Did you mean `LABEL`?"),
        ("SELECT 1 TO TRAIN i/o WTIH a=1 INTO x", "misspelled-keyword", "1:23", "Did you mean `WITH`?"),
        ("SELECT 1 TO TRAIN i/o WITH a=1 COLUM b INTO x", "misspelled-keyword", "1:32", "Did you mean `COLUMN`?"),
        ("SELECT 1 TO TRAIN i/o INTO m LABEL y", "clause-order", "1:30", "The order is TO TRAIN"),
        ("SELECT 1 TO TRAIN i/o LABEL y WITH a=1 INTO m", "clause-order", "1:31", "The order is TO TRAIN"),
        ("SELECT 1 TO PREDICT a.b USING m WITH c=1", "clause-order", "1:33", "The order is TO PREDICT"),
        ("SELECT 1 TO TRAIN i/o LABEL y", "missing-clause", "1:30", "Write TO TRAIN"),
        ("SELECT 1 TO PREDICT a.b", "missing-clause", "1:24", "Write TO PREDICT"),
        ("SELECT 1 TO EVALUATE m INTO t", "missing-clause", "1:30", "Write TO EVALUATE"),
        ("SELECT 1 TO TRAIN i/o INTO m INTO n", "duplicate-clause", "1:30", "The first one is at 1:23"),
        ("SELECT 1 TO PREDICT a.b LABEL y USING m", "unexpected-clause", "1:25", "Write TO PREDICT"),
        ("SELECT 1 TO EXPLAIN m FOR x", "syntax-error", "1:23", "Write TO EXPLAIN"),
        ("SELECT 1 TO TRAIN i/o WITH a=1 FOR x INTO m", "unexpected-clause", "1:32", "Write TO TRAIN"),
        ("SELECT 1 TO TRAIN INTO m", "syntax-error", "1:19", "Write TO TRAIN"),
        ("SELECT 1 TO TRAIN", "syntax-error", "1:18", "Write TO TRAIN"),
        ("SELECT 1 TO TRAIN i/o LABEL INTO m", "syntax-error", "1:29", "Write LABEL column."),
        ("SELECT 1 TO TRAIN i/o INTO", "syntax-error", "1:27", "Write INTO model."),
        ("SELECT 1 TO TRAIN i/o INTO m;\nTO TRAIN i/o INTO m", "missing-select", "2:1", "Write SELECT"),
        ("SELECT (1 FROM t TO TRAIN i/o INTO m", "unclosed-parenthesis", "1:8", "Close it before the TO at 1:18."),
        ("SELECT 1 TO PREDICT a USING m", "invalid-target", "1:21", "Write TO PREDICT table.column"),
        ("SELECT 1 TO RUN a/b INTO t", "missing-clause", "1:26", "Write TO RUN"),
        ("SELECT 1 TO RUN a/b CMD x", "syntax-error", "1:25", "Put the program"),
        ("SELECT 1 TO TRAIN@x", "syntax-error", "1:18", "Write TO TRAIN"),
        ("SHOW TRAIN-x", "syntax-error", "1:11", ""),
        ("SELECT 1 TO TRAIN i/o WITH a=1 b=2 INTO m", "syntax-error", "1:32", "Put a comma between attributes."),
        ("SELECT 1 TO TRAIN i/o COLUMN a b INTO m", "syntax-error", "1:32", "Put a comma between columns."),
        ("SELECT 1 TO TRAIN i/o WITH a=“x” INTO m", "syntax-error", "1:30", "Use straight quotes"),
        ("SELECT 1 TO FIT i/o LABEL y INTO m", "syntax-error", "1:13", "Statements are TO TRAIN, PREDICT"),
        ("SHOW TRAIN a b", "syntax-error", "1:14", "Write SHOW TRAIN model."),
        (
            "SELECT 1 TO TRAIN i/o INTO m TO TRAIN i/o INTO m",
            "syntax-error",
            "1:30",
            "End the statement before it with `;`.",
        ),
        ("SELECT 1 TO TRAIN i/o INTO m SELECT 2", "syntax-error", "1:30", "End the statement before it with `;`."),
        ("SELECT 1 TO TRAIN i/o COLUMN a COLUMN b INTO m", "duplicate-clause", "1:32", "The first one is at 1:23"),
        ("SELECT 1 TO TRAIN i/o COLUMN a FOR x COLUMN b FOR x INTO m", "duplicate-clause", "1:38", "The first one"),
    ],
)
def test_one_error_with_place_and_hint(program: str, code: str, place: str, hint: str) -> None:
    (found, *others) = problems(program)
    assert others == []
    assert found[:2] == (code, place)
    assert hint in found[2]


def test_invisible_characters_are_named() -> None:
    with pytest.raises(ProgramError, match=r"found the invisible character U\+200B"):
        parse_program("SELECT 1 TO TRAIN i/o LABEL \u200by INTO m")


@pytest.mark.parametrize(
    ("program", "dialect"),
    [
        ("SELECT 1;\nDELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//", "mysql"),
        ("SELECT 1;\n\\d t\n", "postgres"),
        ("SELECT 1;\n.tables", "sqlite"),
    ],
)
def test_commands_of_shells(program: str, dialect: str) -> None:
    with pytest.raises(ProgramError) as caught:
        parse_program(program, dialect)
    first = caught.value.diagnostics[0]
    assert (first.code, first.statement, first.line, first.column) == ("client-command", 2, 2, 1)


def test_all_errors_of_a_program_at_once() -> None:
    program = (
        "SELECT 1 TO TRAIN xgboost.gbtree WITH max_dept=3, eta=2 LABLE y;\n"
        "SELECT 2;\n"
        "SELECT 3 TO PREDICT t WITH a = [1 2] USIN m;\n"
        "SELECT 4 TO EVALUATE m INTO t LABEL y"
    )
    with pytest.raises(ProgramError) as caught:
        parse_program(program)
    assert [(d.statement, d.line, d.column, d.code) for d in caught.value.diagnostics if d.severity == "error"] == [
        (1, 1, 39, "unknown-attribute"),
        (1, 1, 55, "attribute-out-of-range"),
        (1, 1, 57, "misspelled-keyword"),
        (1, 1, 64, "missing-clause"),
        (3, 3, 35, "syntax-error"),
        (3, 3, 38, "misspelled-keyword"),
        (4, 4, 31, "clause-order"),
    ]
