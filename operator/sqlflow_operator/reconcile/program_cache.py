"""The parsed programs of jobs, each parsed once for each generation of its job."""

from __future__ import annotations

import threading
from collections.abc import Callable

from cachetools import LRUCache
from sqlflow_codegen.backend import effective_ordering
from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.graph import Ordering

from sqlflow_operator.api import Backend, Fusion, SQLFlowJob
from sqlflow_operator.parsing import ParsedProgram, parse_apart
from sqlflow_operator.workflow.observe.state import StatementPlace, StepState

PROGRAM_BYTES = 1_000_000
"""A ConfigMap holds 1 MiB in all; the rest is for its own description."""

Parse = Callable[[str, str, Ordering, bool], ParsedProgram]
"""Parses a text, given its dialect, the ordering and whether SQL statements may share a step."""


def parse_bounded(text: str, dialect: str, ordering: Ordering, fusion: bool, parse: Parse) -> ParsedProgram:
    """Parse a program that fits into a ConfigMap; a diagnostic refuses a larger one."""
    size = len(text.encode())
    if size > PROGRAM_BYTES:
        message, hint = f"the program has {size} bytes; {PROGRAM_BYTES} fit.", "Split it into several jobs."
        return ParsedProgram(diagnostics=(Diagnostic("program-too-large", message, 0, 1, 1, hint),))
    return parse(text, dialect, ordering, fusion)


class ProgramCache:
    """The latest parsed programs, by job and generation. Safe to use from many threads.

    Args:
        parse: parses a program.
        size: how many programs are kept.
    """

    def __init__(self, parse: Parse = parse_apart, size: int = 256) -> None:
        self._parse = parse
        self._programs: LRUCache[tuple[str, int, Ordering], ParsedProgram] = LRUCache(size)
        self._lock = threading.Lock()

    def get(self, job: SQLFlowJob, backend: Backend) -> ParsedProgram:
        """The parsed program of that generation of the job, with the steps that the backend would run."""
        spec = job.spec
        ordering = effective_ordering(backend, spec.ordering)
        key = (job.uid, job.generation, ordering)
        with self._lock:
            known = self._programs.get(key)
        if known is None:
            known = parse_bounded(spec.program, spec.dialect, ordering, spec.fusion is Fusion.AUTO, self._parse)
            with self._lock:
                self._programs[key] = known
        return known


def statement_places(program: ParsedProgram | None) -> dict[int, StatementPlace]:
    """The titles and places of a program's statements, by number."""
    statements = (program.program or ()) if program else ()
    return {s.number: StatementPlace(s.title, s.span.line, s.span.column) for s in statements}


def planned_steps(program: ParsedProgram | None) -> tuple[StepState, ...]:
    """The steps of a program, all pending."""
    steps = program.steps if program else ()
    return tuple(StepState(name=s.name, kind=s.kind, statements=tuple(s.statements)) for s in steps)
