"""The context of a step: its connection, recorder and ledger, shared by its statements."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from sqlflow_codegen.contract import MODEL_STORE_ENV
from sqlflow_codegen.language.program import Program, Statement

from sqlflow_runtime.claims import StepClaim
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import PreviewLimit
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ledger import Ledger
from sqlflow_runtime.recorder import Recorder

if TYPE_CHECKING:
    from sqlflow_runtime.model_store import ModelStore


@dataclass(slots=True)
class StepContext:
    """The context of a step, shared by its statements."""

    program: Program
    database: Database
    recorder: Recorder
    limit: PreviewLimit = field(default_factory=PreviewLimit)
    ledger: Ledger | None = None
    """Notes each statement that is done; only in a run with retries."""
    claim: StepClaim | None = None
    """Notes that the step has begun; in every run that has a name."""
    retries: int = 0
    """The number of retries that each step of the run may have."""
    resumable: bool = False
    """A step that was stopped in good order goes on when it is started again, although the run has no retries."""
    runs_commands: bool = False
    """TO RUN may execute its command here: in a container of its image, or where the user said so."""
    database_url: str = ""
    """The database's URL for such a command; "" if it is in the environment."""
    stop_requested: Event = field(default_factory=Event)
    sync: Callable[[], None] = lambda: None
    """Waits until what libraries printed has become log records."""
    pending: list[int] = field(default_factory=list)
    """Statements done in the transaction that the program has open."""
    repeat: frozenset[int] = frozenset()
    """Statements that leave nothing but session state, by the graph: a retry runs them again, and they get no row in
    the ledger outside a transaction."""
    lost: frozenset[int] = frozenset()
    """Statements at which another attempt cannot go on, by the graph: its session lacks what they need."""
    cut_off: frozenset[int] = frozenset()
    """Statements that need what was in a session which the database has ended meanwhile."""
    current: Statement | None = None
    """The statement that runs, or ran last."""
    finished: list[int] = field(default_factory=list)
    """Statements that have ended well."""
    committed: frozenset[int] = frozenset()
    """Those of them that no transaction of the program can take back any more."""
    before: str = ""
    """The outcome of the attempt before this one, as a sentence."""
    failure: RunError | None = None
    """The failure of the step, if it failed."""

    @property
    def models(self) -> ModelStore:
        """The model store that the environment names, or the database's own."""
        from sqlflow_runtime.model_store import open_model_store

        return open_model_store(self.database, os.environ.get(MODEL_STORE_ENV, ""))

    @contextmanager
    def effect(self, statement: Statement) -> Iterator[None]:
        """Enter to change the database for that statement: the ledger's row commits with the change."""
        if self.ledger is None:
            if self.claim is not None:  # a model statement learned for long: another start may have come meanwhile
                self.claim.hold()
            yield
        elif self.database.joins_transaction():
            yield
            self.pending.append(statement.number)
        else:
            self.ledger.prepare()
            with self.database.atomic():
                yield
                self.ledger.add([statement.number])

    def done(self, number: int) -> None:
        """Call when a statement has ended well."""
        self.finished.append(number)
        if not self.database.in_transaction():
            self.committed = frozenset(self.finished)

    def check_stopped(self) -> None:
        """Raise if the step is to stop."""
        if self.stop_requested.is_set():
            raise RunError("stopped", "stopped before it was done")
