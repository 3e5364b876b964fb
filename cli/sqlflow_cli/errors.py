"""What commands that only look at a file do with its errors: one way to say them, one exit code for each kind."""

from __future__ import annotations

from pathlib import Path

from sqlflow_codegen.contract import EXIT_USAGE
from sqlflow_codegen.errors import CodegenError, ProgramError, SQLFlowError

from sqlflow_cli.manifest import ManifestError
from sqlflow_cli.screen import complain

EXIT_ERRORS = 1
"""What the file says is wrong."""


def report_error(error: SQLFlowError, file: Path, text: str, dialect: str) -> int:
    """Say what is wrong on standard error.

    Args:
        error: what was raised.
        file: the file's path.
        text: what the file holds.
        dialect: of a program, as the command was given it.

    Returns:
        The exit code.
    """
    match error:
        case ProgramError():
            from sqlflow_cli.finding_formats import print_text
            from sqlflow_cli.findings import check_file

            print_text(check_file(file, text, dialect), stderr=True)
            return EXIT_ERRORS
        case ManifestError():
            complain(f"{file}:{error.line}:{error.column}: {error}")
            return EXIT_ERRORS
        case CodegenError():
            complain(str(error))
            return EXIT_ERRORS
        case _:
            complain(str(error))
            return EXIT_USAGE
