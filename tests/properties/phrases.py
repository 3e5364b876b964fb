"""Parts of random statements: names that mean something here, and queries over them."""

from __future__ import annotations

import random
from dataclasses import dataclass

DEFAULT_SCHEMA = {"postgres": "public", "mariadb": "d1", "sqlite": "main", "duckdb": "main"}


@dataclass
class Relation:
    """What the generator thinks of a relation."""

    schema: str
    name: str
    kind: str = "table"
    existing: bool = False


class Phrases:
    """A small model of the names of one program, and random phrases over them."""

    def __init__(self, database: str, choose: random.Random, *, trusted: bool = False, second: str = "") -> None:
        self.database = database
        self.second = second
        """A database file of SQLite that a program may attach."""
        self.trusted = trusted
        """Whether only existing tables are used that no view, trigger or key ties to others."""
        self.choose = choose
        self.home = DEFAULT_SCHEMA[database]
        self.path = self.home
        self.relations: dict[tuple[str, str], Relation] = {}
        self.temporary: dict[str, str] = {}
        self.models: list[str] = []
        self.indexes: list[tuple[str, str]] = []
        self.fresh = 0
        self._add_existing()

    def _add(self, schema: str, name: str, kind: str = "table", *, existing: bool = False) -> Relation:
        relation = self.relations[schema, name] = Relation(schema, name, kind, existing)
        return relation

    def _add_existing(self) -> None:
        for name in ("e1", "e3") if self.trusted else ("e1", "e2", "e3", "ep", "ec"):
            self._add(self.home, name, existing=True)
        if self.database != "sqlite":
            for name in ("e1", "x1"):
                self._add("s2", name, existing=True)
        if self.database == "postgres" and not self.trusted:
            self._add(self.home, "ei", existing=True)
        if not self.trusted:
            for name in ("v1", "v2", "v3"):
                self._add(self.home, name, "view", existing=True)
            if self.database != "sqlite":
                self._add("s2", "v1", "view", existing=True)

    # -- parts of statements

    def _number(self) -> int:
        return self.choose.randint(0, 99)

    def _new_name(self, prefix: str = "n") -> str:
        self.fresh += 1
        return f"{prefix}{self.fresh if self.choose.random() < 0.7 else self.choose.randint(1, 6)}"

    def _write(self, relation: Relation) -> str:
        """A name for the relation that means it here."""
        name = relation.name.upper() if self.database != "mariadb" and self.choose.random() < 0.1 else relation.name
        plain = relation.schema == self.path and relation.name not in self.temporary
        if self.database == "sqlite":
            plain = relation.schema == self.path or relation.name == "x1"
        if plain and self.choose.random() < 0.7:
            return name
        return f"{relation.schema}.{name}"

    def _place(self) -> str:
        """The schema of something new."""
        other = any(schema == "s2" for schema, _ in self.relations)
        return "s2" if other and self.choose.random() < 0.2 else self.path

    def _pick(self, kind: str = "", *, existing: bool | None = None) -> Relation | None:
        found = [
            each
            for each in self.relations.values()
            if (not kind or each.kind == kind) and (existing is None or each.existing == existing)
        ]
        return self.choose.choice(found) if found else None

    def _source(self) -> str:
        relation = self._pick()
        return self._write(relation) if relation is not None else "e1"

    def _query(self, depth: int = 0) -> str:
        """A query that gives the columns id and v."""
        pick = self.choose.random()
        source = self._source()
        k = self._number()
        if pick < 0.3 or depth > 1:
            return f"SELECT id, v FROM {source} WHERE v % 3 <> {k % 3}"
        if pick < 0.45:
            other = self._source()
            return f"SELECT a.id AS id, a.v + {k} AS v FROM {source} a JOIN {other} b ON a.id = b.id"
        if pick < 0.55:
            return f"SELECT count(*) AS id, coalesce(sum(v), 0) AS v FROM {source}"
        if pick < 0.65:
            name = self.choose.choice(["e1", "e2", "v1", "w"])
            return f"WITH {name} AS ({self._query(depth + 1)}) SELECT id, v + {k} AS v FROM {name}"
        if pick < 0.75:
            return f"{self._query(2)} UNION ALL {self._query(2)}"
        if pick < 0.85:
            return f"SELECT id, v FROM {source} WHERE id IN (SELECT id FROM {self._source()} WHERE v > {k})"
        if pick < 0.93:
            return f"SELECT id, (SELECT count(*) FROM {self._source()}) AS v FROM {source}"
        return f"SELECT id, v FROM ({self._query(depth + 1)}) q"

    def _few(self) -> str:
        """A query that gives one row for each id: what is inserted again and again must not grow without bound."""
        query = self._query()
        return query if self.choose.random() < 0.2 else f"SELECT id, max(v) AS v FROM ({query}) g GROUP BY id"
