"""The findings of a file: of its programs and, in a manifest, of the jobs around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlflow_codegen.errors import Diagnostic, ProgramError, SQLFlowError
from sqlflow_codegen.graph import Ordering, plan
from sqlflow_codegen.language import DEFAULT_DIALECT, normalize_dialect, runnable_program
from sqlflow_codegen.language.runnable import empty_program
from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_cli.input_file import InputFile, ManifestError
from sqlflow_cli.manifest import Job, dotted, jobs_of

MANIFEST_ORDERING = "a manifest says the ordering of its programs: spec.ordering"
"""The message where `check --ordering` comes with one."""

_NAME_LIMIT = 253
_QUOTES = "YAML takes On and Off for booleans: write the value in quotes."


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding and where it is.

    Attributes:
        diagnostic: the finding, with its place in `text`.
        text: the program; the whole manifest where the finding is not in a program.
        line, column: place in the file, from 1.
        job: name of the SQLFlowJob, "" where the file has none, or the job no name.
        in_program: the finding is in a program.
    """

    diagnostic: Diagnostic
    text: str
    line: int
    column: int
    job: str = ""
    in_program: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of a file, in its order."""

    file: Path
    findings: tuple[Finding, ...]

    def count(self, severity: str) -> int:
        """The number of findings that are errors, warnings or notes."""
        return sum(finding.diagnostic.severity == severity for finding in self.findings)


def check_file(file: InputFile, dialect: str, ordering: Ordering | None = None) -> Report:
    """Check a program, or every program of a manifest.

    Args:
        file: the program or the manifest.
        dialect: of a program; "" for the default. A manifest has its own.
        ordering: of a program; None for the default. A manifest has its own.

    Raises:
        SQLFlowError: the dialect is not known, or a manifest holds no SQLFlowJob.
    """
    text = file.text
    if not file.is_manifest:
        canonical = normalize_dialect(dialect or DEFAULT_DIALECT)
        found = check_text(text, canonical, ordering or Ordering.CONSERVATIVE)
        return Report(file.path, tuple(Finding(each, text, each.line, each.column) for each in found))
    if ordering:
        raise SQLFlowError(MANIFEST_ORDERING)
    try:
        jobs = jobs_of(file, dialect)
    except ManifestError as error:
        return Report(file.path, (_in_manifest("invalid-yaml", str(error), (error.line, error.column), text),))
    found_in = [sorted(_check_job(job, text), key=lambda one: (one.line, one.column)) for job in jobs]
    return Report(file.path, tuple(finding for findings in found_in for finding in findings))


def check_text(
    text: str,
    dialect: str,
    ordering: Ordering,
    *,
    job: bool = False,
    written: Sequence[str] | None = None,
    notes: bool = True,
) -> tuple[Diagnostic, ...]:
    """All findings of a program, in its order: of the language, or, where those are no errors, of the graph too.

    Args:
        text: the program.
        dialect: its dialect, by the canonical name.
        ordering: which statements wait for which.
        job: it is the program of a SQLFlowJob.
        written: the lines of the manifest that a job's program is written in; None if they are not known.
        notes: report what keeps statements from running side by side.
    """
    from sqlflow_codegen.graph import explain

    try:
        program = runnable_program(text, dialect, job=job, written=written)
        planned = plan(program, ordering)
        found = (*program.warnings, *planned.warnings, *(explain.notes(planned, ordering) if notes else ()))
    except ProgramError as error:
        return error.diagnostics
    if not len(program):
        return (empty_program("warning"),)
    return tuple(sorted(found, key=lambda one: (one.statement, one.line, one.column)))


def _in_manifest(code: str, message: str, place: tuple[int, int], text: str, job: str = "", hint: str = "") -> Finding:
    return Finding(Diagnostic(code, message, 0, *place, hint), text, *place, job, in_program=False)


def _check_job(job: Job, text: str) -> Iterator[Finding]:
    from pydantic import ValidationError
    from sqlflow_operator.api import SQLFlowJobSpec
    from sqlflow_operator.api.api_model import DNS_NAME

    def wrong(path: Sequence[str | int], message: str, hint: str = "") -> Finding:
        return _in_manifest("invalid-manifest", f"{dotted(path)}: {message}", job.place(path), text, job.name, hint)

    if not job.name:
        yield wrong(("metadata", "name"), "the job needs a name")
    elif len(job.name) > _NAME_LIMIT or not re.fullmatch(DNS_NAME.rstrip("$"), job.name):
        rule = f"at most {_NAME_LIMIT} lower-case letters, digits, '-' and '.', the first and last a letter or digit"
        yield wrong(("metadata", "name"), f"{job.name!r} is no Kubernetes name: {rule}")
    try:
        SQLFlowJobSpec.model_validate(job.spec)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            hint = _QUOTES if each["type"] == "enum" and isinstance(each["input"], bool) else ""
            yield wrong(("spec", *each["loc"]), each["msg"][:1].lower() + each["msg"][1:], hint)
    fields = {field.alias or name for name, field in SQLFlowJobSpec.model_fields.items()}
    for key in job.spec:
        if key not in fields:
            yield wrong(("spec", key), "there is no such field", did_you_mean(str(key), fields))
    yield from _check_program(job)


def _check_program(job: Job) -> Iterable[Finding]:
    program, dialect = job.program, _dialect(job.spec.get("dialect", DEFAULT_DIALECT))
    if program is None or not dialect:
        return []
    side_by_side = job.spec.get("backend") != "job"
    return [
        Finding(each, program, *job.program_place(each.line, each.column), job.name)
        for each in check_text(
            program,
            dialect,
            _ordering(job.spec.get("ordering")),
            job=True,
            written=job.written,
            notes=side_by_side,
        )
    ]


def _dialect(value: Any) -> str:
    """The canonical name; "" if there is no such dialect, which the schema reports."""
    try:
        return normalize_dialect(str(value))
    except SQLFlowError:
        return ""


def _ordering(value: Any) -> Ordering:
    """The ordering; the default if there is none of that name, which the schema reports."""
    return Ordering(value) if value in set(Ordering) else Ordering.CONSERVATIVE
