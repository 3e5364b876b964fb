"""Which units share a step: as many as can without making anything later.

**Theorem.** Let a *fused* graph run each of its groups one statement after the other, starting a group when all
groups before it are done. Its critical path is no longer than that of the single statements for every choice of
durations exactly if every group is a *chain module*: its statements are pairwise ordered, and every statement
outside comes before all of them, after all of them, or is unordered with all of them. Among such groupings there is
a least one, and it is the one that joins `u` and `v` wherever `u` is all that `v` waits for and `v` is all that waits
for `u` (after transitive reduction).

*Proof.* Give the statements of one path of the fused graph the duration 1 and all others 0: the path is only then
no longer than the critical path before if its statements lie on one path there. So two statements may be ordered in
the fused graph only if they were before, which says that groups are chains and that, where one statement of a group
A comes before one of a group B, all of A come before all of B. Read for one statement x outside A: it has the same
relation to all of A. Conversely such groupings add no order at all. Two chain modules that overlap have a chain
module as their union, so each statement lies in a greatest one, and those are the least grouping. Neighbours u, v in a
chain module cover each other (what lay between would have to be in the module); another lower cover x of v would
come before v, so before u, and would not be covered by v; the same above u. And if v is the only upper cover of u,
and u the only lower cover of v, then whatever comes after u comes after v, and whatever comes before v before u. ∎

Only units of plain SQL are joined. The least grouping among those is the one above, cut at all other units; it has
as few pods as any graph whose critical path is never longer, and every join saves the start of a pod.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlflow_codegen.graph.units import Unit


def fuse(units: Sequence[Unit], may_join: Sequence[bool]) -> list[list[int]]:
    """Positions of the units that share a step, for every step, in an order in which the steps may run.

    Args:
        units: in an order in which they may run, edges reduced.
        may_join: for every unit, whether it may share its step.
    """
    followers = [0] * len(units)
    for unit in units:
        for each in unit.after:
            followers[each] += 1
    group_of: list[int] = []
    groups: list[list[int]] = []
    for position, unit in enumerate(units):
        joins = False
        if len(unit.after) == 1:
            (before,) = unit.after
            joins = followers[before] == 1 and may_join[before] and may_join[position]
        if joins:
            group_of.append(group_of[before])
            groups[group_of[before]].append(position)
        else:
            group_of.append(len(groups))
            groups.append([position])
    return groups
