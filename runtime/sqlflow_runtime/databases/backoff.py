"""Connecting again to a server that is not up yet, for a bounded time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlflow_runtime.errors import RunError

Connection = TypeVar("Connection")

TRY_SECONDS = 30
"""How long one try to connect may take. A server on a busy node answers late; a try that is cut short had it start a
session for nothing, and with a hundred steps at once it does little else."""


class UnreachedError(Exception):
    """The server could not be reached; another attempt may succeed."""

    def __init__(self, failure: RunError) -> None:
        super().__init__(failure.message)
        self.failure = failure


def connect_patiently(
    connect: Callable[[], Connection], log: Callable[[str, str], None], patience: float
) -> Connection:
    """What `connect` returns; where it raises `UnreachedError`, it is called again for up to `patience` seconds.

    Raises:
        RunError: kind `connection`; it could not be reached in time, or refuses.
    """
    try:
        return connect()
    except UnreachedError as first:
        log("warning", f"{first.failure.message}; trying again for up to {patience:g} s")
        return _connect_again(connect, patience, first)


def _connect_again(connect: Callable[[], Connection], patience: float, first: UnreachedError) -> Connection:
    # Imported here: most steps connect at once.
    from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

    retrying = Retrying(
        retry=retry_if_exception_type(UnreachedError),
        wait=wait_exponential_jitter(initial=0.2, max=2, jitter=0.2),
        stop=stop_after_delay(patience),
    )
    try:
        return retrying(connect)
    except RetryError as error:
        last = error.last_attempt.exception()
        raise (last if isinstance(last, UnreachedError) else first).failure from error
