"""Collects the effects of one statement."""

from __future__ import annotations

from sqlflow_codegen.graph.catalog import Catalog
from sqlflow_codegen.graph.data_objects import ANY_FILE, EXISTING, FILES, DataObject, Effects
from sqlflow_codegen.graph.provenance import Doubt
from sqlflow_codegen.graph.session_affinity import SessionAffinity
from sqlflow_codegen.graph.session_state import SessionState

CATALOG_READ = "it reads the database's catalogue"
NEW_SCHEMA = "a new schema may change where names are looked up"
ALL_CHECKED = "SQLite checks all views and triggers before it changes a name"
QUIET = frozenset({CATALOG_READ, NEW_SCHEMA, ALL_CHECKED})
"""Reasons to run alone that deserve no warning."""


class EffectsBuilder:
    """The effects of one statement so far; see `Effects`."""

    def __init__(self, catalog: Catalog, session: SessionState) -> None:
        self.catalog = catalog
        self.session = session
        self.reads: set[DataObject] = set()
        self.writes: set[DataObject] = set()
        self.barrier = ""
        self.hint = ""
        self.understood = True
        self.renames = False
        """It is not understood, and may change the meaning of names: more than an unknown function does."""
        self.affinities: set[SessionAffinity] = set()
        self.changes_session = False
        """It changes the state of its session, perhaps among other things."""
        self.only_session = False
        """It surely changes nothing else, even if it is not understood."""
        self.controls = False
        self.drops_on_commit = False
        """The relation that it creates goes with its transaction."""
        self.reaches_later = False
        self.uses_view = False
        self.brief = False
        self.unclear: dict[str, Doubt] = {}

    def effects(self, *, setting: bool = False) -> Effects:
        """The effects; `setting` if the statement is to be replayed in later steps."""
        if EXISTING in self.reads and not any(each.kind == FILES for each in self.writes):
            self.reads.add(ANY_FILE)  # it may be over a file; but two COPY TO of two files need not wait for each other
        shapes = self.changes_session and self.understood and not self.writes
        return Effects(
            reads=frozenset(self.reads),
            writes=frozenset(self.writes),
            barrier=self.barrier,
            understood=self.understood,
            session=frozenset(self.affinities),
            setting=setting,
            only_session=(shapes or self.only_session) and not self.controls,
            controls=self.controls,
            changes_session=self.changes_session,
            reaches_later=self.reaches_later,
            hint=self.hint,
            brief=self.brief,
            unclear=tuple(self.unclear.items()),
        )

    def keep_in_session(self, *, only: bool = False) -> None:
        """Note that the statement leaves state in its session that cannot be replayed: all after it runs there.

        Args:
            only: it surely leaves nothing behind elsewhere.
        """
        self.changes_session = True
        self.only_session |= only
        self.session.stick()

    def run_alone(self, reason: str, hint: str = "") -> None:
        """Make the statement a barrier although its effects are clear."""
        if not self.barrier:
            self.barrier, self.hint = reason, hint

    def give_up(self, reason: str, hint: str = "", *, function: bool = False) -> None:
        """Make the statement a barrier because its effects are not clear.

        Args:
            reason: for people.
            hint: a way to avoid the barrier.
            function: all that is not clear is a function that it calls, which is trusted to leave names alone.
        """
        self.renames |= not function
        if self.understood:
            self.barrier, self.hint, self.understood = reason, hint, False
