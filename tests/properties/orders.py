"""One random program: what sequential execution gives, and whether orders that the graph allows give the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from sqlflow_codegen.graph.build import build_graph
from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import Program

from tests.properties.databases import Database, StatementError
from tests.properties.execution import Outcome, Run
from tests.properties.generate import Generator

ORDERS = 4
"""Runs of each program besides the sequential one."""


@dataclass(frozen=True)
class Wrong:
    """A program that gave something else in an order that its graph allowed."""

    statements: tuple[str, ...]
    mode: str
    seed: int
    differences: tuple[str, ...]

    def __str__(self) -> str:
        program = "\n".join(f"{n:3} {statement};" for n, statement in enumerate(self.statements, 1))
        return f"seed {self.seed}, {self.mode}:\n{program}\n" + "\n".join(self.differences)


def programs(
    database: Database, first_seed: int = 0, *, trusted: bool = False
) -> Iterator[tuple[int, list[str], Outcome]]:
    """Random programs that run from first to last, with what they give. Endless."""
    seed = first_seed
    while True:
        choose = random.Random(f"{database.name} {seed}")
        generator = Generator(database.name, choose, trusted=trusted, second=database.second)
        statements = generator.program(choose.randint(4, 22))
        found = valid(database, statements)
        if found is not None:
            yield seed, *found
        seed += 1


def parse(database: Database, statements: list[str]) -> Program:
    """The program of these statements."""
    return parse_program(";\n".join(statements) + ";", database.dialect)


def valid(database: Database, statements: list[str]) -> tuple[list[str], Outcome] | None:
    """The statements without those that the database refuses, and what the others give; None if little is left."""
    for _ in range(40):
        if len(statements) < 2:
            return None
        try:
            return statements, Run(database, parse(database, statements)).sequential()
        except StatementError as error:
            number = int(str(error).partition(":")[0].split()[-1])
            statements = _without(statements, number - 1)
    return None


def _without(statements: list[str], index: int) -> list[str]:
    """The statements without one; without its transaction, if it is in one."""
    begin = -1
    for n, statement in enumerate(statements):
        if statement.startswith(("BEGIN", "START TRANSACTION")):
            begin = n
        if begin >= 0 and n >= index and (statement.startswith("COMMIT") or statement == "ROLLBACK"):
            return statements[:begin] + statements[n + 1 :]
        if statement.startswith("COMMIT") or statement == "ROLLBACK":
            begin = -1
        if n > index and begin < 0:
            break
    return statements[:index] + statements[index + 1 :]


def check(
    database: Database,
    statements: list[str],
    expected: Outcome,
    seed: int,
    *,
    ordering: Ordering = Ordering.CONSERVATIVE,
    orders: int = ORDERS,
) -> Wrong | None:
    """Run a program in several orders that its graph allows."""
    program = parse(database, statements)
    choose = random.Random(seed)
    graphs = [build_graph(program, ordering, fusion=fusion) for fusion in (False, True)]
    modes = ["serial", "interleaved", "concurrent" if database.threads else "interleaved", "serial"]
    for n in range(orders):
        mode = modes[n % len(modes)]
        graph = graphs[n % 3 == 2]
        run = Run(database, program)
        database.reset()
        try:
            outcome = {"serial": run.serial, "interleaved": run.interleaved, "concurrent": run.concurrent}[mode](
                graph, choose
            )
        except StatementError as error:
            return Wrong(tuple(statements), mode, seed, (str(error), *map(str, graph.steps)))
        differences = expected.differences(outcome)
        if differences:
            return Wrong(tuple(statements), mode, seed, (*differences, *map(str, graph.steps)))
    return None


def minimised(database: Database, wrong: Wrong, ordering: Ordering) -> Wrong:
    """The same with fewer statements, as far as leaving out single ones goes."""
    smaller = True
    while smaller:
        smaller = False
        for index in reversed(range(len(wrong.statements))):
            found = valid(database, _without(list(wrong.statements), index))
            if found is None or len(found[0]) >= len(wrong.statements):
                continue
            again = check(database, *found, wrong.seed, ordering=ordering, orders=12)
            if again is not None:
                wrong, smaller = again, True
                break
    return wrong
