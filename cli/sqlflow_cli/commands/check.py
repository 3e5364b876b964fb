"""`sqlflow check`: everything that is wrong with a program or a manifest, with no database and no cluster."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import typer
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.graph import Ordering

from sqlflow_cli.errors import EXIT_ERRORS, report_error
from sqlflow_cli.input_file import read_text

Format = Literal["text", "json", "sarif"]


def check(
    file: Annotated[
        Path, typer.Argument(help="A SQL program, or a manifest (.yaml) with SQLFlowJobs; - reads standard input.")
    ],
    dialect: Annotated[str, typer.Option(help="SQL dialect of the program.  \\[default: postgres]")] = "",
    ordering: Annotated[
        Ordering | None,
        typer.Option(
            case_sensitive=False, help="What waits for what in the program: shapes warnings.  \\[default: Conservative]"
        ),
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="text: as a compiler; json: for scripts; sarif: for code hosts.")
    ] = "text",
) -> None:
    """Show all errors and warnings of a program; exit code 1 if there are errors."""
    from sqlflow_cli.finding_formats import print_text, to_json, to_sarif
    from sqlflow_cli.findings import check_file

    text = ""
    try:
        text = read_text(file)
        report = check_file(file, text, dialect, ordering)
    except SQLFlowError as error:
        raise typer.Exit(report_error(error, file, text, dialect)) from error
    if output == "text":
        print_text(report)
    else:
        shown = to_json(report) if output == "json" else to_sarif(report, version("sqlflow-operator"))
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False).encode())
    raise typer.Exit(EXIT_ERRORS if report.count("error") else 0)
