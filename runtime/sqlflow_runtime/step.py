"""`sqlflow-step`: executes statements of a program inside a container and records their outcome.

Everything is imported as late as possible: a plain SQL step starts in a fraction of a second.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlflow_codegen.contract import (
    CONNECT_TIMEOUT_ENV,
    DATABASE_ENV,
    EXIT_OK,
    EXIT_STOPPED,
    EXIT_TRY_AGAIN,
    EXIT_USAGE,
    RUN_ENV,
    RUN_UID_ENV,
    STEP_COMMAND,
    Flag,
    StepError,
)
from sqlflow_codegen.errors import ProgramError, SQLFlowError

from sqlflow_runtime.capture import OutputCapture
from sqlflow_runtime.databases.url import DatabaseUrl
from sqlflow_runtime.errors import RunError, exit_code, unexpected
from sqlflow_runtime.recorder import Recorder, json_lines, write_termination_message
from sqlflow_runtime.stop import Stop

if TYPE_CHECKING:
    from sqlflow_codegen.language.program import Program

    from sqlflow_runtime.step_context import StepContext

_WHERE = f"the Secret that spec.dataSource.secretRef names (environment variable {DATABASE_ENV})"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the step and leave the process with its exit code (`sqlflow_codegen.contract`)."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as error:
        sys.exit(error.code)  # of argparse: 2, as EXIT_USAGE
    if arguments.finish:
        sys.exit(EXIT_OK)
    capture = OutputCapture()
    recorder = Recorder(json_lines(capture.stdout))
    capture.log = recorder.log

    def give_up() -> None:
        """Leave although a library does not return."""
        write_termination_message(recorder.abandon())
        recorder.end()
        os._exit(EXIT_STOPPED)

    with capture, Stop(give_up) as stop:
        try:
            code = _run(arguments, recorder, capture, stop)
        except ProgramError as error:
            code = _program_error(recorder, error)
        except RunError as failure:
            recorder.error(StepError(0, 0, 0, "step", failure.kind, failure.message, failure.hint))
            code = exit_code(failure)
        except SQLFlowError as error:
            recorder.error(StepError(0, 0, 0, "step", "usage", str(error)))
            code = EXIT_USAGE
        except Exception as error:  # noqa: BLE001  (the process boundary: whatever it is must reach the reader)
            code = _internal_error(recorder, error)
        write_termination_message(recorder.outcome())
    recorder.end()
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=STEP_COMMAND, description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add(Flag.PROGRAM, required=True, metavar="FILE", help="the program's text, in UTF-8")
    add(Flag.DIALECT, required=True, help="the SQL dialect of the program")
    add(Flag.STATEMENTS, default="", metavar="3-5,7", help="numbers of the statements to execute")
    add(Flag.SESSION, default="", metavar="1,2", help="those of earlier steps that set up the session: run first")
    add(Flag.REPEAT, default="", metavar="3", help="those of --statements that a retry runs again: they only set up")
    add(Flag.LOST, default="", metavar="4", help="those of --statements at which a retry cannot go on")
    add(Flag.PREVIEW_ROWS, type=int, default=100, metavar="N", help="rows shown of a result (default 100)")
    add(Flag.RETRIES, type=int, metavar="N", help="retries of the step: note what is done, so that none repeats it")
    add(Flag.LEDGER, dest="retries", action="store_const", const=1_000_000, help=argparse.SUPPRESS)
    add(Flag.RESUMABLE, action="store_true", help="a step that SIGTERM stopped goes on when it is started again")
    what = "copy this program and its Python there, for a container of another image, and end"
    add(Flag.COPY_TO, action=_Copy, metavar="DIR", help=what)
    add(Flag.FINISH, action="store_true", help="do nothing; the last container of Jobs of older versions")
    return parser


class _Copy(argparse.Action):
    """Makes the portable copy and leaves the process, as `--help` does: no other argument is needed."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: object, values: object, option: object = "") -> None:
        from sqlflow_runtime.portable import copy_to

        try:
            copy_to(Path(str(values)))
        except (OSError, RunError) as error:
            parser.exit(EXIT_TRY_AGAIN, f"{STEP_COMMAND}: cannot copy to {values}: {error}\n")
        parser.exit()


def _run(arguments: argparse.Namespace, recorder: Recorder, capture: OutputCapture, stop: Stop) -> int:
    from sqlflow_runtime.attempts import note_end
    from sqlflow_runtime.databases import open_database, parse_url
    from sqlflow_runtime.databases.rows import PreviewLimit
    from sqlflow_runtime.databases.url import scrubber
    from sqlflow_runtime.execute import execute_program
    from sqlflow_runtime.selection import parse_selection
    from sqlflow_runtime.step_context import StepContext

    text = os.environ.get(DATABASE_ENV, "")
    if not text:
        raise RunError("usage", f"the environment variable {DATABASE_ENV} is not set", "It holds the database's URL.")
    url = parse_url(text)
    recorder.scrub = scrubber(url)
    timeout = _connect_timeout()
    program = _program(arguments, url)
    numbers = parse_selection(arguments.statements, len(program))
    replay = _chosen(arguments.session, program)
    run = _run_name(needed=arguments.retries is not None)
    with closing(open_database(url, _WHERE, recorder.log, timeout)) as database:
        stop.cancel = database.cancel
        context = StepContext(program, database, recorder, PreviewLimit(max(arguments.preview_rows, 0)))
        context.stop_requested, context.sync = stop.requested, capture.sync
        _prepare(context, arguments, run, min(numbers))
        execute_program(context, numbers, replay)
        stop.cancel = None
        note_end(context, numbers)
    return EXIT_OK if context.failure is None else exit_code(context.failure)


def _prepare(context: StepContext, arguments: argparse.Namespace, run: str, first: int) -> None:
    """Set what the context needs to begin once, and to be tried again."""
    from sqlflow_runtime.claims import StepClaim
    from sqlflow_runtime.ledger import Ledger

    retried = arguments.retries is not None
    if run:
        context.claim = StepClaim(context.database, run, first, context.recorder.log, needed=retried)
        if retried:
            context.ledger = Ledger(context.database, run, context.recorder, context.claim.hold)
    context.runs_commands = True
    context.retries, context.resumable = arguments.retries or 0, arguments.resumable
    context.repeat = frozenset(_chosen(arguments.repeat, context.program))
    context.lost = frozenset(_chosen(arguments.lost, context.program))


def _chosen(text: str, program: Program) -> tuple[int, ...]:
    from sqlflow_runtime.selection import parse_selection

    return parse_selection(text, len(program)) if text else ()


def _program(arguments: argparse.Namespace, url: DatabaseUrl) -> Program:
    """The program, checked against the database."""
    from sqlflow_codegen.language import normalize_dialect, runnable_program

    from sqlflow_runtime.databases.shared import check_shared
    from sqlflow_runtime.databases.url import check_dialect

    dialect = normalize_dialect(arguments.dialect)
    check_dialect(url, dialect)
    check_shared(url)
    return runnable_program(_read(arguments.program), dialect)


def _read(path: str) -> str:
    """The program, byte for byte: no line end is translated."""
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise RunError("usage", f"cannot read the program: {error}") from error


def _connect_timeout() -> float:
    text = os.environ.get(CONNECT_TIMEOUT_ENV) or "20"
    try:
        return max(float(text), 0)
    except ValueError as error:
        raise RunError("usage", f"{CONNECT_TIMEOUT_ENV}={text} is not a number of seconds") from error


def _run_name(*, needed: bool) -> str:
    """The run's name, with the UID of its child if there is one: the same manifest may be applied again."""
    name = os.environ.get(RUN_ENV, "")
    if not name and needed:
        raise RunError("usage", f"the environment variable {RUN_ENV} is not set", "The ledger needs the run's name.")
    uid = os.environ.get(RUN_UID_ENV, "")
    return f"{name}/{uid}" if name and uid else name


def _program_error(recorder: Recorder, error: ProgramError) -> int:
    for diagnostic in error.diagnostics:
        place = (diagnostic.statement, diagnostic.line, diagnostic.column)
        recorder.error(StepError(*place, "program", "usage", diagnostic.message, diagnostic.hint))
    return EXIT_USAGE


def _internal_error(recorder: Recorder, error: Exception) -> int:
    import traceback

    recorder.log("info", "".join(traceback.format_exception(error)))
    failure = unexpected(error)
    hint = failure.hint if failure.kind == "usage" else "This is a fault of sqlflow-step; please report it."
    recorder.error(StepError(0, 0, 0, "step", failure.kind, failure.message, hint))
    return exit_code(failure)


if __name__ == "__main__":
    main()
