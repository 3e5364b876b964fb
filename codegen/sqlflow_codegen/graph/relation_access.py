"""Notes the relations, indexes and schemas that a statement reads, writes, creates and drops."""

from __future__ import annotations

from sqlflow_codegen.graph.data_objects import (
    ANY_DROP,
    ANY_NAME,
    ANY_SCHEMA,
    CODE,
    EXISTING,
    INDEX,
    SCHEMA,
    DataObject,
    read_by_name,
)
from sqlflow_codegen.graph.effects_builder import CATALOG_READ, EffectsBuilder
from sqlflow_codegen.graph.naming import Reference, Relation
from sqlflow_codegen.graph.provenance import Doubt, Provenance

_KEYS_BY_NAME = frozenset({"mysql", "sqlite"})
"""Dialects whose foreign keys find a table by its name, one that was dropped and made again too."""


class RelationAccess(EffectsBuilder):
    """The relations that one statement uses."""

    def read(self, reference: Reference) -> None:
        """Note that a relation's rows are read."""
        if not self.use_temporary(reference, self.reads):
            self.read_relation(self.catalog.relation(reference))

    def write(self, reference: Reference) -> None:
        """Note that a relation, or its definition, is changed."""
        if not self.use_temporary(reference, self.writes):
            self.write_relation(self.catalog.relation(reference))

    def use_temporary(self, reference: Reference, into: set[DataObject]) -> bool:
        """Note the use of a temporary relation; True if the name surely means one."""
        if self.use_memory(reference[:-1]):
            self.changes_session |= into is self.writes
            for below in self._with_bases(self.catalog.relation(reference))[1:]:
                self._touch(below, into)
                into |= self.catalog.files(below)
            return True
        if not self.session.temporary:
            return False
        relation = self.catalog.relation(reference)
        found, certain = self.session.find_temporary(relation, len(reference) > 1)
        if found:
            self.reads |= self.catalog.files(relation)
        for each in found:
            self.affinities.add(each.affinity)
            self.changes_session |= into is self.writes
            for base in each.bases:
                for below in self._with_bases(base):
                    self._touch(below, into)
                    into |= self.catalog.files(below)
        return certain

    def use_memory(self, schema: Reference) -> bool:
        """True if a schema, with its catalog, lies in a database in memory; its statements then share a session."""
        affinity = self.session.memory_affinity(self.catalog.names.fold(part) for part in schema)
        if affinity:
            self.affinities.add(affinity)
        return affinity is not None

    def read_relation(self, relation: Relation) -> None:
        """Note that a relation, known not to be temporary, is read."""
        for each in self._with_bases(relation):
            self._touch(each, self.reads)
            self.reads |= self.catalog.files(each)

    def write_relation(self, relation: Relation) -> None:
        """Note that a relation, known not to be temporary, is changed; a view changes its base relations."""
        for each in self._with_bases(relation):
            self._touch(each, self.writes)
            self.writes |= self.catalog.files(each)

    def write_definition(self, relation: Relation) -> None:
        """Note that a relation is defined, or one of the program's dropped; rows of others, if it is a view, stay."""
        self._touch(relation, self.writes)
        for base in self.catalog.bases(relation) or ():
            self._touch(base, self.reads)

    def drop(self, relation: Relation, *, view: bool = False) -> None:
        """Note a DROP of a relation.

        Args:
            relation: the relation.
            view: whether it is one that no other can hold as a part, and nothing else is dropped with it.
        """
        catalog = self.catalog
        if catalog.provenances.is_own(relation):
            self.write_definition(relation)
            return
        self.writes |= {catalog.resource(relation), *catalog.groups(relation), ANY_DROP, ANY_NAME}
        self.reads.update(catalog.resource(base) for base in catalog.bases(relation) or ())
        self._need_schema(relation)
        if catalog.provenance(relation) is Provenance.NEW:
            return
        if view and not catalog.provenances.binds_late:
            self.reads.add(CODE)  # any view over it would have to be dropped before
            return
        self.writes.add(EXISTING)
        self.unclear.setdefault(relation.shown, Doubt.DROPPED)
        if catalog.names.dialect in _KEYS_BY_NAME:
            self.reads.update(map(read_by_name, catalog.provenances.recreated))

    def write_index(self, index: Relation, *, unless_there: bool = False) -> None:
        """Note that a name of an index or a key is taken or given up; an earlier DROP may have given it up."""
        self.writes.add(DataObject(INDEX, "", index.name, index.shown))
        self.reads.add(ANY_DROP if unless_there else ANY_NAME)

    def _with_bases(self, relation: Relation) -> list[Relation]:
        bases = self.catalog.bases(relation)
        if bases is None:
            self.give_up("it uses a view over very many relations", function=True)
            bases = []
        self.uses_view |= bool(bases)
        for each in (relation, *bases):
            if self.catalog.names.is_system(each):
                self.run_alone(CATALOG_READ)
            if self.catalog.is_volatile(each):
                self.give_up(f"the definition of {each.shown} calls functions that are not known", function=True)
        return [relation, *bases]

    def _touch(self, relation: Relation, into: set[DataObject]) -> None:
        catalog = self.catalog
        catalog.used.add(relation.name)
        into.add(catalog.resource(relation))
        into.update(catalog.groups(relation))
        self._need_schema(relation)
        provenance, writes = catalog.provenance(relation), into is self.writes
        late = catalog.provenances.binds_late
        if provenance is Provenance.EXISTING:
            self.use_existing(write=writes)
        elif provenance is Provenance.RECREATED:
            self.reads.add(CODE)
            if late and writes:
                into.add(read_by_name(relation))
        if writes and (provenance is Provenance.EXISTING or (late and provenance is Provenance.RECREATED)):
            self.unclear.setdefault(relation.shown, catalog.provenances.doubt(relation))

    def use_existing(self, *, write: bool) -> None:
        """Note that any relation that existed before may be read, or changed and read."""
        if write:
            self.writes |= {EXISTING, CODE}
        else:
            self.reads |= {EXISTING, *map(read_by_name, self.catalog.provenances.recreated)}

    def _need_schema(self, relation: Relation) -> None:
        if self.catalog.schemas:
            self.use_schema(relation.schema)

    def use_schema(self, schema: str) -> None:
        """Note that a schema has to be there."""
        if not schema:
            self.reads.add(ANY_SCHEMA)
        elif schema in self.catalog.schemas:
            self.reads.add(DataObject(SCHEMA, "", schema, schema))

    def change_schema(self, schema: str) -> None:
        """Note that a schema is created or changed."""
        self.catalog.schemas.add(schema)
        self.writes |= {DataObject(SCHEMA, "", schema, schema), ANY_SCHEMA}

    def create_temporary(
        self, relation: Relation, bases: tuple[Relation, ...] = (), *, certain: bool = True, passing: bool = False
    ) -> None:
        """Note that a temporary relation is created, from `bases` if it is a view; see `session.Temporary`."""
        self.changes_session = True
        if self.session.memory.keys().isdisjoint((relation.schema, relation.identity[0])):
            self.affinities.add(self.session.create_temporary(relation, bases, certain=certain, passing=passing))
            return
        self.catalog.define_view(relation, bases, volatile=False)
        if self.catalog.names.dialect == "sqlite":  # which finds it by its bare name, too, if there is no other
            self.affinities.add(self.session.create_temporary(relation, bases, certain=False))

    def tie(self, first: Relation, second: Relation) -> None:
        """Note that two relations change together from now on."""
        for relation in (first, second):
            self.write_relation(relation)
        self.catalog.tie(first, second)
        for relation in (first, second):
            self.write_relation(relation)

    def expose(self, relation: Relation, to: Provenance = Provenance.EXISTING) -> None:
        """Note that a relation of that provenance depends on this one from now on, and so may views over that."""
        for each in self._with_bases(relation):
            if self.catalog.provenance(each) > to:
                self.catalog.lower(each, to)
                self._touch(each, self.writes)
