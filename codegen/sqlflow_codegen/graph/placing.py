"""Finds room for units that take next to no time: in the steps of others, or together in few steps of their own.

Nothing here puts two groups of long units into an order in which they were not before; see `fusion`. Sets of groups
are bit sets: `before[g]` holds the groups of long units that come before group g, `after[g]` those that come after.

Two ways to join groups add no order for any of the long ones, so that any number of such joins is safe, and each
costs a look into a table: a brief group joins a group at whose end exactly the same has been done (`forward`), or at
whose beginning exactly the same is still to do (backward). In programs of usual size what is left is tried in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlflow_codegen.graph.units import Unit, reachable, topological

MOST_PAIRS = 20_000
"""More pairs of groups than that are not tried."""
_ROUNDS = 8


def place(units: Sequence[Unit], modules: Sequence[int], may_join: Sequence[bool]) -> list[int]:
    """For every unit the number of its group.

    Args:
        units: in an order in which they may run, edges reduced.
        modules: for every long unit the number of its group, from 0; -1 for brief ones.
        may_join: for every unit, whether it may share its group.
    """
    beginning = _Grouping.of(units, modules, may_join)
    best = beginning.joined(own=True, start_forward=True)
    if best.pairs > MOST_PAIRS:
        return best.group_of
    for own, start_forward in ((True, False), (False, True), (False, False)):
        other = beginning.joined(own=own, start_forward=start_forward)
        if other.count < best.count:
            best = other
    return best.group_of


@dataclass(frozen=True, slots=True)
class _Order:
    """Groups in an order in which they may run, with the long groups before and after each, and all groups before."""

    groups: list[int]
    before: dict[int, int]
    after: dict[int, int]
    all_before: dict[int, int]


@dataclass(slots=True)
class _Grouping:
    """A grouping. Groups of long units have numbers below `long`, each brief group that of a unit in it plus `long`."""

    units: Sequence[Unit]
    group_of: list[int]
    long: int
    joinable: frozenset[int]
    """Groups of long units that brief ones may join."""
    own_before: dict[int, int]
    """For every group of long units those before it, which no join may add to."""

    @classmethod
    def of(cls, units: Sequence[Unit], modules: Sequence[int], may_join: Sequence[bool]) -> _Grouping:
        """The grouping to begin with: brief units between two of one group are in it, all others alone."""
        long = max(modules, default=-1) + 1
        below, above = reachable(units, [1 << module if module >= 0 else 0 for module in modules])
        group_of = list(modules)
        for position, module in enumerate(modules):
            if module < 0:
                around = below[position] & above[position]
                group_of[position] = around.bit_length() - 1 if around else long + position
        joinable = {module for position, module in enumerate(modules) if module >= 0 and may_join[position]}
        found = cls(units, group_of, long, frozenset(joinable), {})
        found.own_before = found._order().before
        return found

    @property
    def count(self) -> int:
        """The number of groups."""
        return len(set(self.group_of))

    @property
    def pairs(self) -> int:
        """The number of pairs of groups that might be joined."""
        brief = sum(1 for group in set(self.group_of) if group >= self.long)
        return brief * self.count

    def joined(self, *, own: bool, start_forward: bool) -> _Grouping:
        """The grouping after all joins that it finds.

        Args:
            own: whether brief groups join each other before all of them were tried with the long ones.
            start_forward: which way is tried first.
        """
        copy = _Grouping(self.units, list(self.group_of), self.long, self.joinable, self.own_before)
        ways = (start_forward, not start_forward)
        for _ in range(_ROUNDS):
            if not sum([copy._join_equals(forward=forward, own=own) for forward in ways]):
                break
        while copy.pairs <= MOST_PAIRS and copy._join_pair():
            pass
        return copy

    # -- the order of the groups

    def _order(self) -> _Order:
        befores: dict[int, set[int]] = {group: set() for group in self.group_of}
        for position, unit in enumerate(self.units):
            befores[self.group_of[position]].update(self.group_of[each] for each in unit.after)
        befores = {group: each - {group} for group, each in befores.items()}
        groups = topological(befores, lambda group: group)
        index = {group: n for n, group in enumerate(groups)}
        before, everything = dict.fromkeys(groups, 0), dict.fromkeys(groups, 0)
        after = dict.fromkeys(groups, 0)
        few = self.pairs <= MOST_PAIRS
        for group in groups:
            for each in befores[group]:
                before[group] |= before[each] | self._bit(each)
                if few:
                    everything[group] |= everything[each] | 1 << index[each]
        for group in reversed(groups):
            own = after[group] | self._bit(group)
            for each in befores[group]:
                after[each] |= own
        return _Order(groups, before, after, everything)

    def _bit(self, group: int) -> int:
        return 1 << group if group < self.long else 0

    # -- joins that add no order

    def _join_equals(self, *, forward: bool, own: bool) -> int:
        """Join brief groups with groups before or after which the same remains; how many joined."""
        order = self._order()
        sets = order.before if forward else order.after
        table = {sets[group] | 1 << group: group for group in order.groups if group in self.joinable}
        into: dict[int, int] = {}
        for group in order.groups:
            if group >= self.long:
                found = table.get(sets[group])
                if found is not None:
                    into[group] = found
                elif own:
                    table[sets[group]] = group
        self.group_of = [into.get(group, group) for group in self.group_of]
        return len(into)

    # -- joins that are tried

    def _join_pair(self) -> bool:
        """Join two groups, at least one of them brief; False if no two can be joined."""
        order = self._order()
        position = {group: n for n, group in enumerate(order.groups)}
        brief = [group for group in order.groups if group >= self.long]
        long = [group for group in order.groups if group in self.joinable]
        with_long = ((small, other) for small in brief for other in long)
        among = ((small, other) for n, small in enumerate(brief) for other in brief[:n])
        for small, other in chain(with_long, among):
            if self._may_join(small, other, order, position):
                self.group_of = [other if group == small else group for group in self.group_of]
                return True
        return False

    def _may_join(self, small: int, other: int, order: _Order, position: dict[int, int]) -> bool:
        """True if the join puts no two long groups into a new order, and nothing lies between the two."""
        own = self._bit(other)
        before = (order.before[small] | order.before[other]) & ~own
        after = (order.after[small] | order.after[other]) & ~own
        if own and before & ~self.own_before[other]:
            return False
        done = before | own
        if any(done & ~self.own_before[each] for each in _bits(after)):
            return False
        first, second = sorted((small, other), key=lambda group: position[group])
        start = 1 << position[first]
        if not order.all_before[second] & start:
            return True
        return not any(order.all_before[order.groups[each]] & start for each in _bits(order.all_before[second]))


def _bits(numbers: int) -> Iterator[int]:
    """The numbers in a bit set, ascending."""
    while numbers:
        least = numbers & -numbers
        yield least.bit_length() - 1
        numbers ^= least
