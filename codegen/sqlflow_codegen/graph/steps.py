"""Steps: the groups of statements that run together in one container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlflow_codegen.errors import Diagnostic, ProgramError
from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.language.ir import Program

if TYPE_CHECKING:
    from sqlflow_codegen.graph.build import Graph


@dataclass(frozen=True, slots=True)
class Step:
    """Statements that one container runs in one session.

    Attributes:
        name: `s<number of the first statement>-<kind>`, a DNS label, unique in the program: `s3-train`.
        kind: kind of the statements: `sql`, `train`, `predict`, ... Plain SQL that has to share the session of a
            model statement (a temporary table that it selects from, a USE before it) is in that one's step.
        statements: their numbers, from 1, ascending: the order in which they run.
        after: names of the steps that must have succeeded before.
        session: numbers of statements of other steps (USE, SET, ...) to replay in this step's session, each before
            the first of the step's statements that has a higher number; mostly that is before all of them.
            Their results are not the step's.
        repeat: those of `statements` that only shape the session (SET, what fills a temporary table); a step that
            is tried again runs them again, even if they were done.
        lost: those of `statements` at which another attempt cannot go on: they, or later ones, need what earlier ones
            left in the session, which is gone and which nothing brings back.
    """

    name: str
    kind: str
    statements: tuple[int, ...]
    after: tuple[str, ...] = ()
    session: tuple[int, ...] = ()
    repeat: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()


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
    from sqlflow_codegen.language.ir import SqlStatement, TrainStatement

    if all(isinstance(statement, SqlStatement | TrainStatement) for statement in program):
        return ()
    from sqlflow_codegen.graph.build import build_graph

    return build_graph(program, Ordering.SEQUENTIAL).errors
