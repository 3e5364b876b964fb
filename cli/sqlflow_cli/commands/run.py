"""`sqlflow run`: execute a program on this computer, with no cluster, by the steps' own code."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer
from sqlflow_codegen.contract import DATABASE_ENV, EXIT_OK, EXIT_STOPPED, EXIT_USAGE
from sqlflow_codegen.errors import ProgramError, SQLFlowError
from sqlflow_codegen.graph import check_results
from sqlflow_codegen.language import normalize_dialect, runnable_program
from sqlflow_codegen.language.program import Program
from sqlflow_runtime.capture import OutputCapture
from sqlflow_runtime.databases import DatabaseUrl, open_database, parse_url
from sqlflow_runtime.databases.rows import PreviewLimit
from sqlflow_runtime.databases.url import check_dialect, scrubber
from sqlflow_runtime.errors import RunError, exit_code
from sqlflow_runtime.execute import execute_program
from sqlflow_runtime.recorder import Recorder, json_lines
from sqlflow_runtime.selection import parse_selection
from sqlflow_runtime.step_context import StepContext
from sqlflow_runtime.stop import Stop

from sqlflow_cli.errors import report_error
from sqlflow_cli.input_file import InputFile, ManifestError, read_input
from sqlflow_cli.options import JobFile
from sqlflow_cli.pictures import DEFAULT_FOLDER, Pictures
from sqlflow_cli.record_printer import RecordPrinter
from sqlflow_cli.screen import complain

_WHERE = f"--database (or the environment variable {DATABASE_ENV})"

Format = Literal["text", "json"]


def run(
    file: JobFile,
    database: Annotated[
        str,
        typer.Option(
            envvar=DATABASE_ENV,
            show_envvar=True,
            help="URL: postgresql://USER:PASSWORD@HOST/DB, duckdb:///FILE or sqlite:///FILE.",
        ),
    ],
    dialect: Annotated[
        str, typer.Option(help="SQL dialect of the program.  \\[default: the manifest's, or the database's]")
    ] = "",
    statements: Annotated[str, typer.Option(help="Only these, by number: 3-5,7.  \\[default: all]")] = "",
    preview_rows: Annotated[
        int | None, typer.Option(min=0, help="Rows shown of each result.  \\[default: the manifest's, or 100]")
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="json: records, one a line, as a step writes them.")
    ] = "text",
    pictures: Annotated[
        Path | None,
        typer.Option(
            help=f"Folder for pictures of TO EXPLAIN.  \\[default: {DEFAULT_FOLDER}, unless the terminal shows them]"
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show all messages of libraries.")] = False,
    without_images: Annotated[
        bool, typer.Option("--without-images", help="Run the commands of TO RUN as they are, on this computer.")
    ] = False,
) -> None:
    """Execute a program, or that of a manifest, on this computer, statement by statement, with no cluster."""
    source = InputFile(file, "")
    try:
        url = parse_url(database)
        source = read_input(file)
        program, limit = _program(source, dialect, url, preview_rows)
        numbers = parse_selection(statements, len(program)) if statements else tuple(s.number for s in program)
        if errors := tuple(each for each in check_results(program) if each.statement in numbers):
            raise ProgramError(errors)
    except (ProgramError, ManifestError) as error:
        if isinstance(error, ProgramError) and not source.is_manifest:
            from sqlflow_codegen.language.diagnostics import format_diagnostics

            typer.echo(format_diagnostics(source.text, error.diagnostics), err=True)
        else:
            report_error(error, source, "")
        raise typer.Exit(EXIT_USAGE) from error
    except SQLFlowError as error:
        _complain(error)
        raise typer.Exit(EXIT_USAGE) from error
    if not numbers:
        raise typer.Exit(EXIT_OK)
    if not without_images and (image := _named_image(program, numbers)):
        _complain(image)
        raise typer.Exit(EXIT_USAGE)
    commands = database if without_images else ""
    shown = output != "json" and any(program.statement(number).kind == "explain" for number in numbers)
    drawn = Pictures("program" if str(file) == "-" else file.stem, pictures, expected=shown)
    json = output == "json"
    raise typer.Exit(_run(program, numbers, url, PreviewLimit(limit), drawn, verbose, json=json, commands=commands))


def _named_image(program: Program, numbers: tuple[int, ...]) -> RunError | None:
    """The refusal of a program with a TO RUN; None if it has none."""
    from sqlflow_codegen.language.ir import RunStatement

    for statement in map(program.statement, numbers):
        if isinstance(statement, RunStatement):
            what = f"statement {statement.number} runs a command in the image {statement.image}, which needs a cluster"
            hint = "--without-images runs it as it is, on this computer; --statements 1-3 leaves statements out."
            return RunError("usage", what, hint)
    return None


def _program(file: InputFile, dialect: str, url: DatabaseUrl, preview_rows: int | None) -> tuple[Program, int]:
    """The program, checked against the database, and the number of rows of a result that are shown."""
    if not file.is_manifest:
        check_dialect(url, normalize_dialect(dialect or url.dialect))
        return runnable_program(file.text, dialect or url.dialect), 100 if preview_rows is None else preview_rows
    from sqlflow_cli.manifest import only_job

    job = only_job(file, dialect)
    spec = job.typed("default", "").spec
    check_dialect(url, normalize_dialect(spec.dialect))
    program = runnable_program(spec.program, spec.dialect, job=True, written=job.written)
    return program, spec.preview_rows if preview_rows is None else preview_rows


def _run(
    program: Program,
    numbers: tuple[int, ...],
    url: DatabaseUrl,
    limit: PreviewLimit,
    pictures: Pictures,
    verbose: bool,
    *,
    json: bool,
    commands: str,
) -> int:
    """Execute the statements; `commands` is the database's URL if commands of TO RUN may run here, else ""."""
    capture = OutputCapture()
    renderer = None if json else RecordPrinter(capture.stdout, program, numbers, pictures, verbose=verbose)
    recorder = Recorder(renderer.show if renderer else json_lines(capture.stdout), scrubber(url))
    capture.log = recorder.log

    def give_up() -> None:
        """Leave although a library does not return."""
        os._exit(EXIT_STOPPED)

    with capture, Stop(give_up, grace=5) as stop:
        try:
            database = open_database(url, _WHERE, recorder.log, timeout=5)
        except RunError as failure:
            _complain(failure, recorder, capture)
            return exit_code(failure)
        stop.cancel = database.cancel
        with closing(database):
            context = StepContext(
                program=program,
                database=database,
                recorder=recorder,
                limit=limit,
                runs_commands=bool(commands),
                database_url=commands,
                stop_requested=stop.requested,
                sync=capture.sync,
            )
            execute_program(context, numbers)
            stop.cancel = None
        if renderer is not None:
            renderer.close()
        if stop.requested.is_set():
            return 128 + stop.signal
    return EXIT_OK if context.failure is None else exit_code(context.failure)


def _complain(error: SQLFlowError, recorder: Recorder | None = None, capture: OutputCapture | None = None) -> None:
    """Print an error on standard error before any statement runs."""
    scrub = recorder.scrub if recorder else str
    if capture is not None:
        capture.drain()
    complain(scrub(str(error)), scrub(error.hint) if isinstance(error, RunError) else "")
