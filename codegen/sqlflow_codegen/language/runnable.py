"""The parts of the language that no step can execute yet: refused before anything of a program runs.

The parser and the graph understand all of it. `runnable_program` decides whether a program may run: `sqlflow check`,
`run` and `render`, the operator and the step all call it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlflow_codegen.errors import Diagnostic, ProgramError
from sqlflow_codegen.language.dialects import DATABASES, DEFAULT_DIALECT
from sqlflow_codegen.language.parser import parse_program
from sqlflow_codegen.language.program import Program, Statement
from sqlflow_codegen.language.source import Problem, Source

if TYPE_CHECKING:
    from sqlflow_codegen.language import ir

_DIALECTS = tuple(dict.fromkeys(DATABASES.values()))


def runnable_program(
    text: str, dialect: str = DEFAULT_DIALECT, *, job: bool = False, written: Sequence[str] | None = None
) -> Program:
    """Parse a program that is to run.

    Args:
        text: the program.
        dialect: name of its dialect, or an alias.
        job: it is the program of a SQLFlowJob, which must have a statement and is often written in YAML.
        written: the lines of the manifest that a job's program is written in; None if they are not known.

    Raises:
        SQLFlowError: no such dialect.
        ProgramError: the program has errors, or something in it cannot run; all of them, in program order.
    """
    program = parse_program(text, dialect, further=_refused)
    found: list[Diagnostic] = []
    if program.dialect not in _DIALECTS:
        message = f"no step can use a database of dialect {program.dialect}"
        found.append(Diagnostic("unsupported-dialect", message, 0, 1, 1, f"Programs run on {', '.join(_DIALECTS)}."))
    if job:
        from sqlflow_codegen.language.yaml_folding import folded_comment, swallowing_comment

        folded = folded_comment(text, dialect) if written is None else swallowing_comment(text, dialect, written)
        if folded is not None:
            found.append(Source(text).diagnostic(folded, 0))
        elif not len(program):
            found.append(empty_program("error"))
    if found:
        raise ProgramError((*found, *program.warnings))
    return program


def empty_program(severity: str) -> Diagnostic:
    """The finding that a program has no statement."""
    return Diagnostic("empty-program", "the program has no statement", 0, 1, 1, severity=severity)


def _refused(statement: Statement) -> Iterator[Problem]:
    """The parts of a statement that no step can execute yet."""
    from sqlflow_codegen.language import ir
    from sqlflow_codegen.language.checks.images import check_run
    from sqlflow_codegen.language.checks.linear import check_linear

    match statement:
        case ir.TrainStatement():
            yield from _train(statement)
        case ir.OptimizeStatement():
            yield from check_linear(statement)
        case ir.RunStatement():
            yield from check_run(statement)


def _train(statement: ir.TrainStatement) -> Iterator[Problem]:
    from sqlflow_codegen.catalogue import find_estimator, split_image
    from sqlflow_codegen.language.checks.images import check_image
    from sqlflow_codegen.language.checks.model_statements import estimator_hint

    image, name = split_image(statement.estimator.text)
    place = statement.estimator.span.start
    if image:
        yield from check_image(image, statement.estimator)
        return
    if find_estimator(name) is None and not name.lower().startswith("sklearn."):
        yield Problem("unknown-estimator", f"there is no estimator `{name}`", place, estimator_hint(name))
