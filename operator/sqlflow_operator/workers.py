"""Threads that take keys out of the queue, reconcile them, and put failed ones back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sqlflow_operator.kube import ApiError, ConflictError
from sqlflow_operator.parsing import ParserUnavailableError
from sqlflow_operator.reconcile import Key
from sqlflow_operator.workqueue import WorkQueue

logger = logging.getLogger(__name__)

Reconcile = Callable[[Key], float | None]


class Workers:
    """A fixed number of worker threads.

    Args:
        queue: the source of the keys.
        reconcile: reconciles a key and returns the seconds until the next time, or None.
        count: how many threads.
        on_done: called with the outcome (`ok`, `conflict`, `unavailable`, `error`) and the seconds; for metrics.
    """

    def __init__(
        self,
        queue: WorkQueue[Key],
        reconcile: Reconcile,
        count: int,
        on_done: Callable[[str, float], None] = lambda *_: None,
    ) -> None:
        self._queue, self._reconcile, self._on_done = queue, reconcile, on_done
        self._busy: dict[int, float] = {}
        self._threads = [threading.Thread(target=self._run, name=f"worker-{n}", daemon=True) for n in range(count)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def alive(self) -> bool:
        """True while every thread lives."""
        return all(thread.is_alive() for thread in self._threads)

    def longest(self) -> float:
        """Seconds for which the busiest thread has been at one job."""
        now = time.monotonic()
        return now - min(list(self._busy.values()), default=now)

    def stop(self, timeout: float = 5.0) -> None:
        """Close the queue and wait so many seconds for the threads to end."""
        self._queue.close()
        deadline = time.monotonic() + timeout
        for thread in filter(threading.Thread.is_alive, self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (key := self._queue.get()) is not None:
            started = self._busy[threading.get_ident()] = time.monotonic()
            outcome = self.work(key)
            del self._busy[threading.get_ident()]
            self._queue.done(key)
            self._on_done(outcome, time.monotonic() - started)

    def work(self, key: Key) -> str:
        """Reconcile one key, put it back into the queue if needed, and return the outcome."""
        extra = {"job": "/".join(key)}
        try:
            again = self._reconcile(key)
        except ConflictError:
            # Somebody changed the job between reading and writing: the change may matter, so look again.
            self._queue.retry(key)
            return "conflict"
        except ApiError as error:
            delay = self._queue.retry(key, error.retry_after)
            logger.warning("trying again in %.1f s: %s", delay, error, extra=extra)
            return "unavailable"
        except ParserUnavailableError as error:
            delay = self._queue.retry(key)
            logger.warning("program not parsed, trying again in %.1f s: %s", delay, error, extra=extra)
            return "unavailable"
        except Exception:  # one job's trouble must not end the work on all others
            delay = self._queue.retry(key, 5.0)
            logger.exception("unexpected failure, trying again in %.1f s", delay, extra=extra)
            return "error"
        self._queue.forget(key)
        if again is not None:
            self._queue.add_after(key, again)
        return "ok"
