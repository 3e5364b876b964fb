"""The claim of a step: a row that notes that it has begun, so that it is never begun twice by accident.

An engine that loses a pod may make it again under its own name, and two pods of one step may be alive at once. So,
before the first statement that may change something, a step commits a row of its own: its run, its number, who it is.
Of two starts only one can insert it. A later start finds it and goes by its state:

| state | a later start |
|---|---|
| `begun` | it was killed, or is still at work: with retries this one takes over, without them it ends as `lost` |
| `stopped` | SIGTERM stopped it, and what it had not done is rolled back: as `begun`, but a suspended run goes on |
| `failed` | it failed: the same again, unless there are retries and another attempt can help |
| `done` | nothing is left to do |
| `lost` | as `begun` |
"""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.databases.rows import Row
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ledger import TABLE as LEDGER_TABLE

TABLE = "sqlflow_steps"
KEEP_DAYS = 30
"""Days after which the rows of a run are deleted that is over."""
KEEP_UNFINISHED_DAYS = 365
"""The same for a run of which a step was killed or stopped: a suspended one may go on after a long time."""

_DEFINITION = (
    "run {key} NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, token CHAR(32) NOT NULL, "
    "state VARCHAR(16) NOT NULL, pod {key} NOT NULL, connection {text} NOT NULL, detail {text} NOT NULL, "
    "changed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (run, step)"
)
_NO_RIGHT = ("42501", "25006", "3F000", "1044", "1142", "1143", "1227", "1290", "1792", "1836")
"""Codes of PostgreSQL and MySQL for a missing right, a missing schema, a server or transaction that only reads."""


@dataclass(frozen=True, slots=True)
class EarlierStart:
    """The latest start of a step in this run, as its row has it."""

    step: int
    attempt: int
    token: str
    state: str
    pod: str
    connection: str
    detail: Mapping[str, Any] = field(default_factory=dict)


class StepClaim:
    """The claim of one step of a run: its row."""

    def __init__(
        self, database: Database, run: str, step: int, log: Callable[[str, str], None], *, needed: bool
    ) -> None:
        """Take the names over; nothing happens yet.

        Args:
            database: the connection of the step.
            run: the run's name, unique for each execution.
            step: number of the step's first statement.
            log: takes the level and the words of a log record.
            needed: whether the step must not go on where the row cannot be made.
        """
        self._database = database
        self._key = (run, step)
        self._log = log
        self._needed = needed
        self._token = uuid.uuid4().hex
        self.attempt = 1
        self.made = False
        self.given_up = False
        """The database lets us write no row."""

    def find(self) -> tuple[EarlierStart | None, tuple[EarlierStart, ...]]:
        """The latest start of this step in this run, and those of the run's other steps; as far as they can be seen."""
        try:
            rows = self._rows()
        except RunError as failure:
            if self._needed or not may_lack_privilege(failure):
                raise
            rows = []  # another user's table: there is no row of ours in it
        starts = [
            EarlierStart(int(step), int(attempt), token, state, pod, connection, json.loads(detail or "{}"))
            for step, attempt, token, state, pod, connection, detail in rows
        ]
        return (
            next((start for start in starts if start.step == self._key[1]), None),
            tuple(start for start in starts if start.step != self._key[1]),
        )

    def _rows(self) -> list[Row]:
        if not self._database.has_own_table(TABLE):
            return []
        columns = "step, attempt, token, state, pod, connection, detail"
        return self._database.execute(f"SELECT {columns} FROM {self._table} WHERE run = ? ORDER BY step", self._key[:1])

    def begin(self, earlier: EarlierStart | None = None) -> bool:
        """Commit the row, or take over that of an earlier start. Within the program's own transaction it is part of it.

        Returns:
            Whether the row is ours now; False where another start of the step was faster. True also where no row can
            be made and none is needed, which is logged.

        Raises:
            RunError: the row cannot be made; the hint says which right is missing.
        """
        try:
            self._prepare()
            with self._database.atomic():
                self._write(earlier)
        except RunError as failure:
            if failure.kind != "connection" and earlier is None and self._is_there():
                return False
            self._give_up(failure)
            return True
        self.made = self._is_mine()
        self.attempt = earlier.attempt + 1 if earlier else 1
        return self.made

    def hold(self) -> None:
        """Keep others from taking the step over until the open transaction ends.

        Raises:
            RunError: kind `stopped`; another start of the step has taken it over.
        """
        if self.made and not self._is_mine(lock=True):
            raise RunError("stopped", "another attempt at this step has taken over, so this one changes nothing more")

    def end(self, state: str, detail: Mapping[str, Any], done: Sequence[int] = ()) -> None:
        """Note how this start ended; on whatever the program left of the connection.

        Args:
            state: the new state.
            detail: what a later start must know.
            done: statements whose rows in the ledger are needed no more.
        """
        if not self.made:
            return
        for left in (2, 1, 0):  # a cancel on its way to the last statement may hit this one
            try:
                self._database.reset()
                with self._database.atomic():
                    self._update(state, detail)
                    self._forget(done)
                return
            except RunError as failure:
                if failure.kind == "connection" or not left:
                    self._log("warning", f"{TABLE} does not say how the step ended: {failure.message}")
                    return

    def _write(self, earlier: EarlierStart | None) -> None:
        values = (self._token, "begun", socket.gethostname()[:253], self._database.identity(), "{}")
        if earlier is None:
            columns = "attempt, token, state, pod, connection, detail, run, step"
            self._database.execute(
                f"INSERT INTO {self._table} ({columns}) VALUES (1, ?, ?, ?, ?, ?, ?, ?)", (*values, *self._key)
            )
            return
        columns = "token = ?, state = ?, pod = ?, connection = ?, detail = ?, changed_at = CURRENT_TIMESTAMP"
        self._database.execute(
            f"UPDATE {self._table} SET attempt = attempt + 1, {columns} WHERE run = ? AND step = ? AND token = ?",
            (*values, *self._key, earlier.token),
        )

    def _update(self, state: str, detail: Mapping[str, Any]) -> None:
        self._database.execute(
            f"UPDATE {self._table} SET state = ?, detail = ?, changed_at = CURRENT_TIMESTAMP "
            "WHERE run = ? AND step = ? AND token = ?",
            (state, json.dumps(detail), *self._key, self._token),
        )

    def _forget(self, done: Sequence[int]) -> None:
        if done and self._database.has_own_table(LEDGER_TABLE):
            table = self._database.own_table(LEDGER_TABLE)
            numbers = ", ".join(str(int(number)) for number in done)
            self._database.execute(f"DELETE FROM {table} WHERE run = ? AND statement IN ({numbers})", self._key[:1])

    def _is_mine(self, *, lock: bool = False) -> bool:
        locking = " FOR UPDATE" if lock and self._database.dialect in ("postgres", "mysql") else ""
        query = f"SELECT token FROM {self._table} WHERE run = ? AND step = ?{locking}"
        return self._database.execute(query, self._key) == [(self._token,)]

    def _prepare(self) -> None:
        if not self._database.has_own_table(TABLE):
            kinds = {kind: self._database.type_for(name) for kind, name in (("key", "name"), ("text", "string"))}
            self._database.create_own_table(TABLE, _DEFINITION.format(**kinds))
        elif not self._database.execute(f"SELECT 1 FROM {self._table} WHERE run = ? LIMIT 1", self._key[:1]):
            self._prune()

    def _prune(self) -> None:
        """Delete the rows of runs that are long over; once a run, by its first step."""
        over, long_over = (self._database.days_ago(days) for days in (KEEP_DAYS, KEEP_UNFINISHED_DAYS))
        unfinished = "sum(CASE WHEN state IN ('begun', 'stopped') THEN 1 ELSE 0 END)"
        old = (
            f"SELECT run FROM {self._table} GROUP BY run "
            f"HAVING max(changed_at) < {over} AND (max(changed_at) < {long_over} OR {unfinished} = 0) LIMIT 1000"
        )
        try:
            # One by one and by their key: steps of other runs must not wait for rows that are only looked at.
            for (run,) in self._database.execute(old):
                self._database.execute(f"DELETE FROM {self._table} WHERE run = ?", (run,))
        except RunError as failure:  # old rows do no harm; another user's may be out of reach
            self._log("info", f"old rows of {TABLE} stay: {failure.message}")

    def _give_up(self, failure: RunError) -> None:
        """Go on without a row, where that is what the user's rights allow.

        Raises:
            RunError: the row is needed, or it is not a right that is missing.
        """
        what = f"cannot note in the table {TABLE} that the step begins: {failure.message}"
        rights = "Grant the user of the database URL the right to create tables there"
        if not may_lack_privilege(failure):
            raise failure
        if self._needed:
            hint = f"{rights}, or set spec.retries to 0."
            raise RunError(failure.kind, what, hint, sqlstate=failure.sqlstate, final=True) from failure
        self.given_up = True
        self._log("warning", f"{what}; if its pod is lost and made again, its statements run again. {rights}.")

    def _is_there(self) -> bool:
        try:
            return self.find()[0] is not None
        except RunError:
            return False

    @property
    def _table(self) -> str:
        return self._database.own_table(TABLE)


def may_lack_privilege(failure: RunError) -> bool:
    """True if that failure may come from a missing right, or from a server that only reads."""
    words = failure.message.lower()
    return failure.sqlstate in _NO_RIGHT or failure.kind == "usage" or "readonly" in words or "read-only" in words
