"""The sandbox's client: it starts the server when first needed, sends programs and reads their output."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from sqlflow_codegen.errors import CodegenError
from sqlflow_codegen.sandbox.protocol import PROGRAM_NAME, REQUEST, TRAILER, TRAILER_MARK, ProgramOutput

_CONCURRENT = 8
"""Programs that run at the same time; more wait. Each may use all of its memory limit."""

_GRACE = 10.0
"""Seconds beyond the wall limit after which the server itself is taken for dead."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one program: seconds of time, seconds of CPU, bytes of memory beyond the DSL's own."""

    wall: float = 20.0
    cpu: float = 10.0
    memory: int = 512 << 20


class _ServerLostError(Exception):
    """The server ended before it answered."""


class Sandbox:
    """A server with some modules imported. Safe to use from many threads, and in a forked process."""

    def __init__(self, modules: tuple[str, ...] = ()) -> None:
        self._modules = modules
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_CONCURRENT)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def run(self, program: str, limits: Limits | None = None) -> str:
        """Run a Python program and return what it printed.

        Raises:
            CodegenError: it failed or exceeded a limit; names the program's line where there is one.
        """
        limits = limits or Limits()
        with self._slots:
            try:
                return self._run(program, limits)
            except _ServerLostError:
                self.close()
            try:
                return self._run(program, limits)
            except _ServerLostError as error:
                raise CodegenError("the process that runs workflow programs ended twice; is memory short?") from error

    def close(self) -> None:
        """End the server. The next `run` starts another."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._owner == os.getpid():
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._control = self._process = None

    def _run(self, program: str, limits: Limits) -> str:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._request(theirs, limits)
            ours.settimeout(limits.wall + _GRACE)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the answer says why
                ours.sendall(program.encode("utf-8", "surrogatepass"))
                ours.shutdown(socket.SHUT_WR)
            answer = _receive(ours)
        if not answer[-TRAILER.size :].startswith(TRAILER_MARK):
            raise _ServerLostError
        result = ProgramOutput.load(answer[: -TRAILER.size])
        _, exit_code, timed_out = TRAILER.unpack(answer[-TRAILER.size :])
        if result is None or timed_out:
            raise CodegenError(_death(exit_code, timed_out, limits))
        if result.error:
            raise CodegenError(_failure(result, limits))
        return result.stdout

    def _request(self, connection: socket.socket, limits: Limits) -> None:
        with self._lock:
            if self._control is None or self._owner != os.getpid():
                self._start()
            assert self._control is not None  # _start has set it
            message = REQUEST.pack(limits.wall, limits.cpu, limits.memory)
            try:
                socket.send_fds(self._control, [message], [connection.fileno()])
            except OSError as error:
                raise _ServerLostError from error

    def _start(self) -> None:
        if self._control is not None:
            self._control.close()
        ours, theirs = socket.socketpair()
        environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
        # By its file: DSLs that look at their callers pay for every frame of whose file there is no module (-m: runpy).
        command = [sys.executable, "-X", "utf8", "-P", str(Path(__file__).with_name("server.py"))]
        with theirs:
            descriptor = theirs.fileno()
            self._process = subprocess.Popen(
                [*command, str(descriptor), *self._modules],
                stdin=subprocess.DEVNULL,
                env=environment,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
        self._control, self._owner = ours, os.getpid()
        atexit.register(self.close)


def _receive(connection: socket.socket) -> bytes:
    chunks = []
    try:
        while chunk := connection.recv(1 << 20):
            chunks.append(chunk)
    except (TimeoutError, ConnectionResetError):
        return b""
    return b"".join(chunks)


def _death(exit_code: int, timed_out: bool, limits: Limits) -> str:
    if timed_out:
        return f"the workflow program ran longer than {limits.wall:g} seconds"
    if exit_code == -signal.SIGXCPU or (exit_code == -signal.SIGKILL):
        return f"the workflow program used more than {limits.cpu:g} seconds of CPU, or the machine ran out of memory"
    if exit_code < 0:
        return f"the workflow program crashed with {signal.Signals(-exit_code).name}"
    return f"the workflow program ended with exit code {exit_code} before it had sent its result"


def _failure(result: ProgramOutput, limits: Limits) -> str:
    place = f"{PROGRAM_NAME} line {result.line}: " if result.line else ""
    message = result.error
    if message.startswith("MemoryError"):
        message = f"the program used more than {limits.memory >> 20} MiB of memory"
    source = f"\n    {result.source[:200]}" if result.source else ""
    return f"{place}{message}{source}"


_SANDBOXES: dict[tuple[str, ...], Sandbox] = {}
_SANDBOXES_LOCK = threading.Lock()


def run_program(program: str, modules: tuple[str, ...] = (), limits: Limits | None = None) -> str:
    """Run a program in this process's sandbox that has those modules imported, and return what it printed.

    Raises:
        CodegenError: as `Sandbox.run`.
    """
    with _SANDBOXES_LOCK:
        sandbox = _SANDBOXES.setdefault(modules, Sandbox(modules))
    return sandbox.run(program, limits)
