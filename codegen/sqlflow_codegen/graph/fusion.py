"""Fusion: the units that share a step, as many as can without making anything later.

Every step is a pod, and a pod costs seconds before its first statement runs. *Brief* units (DROP, CREATE VIEW, ...)
cost nothing beside that; all others, *long* ones, may take any time.

The grouping that makes as few steps as can be, and no statement later, is that of decision 0043, which has the proof:
a long unit joins the one before it where it waits for nothing else, and nothing else waits for that one (after
transitive reduction, brief units passed over); then `placing` finds room for the brief units. Only units of plain SQL
are joined.
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
