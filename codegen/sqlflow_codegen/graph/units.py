"""Units: statements that only one session can run, together, and the order of the units.

Most statements are a unit of their own. Statements that share a temporary table, a transaction or anything else of
a session are one unit, and with them all statements that lie on a way from one of them to another, because a step
can only start when all that it waits for is done.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from sqlflow_codegen.graph.data_objects import Effects
from sqlflow_codegen.graph.dependencies import Waits, reduced
from sqlflow_codegen.graph.session_affinity import AffinityKind, SessionAffinity


@dataclass(frozen=True, slots=True)
class Unit:
    """Statements of one session.

    Attributes:
        statements: positions of the statements, ascending.
        after: positions (among the units) of those that it waits for, without what follows from others.
    """

    statements: tuple[int, ...]
    after: tuple[int, ...]


def make_units(effects: Sequence[Effects], waits: Waits) -> list[Unit]:
    """The units of a program, in an order in which they may run; settings are in none."""
    members = [index for index, each in enumerate(effects) if not each.setting]
    if not any(effects[index].session for index in members):
        position = {index: n for n, index in enumerate(members)}
        return [Unit((index,), tuple(position[each] for each in waits[index])) for index in members]
    group = _together(members, effects)
    befores: dict[int, set[int]] = {group[index]: set() for index in members}
    for index in members:
        befores[group[index]] |= {group[each] for each in waits[index]}
    component = _components(befores)
    statements: dict[int, list[int]] = {}
    for index in members:
        statements.setdefault(component[group[index]], []).append(index)
    after: dict[int, set[int]] = {key: set() for key in statements}
    for key, keys in befores.items():
        after[component[key]] |= {component[each] for each in keys}
    order = topological({key: after[key] - {key} for key in statements}, lambda key: statements[key][0])
    position = {key: n for n, key in enumerate(order)}
    edges = reduced([[position[each] for each in after[key] if each != key] for key in order])
    return [Unit(tuple(statements[key]), edges[n]) for n, key in enumerate(order)]


def _together(members: Sequence[int], effects: Sequence[Effects]) -> dict[int, int]:
    """For every statement one that stands for all that share a session with it, by union-find."""
    parent = {index: index for index in members}

    def find(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    holders: dict[SessionAffinity, int] = {}
    for n, index in enumerate(members):
        for affinity in effects[index].session:
            if affinity.kind is AffinityKind.PREVIOUS:
                others: Iterable[int] = members[max(n - 1, 0) : n]
            elif affinity.kind is AffinityKind.WRITERS:
                others = members[:n]
            else:
                others = (holders.setdefault(affinity, index),)
            for other in others:
                first, second = sorted((find(index), find(other)))
                parent[second] = first
    return {index: find(index) for index in members}


def _components(befores: dict[int, set[int]]) -> dict[int, int]:
    """For every node one that stands for its strongly connected component (Kosaraju's algorithm)."""
    afters: dict[int, list[int]] = {node: [] for node in befores}
    for node, others in befores.items():
        for each in others:
            afters[each].append(node)
    found: dict[int, int] = {}
    for root in reversed(_postorder(befores)):
        stack = [root]
        while stack:
            node = stack.pop()
            if node not in found:
                found[node] = root
                stack += afters[node]
    return found


def _postorder(befores: dict[int, set[int]]) -> list[int]:
    """The nodes in the order in which a depth-first search leaves them."""
    order: list[int] = []
    seen: set[int] = set()
    stack = [(root, False) for root in befores]
    while stack:
        node, left = stack.pop()
        if left:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(each, False) for each in befores[node] if each not in seen]
    return order


def topological(after: dict[int, set[int]], key: Callable[[int], int]) -> list[int]:
    """The nodes in an order in which each comes after those it waits for; of several, the least by `key` first."""
    sorter = TopologicalSorter(after)
    sorter.prepare()
    order: list[int] = []
    ready: list[tuple[int, int]] = []
    while sorter.is_active():
        for node in sorter.get_ready():
            heapq.heappush(ready, (key(node), node))
        _, node = heapq.heappop(ready)
        order.append(node)
        sorter.done(node)
    return order


def reachable(units: Sequence[Unit], bits: Sequence[int]) -> tuple[list[int], list[int]]:
    """For every unit the bits of those before it, and of those after it.

    Args:
        units: in an order in which they may run.
        bits: for every unit the bit set that stands for it; 0 where it does not count.
    """
    before, after = [0] * len(units), [0] * len(units)
    for position, unit in enumerate(units):
        for each in unit.after:
            before[position] |= before[each] | bits[each]
    for position in range(len(units) - 1, -1, -1):
        own = after[position] | bits[position]
        for each in units[position].after:
            after[each] |= own
    return before, after
