"""Names of relations: identifiers as each dialect folds them, and names that may mean the same relation.

Two questions have to be kept apart, because each must be answered on the safe side. *May* two names mean one
relation? Then the statements that use them keep their order: `Relation.schema` and `Relation.name` decide. *Must*
they mean one relation? Only then does one statement's `CREATE` define what another statement reads:
`Relation.identity` decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from sqlflow_codegen.language.names import stored

Part = tuple[str, bool]
"""An identifier as written, without its quotes, and whether it was quoted (`language.ir.Part` is one)."""

Reference = tuple[Part, ...]
"""A name of one to three parts: table, schema and table, or catalog, schema and table."""

_SYSTEM_SCHEMAS = frozenset(
    {"information_schema", "pg_catalog", "pg_toast", "mysql", "performance_schema", "sys", "system"}
)
_OWN_PREFIX = "sqlflow_"
"""Tables of our own: the model store, the ledger and the like."""

_SYSTEM_PREFIXES = {"postgres": ("pg_",), "sqlite": ("sqlite_", "pragma_"), "duckdb": ("duckdb_", "pragma_", "sqlite_")}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A current schema or catalog that is not known; two that are equal are the same.

    Attributes:
        written: the path, as the program sets it.
        since: number of the statement from which on it is current; 0 if that makes no difference.
        of_role: it depends on the session's role.
    """

    written: str = ""
    since: int = 0
    of_role: bool = False


Identity = tuple[str | Unknown, str | Unknown, str]
"""Catalog, schema and name as the database keeps them: equal only if two names must mean one relation."""


class Relation(NamedTuple):
    """A table, view or sequence.

    Attributes:
        schema: its schema, folded so that names that may be equal are equal; "" if it is not known.
        name: its name, folded likewise.
        identity: see `Identity`.
        shown: how people see it.
    """

    schema: str
    name: str
    identity: Identity
    shown: str


class CurrentSchema(NamedTuple):
    """The schema in which names without a schema are resolved.

    Attributes:
        schema: the current schema, folded for comparison; "" if it is not known.
        identity: the same as the database keeps it.
        catalog: likewise the current catalog.
    """

    schema: str = ""
    identity: str | Unknown = Unknown()
    catalog: str | Unknown = Unknown()


class Names:
    """Folds and resolves names of one dialect."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self._fold_case = _folder(dialect)
        self._system_prefixes = _SYSTEM_PREFIXES.get(dialect, ())
        self._tables_by_case = dialect in ("mysql", "bigquery")

    def fold(self, part: Part) -> str:
        """The identifier as the database keeps it, or, where case does not count, in lower case."""
        return self._fold_case(*part)

    def key(self, folded: str) -> str:
        """The same for any two identifiers that may be equal; MySQL's case rules depend on its machine."""
        return folded.lower() if self._tables_by_case else folded

    def relation(self, reference: Reference, place: CurrentSchema) -> Relation:
        """The relation that a name means where `place` is the current schema."""
        name = self.fold(reference[-1])
        if len(reference) == 1:
            shown = f"{place.identity}.{name}" if place.schema else name
            return Relation(self.key(place.schema), self.key(name), (place.catalog, place.identity, name), shown)
        path = [self.fold(part) for part in reference]
        catalog = path[0] if len(path) > 2 else place.catalog
        schema = "" if len(path) > 2 and self.dialect == "duckdb" else path[-2]  # `a.t` may be short for `a.main.t`
        return Relation(self.key(schema), self.key(name), (catalog, path[-2], name), ".".join(path[-2:]))

    def is_system(self, relation: Relation) -> bool:
        """True if the relation belongs to the database's catalog, or to our own tables."""
        if relation.schema and relation.schema.lower() in _SYSTEM_SCHEMAS:
            return True
        if relation.name.startswith(_OWN_PREFIX):
            return True
        if self.dialect == "bigquery":  # `events_*` are many tables
            return "*" in relation.name or relation.name.lower().startswith("information_schema")
        return bool(self._system_prefixes) and relation.name.startswith(self._system_prefixes)


def _folder(dialect: str) -> Callable[[str, bool], str]:
    """The function that folds the case of an identifier: by sqlglot's rules, in PostgreSQL by the step's own."""
    if dialect == "postgres":
        return lambda text, quoted: stored((text, quoted), dialect)
    strategy = Dialect.get_or_raise(dialect).normalization_strategy
    match strategy:
        case NormalizationStrategy.LOWERCASE:
            return lambda text, quoted: text if quoted else text.lower()
        case NormalizationStrategy.UPPERCASE:
            return lambda text, quoted: text if quoted else text.upper()
        case NormalizationStrategy.CASE_SENSITIVE:
            return lambda text, _quoted: text
        case NormalizationStrategy.CASE_INSENSITIVE if dialect == "bigquery":
            return lambda text, _quoted: text  # sqlglot: names of tables keep their case
        case NormalizationStrategy.CASE_INSENSITIVE_UPPERCASE:
            return lambda text, _quoted: text.upper()
        case _:
            return lambda text, _quoted: text.lower()
