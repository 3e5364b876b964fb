"""Plan the steps of a program. Nothing here imports sqlglot before a graph is made: the import costs time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlflow_codegen.errors import Diagnostic, ProgramError
from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.graph.steps import Step
from sqlflow_codegen.language.program import Program

if TYPE_CHECKING:
    from sqlflow_codegen.graph.build import Graph


def plan_steps(program: Program, ordering: Ordering = Ordering.SEQUENTIAL, *, fusion: bool = True) -> tuple[Step, ...]:
    """Group a program's statements into steps, in an order in which they may run one after the other.

    Args:
        program: the parsed program.
        ordering: which statements wait for which; `Ordering.SEQUENTIAL` gives the fewest steps, and is all that
            a backend can use that runs one step at a time.
        fusion: whether plain SQL statements share a step where that keeps no statement back that may take long.
    """
    return plan(program, ordering, fusion=fusion).steps


def plan(program: Program, ordering: Ordering = Ordering.CONSERVATIVE, *, fusion: bool = True) -> Graph:
    """The program's graph: effects, edges, steps and warnings. Imports sqlglot when it is called.

    Raises:
        ProgramError: a statement would replace a table that it must not.
    """
    from sqlflow_codegen.graph.build import build_graph

    planned = build_graph(program, ordering, fusion=fusion)
    if planned.errors:
        found = (*program.warnings, *planned.errors)
        raise ProgramError(tuple(sorted(found, key=lambda one: (one.statement, one.line, one.column))))
    return planned


def check_results(program: Program) -> tuple[Diagnostic, ...]:
    """The errors that `plan` would raise; at once where no statement writes a result table."""
    if all(statement.kind in ("sql", "train") for statement in program):
        return ()
    from sqlflow_codegen.graph.build import build_graph

    return build_graph(program, Ordering.SEQUENTIAL).errors
