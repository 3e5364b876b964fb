"""Diagnostics as a person sees them."""

from __future__ import annotations

import textwrap
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.errors import Diagnostic, ProgramError
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.diagnostics import format_diagnostics


def report(program: str) -> str:
    with pytest.raises(ProgramError) as caught:
        parse_program(program)
    return format_diagnostics(program, caught.value.diagnostics)


def excerpt(line: str, column: int) -> tuple[str, str]:
    """The line and the caret's line as shown for a place in that line."""
    text = format_diagnostics(line, [Diagnostic("code", "message", 1, 1, column)]).split("\n")
    return text[3].removeprefix("1 |").removeprefix(" "), text[4].removeprefix("  | ")


def test_the_whole_report() -> None:
    program = "SELECT 1;\nSELECT *\nFROM t TO PREDICT t.y WITH predict.extra_output='a' USIN m;\n"
    assert report(program) == textwrap.dedent(
        """\
        warning[unknown-attribute]: unknown attribute `predict.extra_output` of TO PREDICT
         --> statement 2, line 3, column 28
          |
        3 | FROM t TO PREDICT t.y WITH predict.extra_output='a' USIN m;
          |                            ^~~~~~~~~~~~~~~~~~~~
          = hint: Did you mean `predict.extra_outputs`?

        error[misspelled-keyword]: unexpected `USIN`
         --> statement 2, line 3, column 53
          |
        3 | FROM t TO PREDICT t.y WITH predict.extra_output='a' USIN m;
          |                                                     ^~~~
          = hint: Did you mean `USING`?
        """
    )


def test_nothing_to_report() -> None:
    assert format_diagnostics("SELECT 1", ()) == ""


def test_tabs_become_blanks() -> None:
    assert excerpt("\ta\tbc d", 4) == ("    a    bc d", "         ^~")


def test_wide_characters_take_two_columns() -> None:
    assert excerpt("中文 abc", 4) == ("中文 abc", "     ^~~")
    assert excerpt("中文 abc", 1) == ("中文 abc", "^~~~")


def test_combining_characters_take_none() -> None:
    line = unicodedata.normalize("NFD", "é") + " x"
    assert excerpt(line, 4) == (line, "  ^")


def test_control_characters_are_not_sent_to_the_terminal() -> None:
    assert excerpt("a\x1b[31m\x07 b", 9) == ("a\ufffd[31m\ufffd b", "        ^")


def test_the_end_of_the_line() -> None:
    assert excerpt("abc", 4) == ("abc", "   ^")
    assert excerpt("", 1) == ("", "^")


def test_long_lines_are_cut_around_the_caret() -> None:
    line = "x, " * 5000 + "here" + ", y" * 5000
    shown, caret = excerpt(line, 15001)
    assert len(shown) <= 100
    assert shown[0] == shown[-1] == "…"
    assert shown[caret.index("^") :].startswith("here")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=300), st.integers(0, 300))
def test_any_line_fits_and_the_caret_is_below_its_character(line: str, index: int) -> None:
    column = min(index, len(line)) + 1
    shown, caret = excerpt(line, column)
    width = sum(_width(character) for character in shown)
    assert width <= 101
    assert caret.strip("~ ") in ("^", "")
    assert "\x1b" not in shown


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me") or character in ("\u200d", "\ufe0f"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_ends(ending: str) -> None:
    text = report(f"SELECT 1;{ending}SELECT 'x{ending}")
    assert "line 2, column 8" in text
    assert "2 | SELECT 'x\n" in text
