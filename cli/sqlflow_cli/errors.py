"""Errors of the commands that only read a file: each kind has one form on standard error and one exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from sqlflow_codegen.contract import EXIT_USAGE
from sqlflow_codegen.errors import CodegenError, ProgramError, SQLFlowError

from sqlflow_cli.input_file import InputFile, ManifestError, read_input
from sqlflow_cli.screen import complain

EXIT_ERRORS = 1
"""The file has errors."""


@contextmanager
def opened(path: Path, dialect: str) -> Iterator[InputFile]:
    """Read FILE for a command. An error in the block is reported, and ends the command with its exit code."""
    file = InputFile(path, "")
    try:
        file = read_input(path)
        yield file
    except SQLFlowError as error:
        raise typer.Exit(report_error(error, file, dialect)) from error


def report_error(error: SQLFlowError, file: InputFile, dialect: str) -> int:
    """Print an error on standard error, and return the exit code."""
    if isinstance(error, ProgramError):
        from sqlflow_cli.finding_formats import print_text
        from sqlflow_cli.findings import check_file

        print_text(check_file(file, dialect), stderr=True)
    elif isinstance(error, ManifestError):
        complain(f"{file.path}:{error.line}:{error.column}: {error}")
    else:
        complain(str(error))
    return EXIT_ERRORS if isinstance(error, (ProgramError, ManifestError, CodegenError)) else EXIT_USAGE
