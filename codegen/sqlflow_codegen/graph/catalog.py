"""The catalog of a program: the relations that its statements so far created, dropped, tied together or defined.

Everything here errs on one side. What may be an existing relation is one; a definition, once seen, is never
forgotten, because the transaction that changes it may be rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlflow_codegen.graph.data_objects import ANY_FILE, TABLE, DataObject
from sqlflow_codegen.graph.naming import CurrentSchema, Names, Reference, Relation, Unknown
from sqlflow_codegen.graph.provenance import Provenance, Provenances
from sqlflow_codegen.graph.relation_groups import NameMap, RelationGroups
from sqlflow_codegen.graph.routines import FunctionBodies
from sqlflow_codegen.graph.trust import Trust

VIEW_BASES = 256
"""A view over more relations than this makes its readers barriers."""

_MAIN = ("main",)
"""The schema of the first database in SQLite and DuckDB."""


class Catalog:
    """The relations of a program, as of one of its statements."""

    def __init__(self, names: Names, conservative: bool) -> None:
        self.names = names
        self.conservative = conservative
        self.place = CurrentSchema()
        self.used: set[str] = set()
        """Names of relations, in any schema, that statements so far used."""
        self.unread = False
        """True after a statement that is not understood."""
        self.functions = FunctionBodies()
        """Functions of the program whose reads are known."""
        self.user_functions = False
        """True if the program created others."""
        self._indexes: NameMap[Relation] = NameMap()
        self._indexes_of: dict[Relation, list[Relation]] = {}
        self.schemas: set[str] = set()
        self._relations: dict[tuple[Reference, CurrentSchema], Relation] = {}
        self._resources: dict[Relation, DataObject] = {}
        self.provenances = Provenances(names.dialect)
        self._views: NameMap[dict[Relation, None]] = NameMap()
        self._volatile: NameMap[bool] = NameMap()
        self._files: NameMap[set[DataObject]] = NameMap()
        self._trust = Trust()
        self._attached: set[str] = set()
        self._groups = RelationGroups()

    def relation(self, reference: Reference) -> Relation:
        """The relation that a name means now."""
        key = (reference, self.place)
        found = self._relations.get(key)
        if found is None:
            found = self.names.relation(reference, self.place)
            if self._attached and (found.schema in self._attached or found.schema in _MAIN):
                found = found._replace(schema="")
            self._relations[key] = found
        return found

    def relation_anywhere(self, reference: Reference) -> Relation:
        """The relation of that name in any schema."""
        return self.names.relation(reference[-1:], CurrentSchema(""))

    def attach(self, name: str) -> None:
        """Note that a database file has another name; it may be the main one's file, or that of a third name."""
        self._attached.add(name)
        self._relations.clear()

    def resource(self, relation: Relation) -> DataObject:
        """The data object of the relation, one for all statements."""
        found = self._resources.get(relation)
        if found is None:
            found = DataObject(TABLE, relation.schema, relation.name, relation.shown)
            self._resources[relation] = found
        return found

    def enter(self, schema: str, identity: str | Unknown, catalog: str | Unknown | None = None) -> None:
        """Make a schema the current one; see `CurrentSchema`. The current catalog stays unless one is given."""
        self.place = CurrentSchema(schema, identity, self.place.catalog if catalog is None else catalog)

    # -- new relations

    def provenance(self, relation: Relation) -> Provenance:
        """The provenance of the relation; where names are trusted, all relations count as new."""
        if not (self.conservative or self._trust.ended(relation)):
            return Provenance.NEW
        own = self.provenances.of(relation)
        return min(own, self._groups.provenance(relation)) if self._groups else own

    def mentioned(self, words: Iterable[str]) -> list[Relation]:
        """Relations that the program named so far whose names are among the words, in any case."""
        wanted = {word.lower() for word in words}
        return [relation for relation in self._relations.values() if relation.name.lower() in wanted]

    def has_dependents(self, relation: Relation) -> bool:
        """True if something that the program made may depend on the relation, so that DROP ... CASCADE drops it."""
        return self.unread or relation.name in self.used

    def lower(self, relation: Relation, to: Provenance) -> None:
        """Note that something with that provenance may now depend on it."""
        self.provenances.lower(relation, to)
        self._groups.lower(relation, to)

    def forget_new(self) -> None:
        """Note that something not understood ran: it may have defined anything over anything."""
        self.unread = True
        self.provenances.forget()
        self._groups.lower_all()

    def distrust(self, words: Iterable[str] | None) -> None:
        """Note that something not understood may have given relations another meaning.

        Args:
            words: names of relations, schemas or catalogs that it mentioned; None if it may be any.
        """
        self._trust.end(words)

    def distrust_names(self) -> None:
        """Note that there are triggers or rules now: a statement may change more than it names.

        Their bodies may name relations that do not exist yet, so none that is created later is new either.
        """
        self.forget_new()
        self.conservative = True
        self.provenances.distrust()

    # -- indexes

    def add_index(self, index: Relation, table: Relation) -> None:
        """Note which table an index belongs to."""
        self._indexes.set(index, table)
        self._indexes_of.setdefault(table, []).append(index)

    def tables_of_index(self, index: Relation) -> list[Relation]:
        """The tables that an index of that name may belong to."""
        return list(self._indexes.find(index))

    def indexes_of(self, table: Relation) -> list[Relation]:
        """The indexes that the program made for a table."""
        return self._indexes_of.get(table, [])

    # -- views

    def define_view(self, relation: Relation, bases: Iterable[Relation], *, volatile: bool) -> None:
        """Note the relations that a view reads; `volatile` if a read of it may do more."""
        known = self._views.get(relation)
        self._views.set(relation, {**(known or {}), **dict.fromkeys(bases)})
        if volatile:
            self._volatile.set(relation, True)

    def is_view(self, relation: Relation) -> bool:
        """True if it may be a view that the program created."""
        return bool(self._views) and any(True for _ in self._views.find(relation))

    def bases(self, relation: Relation) -> list[Relation] | None:
        """The relations that a view reads, directly or through other views; None if there are too many."""
        if not self._views:
            return []
        found: dict[Relation, None] = {}
        queue = [relation]
        while queue:
            for definition in self._views.find(queue.pop()):
                for base in definition:
                    if base not in found:
                        found[base] = None
                        queue.append(base)
            if len(found) > VIEW_BASES:
                return None
        return list(found)

    def mark_volatile(self, relation: Relation) -> None:
        """Note that any use of the relation may do anything."""
        self._volatile.set(relation, True)

    def is_volatile(self, relation: Relation) -> bool:
        """True if any use of the relation may do anything: its definition calls functions that are not known."""
        return bool(self._volatile) and any(self._volatile.find(relation))

    # -- files

    def add_files(self, relation: Relation, files: Iterable[DataObject]) -> None:
        """Note files that are read and written through a relation."""
        known = self._files.get(relation) or set()
        if files := known.union(files):
            self._files.set(relation, files)

    def files(self, relation: Relation) -> set[DataObject]:
        """The files that are read and written through a relation itself."""
        found = set().union(*self._files.find(relation)) if self._files else set()
        if self._trust.ended(relation) and not self.provenances.is_own(relation):
            found.add(ANY_FILE)
        return found

    # -- relations that change together

    def tie(self, first: Relation, second: Relation) -> None:
        """Note that a change of one may change the other, or depend on it."""
        provenance = min(self.provenances.of(first), self.provenances.of(second))
        self._groups.tie(first, second, provenance)

    def groups(self, relation: Relation) -> list[DataObject]:
        """The data objects of all that is tied to it."""
        return self._groups.resources(relation) if self._groups else []
