"""Stopping a step: SIGTERM or Ctrl-C ends the statement in the database, not only this process.

Python runs a signal handler only between two of its own instructions, so a handler cannot interrupt a database
library that waits in C. The signal's number is written to a pipe at once, though (`signal.set_wakeup_fd`), and a
thread that reads the pipe cancels the statement.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

GRACE_SECONDS = 10.0
"""After that long without an end, the process leaves by itself, its outcome written."""

_AGAIN_SECONDS = 0.25


class Stop:
    """While entered, SIGTERM and SIGINT stop the step.

    Args:
        give_up: called in a thread once the grace is over; must end the process.
        grace: seconds.
    """

    def __init__(self, give_up: Callable[[], None], grace: float = GRACE_SECONDS) -> None:
        self.requested = threading.Event()
        self.signal = 0
        """The signal that asked for it."""
        self.cancel: Callable[[], None] | None = None
        """Ends what is running now, from any thread."""
        self._ended = threading.Event()
        self._give_up = give_up
        self._grace = grace
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._previous[number] = signal.signal(number, _note)
        self._previous_fd = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        signal.set_wakeup_fd(self._previous_fd)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        os.close(self._write_end)
        self._thread.join()
        os.close(self._read_end)

    def _watch(self) -> None:
        while data := os.read(self._read_end, 16):
            if data[-1] in (signal.SIGTERM, signal.SIGINT):
                break
        else:
            return
        self.signal = data[-1]
        self.requested.set()
        left = self._grace
        # Again and again: the first cancel may fall between two queries of one statement.
        while not self._ended.wait(_AGAIN_SECONDS if left < self._grace else 0):
            if left <= 0:
                self._give_up()
                return
            if self.cancel is not None:
                self.cancel()
            left -= _AGAIN_SECONDS


def _note(number: int, frame: FrameType | None) -> None:
    """The handler itself does nothing: it must exist for the wake-up pipe to be written."""
