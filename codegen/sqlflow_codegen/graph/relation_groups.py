"""Values and groups of relations, found by any name that may mean the same relation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from sqlflow_codegen.graph.data_objects import GROUP, DataObject
from sqlflow_codegen.graph.naming import Relation
from sqlflow_codegen.graph.provenance import Provenance

T = TypeVar("T")


class NameMap(Generic[T]):
    """Values by relation; a look-up finds those of every name that may mean the same relation."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, T]] = {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def find(self, relation: Relation) -> Iterator[T]:
        """Values of the relations that this one may be."""
        by_schema = self._values.get(relation.name)
        if by_schema is None:
            return
        if not relation.schema:
            yield from by_schema.values()
            return
        for schema in (relation.schema, ""):
            if schema in by_schema:
                yield by_schema[schema]

    def get(self, relation: Relation) -> T | None:
        """The value of exactly that name."""
        return self._values.get(relation.name, {}).get(relation.schema)

    def set(self, relation: Relation, value: T) -> None:
        """Set the value of that name."""
        self._values.setdefault(relation.name, {})[relation.schema] = value


class RelationGroups:
    """Sets of relations that change together, by union-find."""

    def __init__(self) -> None:
        self._members: NameMap[int] = NameMap()
        self._parents: list[int] = []
        self._provenances: list[Provenance] = []
        self._shown: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._parents)

    def _root(self, group: int) -> int:
        while self._parents[group] != group:
            self._parents[group] = self._parents[self._parents[group]]
            group = self._parents[group]
        return group

    def _roots(self, relation: Relation) -> list[int]:
        return sorted({self._root(group) for group in self._members.find(relation)})

    def tie(self, first: Relation, second: Relation, provenance: Provenance) -> None:
        """Make one group of all that may be the two relations."""
        roots = sorted({*self._roots(first), *self._roots(second)})
        if not roots:
            roots = [len(self._parents)]
            self._parents.append(roots[0])
            self._provenances.append(provenance)
            self._shown.append(f"{first.shown}~{second.shown}")
        for root in roots[1:]:
            self._parents[root] = roots[0]
            provenance = min(provenance, self._provenances[root])
        self._provenances[roots[0]] = min(provenance, self._provenances[roots[0]])
        self._members.set(first, roots[0])
        self._members.set(second, roots[0])

    def provenance(self, relation: Relation) -> Provenance:
        """The least provenance of the relations tied to it."""
        return min((self._provenances[root] for root in self._roots(relation)), default=Provenance.NEW)

    def lower(self, relation: Relation, to: Provenance) -> None:
        """Note that something with that provenance is tied to it."""
        for root in self._roots(relation):
            self._provenances[root] = min(to, self._provenances[root])

    def lower_all(self) -> None:
        """Note that anything may be tied to something that existed before."""
        self._provenances = [Provenance.EXISTING] * len(self._provenances)

    def resources(self, relation: Relation) -> list[DataObject]:
        """The groups that it may belong to."""
        return [DataObject(GROUP, "", str(root), self._shown[root]) for root in self._roots(relation)]
