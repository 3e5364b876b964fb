"""Notes for people about lost parallelism: the statements that made a program sequential, and a remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.graph.build import Graph, build_graph
from sqlflow_codegen.graph.data_objects import Effects
from sqlflow_codegen.graph.dependencies import WAR
from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.graph.provenance import Doubt

CODE = "one-after-another"
LOSS = 1.5
"""The longest chain of long statements over that with `Lineage` from which on a note is worth it."""
MOST_NOTES = 3
"""Reasons shown: those that keep most statements apart."""
MOST_NUMBERS = 6
"""Statements that a note names by their numbers."""

_BECAUSE = {
    Doubt.EXISTED: "{0} may have existed before the program, as a view or with triggers that change other tables",
    Doubt.KEPT: "{0} may have existed before the program: "
    "IF NOT EXISTS keeps what it finds, with its triggers and views",
    Doubt.REPLACED: "{0} may have existed before the program: CREATE OR REPLACE keeps the views that read it",
    Doubt.RECREATED: "{0} was dropped and made again, and a view that existed before may read it by its name",
    Doubt.DROPPED: "{0} may be a part of a table, or be read by a view, that other statements read",
    Doubt.UNREAD: "a statement that is not understood may have put views or triggers on {0}",
}
_REMEDY = {
    Doubt.KEPT: "Drop it first and create it without IF NOT EXISTS. ",
    Doubt.DROPPED: "Put the DROPs at the beginning of the program. ",
}


def notes(graph: Graph, ordering: Ordering) -> tuple[Diagnostic, ...]:
    """Notes about statements that keep others apart which could run side by side if names were trusted.

    Empty where little is lost, and for other orderings than `Conservative`, which say what they do. Statements that
    run alone have a warning already.
    """
    if ordering is not Ordering.CONSERVATIVE:
        return ()
    free = build_graph(graph.program, Ordering.LINEAGE)
    now, then = longest_chain(graph), longest_chain(free)
    if now < LOSS * then:
        return ()
    warned = {warning.statement for warning in graph.warnings}
    pairs = {number: count for number, count in _kept_apart(graph, free).items() if number not in warned}
    alike: dict[Doubt | str, list[int]] = {}
    for number in sorted(pairs):
        effects = graph.effects[number - 1]
        alike.setdefault(effects.barrier or effects.unclear[0][1], []).append(number)
    most = sorted(alike.values(), key=lambda numbers: -sum(pairs[number] for number in numbers))[:MOST_NOTES]
    return tuple(_note(graph, numbers, now, then) for numbers in sorted(most))


def longest_chain(graph: Graph) -> int:
    """The number of long statements in the longest chain."""
    return max(_longs_before(graph), default=0)


def _longs_before(graph: Graph, *, after: bool = False) -> list[int]:
    """For every statement, by its number, the long ones in the longest chain that ends (or begins) with it."""
    own = [0, *(0 if each.brief or each.setting else 1 for each in graph.effects)]
    depth = list(own)
    for edge in sorted(graph.edges, key=lambda each: -each.before if after else each.after):
        end, start = (edge.before, edge.after) if after else (edge.after, edge.before)
        depth[end] = max(depth[end], own[end] + depth[start])
    return depth


def _kept_apart(graph: Graph, free: Graph) -> Counter[int]:
    """The pairs of statements that a statement keeps apart, needlessly if names can be trusted, by its number."""
    ordered = _ancestors(free)
    before, after = _longs_before(graph), _longs_before(graph, after=True)
    found: Counter[int] = Counter()
    for edge in graph.edges:
        if ordered[edge.after] >> edge.before & 1 or not (before[edge.before] and after[edge.after]):
            continue
        pair = (edge.after, edge.before) if edge.hazard == WAR else (edge.before, edge.after)
        found.update([number for number in pair if _is_unclear(graph.effects[number - 1])][:1])
    return found


def _is_unclear(effects: Effects) -> bool:
    return bool(effects.barrier or effects.unclear)


def _ancestors(graph: Graph) -> list[int]:
    """For every statement, by its number, those before it as a bit set of numbers."""
    found = [0] * (len(graph.effects) + 1)
    for edge in sorted(graph.edges, key=lambda each: each.after):
        found[edge.after] |= found[edge.before] | 1 << edge.before
    return found


def _note(graph: Graph, numbers: list[int], now: int, then: int) -> Diagnostic:
    """The note about statements that keep others apart for the same reason."""
    statement, effects = graph.program.statement(numbers[0]), graph.effects[numbers[0] - 1]
    name, doubt = effects.unclear[0] if effects.unclear else ("", Doubt.EXISTED)
    reason = effects.barrier or _BECAUSE[doubt].format(f"`{name}`")
    remedy = "" if effects.barrier else _REMEDY.get(doubt, "")
    lineage = f"{'Or use' if remedy else 'Use'} `ordering: Lineage` if the names in the program can be trusted"
    hint = f"{remedy}{lineage}: the longest chain of statements is then {then} instead of {now}"
    message = f"{statement.title} keeps statements from running side by side: {reason}{_others(numbers[1:])}"
    span = statement.span
    return Diagnostic(CODE, " ".join(message.split()), statement.number, span.line, span.column, hint, "note")


def _others(numbers: list[int]) -> str:
    """`; the same holds for statements 3, 5 and 2 more`; "" if there are none."""
    if not numbers:
        return ""
    shown, more = numbers[:MOST_NUMBERS], len(numbers) - MOST_NUMBERS
    parts = [*map(str, shown), f"{more} more"] if more > 0 else [*map(str, shown)]
    listed = " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)
    return f"; the same holds for statement{'' if len(numbers) == 1 else 's'} {listed}"


def as_text(found: Sequence[Diagnostic]) -> list[str]:
    """A line for every note, with the statement's number and the remedy."""
    return [f"statement {each.statement}: {each.message}. {each.hint}." for each in found]
