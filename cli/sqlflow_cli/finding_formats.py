"""A check's findings as text for people, as JSON for scripts, and as SARIF for code hosts and editors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlflow_codegen.language.diagnostics import format_diagnostics

from sqlflow_cli.findings import Finding, Report
from sqlflow_cli.screen import counted, visible

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_ARROW = re.compile("^ --> .*$", re.MULTILINE)
_COLOURS = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def print_text(report: Report, *, stderr: bool = False) -> None:
    """Print every finding as a compiler does, and how many there are."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True, stderr=stderr)
    for finding in report.findings:
        head, _, rest = _shown(report.file, finding).partition("\n")
        console.print(Text(head, style=_COLOURS[finding.diagnostic.severity]))
        console.print(Text(rest))
    errors, warnings = counted(report.count("error"), "error"), counted(report.count("warning"), "warning")
    notes = f", {counted(report.count('note'), 'note')}" if report.count("note") else ""
    console.print(Text(visible(f"{report.file}: {errors}, {warnings}{notes}"), style="bold"))


def _shown(file: Path, finding: Finding) -> str:
    one = finding.diagnostic
    place = f" --> {file}:{finding.line}:{finding.column}"
    if finding.job:
        place += f", {finding.job}"
    if one.statement:
        place += f", statement {one.statement}"
    if finding.in_program and finding.job:
        place += f" ({one.line}:{one.column} of its program)"
    return visible(_ARROW.sub(lambda _: place, format_diagnostics(finding.text, [one]), count=1))


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain data; docs/cli.md says what is in it."""
    return {
        "file": str(report.file),
        "errors": report.count("error"),
        "warnings": report.count("warning"),
        "notes": report.count("note"),
        "findings": [_as_json(finding) for finding in report.findings],
    }


def _as_json(finding: Finding) -> dict[str, Any]:
    one = finding.diagnostic
    return {
        "severity": one.severity,
        "code": one.code,
        "message": one.message,
        "hint": one.hint or None,
        "line": finding.line,
        "column": finding.column,
        "job": finding.job or None,
        "statement": one.statement or None,
        "program_line": one.line if finding.in_program else None,
        "program_column": one.column if finding.in_program else None,
    }


def to_sarif(report: Report, version: str) -> dict[str, Any]:
    """The report as a SARIF 2.1.0 log of one run by that version of sqlflow."""
    codes = sorted({finding.diagnostic.code for finding in report.findings})
    rules = [{"id": code, "shortDescription": {"text": code.replace("-", " ").capitalize() + "."}} for code in codes]
    uri = _uri(report.file)
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "sqlflow", "semanticVersion": version, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "newlineSequences": ["\r\n", "\n", "\r"],
                "results": [_result(finding, codes.index(finding.diagnostic.code), uri) for finding in report.findings],
            }
        ],
    }


def _result(finding: Finding, rule: int, uri: str) -> dict[str, Any]:
    one = finding.diagnostic
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": finding.line, "startColumn": finding.column},
        }
    }
    names = [finding.job] if finding.job else []
    names += [f"statement {one.statement}"] if one.statement else []
    if names:
        location["logicalLocations"] = [{"fullyQualifiedName": ", ".join(names)}]
    return {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": one.severity,
        "message": {"text": f"{one.message}. {one.hint}" if one.hint else one.message},
        "locations": [location],
    }


def _uri(file: Path) -> str:
    """The file as a URI: relative to where the command runs, unless its path is absolute."""
    if str(file) == "-":
        return "stdin"
    return file.as_uri() if file.is_absolute() else quote(file.as_posix())
