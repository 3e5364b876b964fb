"""What the statements of one step share: the connection, where records go, the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from sqlflow_codegen.language.ir import Program, Statement

from sqlflow_runtime.databases.base import Database, PreviewLimit
from sqlflow_runtime.failures import RunError
from sqlflow_runtime.ledger import Ledger
from sqlflow_runtime.recorder import Recorder


@dataclass(slots=True)
class Session:
    """What the statements of one step share."""

    program: Program
    database: Database
    recorder: Recorder
    limit: PreviewLimit = field(default_factory=PreviewLimit)
    ledger: Ledger | None = None
    stop_requested: Event = field(default_factory=Event)
    sync: Callable[[], None] = lambda: None
    """Waits until what libraries printed has become log records."""
    pending: list[int] = field(default_factory=list)
    """Statements done in the transaction that the program has open."""
    repeat: frozenset[int] = frozenset()
    """Statements of which the graph says that they leave nothing behind but session state: a retry runs them again,
    and they get no row in the ledger outside a transaction."""
    lost: frozenset[int] = frozenset()
    """Statements at which another attempt cannot go on, says the graph: its session lacks what they need."""
    failure: RunError | None = None
    """Why the step failed, if it did."""

    @contextmanager
    def effect(self, statement: Statement) -> Iterator[None]:
        """Around whatever changes the database for that statement: the ledger's row commits with it."""
        if self.ledger is None:
            yield
        elif self.database.in_transaction():
            yield
            self.pending.append(statement.number)
        else:
            self.ledger.prepare()
            with self.database.atomic():
                yield
                self.ledger.add([statement.number])

    def check_stopped(self) -> None:
        """Raise where the step has been told to stop."""
        if self.stop_requested.is_set():
            raise RunError("stopped", "stopped before it was done")
