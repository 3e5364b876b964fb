"""Statements at which another attempt at a step cannot go on: the session state that they need is lost.

Another attempt has a new session. It repeats what only shapes the session and skips completed statements. That is not
enough where a statement does both (an `INSERT` before `last_insert_id()`, a `CALL` that sees a temporary table), where
a repeated statement would read what was changed since, and where a new session is not like the old one (`ALTER ROLE
... SET`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlflow_codegen.graph.data_objects import Effects
from sqlflow_codegen.graph.session_affinity import AffinityKind, SessionAffinity

_NO_STATE = frozenset({AffinityKind.PREVIOUS, AffinityKind.WRITERS, AffinityKind.TRANSACTION})
"""Affinities of statements that use no state of the session which is there until its end."""


def lost_at(members: Sequence[int], effects: Sequence[Effects], repeated: Collection[int]) -> tuple[int, ...]:
    """Numbers of the statements at which another attempt cannot begin.

    Args:
        members: positions of the statements of one step, ascending.
        effects: of all statements of the program.
        repeated: positions of those that another attempt runs again.
    """
    step = [effects[position] for position in members]
    again = [position in repeated for position in members]
    last_use = {affinity: index for index, each in enumerate(step) for affinity in each.session}
    writer = next((n for n, each in enumerate(step) if not again[n] and (each.writes or each.barrier)), len(step))
    gaps: list[tuple[int, int]] = []
    """First and last statement of each stretch in which no attempt can begin."""
    for index, each in enumerate(step):
        used = max((last_use[affinity] for affinity in _state(each)), default=index)
        if each.reaches_later:
            gaps.append((index + 1, len(step) - 1))
        if not again[index] and _leaves(each):
            gaps.append((index + 1, used))
        start = _looks_back_to(each, index, writer)
        if start is not None:
            gaps.append((start + 1, used if again[index] else index))
        if again[index] and each.reads:
            gaps.append((_changed(step, again, index, used) + 1, used))
    return tuple(members[index] + 1 for index in _covered(gaps))


def _state(each: Effects) -> list[SessionAffinity]:
    """The affinities by state that a statement finds in its session, or leaves there."""
    others = _NO_STATE if each.changes_session else _NO_STATE | {AffinityKind.REST}
    return [affinity for affinity in each.session if affinity.kind not in others]


def _leaves(each: Effects) -> bool:
    """True if a statement that is not repeated may leave something in the session all the same."""
    return not each.controls and (each.changes_session or not each.understood)


def _looks_back_to(each: Effects, index: int, writer: int) -> int | None:
    """The first statement whose trace in the session this one may look at; None if it looks at none."""
    kinds = {affinity.kind for affinity in each.session}
    if AffinityKind.WRITERS in kinds:
        return writer if writer < index else None
    return index - 1 if index > 0 and AffinityKind.PREVIOUS in kinds else None


def _changed(step: Sequence[Effects], again: Sequence[bool], index: int, used: int) -> int:
    """The first statement after `index` that may change what this one read, and is not repeated; `used` if none."""
    read = {(each.kind, each.name) for each in step[index].reads}
    for n in range(index + 1, used):
        if not again[n]:
            later = step[n]
            if not later.understood or any((each.kind, each.name) in read for each in later.writes):
                return n
    return used


def _covered(gaps: Iterable[tuple[int, int]]) -> Iterator[int]:
    """The numbers that lie in one of the stretches, ascending."""
    following = 0
    for first, last in sorted(gaps):
        yield from range(max(first, following), last + 1)
        following = max(following, last + 1)
