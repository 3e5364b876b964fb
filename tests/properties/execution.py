"""Runs a program from its first statement to its last, or step by step in an order that its graph allows."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from sqlflow_codegen.graph.build import Graph
from sqlflow_codegen.graph.steps import Step
from sqlflow_codegen.language.ir import (
    PredictStatement,
    Program,
    ShowTrainStatement,
    SqlStatement,
    Statement,
    TrainStatement,
)

from tests.properties.databases import Database, Rows, Session, StatementError

WORKERS = 4


@dataclass
class Outcome:
    """What a run left: rows of every statement that gave some, models, and all that is in the database."""

    rows: dict[int, Rows] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    def differences(self, other: Outcome) -> list[str]:
        """Where the two differ; [] if nowhere."""
        found = [f"rows of statement {n}" for n in sorted(self.rows) if self.rows[n] != other.rows.get(n)]
        for mine, others, what in ((self.models, other.models, "model"), (self.state, other.state, "relation")):
            keys = sorted(mine.keys() | others.keys())
            found += [f"{what} {k}: {mine.get(k)} / {others.get(k)}" for k in keys if mine.get(k) != others.get(k)]
        return found


class Run:
    """One run of a program on a database that was just reset."""

    def __init__(self, database: Database, program: Program) -> None:
        self.outcome = Outcome()
        self._database = database
        self._program = program
        self._lock = threading.Lock()

    def sequential(self) -> Outcome:
        """All statements in one session.

        Raises:
            StatementError: one of them failed.
        """
        self._database.reset()
        session = self._database.session()
        try:
            for statement in self._program:
                self.execute(statement, session)
        finally:
            session.close()
        self.outcome.state = self._database.dump()
        return self.outcome

    def execute(self, statement: Statement, session: Session, *, replay: bool = False) -> None:
        """One statement. What stands for a model is a digest of the rows that it was trained with."""
        try:
            rows = self._rows(statement, session)
        except StatementError as error:
            raise StatementError(f"statement {statement.number}: {error}") from error
        if rows is not None and not replay:
            with self._lock:
                self.outcome.rows[statement.number] = rows

    def _rows(self, statement: Statement, session: Session) -> Rows | None:
        if isinstance(statement, SqlStatement):
            return session.run(statement.text)
        if isinstance(statement, TrainStatement):
            rows = session.run(statement.select)
            start = self._model(statement.using.text) if statement.using else ""
            with self._lock:
                self.outcome.models[statement.into.text] = _digest(start, rows)
            return None
        if isinstance(statement, PredictStatement):
            digest = _digest(self._model(statement.using.text), session.run(statement.select))
            session.run(f"DROP TABLE IF EXISTS {statement.result_table}")
            session.run(f"CREATE TABLE {statement.result_table} AS SELECT {int(digest[:6], 16)} AS id, 1 AS v")
            return None
        assert isinstance(statement, ShowTrainStatement)
        return [(self._model(statement.model.text),)]

    def _model(self, name: str) -> str:
        with self._lock:
            if name not in self.outcome.models:
                raise StatementError(f"no model {name}")
            return self.outcome.models[name]

    # -- by steps

    def serial(self, graph: Graph, choose: random.Random) -> Outcome:
        """One step after the other, each in a session of its own."""
        for step in random_order(graph.steps, choose):
            self._step(step)
        return self._done()

    def interleaved(self, graph: Graph, choose: random.Random) -> Outcome:
        """Several steps side by side, one statement of one of them at a time; transactions are not cut."""
        waiting = {step.name: set(step.after) for step in graph.steps}
        steps = {step.name: step for step in graph.steps}
        active: dict[str, tuple[Session, list[list[tuple[int, bool]]]]] = {}
        try:
            while waiting or active:
                ready = sorted(name for name, after in waiting.items() if not after)
                if ready and (not active or (len(active) < WORKERS and choose.random() < 0.6)):
                    name = choose.choice(ready)
                    del waiting[name]
                    active[name] = (self._database.session(), _pieces(steps[name], self._program))
                    continue
                name = choose.choice(sorted(active))
                session, pieces = active[name]
                for number, replay in pieces.pop(0):
                    self.execute(self._program.statement(number), session, replay=replay)
                if not pieces:
                    session.close()
                    del active[name]
                    for after in waiting.values():
                        after.discard(name)
        finally:
            for session, _ in active.values():
                session.close()
        return self._done()

    def concurrent(self, graph: Graph, choose: random.Random) -> Outcome:
        """Several steps at the same time, in threads."""
        waiting = {step.name: set(step.after) for step in graph.steps}
        steps = {step.name: step for step in graph.steps}
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(WORKERS) as pool:
            while waiting or running:
                ready = sorted(name for name, after in waiting.items() if not after)
                choose.shuffle(ready)
                for name in ready[: WORKERS - len(running)]:
                    del waiting[name]
                    running[pool.submit(self._step, steps[name])] = name
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    name = running.pop(future)
                    future.result()
                    for after in waiting.values():
                        after.discard(name)
        return self._done()

    def _step(self, step: Step) -> None:
        session = self._database.session()
        try:
            for number, replay in _numbers(step):
                self.execute(self._program.statement(number), session, replay=replay)
        finally:
            session.close()

    def _done(self) -> Outcome:
        self.outcome.state = self._database.dump()
        return self.outcome


def _digest(start: str, rows: Rows | None) -> str:
    return hashlib.sha256(repr((start, rows)).encode()).hexdigest()


def _numbers(step: Step) -> list[tuple[int, bool]]:
    """The statements of a step with those that it replays, in program order."""
    return sorted([*((n, False) for n in step.statements), *((n, True) for n in step.session)])


def _pieces(step: Step, program: Program) -> list[list[tuple[int, bool]]]:
    """A step's statements, those of a transaction as one piece."""
    pieces: list[list[tuple[int, bool]]] = [[]]
    inside = False
    for number, replay in _numbers(step):
        pieces[-1].append((number, replay))
        text = program.statement(number).text.upper()
        if text.startswith(("BEGIN", "START TRANSACTION")):
            inside = True
        elif text.startswith("COMMIT") or text == "ROLLBACK":
            inside = False
        if not inside:
            pieces.append([])
    return [piece for piece in pieces if piece]


def random_order(steps: Sequence[Step], choose: random.Random) -> list[Step]:
    """The steps in a random order in which each comes after those it waits for."""
    waiting = {step.name: set(step.after) for step in steps}
    by_name = {step.name: step for step in steps}
    order: list[Step] = []
    while waiting:
        name = choose.choice(sorted(name for name, after in waiting.items() if not after))
        del waiting[name]
        order.append(by_name[name])
        for after in waiting.values():
            after.discard(name)
    return order
