"""Connecting to a server that is not up yet: retries with backoff, for a bounded time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlflow_runtime.errors import RunError

Connection = TypeVar("Connection")

ATTEMPT_SECONDS = 30
"""The limit of one attempt to connect. A server on a busy node answers late; an attempt that is cut short had it
start a session for nothing, and with a hundred steps at once it does little else."""


class UnreachedError(Exception):
    """The server could not be reached; another attempt may succeed."""

    def __init__(self, failure: RunError) -> None:
        super().__init__(failure.message)
        self.failure = failure


def connect_with_backoff(
    connect: Callable[[], Connection], log: Callable[[str, str], None], timeout: float
) -> Connection:
    """Return what `connect` returns; where it raises `UnreachedError`, call it again for up to `timeout` seconds.

    Raises:
        RunError: kind `connection`; the server could not be reached in time, or refuses.
    """
    try:
        return connect()
    except UnreachedError as first:
        log("warning", f"{first.failure.message}; trying again for up to {timeout:g} s")
        failure = first.failure
    # Imported here: most steps connect at once.
    from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

    retrying = Retrying(
        retry=retry_if_exception_type(UnreachedError),
        wait=wait_exponential_jitter(multiplier=0.2, max=2, jitter=0.2),
        stop=stop_after_delay(timeout),
    )
    try:
        return retrying(connect)
    except RetryError as error:
        last = error.last_attempt.exception()
        raise (last.failure if isinstance(last, UnreachedError) else failure) from error
