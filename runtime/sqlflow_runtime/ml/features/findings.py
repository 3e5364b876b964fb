"""Values that features cannot take, and values that they leave out: counted by column over all batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlflow_runtime.errors import RunError

SHOWN = 80
"""Characters of a value in a message."""


@dataclass(slots=True)
class _Found:
    what: str
    hint: str
    count: int = 0


class Findings:
    """Collects them while batches become matrices; `check` then refuses, with the number of all."""

    def __init__(self) -> None:
        self._bad: dict[str, _Found] = {}
        self._lost: dict[str, _Found] = {}

    def bad(self, column: str, count: int, what: str, hint: str) -> None:
        """Note values that no model can learn from; `what` continues `column c holds ..` and shows the first."""
        self._bad.setdefault(column, _Found(what, hint)).count += count

    def lost(self, column: str, count: int, what: str, hint: str) -> None:
        """Note values that the feature leaves out; `what` continues `column c holds ..` and shows the first."""
        self._lost.setdefault(column, _Found(what, hint)).count += count

    @property
    def refused(self) -> bool:
        """True if there are bad values."""
        return bool(self._bad)

    def check(self, place: Callable[[str], int | None] = lambda _column: None, hint: str = "") -> None:
        """Refuse bad values.

        Args:
            place: for a column, where the program says what it means, in characters from 0.
            hint: instead of the feature's own, which is about the COLUMN clause.

        Raises:
            RunError: kind `data`; there are some.
        """
        _refuse(self._bad, place, hint)

    def check_complete(self, place: Callable[[str], int | None] = lambda _column: None) -> None:
        """Refuse values that were left out too: in rows to learn from, none may be.

        Raises:
            RunError: kind `data`; there are some, of either kind.
        """
        _refuse(self._bad, place)
        _refuse(self._lost, place)

    @property
    def lines(self) -> list[str]:
        """A line for each column of which values were left out."""
        return [f"column {name} holds {_worded(one)}: {_is(one)} as missing" for name, one in self._lost.items()]


def _worded(found: _Found) -> str:
    more = found.count - 1
    return found.what + (f", and {more} more such value{'s' if more > 1 else ''}" if more else "")


def _is(found: _Found) -> str:
    return "it counts" if found.count == 1 else "they count"


def _refuse(found: dict[str, _Found], place: Callable[[str], int | None], hint: str = "") -> None:
    for column, one in found.items():
        raise RunError("data", f"column {column} holds {_worded(one)}", hint or one.hint, place=place(column))


@contextmanager
def noted(findings: Findings | None) -> Iterator[Findings]:
    """The caller's findings; without any, findings of its own that are checked at the end."""
    if findings is not None:
        yield findings
        return
    own = Findings()
    yield own
    own.check()


def shown(value: object) -> str:
    """A value for a message, in quotes and shortened."""
    return repr(str(value)[:SHOWN])
