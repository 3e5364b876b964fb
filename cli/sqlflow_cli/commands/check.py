"""`sqlflow check`: all errors and warnings of a program or a manifest, with no database and no cluster."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Annotated, Literal

import typer

from sqlflow_cli.errors import EXIT_ERRORS, opened
from sqlflow_cli.options import Dialect, JobsFile, OrderingOption

Format = Literal["text", "json", "sarif"]


def check(
    file: JobsFile,
    dialect: Dialect = "",
    ordering: OrderingOption = None,
    output: Annotated[
        Format, typer.Option("--format", help="text: as a compiler; json: for scripts; sarif: for code hosts.")
    ] = "text",
) -> None:
    """Show all errors and warnings of a program; exit code 1 if there are errors."""
    from sqlflow_cli.finding_formats import print_text, to_json, to_sarif
    from sqlflow_cli.findings import check_file

    with opened(file, dialect) as source:
        report = check_file(source, dialect, ordering)
    if output == "text":
        print_text(report)
    else:
        shown = to_json(report) if output == "json" else to_sarif(report, version("sqlflow-operator"))
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False).encode())
    raise typer.Exit(EXIT_ERRORS if report.count("error") else 0)
