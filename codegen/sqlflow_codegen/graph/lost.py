"""Where in a step another attempt cannot go on, because what an earlier statement left in the session is gone.

Another attempt has a new session. It repeats what only shapes the session and skips what is done. That is not enough
where a statement does both (an `INSERT` before `last_insert_id()`, a `CALL` that sees a temporary table), where what
is repeated would read what was changed since, and where a new session is not like the old one (`ALTER ROLE ... SET`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlflow_codegen.graph.resources import Effects
from sqlflow_codegen.graph.session import BEFORE, INSIDE, REST, WRITERS

_NO_STATE = (BEFORE, WRITERS, INSIDE)
"""Prefixes of tokens that say who shares a session, not what is in it."""


def lost_at(members: Sequence[int], effects: Sequence[Effects], repeated: Collection[int]) -> tuple[int, ...]:
    """Numbers of the statements at which another attempt cannot begin.

    Args:
        members: positions of the statements of one step, ascending.
        effects: of all statements of the program.
        repeated: positions of those that another attempt runs again.
    """
    step = [effects[position] for position in members]
    again = [position in repeated for position in members]
    found: set[int] = set()
    for index, each in enumerate(step):
        used = _last_use(step, index)
        if each.reaches_later:
            found.update(range(index + 1, len(step)))
        if not again[index] and _leaves(each):
            found.update(range(index + 1, used + 1))
        start = _looks_back_to(step, again, index)
        if start is not None:
            found.update(range(start + 1, (used if again[index] else index) + 1))
        if again[index] and each.reads:
            changed = next((n for n in range(index + 1, used) if not again[n] and _changes(step[n], each)), used)
            found.update(range(changed + 1, used + 1))
    return tuple(members[index] + 1 for index in sorted(found))


def _state(each: Effects) -> set[str]:
    """The tokens of what a statement uses of its session's state."""
    return {token for token in each.session if not token.startswith(_NO_STATE)}


def _last_use(step: Sequence[Effects], index: int) -> int:
    """The last statement that uses the state that this one uses or leaves."""
    state = _state(step[index])
    if not step[index].changes_session:
        state = {token for token in state if not token.startswith(REST)}
    later = (n for n in range(len(step) - 1, index, -1) if not state.isdisjoint(step[n].session))
    return next(later, index) if state else index


def _leaves(each: Effects) -> bool:
    """Whether a statement that is not repeated may leave something in the session all the same."""
    return not each.controls and (each.changes_session or not each.understood)


def _looks_back_to(step: Sequence[Effects], again: Sequence[bool], index: int) -> int | None:
    """The first statement whose trace in the session this one may look at; None if it looks at none."""
    tokens = step[index].session
    if any(token.startswith(WRITERS) for token in tokens):
        return next((n for n in range(index) if not again[n] and (step[n].writes or step[n].barrier)), None)
    before = index > 0 and any(token.startswith(BEFORE) for token in tokens)
    return index - 1 if before else None


def _changes(later: Effects, earlier: Effects) -> bool:
    """Whether one statement may change what an earlier one read."""
    if not later.understood:
        return True
    changed = {(each.kind, each.name) for each in later.writes}
    return any((each.kind, each.name) in changed for each in earlier.reads)
