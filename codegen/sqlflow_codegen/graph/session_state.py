"""The state that a session carries from statement to statement: settings, temporary tables, variables, transactions.

Steps run in sessions of their own. A setting is replayed there; state that cannot be replayed (a temporary table, an
open transaction, a variable computed from data) keeps its statements in one step: they share a `SessionAffinity`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlflow_codegen.graph.naming import CurrentSchema, Relation
from sqlflow_codegen.graph.session_affinity import AffinityKind, SessionAffinity, variable

TEMPORARY_SCHEMAS = {"postgres": "pg_temp", "sqlite": "temp", "duckdb": "temp"}


@dataclass(slots=True)
class Temporary:
    """A temporary relation.

    Attributes:
        affinity: common to the statements that use it.
        schema: the schema it was created in, where temporary relations live in schemas; else None.
        certain: False if it may be gone, or may not have come to be.
        bases: the relations that it reads, if it is a view.
        passing: it goes when its transaction is committed.
    """

    affinity: SessionAffinity
    schema: str | None
    certain: bool
    bases: tuple[Relation, ...] = ()
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A session statement in force.

    Attributes:
        number: the statement.
        keys: names of what it sets; a later statement that sets all of them replaces it. None: it is never replaced.
        schema: the schema that it enters, if it is a `USE`.
    """

    number: int
    keys: frozenset[str] | None
    schema: str = ""


@dataclass(slots=True)
class _OpenTransaction:
    """An explicit transaction, and the state that a rollback restores."""

    affinity: SessionAffinity
    settings: tuple[Setting, ...]
    place: CurrentSchema
    local_place: bool = False
    changed: list[Temporary] = field(default_factory=list)


class SessionState:
    """The session of a program that runs from its first statement to its last."""

    def __init__(self, dialect: str) -> None:
        self.number = 0
        """The statement being read."""
        self.settings: tuple[Setting, ...] = ()
        self.temporary: dict[str, list[Temporary]] = {}
        self.memory: dict[str, SessionAffinity] = {}
        """Databases in memory that are attached."""
        self.computed_variables: set[str] = set()
        self.unclear_variables = False
        """True after a statement that is not understood, which may have set any variable."""
        self._transaction: _OpenTransaction | None = None
        self._settings_are_undone = dialect == "postgres"
        self.temporary_schema = TEMPORARY_SCHEMAS.get(dialect)
        """The schema that holds all temporary relations, if there is one."""
        self._ambiguous_schema = "main" if dialect == "duckdb" else "\0"
        self.prepared: set[SessionAffinity] = set()
        """Transactions that PREPARE TRANSACTION ended: no second one can end like that."""
        self._locks: SessionAffinity | None = None
        self._rest: SessionAffinity | None = None
        self._next: SessionAffinity | None = None

    @property
    def in_transaction(self) -> bool:
        """True if an explicit transaction is open."""
        return self._transaction is not None

    # -- affinities

    def affinities(self) -> set[SessionAffinity]:
        """The affinities of any statement here."""
        transaction = self._transaction and self._transaction.affinity
        return {each for each in (self._rest, self._locks, transaction) if each}

    def start(self, number: int) -> set[SessionAffinity]:
        """Go on to that statement; return the affinities that it has in any case."""
        found = self.affinities()
        if self._next:
            found.add(self._next)
        self.number, self._next = number, None
        return found

    def affinity(self, kind: AffinityKind) -> SessionAffinity:
        """An affinity that begins with this statement."""
        return SessionAffinity(kind, self.number)

    def stick(self) -> None:
        """Keep this statement and all after it in one session."""
        self._rest = self._rest or self.affinity(AffinityKind.REST)

    def with_next(self) -> SessionAffinity:
        """The affinity of this statement and the one after it."""
        self._next = self.affinity(AffinityKind.NEXT)
        return self._next

    def lock(self, *, locked: bool) -> None:
        """Note LOCK TABLES, or UNLOCK TABLES."""
        self._locks = self.affinity(AffinityKind.LOCKS) if locked else None

    def hidden(self) -> set[SessionAffinity]:
        """The affinities of the body of a trigger or function that runs here: it sees the session's own names first."""
        found = {each.affinity for many in self.temporary.values() for each in many} | set(self.memory.values())
        return found | {variable(name) for name in self.computed_variables}

    # -- databases in memory

    def attach_memory(self, name: str) -> SessionAffinity:
        """Note a database in memory; return the affinity of its users."""
        self.memory[name] = SessionAffinity(AffinityKind.MEMORY, self.number, name)
        return self.memory[name]

    def detach_memory(self, name: str) -> SessionAffinity | None:
        """Note that a database is no longer attached; return its affinity if it was one in memory."""
        return self.memory.pop(name, None)

    def memory_affinity(self, names: Iterable[str]) -> SessionAffinity | None:
        """The affinity of the database in memory among the names of a schema or a catalog; None if there is none."""
        return next((self.memory[name] for name in names if name in self.memory), None)

    # -- temporary relations

    def create_temporary(
        self, relation: Relation, bases: tuple[Relation, ...] = (), *, certain: bool = True, passing: bool = False
    ) -> SessionAffinity:
        """Note a temporary relation; return the affinity of its users."""
        schema = relation.schema if self.temporary_schema is None else None
        affinity = SessionAffinity(AffinityKind.TEMPORARY, self.number, relation.name)
        created = Temporary(affinity, schema, certain, bases, passing)
        if passing and self._transaction is None:
            return affinity  # it is gone already
        self.temporary.setdefault(relation.name, []).append(created)
        if self._transaction is not None:
            self._transaction.changed.append(created)
        return affinity

    def find_temporary(self, relation: Relation, qualified: bool) -> tuple[list[Temporary], bool]:
        """The temporary relations that a name may mean, and True if it surely means one of them."""
        found: list[Temporary] = []
        certain = False
        for each in self.temporary.get(relation.name, ()):
            if each.schema is None:
                explicit = relation.schema == self.temporary_schema
                if qualified and not explicit and relation.schema not in ("", self._ambiguous_schema):
                    continue
                same = not qualified or explicit
            else:
                if each.schema and relation.schema and each.schema != relation.schema:
                    continue
                same = each.schema == relation.schema
            found.append(each)
            certain = certain or (same and each.certain)
        return found, certain

    def drop_temporary(self, relation: Relation, found: list[Temporary]) -> None:
        """Note a DROP that surely means one of the temporary relations found."""
        for each in found:
            if self._transaction is None and each.certain:
                self._forget(relation.name, each)
            else:
                each.certain = False  # a rollback brings it back

    def _forget(self, name: str, temporary: Temporary) -> None:
        kept = [each for each in self.temporary.pop(name, ()) if each is not temporary]
        if kept:
            self.temporary[name] = kept

    # -- settings

    def set(self, keys: frozenset[str] | None, schema: str = "") -> None:
        """Note that this statement is to be replayed in every later step."""
        kept = self.settings
        if keys is not None:
            chained = max((n for n, each in enumerate(kept) if each.keys is None), default=-1)
            later = [each for each in kept[chained + 1 :] if not each.keys or not each.keys <= keys]
            kept = (*kept[: chained + 1], *later)
        self.settings = (*kept, Setting(self.number, keys, schema))

    def reset_all(self) -> None:
        """Note that this statement takes all settings back."""
        self.settings = (Setting(self.number, frozenset({"reset all"})),)

    def leave_schema(self, schema: str) -> None:
        """Note that a schema is gone: no step may enter it any more."""
        self.settings = tuple(each for each in self.settings if each.schema != schema)

    # -- transactions; where one ends, the current schema to go back to is returned, None if it stays

    def begin(self, place: CurrentSchema) -> None:
        """Note the start of a transaction."""
        if self._transaction is None:
            self._transaction = _OpenTransaction(self.affinity(AffinityKind.TRANSACTION), self.settings, place)

    def localize(self) -> None:
        """Note that the current schema changes until the end of the transaction."""
        if self._transaction is not None:
            self._transaction.local_place = True

    def prepare_transaction(self) -> CurrentSchema | None:
        """Note that the transaction leaves the session, to be committed or undone by any other."""
        if self._transaction is not None:
            self.prepared.add(self._transaction.affinity)
        return self.commit()

    def commit(self) -> CurrentSchema | None:
        """Note the end of a transaction that keeps its changes."""
        transaction, self._transaction = self._transaction, None
        if transaction is None:
            return None
        for each in transaction.changed:
            if each.passing:
                self._forget(each.affinity.name, each)
        return transaction.place if transaction.local_place else None

    def rollback(self) -> CurrentSchema | None:
        """Note the end of a transaction that undoes its changes."""
        transaction, self._transaction = self._transaction, None
        if transaction is None:
            return None
        for each in transaction.changed:
            each.certain = False
        if not self._settings_are_undone:
            return None
        self.settings = transaction.settings
        return transaction.place

    def rollback_to(self) -> None:
        """Note that a part of a transaction is undone."""
        if self._transaction is None:
            return
        for each in self._transaction.changed:
            each.certain = False
        if self._settings_are_undone and self._transaction.settings != self.settings:
            self.stick()  # which settings remain is not followed
