"""What a job's program says, parsed once for each generation of the job and remembered."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlflow_codegen.backend import effective_ordering
from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.graph import Ordering
from sqlflow_codegen.language.ir import Program

from sqlflow_operator.api import Backend, Fusion, SQLFlowJob
from sqlflow_operator.parsing import Parsed, parse_apart
from sqlflow_operator.workflow.observe.state import StatementPlace, StepState

PROGRAM_BYTES = 1_000_000
"""A ConfigMap holds 1 MiB in all; the rest is for its own description."""


@dataclass(frozen=True, slots=True)
class ParsedProgram:
    """A program with its steps, or the findings that forbid it."""

    program: Program | None = None
    steps: tuple[StepState, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    places: Mapping[int, StatementPlace] = field(default_factory=dict)


Parse = Callable[[str, str, Ordering, bool], Parsed]
"""From text, dialect, ordering and whether SQL statements may share a step."""


def describe(text: str, dialect: str, ordering: Ordering, fusion: bool, parse: Parse) -> ParsedProgram:
    """Parse a program; whatever is wrong with it becomes diagnostics."""
    size = len(text.encode())
    if size > PROGRAM_BYTES:
        message, hint = f"the program has {size} bytes; {PROGRAM_BYTES} fit.", "Split it into several jobs."
        return ParsedProgram(diagnostics=(Diagnostic("program-too-large", message, 0, 1, 1, hint),))
    parsed = parse(text, dialect, ordering, fusion)
    return ParsedProgram(
        program=parsed.program,
        steps=tuple(StepState(name=s.name, kind=s.kind, statements=tuple(s.statements)) for s in parsed.steps),
        diagnostics=parsed.diagnostics,
        places={s.number: StatementPlace(s.title, s.span.line, s.span.column) for s in parsed.program or ()},
    )


class ProgramCache:
    """Remembers the latest parsed programs by job and generation. Safe to use from many threads."""

    def __init__(self, parse: Parse = parse_apart, size: int = 256) -> None:
        self._parse = parse
        self._size = size
        self._entries: OrderedDict[tuple[str, int, Ordering], ParsedProgram] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, job: SQLFlowJob, backend: Backend) -> ParsedProgram:
        """The parsed program of that generation of the job, with the steps that the backend would run."""
        spec = job.spec
        ordering = effective_ordering(backend, spec.ordering)
        key = (job.uid, job.generation, ordering)
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        parsed = describe(spec.program, spec.dialect, ordering, spec.fusion is Fusion.AUTO, self._parse)
        with self._lock:
            self._entries[key] = parsed
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return parsed
