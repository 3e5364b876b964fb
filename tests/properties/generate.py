"""Random programs over the world of `world.py`, mostly valid: what a database refuses is taken out later.

A small model of names keeps most statements valid. Updates do not commute (`v = v * 3 + 7`), so that a wrong order
shows in the data.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.properties.special import SPECIAL
from tests.properties.tables import TableStatements


class Generator(TableStatements):
    """Makes one program."""

    def program(self, length: int) -> list[str]:
        """Statements of a program with about that many."""
        statements: list[str] = []
        if self.choose.random() < 0.3:
            statements += self._rebuild()
        makers = self._makers()
        weights = [weight for _, weight in makers]
        if self.choose.random() < 0.25:
            statements += self._session()
        if self.second and self.choose.random() < 0.3:
            statements.append(f"ATTACH '{self.second}' AS s2")
            for name in ("e1", "x1"):
                self._add("s2", name, existing=True)
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
            (self._rebuild, 5),
            (self._rebuild_schema, 2),
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
            return [each for each in common if each[0] not in (self._existing, self._rebuild_schema)]
        return common + special[self.database]

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
