"""Parses a job's program once and remembers it, off the event loop and without holding up other jobs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlflow_codegen.errors import Diagnostic, ProgramError
from sqlflow_codegen.graph import plan_steps
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import Program

from sqlflow_operator.workflow.state import StatementPlace, StepState

PROGRAM_BYTES = 1_000_000
"""A ConfigMap holds 1 MiB in all; the rest is for its own description."""


@dataclass(frozen=True, slots=True)
class ParsedProgram:
    """A program with its steps, or the findings that forbid it."""

    program: Program | None = None
    steps: tuple[StepState, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    places: Mapping[int, StatementPlace] = field(default_factory=dict)


def parse(text: str, dialect: str) -> ParsedProgram:
    """Parse a program and divide it into steps; whatever is wrong with it becomes diagnostics."""
    size = len(text.encode())
    if size > PROGRAM_BYTES:
        hint = "Split it into several jobs."
        return ParsedProgram(
            diagnostics=(
                Diagnostic("program-too-large", f"the program has {size} bytes; {PROGRAM_BYTES} fit.", 0, 1, 1, hint),
            )
        )
    try:
        program = parse_program(text, dialect)
        steps = plan_steps(program)
    except ProgramError as error:
        return ParsedProgram(diagnostics=error.diagnostics)
    return ParsedProgram(
        program=program,
        steps=tuple(StepState(name=step.name, kind=step.kind, statements=tuple(step.statements)) for step in steps),
        places={s.number: StatementPlace(s.title, s.span.line, s.span.column) for s in program},
    )


class ProgramCache:
    """Remembers the latest parsed programs by job and generation. Safe to use from many threads."""

    def __init__(self, parse: Callable[[str, str], ParsedProgram] = parse, size: int = 256) -> None:
        self._parse = parse
        self._size = size
        self._entries: OrderedDict[tuple[str, int], ParsedProgram] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, uid: str, generation: int, text: str, dialect: str) -> ParsedProgram:
        """The parsed program of that generation of that job."""
        key = (uid, generation)
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        parsed = self._parse(text, dialect)
        with self._lock:
            self._entries[key] = parsed
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return parsed
