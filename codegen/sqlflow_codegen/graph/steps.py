"""Steps: the groups of statements that run together in one container."""

from __future__ import annotations

from dataclasses import dataclass

from sqlflow_codegen.language.ir import Program, Statement


@dataclass(frozen=True, slots=True)
class Step:
    """Statements that one container runs, in the order given.

    Attributes:
        name: `s<number of the first statement>-<kind>`, a DNS label, unique in the program: `s3-train`.
        kind: kind of the statements: `sql`, `train`, `predict`, ...
        statements: their numbers, from 1, ascending.
        after: names of the steps that must have succeeded before.
    """

    name: str
    kind: str
    statements: tuple[int, ...]
    after: tuple[str, ...] = ()


def plan_steps(program: Program) -> tuple[Step, ...]:
    """Group a program's statements into steps, in an order in which they may run one after the other.

    Steps come in program order, each after the one before. Adjacent plain SQL statements share a step; every
    model statement is a step of its own.
    """
    groups: list[list[Statement]] = []
    for statement in program:
        if groups and statement.kind == groups[-1][0].kind == "sql":
            groups[-1].append(statement)
        else:
            groups.append([statement])
    steps: list[Step] = []
    for group in groups:
        name = f"s{group[0].number}-{group[0].kind}"
        after = (steps[-1].name,) if steps else ()
        steps.append(Step(name, group[0].kind, tuple(s.number for s in group), after))
    return tuple(steps)
