"""Shorthands of the graph's tests."""

from __future__ import annotations

from sqlflow_codegen.graph.build import Graph, build_graph
from sqlflow_codegen.graph.data_objects import Effects
from sqlflow_codegen.graph.effects import ProgramState, effects
from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.language import parse_program

CONSERVATIVE, LINEAGE, SEQUENTIAL = Ordering.CONSERVATIVE, Ordering.LINEAGE, Ordering.SEQUENTIAL


def graph(text: str, dialect: str = "postgres", ordering: Ordering = CONSERVATIVE, *, fusion: bool = True) -> Graph:
    """The graph of a program."""
    return build_graph(parse_program(text, dialect), ordering, fusion=fusion)


def effects_of(text: str, dialect: str = "postgres", ordering: Ordering = CONSERVATIVE) -> list[Effects]:
    """What each statement of a program does."""
    context = ProgramState(dialect, ordering)
    return [effects(statement, context) for statement in parse_program(text, dialect)]


def last(text: str, dialect: str = "postgres", ordering: Ordering = CONSERVATIVE) -> Effects:
    """What the last statement of a program does."""
    return effects_of(text, dialect, ordering)[-1]


def pairs(found: Graph) -> list[tuple[int, int]]:
    """Which statement waits for which, as numbers."""
    return sorted({(edge.before, edge.after) for edge in found.edges})


def before(found: Graph, first: int, second: int) -> bool:
    """Whether one statement surely runs before another."""
    reached = {first}
    for start, end in pairs(found):  # ascending, so that one pass is enough
        if start in reached:
            reached.add(end)
    return second in reached


def groups(found: Graph) -> list[tuple[int, ...]]:
    """The statements of each step."""
    return [step.statements for step in found.steps]
