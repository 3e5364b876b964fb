"""Random programs over the world of `world.py`, mostly valid: what a database refuses is taken out later.

A small model of names keeps most statements valid. Updates do not commute (`v = v * 3 + 7`), so that a wrong order
shows in the data.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.properties.special import SPECIAL

DEFAULT_SCHEMA = {"postgres": "public", "mariadb": "d1", "sqlite": "main", "duckdb": "main"}


@dataclass
class Relation:
    """What the generator thinks of a relation."""

    schema: str
    name: str
    kind: str = "table"
    existing: bool = False


class Generator:
    """Makes one program."""

    def __init__(self, database: str, choose: random.Random, *, trusted: bool = False) -> None:
        self.database = database
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
        if not self.trusted:
            for name in ("v1", "v2", "v3"):
                self._add(self.home, name, "view", existing=True)
            if self.database != "sqlite":
                self._add("s2", "v1", "view", existing=True)

    # -- programs

    def program(self, length: int) -> list[str]:
        """Statements of a program with about that many."""
        statements: list[str] = []
        makers = self._makers()
        weights = [weight for _, weight in makers]
        if self.choose.random() < 0.25:
            statements += self._session()
        while len(statements) < length:
            (maker, _), *_ = self.choose.choices(makers, weights)
            statements += maker()
        return statements

    def _makers(self) -> list[tuple[Callable[[], list[str]], int]]:
        common: list[tuple[Callable[[], list[str]], int]] = [
            (self._create_table, 10),
            (self._create_as, 10),
            (self._create_view, 7),
            (self._replace_view, 2),
            (self._drop, 4),
            (self._recreate, 3),
            (self._insert, 12),
            (self._insert_select, 10),
            (self._update, 12),
            (self._delete, 3),
            (self._select, 16),
            (self._create_temporary, 4),
            (self._use_temporary, 7),
            (self._drop_temporary, 1),
            (self._transaction, 4),
            (self._alter, 3),
            (self._rename, 2),
            (self._index, 2),
            (self._truncate, 1),
            (self._train, 3),
            (self._predict, 3),
            (self._session, 2),
            (self._existing, 6),
            (self._catalog, 1),
            (self._relatives, 2),
        ]
        special: dict[str, list[tuple[Callable[[], list[str]], int]]] = {
            "postgres": [(self._special, 10), (self._sequence, 4)],
            "mariadb": [(self._special, 10), (self._sequence, 3)],
            "sqlite": [(self._special, 3)],
            "duckdb": [(self._special, 6), (self._sequence, 3)],
        }
        if self.trusted:
            return [each for each in common if each[0] != self._existing]
        return common + special[self.database]

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
        if self.database == "sqlite" or (plain and self.choose.random() < 0.7):
            return name
        return f"{relation.schema}.{name}"

    def _place(self) -> str:
        """The schema of something new."""
        return self.path if self.database == "sqlite" or self.choose.random() < 0.8 else "s2"

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

    # -- tables

    def _create_table(self) -> list[str]:
        relation = self._add(self._place(), self._new_name())
        exists = "IF NOT EXISTS " if self.choose.random() < 0.2 else ""
        columns = self.choose.choice(["id int, v int", "id int, v int DEFAULT 4", "id int NOT NULL, v int"])
        return [f"CREATE TABLE {exists}{self._write(relation)} ({columns})"]

    def _create_as(self) -> list[str]:
        query = self._few()
        relation = self._add(self._place(), self._new_name())
        verb = "CREATE TABLE"
        if self.choose.random() < 0.2:
            replace = "CREATE OR REPLACE TABLE" if self.database in ("mariadb", "duckdb") else verb
            verb = self.choose.choice([replace, "CREATE TABLE IF NOT EXISTS"])
        return [f"{verb} {self._write(relation)} AS {query}"]

    def _create_view(self) -> list[str]:
        query = self._query()
        relation = self._add(self._place(), self._new_name("w"), "view")
        return [f"CREATE VIEW {self._write(relation)} AS {query}"]

    def _replace_view(self) -> list[str]:
        if self.database == "sqlite":
            return []
        relation = self._pick("view")
        if relation is None:
            return []
        types = "::int" if self.database in ("postgres", "duckdb") else ""
        source = self._source()
        return [
            f"CREATE OR REPLACE VIEW {self._write(relation)} AS SELECT id{types} AS id, v{types} AS v FROM {source}"
        ]

    def _drop(self) -> list[str]:
        relation = self._pick(existing=None if self.choose.random() < 0.3 else False)
        if relation is None:
            return []
        del self.relations[relation.schema, relation.name]
        exists = "IF EXISTS " if self.choose.random() < 0.5 else ""
        cascade = " CASCADE" if self.database == "postgres" and self.choose.random() < 0.15 else ""
        return [f"DROP {relation.kind.upper()} {exists}{self._write(relation)}{cascade}"]

    def _recreate(self) -> list[str]:
        """Drop what may have been there and create it again: it is not new, and views may be over it."""
        query = self._query(2)
        relation = self._pick("table")
        if relation is None:
            return []
        name = self._write(relation)
        return [f"DROP TABLE IF EXISTS {name}", f"CREATE TABLE {name} AS {query}"]

    def _insert(self) -> list[str]:
        relation = self._pick("table") if self.choose.random() < 0.8 else self._pick()
        if relation is None:
            return []
        key = self.choose.randint(1, 9)
        name = self._write(relation)
        if relation.name == "ep":
            key = self.choose.randint(5, 400)
        if relation.name == "ec" and self.choose.random() < 0.5:
            return [f"INSERT INTO ec SELECT max(id), {self._number()} FROM ep"] if self.path == self.home else []
        return [f"INSERT INTO {name} (id, v) VALUES ({key}, {self._number()})"]

    def _insert_select(self) -> list[str]:
        relation = self._pick("table")
        if relation is None or relation.name in ("ep", "ec"):
            return []
        return [f"INSERT INTO {self._write(relation)} (id, v) {self._few()}"]

    def _update(self) -> list[str]:
        relation = self._pick("table") if self.choose.random() < 0.8 else self._pick()
        if relation is None:
            return []
        name = self._write(relation)
        change = f"v = (v * {self.choose.choice([3, 5, 7])} + {self._number()}) % 1009"
        pick = self.choose.random()
        if pick < 0.6:
            return [f"UPDATE {name} SET {change}"]
        if pick < 0.8:
            return [f"UPDATE {name} SET {change} WHERE id IN (SELECT id FROM {self._source()})"]
        if self.database == "mariadb":
            other = self._source()
            return [f"UPDATE {name} a JOIN {other} b ON a.id = b.id SET a.v = (a.v * 3 + 1) % 1009"]
        source = f"(SELECT id, max(v) AS v FROM {self._source()} GROUP BY id) s"
        return [f"UPDATE {name} SET v = ({name}.v * 3 + s.v) % 1009 FROM {source} WHERE {name}.id = s.id"]

    def _delete(self) -> list[str]:
        relation = self._pick("table")
        if relation is None:
            return []
        name = self._write(relation)
        return [
            self.choose.choice(
                [
                    f"DELETE FROM {name} WHERE v % 4 = {self._number() % 4}",
                    f"DELETE FROM {name} WHERE id IN (SELECT id FROM {self._source()} WHERE v % 2 = 0)",
                ]
            )
        ]

    def _truncate(self) -> list[str]:
        relation = self._pick("table")
        if relation is None or self.database == "sqlite":
            return []
        return [f"TRUNCATE TABLE {self._write(relation)}"]

    def _select(self) -> list[str]:
        return [self._query()]

    def _alter(self) -> list[str]:
        relation = self._pick("table", existing=False)
        if relation is None:
            return []
        return [f"ALTER TABLE {self._write(relation)} ADD COLUMN {self._new_name('c')} int DEFAULT {self._number()}"]

    def _rename(self) -> list[str]:
        relation = self._pick("table", existing=None if self.choose.random() < 0.2 else False)
        if relation is None:
            return []
        old = self._write(relation)
        del self.relations[relation.schema, relation.name]
        new = self._add(relation.schema, self._new_name())
        if self.database == "mariadb":
            return [f"RENAME TABLE {old} TO {new.schema}.{new.name}"]
        return [f"ALTER TABLE {old} RENAME TO {new.name}"]

    def _index(self) -> list[str]:
        relation = self._pick("table")
        if self.indexes and self.choose.random() < 0.3:
            index, table = self.indexes.pop()
            return [f"DROP INDEX {index}" + (f" ON {table}" if self.database == "mariadb" else "")]
        if relation is None or relation.schema != self.path or relation.name in self.temporary:
            return []
        index = self._new_name("i")
        self.indexes.append((index, relation.name))
        return [f"CREATE INDEX {index} ON {relation.name} (v)"]

    # -- what several statements share

    def _create_temporary(self) -> list[str]:
        name = self.choose.choice(["tmp1", "tmp2", "e1", "v1", self._new_name()])
        query = self._query()
        self.temporary[name] = self.path
        if self.database in ("postgres", "duckdb", "sqlite") and self.choose.random() < 0.2:
            return [f"CREATE TEMPORARY VIEW {name} AS {query}"]
        return [f"CREATE TEMPORARY TABLE {name} AS {query}"]

    def _use_temporary(self) -> list[str]:
        if not self.temporary:
            return []
        name = self.choose.choice(list(self.temporary))
        pick = self.choose.random()
        target = self._pick("table")
        if pick < 0.3 and target is not None and target.name not in ("ep", "ec"):
            return [f"INSERT INTO {self._write(target)} (id, v) SELECT id, v FROM {name}"]
        if pick < 0.5:
            return [f"INSERT INTO {name} (id, v) {self._few()}"]
        if pick < 0.7:
            return [f"UPDATE {name} SET v = (v * 3 + {self._number()}) % 1009"]
        return [f"SELECT id, v FROM {name}"]

    def _drop_temporary(self) -> list[str]:
        if not self.temporary:
            return []
        name = self.choose.choice(list(self.temporary))
        del self.temporary[name]
        return [f"DROP TABLE {name}"]

    def _transaction(self) -> list[str]:
        makers = [self._insert, self._update, self._insert_select, self._select, self._delete, self._update]
        if self.database != "mariadb":
            makers += [self._create_as, self._create_view, self._recreate, self._create_temporary, self._session]
        inner: list[str] = []
        for _ in range(self.choose.randint(1, 4)):
            inner += self.choose.choice(makers)()
        if self.database in ("postgres", "mariadb") and inner and self.choose.random() < 0.2:
            inner = ["SAVEPOINT a", *inner, "ROLLBACK TO SAVEPOINT a", *self._update()]
        begin = (
            "START TRANSACTION" if self.database == "mariadb" else self.choose.choice(["BEGIN", "BEGIN TRANSACTION"])
        )
        return [begin, *inner, self.choose.choice(["COMMIT", "COMMIT", "ROLLBACK"])]

    def _session(self) -> list[str]:
        schema = self.choose.choice([self.home, "s2"])
        match self.database:
            case "postgres":
                self.path = schema
                if self.choose.random() < 0.2:
                    self.path = self.home
                    return [self.choose.choice(["RESET search_path", "SET search_path TO DEFAULT"])]
                if schema == "s2" and self.choose.random() < 0.3:
                    return ["SET search_path = s2, public"]
                return [f"SET search_path {self.choose.choice(['=', 'TO'])} {schema}"]
            case "mariadb" | "duckdb":
                self.path = schema
                return [f"USE {schema}"]
            case _:
                return [f"PRAGMA foreign_keys = {self.choose.choice(['ON', 'OFF'])}"]

    # -- models

    def _train(self) -> list[str]:
        name = self.choose.choice(["m1", "m2", "m3"])
        using = f" USING {self.choose.choice(self.models)}" if self.models and self.choose.random() < 0.3 else ""
        self.models.append(name)
        return [f"{self._query()} TO TRAIN a.B WITH x=1 LABEL v{using} INTO {name}"]

    def _predict(self) -> list[str]:
        if not self.models:
            return []
        model = self.choose.choice(self.models)
        if self.choose.random() < 0.3:
            return [f"SHOW TRAIN {model}"]
        query = self._query()
        relation = self._add(self.path, self._new_name("r"))
        return [f"{query} TO PREDICT {relation.name}.c USING {model}"]

    # -- relations that existed before

    def _existing(self) -> list[str]:
        """Change an existing table and look at views over it, whichever name that takes."""
        if self.path != self.home or {"e1", "e2", "v1", "v2", "v3"} & set(self.temporary):
            return []
        change = self.choose.choice(["e1", "v1", "v3", "e2"])
        look = self.choose.choice(["v1", "v2", "v3", "e1", "e3"])
        if change.startswith("v") and self.database in ("sqlite", "duckdb"):
            change = "e1"
        first = self.choose.choice(
            [
                f"UPDATE {change} SET v = (v * 5 + 1) % 1009",
                f"INSERT INTO {change} (id, v) VALUES (7, {self._number()})",
            ]
        )
        second = self.choose.choice(
            [f"SELECT * FROM {look}", f"CREATE TABLE {self._new_name('k')} AS SELECT * FROM {look}"]
        )
        return [first, second]

    def _relatives(self) -> list[str]:
        """A new table with a foreign key to another: what is deleted there goes here, too."""
        parent, child = self._new_name("p"), self._new_name("q")
        if self.path != self.home:
            return []
        action = "" if self.database == "duckdb" else " ON DELETE CASCADE"
        key = f"FOREIGN KEY (id) REFERENCES {parent} (id){action}"
        found = [f"CREATE TABLE {parent} (id int PRIMARY KEY, v int)", f"CREATE TABLE {child} (id int, v int, {key})"]
        found += [f"INSERT INTO {parent} VALUES (1, 1), (2, 2), (3, 3)", f"INSERT INTO {child} VALUES (1, 5), (2, 6)"]
        if self.database == "sqlite":
            found.insert(0, "PRAGMA foreign_keys = ON")
        if action:
            found.append(f"DELETE FROM {parent} WHERE id = {self.choose.randint(1, 2)}")
        found.append(f"SELECT * FROM {child}")
        return found

    def _catalog(self) -> list[str]:
        if self.database == "sqlite":
            return ["SELECT count(*) FROM sqlite_master"]
        return ["SELECT count(*) FROM information_schema.tables WHERE table_schema = 's2'"]

    def _sequence(self) -> list[str]:
        name = self.choose.choice(["sq", self._new_name("sq")])
        if self.path != self.home:
            return []
        draw = f"NEXTVAL({name})" if self.database == "mariadb" else f"nextval('{name}')"
        made = [] if name == "sq" else [f"CREATE SEQUENCE {name}"]
        first = self.choose.choice(
            [f"SELECT {draw} AS v", f"CREATE TABLE {self._new_name('k')} AS SELECT 1 AS id, {draw} AS v"]
        )
        if made and self.database != "mariadb" and self.choose.random() < 0.5:
            one, two = self._new_name("d"), self._new_name("d")
            made += [f"CREATE TABLE {table} (id int DEFAULT nextval('{name}'), v int)" for table in (one, two)]
            made += [f"INSERT INTO {one} (v) VALUES (1)", f"INSERT INTO {two} (v) VALUES (2)", f"SELECT * FROM {two}"]
        return [*made, first]

    # -- of one database only

    def _special(self) -> list[str]:
        """Statements that only this kind of database knows."""
        name = self._new_name("k")
        groups = SPECIAL[self.database]
        source = self._source()
        group = self.choose.choice(groups)
        return [each.format(name=name, source=source, k=self._number()) for each in group]
