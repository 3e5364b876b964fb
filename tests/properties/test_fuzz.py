"""No input breaks the language: only SQLFlow's errors or success. `make bench` looks at the time that it takes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import DIALECTS, parse_program
from sqlflow_codegen.language.diagnostics import format_diagnostics

from tests.support.examples import chance, scaled

AT_ONCE = 20
"""Programs of one example: each is cheap beside what hypothesis does around it."""
ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = [
    path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "tests" / "unit" / "codegen" / "programs").glob("*.sql"))
]

CHARACTERS = "abzTO019 \t\n\r'\"`$;()[]{},.=<>!-+*/\\#:@%_\x00\ufeff\u2028\x85\ud800\udfffé中😀"
WORDS = """
SELECT TO TRAIN PREDICT EXPLAIN EVALUATE MAXIMIZE MINIMIZE RUN SHOW CMD FOR GROUP WITH COLUMN LABEL USING
INTO CONSTRAINT BY CREATE FUNCTION TRIGGER PROCEDURE BEGIN ATOMIC CASE END IF LOOP DECLARE RULE NOT AND OR
xgboost.gbtree a m.x image/Own LABLE TRIAN true eta=0.3 1 -1.5e3 .5 0. 1x
' " ` $$ $a$ E' r' ''' \"\"\" /* */ /*! -- # // \\ \\' '' ; ;; ( ) [ ] , = <= <> * -
BUCKET( DENSE( CROSS([ EMBEDDING( SUM(
"""
PILED = """
( [ (( SELECT( /* INDICATOR( SUM( - a=[ a. a- a/ '; \\' $a$ $ '' " ` E' , ; 1. a+ (a+
"""
TOKENS = [*WORDS.split(), "\n", "\r\n", "\x00", "\ud800", "\ufeff", "😀", "9" * 80]
REPEATED = [*PILED.split(), "/* ", "CASE ", "BEGIN ", "BEGIN ATOMIC ", "NOT ", "TO ", "TO TRAIN ", "\r"]
REPEATED += ["COLUMN a ", "a=1 LABLE "]
STARTS = [
    "",
    "SELECT 1 TO TRAIN image/Own WITH a=",
    "SELECT 1 TO TRAIN image/Own WITH a=1 COLUMN ",
    "SELECT 1 TO TRAIN image/Own LABEL ",
    "SELECT 1 TO MAXIMIZE ",
    "SELECT 1 TO MAXIMIZE x CONSTRAINT ",
    "SELECT 1 TO RUN a/b CMD ",
    "CREATE FUNCTION f() BEGIN ATOMIC ",
    "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN ",
    "SHOW TRAIN ",
    "SELECT '",
]


def check(text: str, dialect: str) -> None:
    """Parse, and hold what is promised of whatever comes out."""
    try:
        program = parse_program(text, dialect)
    except ProgramError as error:
        check_error(text, error)
        return
    for number, statement in enumerate(program, 1):
        assert statement.number == number
        assert statement.text == text[statement.span.start : statement.span.end]
        assert statement.text == statement.text.strip()
        select = getattr(statement, "select", None)
        if select is not None:
            assert statement.text.startswith(select)


def check_error(text: str, error: ProgramError) -> None:
    """Its diagnostics name places of the program and can be shown."""
    assert any(one.severity == "error" for one in error.diagnostics)
    for one in error.diagnostics[:20]:
        assert min(one.line, one.column, one.statement + 1) >= 1
    assert format_diagnostics(text, error.diagnostics[:20]).count("\n") >= 4


def generate(choose: random.Random) -> str:
    """A random, mutated or adversarial program."""
    kind = choose.randrange(6)
    if kind == 0:
        return "".join(choose.choices(CHARACTERS, k=choose.randrange(200)))
    if kind == 1:
        return choose.choice(["", " "]).join(choose.choices(TOKENS, k=choose.randrange(60)))
    if kind == 2:
        return choose.choice(STARTS) + " ".join(choose.choices(TOKENS, k=choose.randrange(30)))
    if kind == 3:
        return choose.choice(STARTS) + choose.choice(REPEATED) * choose.randrange(400) + choose.choice(TOKENS)
    return mutate(choose.choice(PROGRAMS), choose)


def mutate(text: str, choose: random.Random) -> str:
    """Cut, doubled, moved and foreign pieces in a program that was right."""
    for _ in range(choose.randrange(1, 6)):
        start = choose.randrange(len(text) + 1)
        end = min(start + choose.choice([1, 1, 2, 5, 30, 300]), len(text))
        match choose.randrange(4):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:start] + choose.choice(TOKENS) + text[start:]
            case 2:
                text = text[:end] + text[start:]
            case _:
                text = text[:start] + choose.choice(CHARACTERS) + text[end:]
    return text


@given(st.integers(min_value=0))
def test_generated_programs(seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(AT_ONCE):
        text, dialect = generate(choose), choose.choice(DIALECTS)
        try:
            check(text, dialect)
        except Exception as error:
            raise AssertionError(f"{dialect}: {text!r}") from error


@given(st.text(), st.sampled_from(DIALECTS))
def test_any_text(text: str, dialect: str) -> None:
    check(text, dialect)


@given(st.lists(st.sampled_from(TOKENS), max_size=40).map(" ".join), st.sampled_from(STARTS), st.sampled_from(DIALECTS))
def test_any_tokens(text: str, start: str, dialect: str) -> None:
    check(start + text, dialect)


PILES = [(start, piece) for start in STARTS for piece in dict.fromkeys([*REPEATED, *TOKENS])]
SUSPECTS = [
    (STARTS[1], "COLUMN a "),
    (STARTS[4], "a+"),
    (STARTS[2], "INDICATOR("),
    ("", "';"),
    ("", "$a$ "),
    ("", "/* "),
]


@pytest.mark.random
@pytest.mark.parametrize("dialect", DIALECTS)
def test_piles_of_one_piece(dialect: str) -> None:
    """Where the time were quadratic, a pile of this size would take longer than a test may."""
    for start, piece in [*SUSPECTS, *chance(dialect).sample(PILES, scaled(3))]:
        check(start + piece * ((1 << 17) // len(piece)), dialect)
