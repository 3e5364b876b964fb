"""What a session carries from statement to statement: settings, temporary tables, variables, transactions.

Steps run in sessions of their own. A setting is replayed there; what cannot be replayed (a temporary table, an open
transaction, a variable computed from data) ties its statements together in one step. `SessionState` says which by
tokens: statements that hold the same token share a session.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlflow_codegen.graph.naming import CurrentSchema, Relation

TEMPORARY_SCHEMAS = {"postgres": "pg_temp", "sqlite": "temp", "duckdb": "temp"}

BEFORE = "before:"
"""Prefix of the token that a statement shares with the one before it only."""
INSIDE = "transaction:"
"""Prefix of the token that the statements of a transaction share."""
REST = "rest:"
"""Prefix of the token that a statement shares with all after it."""
WRITERS = "writers:"
"""Prefix of the token that a statement shares with all before it that wrote something."""


@dataclass(slots=True)
class Temporary:
    """A temporary relation.

    Attributes:
        token: what the statements that use it share.
        schema: the schema it was created in, where temporary relations live in schemas; else None.
        certain: False if it may be gone, or may not have come to be.
        bases: what it reads, if it is a view.
        passing: it goes when its transaction is committed.
    """

    token: str
    schema: str | None
    certain: bool
    bases: tuple[Relation, ...] = ()
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A session statement in force.

    Attributes:
        number: the statement.
        keys: what it sets; a later statement that sets all of them replaces it. None: it is never replaced.
        schema: the schema that it enters, if it is a `USE`.
    """

    number: int
    keys: frozenset[str] | None
    schema: str = ""


@dataclass(slots=True)
class _OpenTransaction:
    """An explicit transaction, and what it may take back."""

    token: str
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
        self.memory: dict[str, str] = {}
        """Databases in memory that are attached, with the tokens of those that use them."""
        self.computed_variables: set[str] = set()
        self.unclear_variables = False
        """Whether something not understood ran, which may have set any variable."""
        self.locking = ""
        self._transaction: _OpenTransaction | None = None
        self._settings_are_undone = dialect == "postgres"
        self.temporary_schema = TEMPORARY_SCHEMAS.get(dialect)
        """The schema that holds all temporary relations, if there is one."""
        self._ambiguous_schema = "main" if dialect == "duckdb" else "\0"
        self.prepared: set[str] = set()
        """Tokens of transactions that PREPARE TRANSACTION ended: no second one can end like that."""
        self._sticky = ""
        self._next = ""

    @property
    def in_transaction(self) -> bool:
        """Whether an explicit transaction is open."""
        return self._transaction is not None

    # -- tokens

    def tokens(self) -> set[str]:
        """What a statement here shares with others, whatever it does."""
        transaction = self._transaction.token if self._transaction is not None else ""
        return {token for token in (self._sticky, self.locking, transaction) if token}

    def start(self, number: int) -> set[str]:
        """Go on to that statement; what it shares with others, whatever it does."""
        found = self.tokens()
        if self._next:
            found.add(self._next)
        self.number, self._next = number, ""
        return found

    def stick(self) -> None:
        """Keep this statement and all after it in one session."""
        self._sticky = self._sticky or f"{REST}{self.number}"

    def with_next(self) -> str:
        """The token that this statement shares with the one after it."""
        self._next = f"next:{self.number}"
        return self._next

    def hidden(self) -> set[str]:
        """What the body of a trigger or function that runs here may use: it sees the session's own names first."""
        found = {each.token for many in self.temporary.values() for each in many} | set(self.memory.values())
        return found | {f"@{name}" for name in self.computed_variables}

    # -- databases in memory

    def attach_memory(self, name: str) -> str:
        """Note a database in memory; the token of its users."""
        self.memory[name] = f"memory:{name}:{self.number}"
        return self.memory[name]

    def detach_memory(self, name: str) -> str:
        """Note that a database is no longer attached; its token if it was one in memory, else an empty string."""
        return self.memory.pop(name, "")

    def memory_token(self, names: Iterable[str]) -> str:
        """The token of the database in memory among the names of a schema or a catalog; an empty string if none is."""
        return next((self.memory[name] for name in names if name in self.memory), "")

    # -- temporary relations

    def create_temporary(
        self, relation: Relation, bases: tuple[Relation, ...] = (), *, certain: bool = True, passing: bool = False
    ) -> str:
        """Note a temporary relation; the token of its users."""
        schema = relation.schema if self.temporary_schema is None else None
        created = Temporary(f"temporary:{relation.name}:{self.number}", schema, certain, bases, passing)
        if passing and self._transaction is None:
            return created.token  # it is gone already
        self.temporary.setdefault(relation.name, []).append(created)
        if self._transaction is not None:
            self._transaction.changed.append(created)
        return created.token

    def find_temporary(self, relation: Relation, qualified: bool) -> tuple[list[Temporary], bool]:
        """The temporary relations that a name may mean, and whether it surely means one of them."""
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
                self.temporary[relation.name].remove(each)
            else:
                each.certain = False  # a rollback brings it back
        if not self.temporary[relation.name]:
            del self.temporary[relation.name]

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

    # -- transactions

    def prepare_transaction(self) -> CurrentSchema | None:
        """Note that the transaction leaves the session, to be committed or undone by any other."""
        if self._transaction is not None:
            self.prepared.add(self._transaction.token)
        return self.commit()

    def begin(self, place: CurrentSchema) -> None:
        """Note the start of a transaction."""
        if self._transaction is None:
            self._transaction = _OpenTransaction(f"{INSIDE}{self.number}", self.settings, place)

    def localize(self) -> None:
        """Note that the current schema changes until the end of the transaction."""
        if self._transaction is not None:
            self._transaction.local_place = True

    def commit(self) -> CurrentSchema | None:
        """Note the end of a transaction that keeps its changes; the place to go back to, if any."""
        transaction, self._transaction = self._transaction, None
        if transaction is None:
            return None
        for each in transaction.changed:
            if each.passing:
                self._forget(each)
        return transaction.place if transaction.local_place else None

    def _forget(self, temporary: Temporary) -> None:
        for name, many in list(self.temporary.items()):
            kept = [each for each in many if each is not temporary]
            if kept:
                self.temporary[name] = kept
            else:
                del self.temporary[name]

    def rollback(self) -> CurrentSchema | None:
        """Note the end of a transaction that undoes its changes; the place to go back to, if any."""
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
