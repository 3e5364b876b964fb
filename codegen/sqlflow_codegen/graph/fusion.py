"""Fusion: the units that share a step, as many as can without making anything later.

Every step is a pod, and a pod costs seconds before its first statement runs. *Brief* units (DROP, CREATE VIEW, ...)
cost nothing beside that; all others, *long* ones, may take any time.

**Theorem.** Let a *fused* graph run each of its groups one statement after the other, starting a group when all
groups before it are done. Where no statement is brief, its critical path is no longer than that of the single
statements for every choice of durations exactly if every group is a *chain module*: its statements are pairwise
ordered, and every statement outside comes before all of them, after all of them, or is unordered with all of them.
Among such groupings there is a least one, and it is the one that joins `u` and `v` wherever `u` is all that `v` waits
for and `v` is all that waits for `u` (after transitive reduction).

*Proof.* Give the statements of one path of the fused graph the duration 1 and all others 0: the path is only then
no longer than the critical path before if its statements lie on one path there. So two statements may be ordered in
the fused graph only if they were before, which says that groups are chains and that, where one statement of a group
A comes before one of a group B, all of A come before all of B. Read for one statement x outside A: it has the same
relation to all of A. Conversely such groupings add no order at all. Two chain modules that overlap have a chain
module as their union, so each statement lies in a greatest one, and those are the least grouping. Neighbours u, v in a
chain module cover each other (what lay between would have to be in the module); another lower cover x of v would
come before v, so before u, and would not be covered by v; the same above u. And if v is the only upper cover of u,
and u the only lower cover of v, then whatever comes after u comes after v, and whatever comes before v before u. ∎

**With brief units** the same proof, with duration 0 for them, says: a grouping makes nothing later exactly if it
orders no two *long* units that were not ordered before. So the long units are grouped as above, in the order that is
left when the brief ones are passed over; that is the least number of groups with a long unit, and a larger module
never keeps a brief unit out that a part of it would take in. What remains is to find room for the brief units, in
those groups or in few of their own (`placing`): the least number is hard to find in general, and was found in all of
6,500 random graphs of up to eight units.

Only units of plain SQL are joined. The least grouping among those is the one above, cut at all other units.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlflow_codegen.graph.placing import place
from sqlflow_codegen.graph.units import Unit, reachable, topological


def fuse(units: Sequence[Unit], may_join: Sequence[bool], brief: Sequence[bool] = ()) -> list[list[int]]:
    """Positions of the units that share a step, for every step, in an order in which the steps may run.

    Args:
        units: in an order in which they may run, edges reduced.
        may_join: for every unit, whether it may share its step.
        brief: for every unit, whether it takes no time worth a step; () if none is.
    """
    small = [may and short for may, short in zip(may_join, brief or [False] * len(units), strict=True)]
    modules = _modules(units, may_join, small)
    group_of = place(units, modules, may_join) if any(small) else modules
    return _in_order(units, group_of)


def _modules(units: Sequence[Unit], may_join: Sequence[bool], small: Sequence[bool]) -> list[int]:
    """For every long unit the number of its chain module, from 0; -1 for brief ones."""
    before, after = reachable(units, [0 if each else 1 << unit for unit, each in enumerate(small)])
    module = [-1] * len(units)
    count = 0
    for unit, below in enumerate(before):
        if small[unit]:
            continue
        last = below.bit_length() - 1  # surely nothing lies between it and the unit
        covers = last >= 0 and below == before[last] | 1 << last and after[last] == after[unit] | 1 << unit
        if covers and may_join[last] and may_join[unit]:
            module[unit] = module[last]
        else:
            module[unit] = count
            count += 1
    return module


def _in_order(units: Sequence[Unit], group_of: Sequence[int]) -> list[list[int]]:
    """The groups in an order in which they may run, the one with the first unit first where there is a choice."""
    members: dict[int, list[int]] = {}
    for position, group in enumerate(group_of):
        members.setdefault(group, []).append(position)
    befores: dict[int, set[int]] = {group: set() for group in members}
    for position, unit in enumerate(units):
        befores[group_of[position]] |= {group_of[each] for each in unit.after}
    order = topological({group: befores[group] - {group} for group in members}, lambda group: members[group][0])
    return [members[group] for group in order]
