"""`TO RUN`: the user's command, as a process beside the step; its output becomes log records, its tables are counted.

In a cluster the step's container has the user's image: there the portable copy of the step program starts the command,
so it may be anything, and its arguments pass no template.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sqlflow_codegen.contract import DATABASE_ENV, TERMINATION_LOG_ENV
from sqlflow_codegen.language.ir import Name, RunStatement, Statement
from sqlflow_codegen.language.names import quote_name, stored

from sqlflow_runtime.databases.rows import StatementResult
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.step_context import StepContext

SELECT_ENV = "SQLFLOW_TO_RUN_SELECT"
INTO_ENV = "SQLFLOW_TO_RUN_INTO"
IMAGE_ENV = "SQLFLOW_TO_RUN_IMAGE"

_LONGEST = 128 * 1024 - 1
"""Bytes that Linux takes of one argument or variable, with its name and the zero at its end."""

_GRACE_SECONDS = 8.0
"""A process that ignores SIGTERM for that long is killed; the step itself has ten seconds."""

_SAID = 300
"""Characters of its last line that the error shows."""

_LOOK_SECONDS = 0.1
_PYTHONS = ("python", "python3")


def run(context: StepContext, statement: Statement) -> StatementResult:
    """Run the command to its end; returns the number of rows in the tables that INTO names."""
    assert isinstance(statement, RunStatement)
    if not context.runs_commands:
        hint = "`sqlflow run --without-images` runs the commands of TO RUN as they are, on this computer."
        raise RunError("usage", "TO RUN needs its container image, which only a cluster has", hint)
    env = _environment(context, statement)
    words = _words(statement, env)
    start = f"running {Path(words[0]).name} with {len(words) - 1} arguments"
    context.recorder.log("info", start)
    code = _execute(context, statement, words, env)
    context.sync()
    if code != 0:
        latest = context.recorder.latest
        raise _failure(statement, code, "" if latest == start else latest)
    context.database.reconnect()  # a server ends connections that are idle for long
    counted = {table.text: _count(context, table) for table in statement.into}
    with context.effect(statement):
        pass  # the command has changed the database by itself: only the ledger's row is left to write
    for table, rows in counted.items():
        context.recorder.log("info", f"{table} has {rows} rows")
    return StatementResult(affected=sum(counted.values()) if counted else -1)


def _environment(context: StepContext, statement: RunStatement) -> dict[str, str]:
    """The command's environment: the step's own, without what is about the step, and the contract's variables."""
    env = {name: value for name, value in os.environ.items() if name != TERMINATION_LOG_ENV}
    env[SELECT_ENV] = statement.select
    env[INTO_ENV] = ",".join(table.text for table in statement.into)
    env[IMAGE_ENV] = statement.image.text
    if context.database_url:
        env[DATABASE_ENV] = context.database_url
    if not os.access(env.get("HOME") or "/", os.W_OK):  # the user of the container has no home in the image
        env["HOME"] = "/tmp"
    for name in (SELECT_ENV, INTO_ENV):
        if len(os.fsencode(f"{name}={env[name]}")) > _LONGEST:
            hint = "Make a view of it, and select from that."
            message = f"the text for {name} is longer than the {_LONGEST} bytes that Linux passes to a process"
            raise RunError("usage", message, hint, place=statement.select_span.start)
    return env


def _words(statement: RunStatement, env: Mapping[str, str]) -> list[str]:
    """The command and its arguments; a name that ends in `.py` is run by the image's Python, as SQLFlow did.

    Raises:
        RunError: kind `usage`; there is no such program, or no Python.
    """
    program, *arguments = statement.command
    path = env.get("PATH") or os.defpath
    if program.endswith(".py"):
        python = next(filter(None, (shutil.which(name, path=path) for name in _PYTHONS)), None)
        if python is None:
            raise _not_found(statement, f"no Python in the image for {program}")
        script = [program] if Path(program).is_file() else ["-m", Path(program).stem]
        return [python, *script, *arguments]
    found = shutil.which(program, path=path)
    if found is None:
        raise _not_found(statement, f"no program {program} that can be executed")
    return [found, *arguments]


def _not_found(statement: RunStatement, what: str) -> RunError:
    hint = "CMD's first text is a program on the image's PATH, a path, or a Python file such as 'binning.py'."
    return RunError("usage", f"there is {what}", hint, place=statement.image.span.start)


def _execute(context: StepContext, statement: RunStatement, words: list[str], env: Mapping[str, str]) -> int:
    """Run a process to its end, or stop it with all that it started; returns its exit code, negative for a signal."""
    try:
        process = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        raise _not_found(statement, f"no way to start {words[0]}: {error.strerror}") from error
    try:
        while not context.stop_requested.is_set():
            with suppress(subprocess.TimeoutExpired):
                return process.wait(_LOOK_SECONDS)
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    finally:
        _signal(process, signal.SIGKILL)  # what it left behind, too
        process.wait()
    raise RunError("stopped", "stopped before it was done")


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a process and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _failure(statement: RunStatement, code: int, said: str) -> RunError:
    """The failure of a command, with what it said last.

    Nobody knows which of its exit codes may pass, so spec.retries counts for all.
    """
    place, program = statement.image.span.start, statement.command[0]
    if code == -signal.SIGKILL:
        hint = "Give the step more memory (spec.resources)."
        return RunError("memory", f"{program} was killed, most probably for its memory", hint, place=place)
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    hint = "All that it said is in the log records of this statement."
    words = f"{program} {how}: {said[:_SAID]}" if said.strip() else f"{program} {how}"
    return RunError("command", words, hint, place=place, final=False)


def _count(context: StepContext, table: Name) -> int:
    """The number of rows of a table that the command was to write."""
    database = context.database
    name = quote_name(tuple(stored(part, database.dialect) for part in table.path), database.dialect)
    try:
        ((rows,),) = database.execute(f"SELECT COUNT(*) FROM {name}")
    except RunError as failure:
        if failure.kind != "database":
            raise
        message = f"the command has ended well, but {table} cannot be read: {failure.message}"
        hint = f"Let it write the tables that {INTO_ENV} names, or correct INTO."
        raise RunError("data", message, hint, place=table.span.start) from failure
    return int(rows)
