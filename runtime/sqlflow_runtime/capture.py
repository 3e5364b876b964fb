"""Turns what libraries print, from Python or from C, into log records; stdout is left to our own records."""

from __future__ import annotations

import faulthandler
import os
import select
import sys
import threading
from collections.abc import Callable
from functools import cache
from types import TracebackType
from typing import Self, TextIO

_LEVELS = {1: "info", 2: "warning"}
_CHUNK = 64 * 1024
_MARK = b"\0sqlflow-sync"
_PATIENCE_SECONDS = 2.0


class OutputCapture:
    """While entered, file descriptors 1 and 2 lead into pipes whose lines go to `log(level, line)`.

    `stdout` is the real standard output, for the records.
    """

    def __init__(self) -> None:
        self.log: Callable[[str, str], None] = lambda level, line: None
        self._saved = {fd: os.dup(fd) for fd in _LEVELS}
        self.stdout: TextIO = os.fdopen(self._saved[1], "w", encoding="utf-8", newline="\n", closefd=False)
        self._threads: list[threading.Thread] = []
        self._seen = {fd: threading.Event() for fd in _LEVELS}
        self._forwarding = threading.Lock()
        self._unfinished = dict.fromkeys(_LEVELS, b"")
        """The beginning of a line whose end has not come yet."""
        self._readable = select.poll()

    def __enter__(self) -> Self:
        _flush()
        # A crash of the interpreter itself must reach the real stderr: nobody reads the pipe any more then.
        faulthandler.enable(self._saved[2])
        for fd, level in _LEVELS.items():
            read_end, write_end = os.pipe()
            os.dup2(write_end, fd)
            os.close(write_end)
            self._readable.register(read_end, select.POLLIN)
            thread = threading.Thread(target=self._forward, args=(read_end, fd, level), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.drain()
        faulthandler.disable()
        self.stdout.flush()

    def sync(self) -> None:
        """Wait until all that was printed so far has become records."""
        if not self._threads:
            return
        _flush()
        with self._forwarding:
            if not self._readable.poll(0) and not any(self._unfinished.values()):
                return  # two threads that take turns for nothing cost more than most statements
        for fd, seen in self._seen.items():
            seen.clear()
            os.write(fd, _MARK + b"\n")
        for seen in self._seen.values():
            seen.wait(_PATIENCE_SECONDS)

    def drain(self) -> None:
        """Put the descriptors back, and wait until all that was printed has become records."""
        _flush()
        for fd in _LEVELS:
            os.dup2(self._saved[fd], fd)
        for thread in self._threads:
            # A child process that still holds the pipe must not keep the step.
            thread.join(_PATIENCE_SECONDS)
        self._threads.clear()

    def _forward(self, read_end: int, fd: int, level: str) -> None:
        own = select.poll()
        own.register(read_end, select.POLLIN)
        with open(read_end, "rb", buffering=0) as pipe:
            while own.poll():
                with self._forwarding:
                    if not (data := pipe.read(_CHUNK)):
                        self._readable.unregister(read_end)
                        break
                    self._log_lines(data, fd, level)
        if self._unfinished[fd]:
            self.log(level, self._unfinished[fd].decode(errors="replace"))

    def _log_lines(self, data: bytes, fd: int, level: str) -> None:
        *lines, rest = (self._unfinished[fd] + data).split(b"\n")
        for line in lines:
            text, mark, _ = line.partition(_MARK)
            if text or not mark:
                self.log(level, text.decode(errors="replace"))
            if mark:
                self._seen[fd].set()
        if len(rest) > _CHUNK:
            self.log(level, rest.decode(errors="replace"))
            rest = b""
        self._unfinished[fd] = rest


def _flush() -> None:
    """Empty Python's and C's own buffers of standard output."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if "ctypes" in sys.modules:  # only libraries in C have such buffers, and those bring ctypes along
        _flush_of_c()(None)


@cache
def _flush_of_c() -> Callable[[None], int]:
    import ctypes

    flush: Callable[[None], int] = ctypes.CDLL(None).fflush
    return flush
