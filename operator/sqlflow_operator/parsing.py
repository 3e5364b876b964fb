"""Parses a program in a process of its own, so that no program can hold up the operator.

Parsing is Python: a program of a megabyte keeps the interpreter busy for seconds, and a mistake in the parser might
keep it busy for ever. The sandbox of the code generators forks a limited child for each call; this module is what
runs in there, so it imports nothing but the language.
"""

from __future__ import annotations

import base64
import pickle
import time
from dataclasses import dataclass

from sqlflow_codegen.errors import CodegenError, Diagnostic, ProgramError
from sqlflow_codegen.graph import Ordering, Step, plan_steps
from sqlflow_codegen.language import runnable_program
from sqlflow_codegen.language.ir import Program
from sqlflow_codegen.sandbox import Limits, run_program

LIMITS = Limits(wall=30.0, cpu=20.0, memory=384 << 20)
"""Enough for many times the largest program that the API server accepts."""

_SERVER_MODULES = ("sqlflow_operator.warm",)


@dataclass(frozen=True, slots=True)
class ParsedProgram:
    """A program with its steps, or the diagnostics that refuse it."""

    program: Program | None = None
    steps: tuple[Step, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


class ParserUnavailableError(Exception):
    """The child ended without an answer and not for taking too long: worth another try."""


def parse(text: str, dialect: str, ordering: Ordering = Ordering.CONSERVATIVE, fusion: bool = True) -> ParsedProgram:
    """Parse a program and divide it into steps, here and now.

    Args:
        text: the program.
        dialect: its dialect, by the canonical name.
        ordering: which statements wait for which, as the backend plans them (`effective_ordering`).
        fusion: True if SQL statements may share a step.
    """
    try:
        program = runnable_program(text, dialect, job=True)
        return ParsedProgram(program, plan_steps(program, ordering, fusion=fusion))
    except ProgramError as error:
        return ParsedProgram(diagnostics=error.diagnostics)


def parse_apart(
    text: str,
    dialect: str,
    ordering: Ordering = Ordering.CONSERVATIVE,
    fusion: bool = True,
    limits: Limits = LIMITS,
) -> ParsedProgram:
    """The same in a child process, within limits.

    Raises:
        ParserUnavailableError: the child ended early; try again.
    """
    code = f"from {__name__} import show\nshow({str(text)!r}, {str(dialect)!r}, {ordering.value!r}, {fusion!r})\n"
    started = time.monotonic()
    try:
        answer = run_program(code, modules=_SERVER_MODULES, limits=limits)
    except CodegenError as error:
        if time.monotonic() - started < 0.9 * min(limits.cpu, limits.wall):
            raise ParserUnavailableError(str(error)) from error
        message = f"the program takes longer to parse than {min(limits.cpu, limits.wall):g} seconds."
        hint = "Split it into several jobs."
        return ParsedProgram(diagnostics=(Diagnostic("program-too-complex", message, 0, 1, 1, hint),))
    # Pickled by our own code in our own child a moment ago.
    parsed = pickle.loads(base64.b64decode(answer))  # noqa: S301
    if not isinstance(parsed, ParsedProgram):
        raise ParserUnavailableError(f"the child answered with a {type(parsed).__name__}")
    return parsed


def show(text: str, dialect: str, ordering: str, fusion: bool) -> None:
    """In the child: parse and print what came out."""
    print(base64.b64encode(pickle.dumps(parse(text, dialect, Ordering(ordering), fusion))).decode())
