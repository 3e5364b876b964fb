"""A queue of keys, as controllers use it: what is added while it waits is done once, one key never twice at a time.

Why not a library: client-go's work queue has no counterpart among Python's packages; this one keeps its contract.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """Keys that wait for a worker. Safe to use from many threads and from the event loop: no call but `get` waits.

    - `add` of a key that waits already does nothing; of one that is being worked on, it is done again afterwards.
    - `add_after` brings a key back later; the earliest moment asked for counts.
    - `retry` brings it back after a delay that doubles with each failure, until `forget`.

    Args:
        first_delay: seconds before the first retry.
        last_delay: seconds that no delay between retries exceeds.
        clock: monotonic seconds; for tests.
    """

    def __init__(
        self, *, first_delay: float = 0.2, last_delay: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._first_delay, self._last_delay, self._clock = first_delay, last_delay, clock
        self._changed = threading.Condition()
        self._ready: deque[K] = deque()
        self._dirty: set[K] = set()
        self._working: set[K] = set()
        self._delayed: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}
        self._failures: dict[K, int] = {}
        self._sequence = 0
        self._closed = False

    def add(self, key: K) -> None:
        """Add a key; it is worked on as soon as a worker is free."""
        with self._changed:
            self._add(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Add a key after so many seconds; an earlier moment asked for before still counts."""
        with self._changed:
            if seconds <= 0:
                self._add(key)
                return
            due = self._clock() + seconds
            if due >= self._due.get(key, float("inf")):
                return
            self._due[key] = due
            self._sequence += 1
            heapq.heappush(self._delayed, (due, self._sequence, key))
            self._changed.notify()

    def retry(self, key: K, at_least: float | None = None) -> float:
        """Add a key that failed again, after a backoff; return the delay in seconds."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        delay = min(self._last_delay, self._first_delay * 2.0 ** min(failures, 30))
        delay = max(delay, at_least or 0.0)
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """Reset the backoff of a key that was reconciled without an error."""
        with self._changed:
            self._failures.pop(key, None)

    def get(self) -> K | None:
        """The next key to work on, waiting for one; None once the queue is closed. To be followed by `done`."""
        with self._changed:
            while not self._closed:
                wait = self._release_due()
                if self._ready:
                    key = self._ready.popleft()
                    self._dirty.discard(key)
                    self._working.add(key)
                    return key
                self._changed.wait(wait)
            return None

    def done(self, key: K) -> None:
        """Mark a key as no longer worked on, whatever the outcome."""
        with self._changed:
            self._working.discard(key)
            if key in self._dirty:
                self._ready.append(key)
                self._changed.notify()

    def close(self) -> None:
        """Let all workers end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        """The number of keys that wait for a worker now."""
        with self._changed:
            return len(self._ready)

    def _add(self, key: K) -> None:
        self._due.pop(key, None)
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._working:
            self._ready.append(key)
            self._changed.notify()

    def _release_due(self) -> float | None:
        """Make due keys ready; seconds until the next one is due, None if there is none."""
        now = self._clock()
        while self._delayed:
            due, _, key = self._delayed[0]
            if self._due.get(key) != due:  # asked for at an earlier moment since, or added at once
                heapq.heappop(self._delayed)
            elif due <= now:
                heapq.heappop(self._delayed)
                self._add(key)
            else:
                return due - now
        return None
