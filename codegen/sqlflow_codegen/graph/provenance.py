"""The provenance of relations: existing before the program, dropped and created again by it, or new.

A relation that the program created, and that nothing of that name can have existed before, is *new*. One that it
dropped and created is made *again*: nothing is bound to it, but definitions that name it by its text may be left:

* PostgreSQL binds views, rules, keys and inheritance to the relation itself, not to its name, so none survives its
  DROP. What is left are the bodies of functions; triggers on relations that existed before run them.
* Everywhere else views, triggers and keys bind late: a view that existed before reads the new relation of the same
  name. That relation itself is as the program made it, though: it has no triggers yet, and is over nothing else.
"""

from __future__ import annotations

from enum import Enum, IntEnum, auto

from sqlflow_codegen.graph.naming import Identity, Relation

MOST_RECREATED = 64
"""Relations made again of which each may be read by views that existed before; further ones count as old."""


class Provenance(IntEnum):
    """The provenance of a relation. The higher, the less can be defined over the relation unseen.

    Attributes:
        EXISTING: it may have existed before; it may be a view over any other, or have triggers that write to any other.
        RECREATED: the program dropped and created it.
        NEW: the program created it, and dropped nothing of that name before.
    """

    EXISTING = 0
    RECREATED = 1
    NEW = 2


class Doubt(Enum):
    """The reason for doubt about the relations that a statement changes besides those that it names."""

    EXISTED = auto()
    """It changes a relation that the program did not create."""
    KEPT = auto()
    """It changes a relation that CREATE ... IF NOT EXISTS may have found."""
    REPLACED = auto()
    """It changes a view that CREATE OR REPLACE may have found."""
    RECREATED = auto()
    """It changes a relation that was dropped and made again."""
    DROPPED = auto()
    """It drops a relation that the program did not create."""
    UNREAD = auto()
    """It changes a relation that the program created before something not understood."""


class Provenances:
    """The provenance of every name, as of one statement of a program."""

    def __init__(self, dialect: str) -> None:
        self.binds_late = dialect != "postgres"
        """True if a view that existed before may read a relation that was dropped and created again."""
        self._new: set[Identity] = set()
        self._recreated: dict[Identity, Relation] = {}
        self._dropped: set[Identity] = set()
        """Names that may have existed before and were dropped: they are never new again."""
        self._dropped_schemas: set[str] = set()
        self._dropped_more = False
        self._absent: set[Identity] = set()
        """Names that surely mean nothing now, in the schema where a CREATE would put them."""
        self._gone: set[Identity] = set()
        """Names whose relation may be gone: without a schema, they may mean another one now."""
        self._doubts: dict[Identity, Doubt] = {}
        self._all_known = False
        self._changed: list[Relation] = []
        """Relations that the open transaction created or dropped."""

    def of(self, relation: Relation) -> Provenance:
        """The provenance of the relation that a name means now."""
        identity = relation.identity
        if identity in self._gone and not relation.schema:
            return Provenance.EXISTING
        if identity in self._new:
            return Provenance.NEW
        return Provenance.RECREATED if identity in self._recreated else Provenance.EXISTING

    def doubt(self, relation: Relation) -> Doubt:
        """The reason for doubt about the other relations that a change of this one changes."""
        if self.of(relation) is Provenance.RECREATED:
            return Doubt.RECREATED
        return self._doubts.get(relation.identity, Doubt.EXISTED)

    def created(
        self, relation: Relation, *, plain: bool, most: Provenance = Provenance.NEW, doubt: Doubt = Doubt.EXISTED
    ) -> None:
        """Note a CREATE.

        Args:
            relation: the relation that it creates.
            plain: whether it fails where the relation exists.
            most: the provenance of the relation is at most that.
            doubt: the reason for doubt where it is not plain.
        """
        identity = relation.identity
        plain = plain or self.is_absent(relation)
        if not plain:
            self._doubts.setdefault(identity, doubt)
        self._absent.discard(identity)
        self._gone.discard(identity)
        self._changed.append(relation)
        if not plain or self._all_known or identity in self._new:
            return
        if most is Provenance.NEW and not self._may_have_existed(relation):
            self._new.add(identity)
        elif most >= Provenance.RECREATED and (not self.binds_late or len(self._recreated) < MOST_RECREATED):
            self._recreated[identity] = relation

    def replaced(self, relation: Relation) -> None:
        """Note that a relation was dropped, if it was there, and created, by one statement."""
        if relation.identity not in self._new:
            self.dropped(relation, surely=True)
            self.created(relation, plain=True)

    def dropped(self, relation: Relation, *, surely: bool) -> None:
        """Note a DROP; `surely` if nothing of that name is left in its schema."""
        identity = relation.identity
        self._changed.append(relation)
        self._gone.add(identity)
        if surely:
            self._absent.add(identity)
        if identity not in self._new:
            self._dropped.add(identity)
            self._recreated.pop(identity, None)

    def more_dropped(self) -> None:
        """Note a DROP ... CASCADE: from now on no name is sure never to have meant something else."""
        self._dropped_more = True

    def schema_dropped(self, schema: str) -> None:
        """Note that a schema went with all that was in it."""
        self._dropped_schemas.add(schema)

    def is_absent(self, relation: Relation) -> bool:
        """True if a CREATE of that name surely finds nothing there."""
        return relation.identity in self._absent

    @property
    def recreated(self) -> list[Relation]:
        """Relations that views may read which existed before; [] where none can."""
        return list(self._recreated.values()) if self.binds_late else []

    def is_own(self, relation: Relation) -> bool:
        """True if the program made the relation of that name that is there now, if any."""
        return self.of(relation) is not Provenance.EXISTING

    def _may_have_existed(self, relation: Relation) -> bool:
        """True if the program dropped what may have had that name and existed before."""
        if relation.identity in self._dropped or self._dropped_more:
            return True
        return bool(self._dropped_schemas) and (not relation.schema or relation.schema in self._dropped_schemas)

    # -- lower provenances

    def lower(self, relation: Relation, to: Provenance) -> None:
        """Note that something with that provenance may now depend on the relation."""
        identity = relation.identity
        if self.of(relation) <= to:
            return
        self._new.discard(identity)
        self._dropped.add(identity)
        if to is Provenance.RECREATED and (not self.binds_late or len(self._recreated) < MOST_RECREATED):
            self._recreated[identity] = relation
        else:
            self._recreated.pop(identity, None)

    def forget(self) -> None:
        """Note that something not understood ran: it may have defined anything over anything."""
        self._doubts.update(dict.fromkeys((*self._new, *self._recreated), Doubt.UNREAD))
        self._new.clear()
        self._recreated.clear()
        self._absent.clear()

    def distrust(self) -> None:
        """Note that bodies of triggers may name any relation, those to come included."""
        self.forget()
        self._all_known = True

    # -- transactions

    def begin(self) -> None:
        """Note the start or the end of a transaction."""
        self._changed.clear()

    def rollback(self) -> None:
        """Note that the transaction may be undone: relations that it dropped may be back."""
        for relation in self._changed:
            self._recreated.pop(relation.identity, None)
            self._absent.discard(relation.identity)
            self._gone.add(relation.identity)
