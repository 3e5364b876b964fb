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
from sqlflow_codegen.graph.session_state import Affinity, AffinityKind


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

    holders: dict[Affinity, int] = {}
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
    """For every node the least of its strongly connected component (Tarjan's algorithm, without recursion)."""
    found: dict[int, int] = {}
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    path: list[int] = []
    for root in befores:
        if root in number:
            continue
        work = [(root, iter(sorted(befores[root])))]
        number[root] = low[root] = len(number)
        path.append(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in number:
                    number[other] = low[other] = len(number)
                    path.append(other)
                    work.append((other, iter(sorted(befores[other]))))
                    break
                if other not in found:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    start = path.index(node) if path[-1] != node else len(path) - 1
                    least = min(path[start:])
                    found.update(dict.fromkeys(path[start:], least))
                    del path[start:]
    return found


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
