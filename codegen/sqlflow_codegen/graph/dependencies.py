"""Dependencies between statements: hazards between their effects, after transitive reduction.

Statements come in program order, so that an edge always leads from a lower number to a higher one. For every
resource the last writer and the readers since are remembered: that gives few edges to begin with. Which of them
follow from others is found by bit sets of ancestors, one machine word for 64 statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlflow_codegen.graph.data_objects import ALL, ANY_FILE, FILES, FREED, MODEL, TABLE, DataObject, Effects
from sqlflow_codegen.graph.files import distinct_files

RAW = "RAW"
WAR = "WAR"
WAW = "WAW"
BARRIER = "BARRIER"
SEQUENCE = "ORDER"


class Cause(NamedTuple):
    """The reason why one statement waits for another.

    Attributes:
        hazard: `RAW`, `WAR`, `WAW`, `BARRIER` or, where the program's order is kept, `ORDER`.
        on: the relation or model; `*` stands for all relations that the program did not create.
    """

    hazard: str
    on: str


Waits = list[dict[int, tuple[Cause, ...]]]
"""For every statement (by position) those that it waits for, and why; nothing that follows from others."""


_Found = tuple[str, DataObject]
"""A hazard and its data object."""
_RANKS = {TABLE: 0, MODEL: 0, ALL: 2}
"""Kinds of data objects from the clearest to the vaguest; others are between, and all files are last."""


class _State:
    """The last writer of a data object, and its readers since."""

    __slots__ = ("readers", "writer")

    def __init__(self) -> None:
        self.writer = -1
        self.readers: list[int] = []


def in_program_order(count: int, settings: Iterable[int] = ()) -> Waits:
    """Every statement waits for the one before it, but for those in `settings`, which wait for nothing."""
    skipped = frozenset(settings)
    waits: Waits = [{} for _ in range(count)]
    before = -1
    for index in range(count):
        if index in skipped:
            continue
        if before >= 0:
            waits[index] = {before: (Cause(SEQUENCE, ""),)}
        before = index
    return waits


def by_effects(effects: Sequence[Effects]) -> Waits:
    """Every statement waits for those whose effects its own must not overtake; settings wait for nothing."""
    return _Hazards(effects).waits()


class _Hazards:
    """One pass over the statements of a program."""

    def __init__(self, effects: Sequence[Effects]) -> None:
        self._effects = effects
        self._states: defaultdict[DataObject, _State] = defaultdict(_State)
        self._distinct = _distinct(effects)
        self._files = {each for each in self._distinct.values() if each.kind == FILES}
        self._last_barrier = -1
        self._ends: dict[int, None] = {}
        """Statements that none waits for, since the last barrier."""
        self._ancestors: list[int] = []
        self._base = 0
        """The statement of the lowest bit in `_ancestors`: the last barrier."""

    def waits(self) -> Waits:
        """The dependencies of every statement."""
        found: Waits = []
        for index, effects in enumerate(self._effects):
            kept: dict[int, tuple[Cause, ...]] = {}
            if effects.setting:
                self._ancestors.append(0)
            elif effects.barrier:
                kept = {each: (Cause(BARRIER, effects.barrier),) for each in sorted(self._ends)}
                self._start_again(index)
            else:
                kept = self._reduced(self._candidates(index, effects))
                self._ends[index] = None
            found.append(kept)
        return found

    def _start_again(self, index: int) -> None:
        """Forget all before a barrier: each statement after it waits for it, and so for all before."""
        self._states.clear()
        self._ends = {index: None}
        self._last_barrier = self._base = index
        self._ancestors = [0]

    def _candidates(self, index: int, effects: Effects) -> dict[int, list[_Found]]:
        """The statements whose effects this one must not overtake, as far as they are remembered, and why."""
        distinct, states = self._distinct, self._states
        found: dict[int, list[_Found]] = {}
        writes = self._all_files({distinct[each] for each in effects.writes})
        for resource in sorted(self._all_files({distinct[each] for each in effects.reads})):
            state = states[resource]
            _add(found, RAW, state.writer, resource)
            if resource not in writes and resource.kind != FREED:
                state.readers.append(index)
        for resource in sorted(writes):
            state = states[resource]
            _add(found, WAW, state.writer, resource)
            for reader in state.readers:
                _add(found, WAR, reader, resource)
            state.writer = index
            state.readers = []
        if not found and self._last_barrier >= 0:
            found[self._last_barrier] = []
        return found

    def _all_files(self, resources: set[DataObject]) -> set[DataObject]:
        """With every file of the program where any file may be meant."""
        return resources | self._files if ANY_FILE in resources else resources

    def _reduced(self, candidates: dict[int, list[_Found]]) -> dict[int, tuple[Cause, ...]]:
        """The candidates that do not follow from others. Only a later statement can imply an earlier one."""
        base, ancestors = self._base, self._ancestors
        reached = 0
        kept: dict[int, tuple[Cause, ...]] = {}
        for each in sorted(candidates, reverse=True):
            bit = 1 << (each - base)
            if not reached & bit:
                kept[each] = _clearest(candidates[each]) or (Cause(BARRIER, self._effects[each].barrier),)
                self._ends.pop(each, None)
                reached |= ancestors[each - base] | bit
        ancestors.append(reached)
        return dict(sorted(kept.items()))


def _add(found: dict[int, list[_Found]], hazard: str, before: int, resource: DataObject) -> None:
    """Note a hazard on a resource with an earlier statement; -1 stands for none."""
    if before >= 0:
        found.setdefault(before, []).append((hazard, resource))


def _clearest(found: list[_Found]) -> tuple[Cause, ...]:
    """The causes on the clearest data objects: tables and models before those that stand for several."""
    least = min((_rank(resource) for _, resource in found), default=0)
    return tuple(Cause(hazard, resource.shown) for hazard, resource in found if _rank(resource) == least)


def _rank(resource: DataObject) -> int:
    """The vagueness of a data object to a person; see `_RANKS`."""
    return 3 if resource == ANY_FILE else _RANKS.get(resource.kind, 1)


def _distinct(effects: Sequence[Effects]) -> dict[DataObject, DataObject]:
    """For each data object the one that stands for all those that may mean the same relation."""
    found: dict[DataObject, DataObject] = {}
    schemas: dict[str, set[str]] = {}
    for each in effects:
        for resource in (*sorted(each.reads), *sorted(each.writes)):  # the first one is shown
            if resource not in found:
                found[resource] = resource
                if resource.kind == TABLE:
                    schemas.setdefault(resource.name, set()).add(resource.schema)
    ambiguous = {name for name, known in schemas.items() if "" in known and len(known) > 1}
    first: dict[tuple[str, str, str], DataObject] = {}
    files = distinct_files(each for each in found if each.kind == FILES)
    for resource in found:
        if resource in files:
            found[resource] = files[resource]
            continue
        schema = "" if resource.kind == TABLE and resource.name in ambiguous else resource.schema
        found[resource] = first.setdefault((resource.kind, schema, resource.name), resource)
    return found


def reduced(waits: Sequence[Iterable[int]]) -> list[tuple[int, ...]]:
    """The edges of a graph in topological order without those that follow from others."""
    ancestors: list[int] = []
    found: list[tuple[int, ...]] = []
    for befores in waits:
        reached = 0
        kept: list[int] = []
        for each in sorted(set(befores), reverse=True):
            if not reached >> each & 1:
                kept.append(each)
                reached |= ancestors[each] | 1 << each
        ancestors.append(reached)
        found.append(tuple(reversed(kept)))
    return found
