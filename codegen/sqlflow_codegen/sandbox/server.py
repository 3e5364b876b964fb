"""The sandbox's server process: imports the DSL once, then forks a limited child for each program.

It has one thread, so that its forks are safe. It ends when its control socket closes, which is when the client
closes it or dies; its children end with it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import inspect
import io
import linecache
import os
import pathlib
import resource
import selectors
import signal
import socket
import sys
import time
import traceback
import types
from dataclasses import dataclass

from sqlflow_codegen.sandbox.protocol import PROGRAM_NAME, REQUEST, TRAILER, TRAILER_MARK, ProgramOutput

_CPU_GRACE = 1
"""Seconds of CPU between the signal that ends a program and the one that cannot be caught."""


@dataclass(slots=True)
class _Child:
    connection: socket.socket
    deadline: float
    timed_out: bool = False


class Server:
    """Serves the control socket until it closes."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, _Child] = {}
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> None:
        """Fork for each request; reap, and kill what runs too long."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select(self._wait())}
                if self._wake_read in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake_read, 4096)
                self._reap()
                self._kill_late()
                if self._control in ready and not self._accept():
                    break
        for pid in self._children:
            _kill(pid)

    def _wait(self) -> float | None:
        deadlines = [child.deadline for child in self._children.values() if not child.timed_out]
        return max(min(deadlines) - time.monotonic(), 0) if deadlines else None

    def _accept(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, REQUEST.size, 1)
        if len(data) < REQUEST.size or not descriptors:
            return False
        wall, cpu, memory = REQUEST.unpack(data)
        connection = socket.socket(fileno=descriptors[0])
        pid = os.fork()
        if pid == 0:
            self._become_child(connection, cpu, memory)
        self._children[pid] = _Child(connection, time.monotonic() + wall)
        return True

    def _become_child(self, connection: socket.socket, cpu: float, memory: int) -> None:
        """In the fork: run the program and end; never returns."""
        status = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            for other in self._children.values():
                other.connection.close()
            program = _receive(connection)
            _limit(cpu, memory)
            connection.sendall(_execute(program).dump())
            status = 0
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _kill(pid)  # what the program may have started: it is in the child's session
            child = self._children.pop(pid)
            with contextlib.suppress(OSError):  # the client may have given up
                child.connection.sendall(TRAILER.pack(TRAILER_MARK, os.waitstatus_to_exitcode(status), child.timed_out))
            child.connection.close()

    def _kill_late(self) -> None:
        now = time.monotonic()
        for pid, child in self._children.items():
            if child.deadline <= now and not child.timed_out:
                child.timed_out = True
                _kill(pid)


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):  # before the child's setsid its group does not exist
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _receive(connection: socket.socket) -> str:
    chunks = []
    while chunk := connection.recv(1 << 20):
        chunks.append(chunk)
    return b"".join(chunks).decode("utf-8", "surrogatepass")


def _limit(cpu: float, memory: int) -> None:
    seconds = max(int(cpu), 1)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + _CPU_GRACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    used = 0
    with contextlib.suppress(OSError), pathlib.Path("/proc/self/statm").open(encoding="ascii") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))


def _execute(program: str) -> ProgramOutput:
    """Run the program as `__main__`, with what it prints kept."""
    output = io.StringIO()
    try:
        code = compile(program, PROGRAM_NAME, "exec", dont_inherit=True)
        linecache.cache[PROGRAM_NAME] = (len(program), None, program.splitlines(keepends=True), PROGRAM_NAME)
        # A module of its own, as `python program.py` has: what looks at its callers finds it by its file, and fast.
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        main.__file__ = PROGRAM_NAME
        with contextlib.redirect_stdout(output):
            exec(code, main.__dict__)  # noqa: S102 - the purpose of this process, which has limits
    except SystemExit as exit_:
        if exit_.code not in (None, 0):
            return _failure(exit_, f"the program ended with exit code {exit_.code}")
    except BaseException as error:  # noqa: BLE001 - the program's own fault, whatever it is: the client raises it
        return _failure(error, "".join(traceback.format_exception_only(error)).strip().splitlines()[-1])
    return ProgramOutput(stdout=output.getvalue())


def _failure(error: BaseException, message: str) -> ProgramOutput:
    if isinstance(error, SyntaxError) and error.filename == PROGRAM_NAME:
        return ProgramOutput(error=message, line=error.lineno or 0, source=(error.text or "").strip())
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == PROGRAM_NAME]
    if not frames:
        return ProgramOutput(error=message)
    return ProgramOutput(error=message, line=frames[-1].lineno or 0, source=(frames[-1].line or "").strip())


def main() -> None:
    """Entry point: argv is the descriptor of the control socket and the modules to import."""
    descriptor, *modules = sys.argv[1:]
    sys.modules["sqlflow_codegen.sandbox.server"] = sys.modules["__main__"]  # a program takes the latter's place
    control = socket.socket(fileno=int(descriptor))
    os.set_inheritable(control.fileno(), False)
    for module in ("yaml", "_strptime", *modules):
        with contextlib.suppress(ImportError):  # a program that needs it fails with its own words
            importlib.import_module(module)
    inspect.stack()  # its table of all modules' files, once for all programs whose DSL looks at its callers
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(null, stream)
    gc.collect()
    gc.freeze()
    Server(control).serve()


if __name__ == "__main__":
    main()
