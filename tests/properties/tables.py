"""Random statements about tables and views."""

from __future__ import annotations

from tests.properties.phrases import Phrases


class TableStatements(Phrases):
    """Makes statements that create, change, read and drop relations."""

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

    def _rebuild(self) -> list[str]:
        """Drop some relations and make them again, as programs begin that are run every night."""
        found = [each for each in self.relations.values() if each.kind == "table" or self.choose.random() < 0.5]
        chosen = self.choose.sample(found, min(len(found), self.choose.randint(1, 4)))
        chosen.sort(key=lambda each: each.kind != "view")
        exists = "IF EXISTS " if self.choose.random() < 0.8 else ""
        names = {id(each): self._write(each) for each in chosen}
        dropped, made = [], []
        for each in chosen:
            cascade = " CASCADE" if self.database == "postgres" and self.choose.random() < 0.3 else ""
            dropped.append(f"DROP {each.kind.upper()} {exists}{names[id(each)]}{cascade}")
            del self.relations[each.schema, each.name]
        for each in chosen:
            verb = f"CREATE {each.kind.upper()}"
            if each.kind == "table" and self.choose.random() < 0.2:
                verb += " IF NOT EXISTS"
            made.append(f"{verb} {names[id(each)]} AS {self._few()}")
            self._add(each.schema, each.name, each.kind)
        if self.choose.random() < 0.4:
            return [statement for pair in zip(dropped, made, strict=True) for statement in pair]
        return [*dropped, *made]

    def _rebuild_schema(self) -> list[str]:
        """Drop a schema with all that is in it, and make it again."""
        if self.database == "sqlite" or self.path == "s2":
            return []
        kind = "DATABASE" if self.database == "mariadb" else "SCHEMA"
        cascade = "" if self.database == "mariadb" else " CASCADE"
        made = []
        for name in ("e1", "x1"):
            query = self._few()
            made.append(f"CREATE TABLE s2.{name} AS {query}")
        for schema, name in list(self.relations):
            if schema == "s2" and name not in ("e1", "x1"):
                del self.relations[schema, name]
        return [f"DROP {kind} IF EXISTS s2{cascade}", f"CREATE {kind} s2", *made]

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
