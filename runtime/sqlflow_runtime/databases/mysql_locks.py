"""Named locks of a session of MySQL, which its transactions do not end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    from sqlflow_runtime.databases.mysql import MySQL

_WAIT_SECONDS = 3600


class NamedLocks:
    """Locks that are released when no transaction is open and nothing holds them."""

    def __init__(self, database: MySQL) -> None:
        self._database = database
        self._keys: list[str] = []
        self._holders = 0

    def take(self, key: str, name: str) -> None:
        """Wait for the lock of that key; `name` is for the message."""
        (got,) = self._database.execute(f"SELECT GET_LOCK(SHA1(?), {_WAIT_SECONDS})", (key,))[0]
        if not got:
            hint = "Look for a session that does not end, and run it again."
            raise RunError("database", f"another session held the lock of {name} for an hour", hint, final=False)
        self._keys.append(key)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold locks taken inside to its end, or to the end of the transaction that is open then."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            self.release()

    def release(self) -> None:
        """Release the locks, unless what they guard may still be invisible to others."""
        if self._holders or not self._database.is_open() or not self._keys or self._database.in_transaction():
            return
        while self._keys:
            self._database.execute("DO RELEASE_LOCK(SHA1(?))", (self._keys.pop(),))
