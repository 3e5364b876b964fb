"""The only place that starts other programs, so that tests can put a scripted one in its stead."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NOT_FOUND, TIMED_OUT = 127, 124
"""Exit codes that a shell and timeout(1) use for the same things."""

POLL_SECONDS = 0.2
"""Seconds between two reads of a running program's log."""


@dataclass(frozen=True, slots=True)
class Completed:
    """Exit code and output of a program that has ended."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def ok(self) -> bool:
        """True if it ended with exit code 0."""
        return self.code == 0

    @property
    def reason(self) -> str:
        """Its last word, for an error message."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        return lines[-1] if lines else f"exit code {self.code}"


class Runner:
    """Starts programs. `env` adds to this process's environment."""

    def which(self, program: str) -> str | None:
        """The path of a program on PATH; /usr/sbin counts even where an unprivileged PATH lacks it."""
        return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout: float | None = None,
    ) -> Completed:
        """Run a short program to its end and capture its output; never raises for a failure of the program."""
        try:
            done = subprocess.run(
                list(argv),
                env={**os.environ, **(env or {})},
                input=stdin or "",
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except FileNotFoundError:
            return Completed(NOT_FOUND, err=f"{argv[0]}: not found")
        except PermissionError as error:
            return Completed(NOT_FOUND, err=str(error))
        except subprocess.TimeoutExpired:
            return Completed(TIMED_OUT, err=f"{argv[0]}: no answer within {timeout:g} s")
        return Completed(done.returncode, done.stdout, done.stderr)

    def stream(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        on_line: Callable[[str], None],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: str | None = None,
    ) -> int:
        """Run a long program with all its output in `log`; `on_line` hears of new lines. Returns the exit code.

        The program writes to the file itself: no pipe that a daemon it starts could hold open, none that breaks
        when this process is killed. `setpriv` lets the kernel end the program together with this process.
        """
        bound = ["setpriv", "--pdeathsig", "KILL", "--"] if self.which("setpriv") else []
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as sink, log.open("r", encoding="utf-8", errors="replace") as source:
            sink.write(f"$ {' '.join(argv)}\n".encode())
            sink.flush()
            try:
                process = subprocess.Popen(
                    [*bound, *argv],
                    env={**os.environ, **(env or {})},
                    cwd=cwd,
                    stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                )
            except OSError as error:
                sink.write(f"{argv[0]}: {error.strerror}\n".encode())
                return NOT_FOUND
            try:
                _feed(process, stdin)
                while _still_running(process):
                    _report(source.readlines(), on_line)
            except BaseException:
                process.kill()
                process.wait()
                raise
            _report(source.readlines(), on_line)
            return process.returncode


def _feed(process: subprocess.Popen[bytes], text: str | None) -> None:
    if process.stdin is not None and text is not None:
        # A program that ends before it has read its input says why in its output.
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(text.encode())


def _still_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _report(lines: list[str], on_line: Callable[[str], None]) -> None:
    for line in lines:
        if line.strip() and not line.startswith("$ "):
            on_line(line.strip())
