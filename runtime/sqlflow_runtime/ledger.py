"""The ledger of a run with retries: one row per statement that is done, committed with the statement's own effects.

Another attempt at the step skips what has a row. Rows are deleted when the step is done, and after thirty days in any
case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.recorder import Recorder

TABLE = "sqlflow_ledger"
KEEP_DAYS = 30

_KEEP_HINT = (
    "In a run with retries a program must not drop the schema or database of its connection, nor give up the right to "
    "write there (SET ROLE). Set spec.retries to 0, or name another database in the URL."
)
_DEFINITION = (
    "run {key} NOT NULL, statement INTEGER NOT NULL, "
    "finished_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (run, statement)"
)


class Ledger:
    """The rows of one run."""

    def __init__(
        self, database: Database, run: str, recorder: Recorder, hold: Callable[[], None] = lambda: None
    ) -> None:
        """Take the names over; `hold` keeps other attempts at the step away until the open transaction ends."""
        self._database = database
        self._hold = hold
        self._run = run
        self._recorder = recorder
        self._ready = False

    def key(self, statement: int) -> str:
        """The name of that statement's execution in this run, the same in all attempts."""
        return f"{self._run}/{statement}"

    def done(self) -> frozenset[int]:
        """Numbers of the statements that this run has done, in this or an earlier attempt."""
        if not self._database.has_own_table(TABLE):
            return frozenset()
        rows = self._database.execute(f"SELECT statement FROM {self._table} WHERE run = ?", (self._run,))
        return frozenset(int(number) for (number,) in rows)

    def prepare(self) -> None:
        """Make the table, outside of any statement's transaction.

        Raises:
            RunError: the table cannot be created; the hint says which right is missing.
        """
        if self._ready:
            return
        try:
            self._database.create_own_table(TABLE, _DEFINITION.format(key=self._database.type_for("name")))
        except RunError as failure:
            raise RunError(
                failure.kind,
                f"cannot create the table {self._table}, which a run with retries needs: {failure.message}",
                "Grant the user of the database URL the right to create tables there, or set spec.retries to 0.",
                sqlstate=failure.sqlstate,
            ) from failure
        self._ready = True
        self._prune()

    def add(self, statements: Iterable[int]) -> None:
        """Note statements as done, in the transaction that is open.

        Raises:
            RunError: kind `stopped`; another attempt has taken the step over, so nothing of this one may stay.
        """
        try:
            self._add(statements)
        except RunError as failure:
            if not failure.final:
                raise
            what = f"cannot note in {self._table} that the statement is done: {failure.message}"
            raise RunError(failure.kind, what, _KEEP_HINT, sqlstate=failure.sqlstate, final=True) from failure

    def _add(self, statements: Iterable[int]) -> None:
        self._hold()
        # A DELETE before it would lock the gap for a row that is not there, and two steps would wait for each other.
        twice = "ON CONFLICT (run, statement) DO NOTHING"
        if self._database.dialect == "mysql":
            twice = "ON DUPLICATE KEY UPDATE run = run"
        for number in statements:
            insert = f"INSERT INTO {self._table} (run, statement) VALUES (?, ?) {twice}"
            self._database.execute(insert, (self._run, number))

    @property
    def _table(self) -> str:
        return self._database.own_table(TABLE)

    def _prune(self) -> None:
        limit = self._database.days_ago(KEEP_DAYS)
        try:
            with self._database.atomic():
                self._database.execute(f"DELETE FROM {self._table} WHERE finished_at < {limit}")
        except RunError as failure:  # old rows do no harm; another user's may be out of reach
            self._recorder.log("info", f"old rows of {TABLE} stay: {failure.message}")
