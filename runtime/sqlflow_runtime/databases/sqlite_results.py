"""Result tables in SQLite: filled aside in a temporary table, then put in place, in one transaction."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlflow_codegen.language.names import quote, quote_name

from sqlflow_runtime.databases.result_tables import Existing, Plan, ResultTable, alike, designed
from sqlflow_runtime.databases.rows import Column, Derivation, Row, TablePath

if TYPE_CHECKING:
    from sqlflow_runtime.databases.sqlite import Sqlite

_KINDS = {"table": "table", "view": "view", "virtual": "virtual table", "shadow": "shadow of a virtual table"}
_FIND = """
SELECT l.schema, l.name, l.type FROM pragma_table_list l JOIN pragma_database_list d ON d.name = l.schema
 WHERE l.name = ? COLLATE NOCASE AND (? = '' OR l.schema = ? COLLATE NOCASE)
 ORDER BY CASE l.schema WHEN 'temp' THEN -1 ELSE d.seq END LIMIT 1"""
"""The relation that a name means: those of the session come first, then the main file's, then others'."""
_AFFINITIES = ((("INT",), "INTEGER"), (("CHAR", "CLOB", "TEXT"), "TEXT"), (("REAL", "FLOA", "DOUB"), "REAL"))
_COLUMNS = "SELECT name, type, [notnull] OR pk OR dflt_value IS NOT NULL, hidden FROM pragma_table_xinfo(?, ?)"


class SqliteResults:
    """See `ResultTables`."""

    def __init__(self, database: Sqlite, connection: sqlite3.Connection) -> None:
        self._database = database
        self._connection = connection

    def find(self, path: TablePath) -> Existing | None:
        """See `ResultTables.find`."""
        schema = path[-2] if len(path) > 1 else ""
        rows = self._database.execute(_FIND, (path[-1], schema, schema))
        if not rows:
            return None
        schema, name, kind = map(str, rows[0])
        master = f"{quote(schema, 'sqlite')}.sqlite_master"
        columns = self._database.execute(_COLUMNS, (name, schema))
        made = self._database.execute(f"SELECT sql FROM {master} WHERE name = ? AND type = 'table'", (name,))
        attached = self._names(
            f"SELECT 'trigger ' || name FROM {master} WHERE tbl_name = ? AND type = 'trigger' UNION ALL "
            "SELECT CASE WHEN [unique] THEN 'unique index ' ELSE 'index ' END || name FROM pragma_index_list(?, ?)",
            (name, name, schema),
        )
        keys = "SELECT 1 FROM pragma_foreign_key_list(?, ?)"
        bare = not designed(attached) and not any(special for _, _, special, _ in columns)
        return Existing(
            what=_KINDS.get(kind, kind),
            path=(schema, name),
            columns=tuple((column, kind + (" GENERATED" if hidden else "")) for column, kind, _, hidden in columns),
            comments=tuple(str(text or "") for (text,) in made),
            bare=bare and not self._database.execute(keys, (name, schema)),
            references=self._references(schema, name, master),
            attached=attached,
        )

    def _references(self, schema: str, name: str, master: str) -> tuple[str, ...]:
        """Tables whose foreign keys refer to it, where SQLite enforces these at all."""
        if not self._database.execute("PRAGMA foreign_keys")[0][0]:
            return ()
        return self._names(
            f"SELECT DISTINCT 'a key of ' || m.name FROM {master} m, pragma_foreign_key_list(m.name, ?) k "
            "WHERE m.type = 'table' AND m.name <> ? AND k.\"table\" = ? COLLATE NOCASE",
            (schema, name, name),
        )

    def path(self, path: TablePath) -> TablePath:
        """See `ResultTables.path`."""
        return path[-2:] if len(path) > 1 else ("main", *path)

    def is_schema(self, name: str) -> bool:
        """See `ResultTables.is_schema`."""
        sql = "SELECT 1 FROM pragma_database_list WHERE name = ? COLLATE NOCASE"
        return bool(self._database.execute(sql, (name,)))

    def reads(self, select: str) -> frozenset[TablePath]:
        """See `ResultTables.reads`. SQLite asks leave for each column that it is going to read."""
        found: set[tuple[str | None, str]] = set()

        def allow(action: int, table: str | None, _column: Any, schema: str | None, _source: Any) -> int:
            if action == sqlite3.SQLITE_READ and table:
                found.add((schema, table))
            return sqlite3.SQLITE_OK

        self._connection.set_authorizer(allow)
        try:
            self._database.explain(select)
        finally:
            self._connection.set_authorizer(None)
        existing = [self.find((schema, table) if schema else (table,)) for schema, table in found]
        return frozenset(one.path for one in existing if one)

    def normal_type(self, name: str) -> str:
        """See `ResultTables.normal_type`. SQLite knows five affinities, by words in the name."""
        upper = name.upper()
        if upper.endswith(" GENERATED"):
            return upper
        return next((kind for words, kind in _AFFINITIES if any(word in upper for word in words)), upper)

    def too_long(self, _names: Sequence[str]) -> str:
        """See `ResultTables.too_long`. SQLite has no limit that a program reaches."""
        return ""

    def derive(self, select: str, table: ResultTable, derivation: Derivation) -> int:
        """See `ResultTables.derive`."""
        columns = [*derivation.keep, *derivation.added]
        with self._database.atomic():
            plan = table.plan(self, "sqlite", columns)
            stage = self._stage(columns)
            count = 0
            with self._database.read(select) as reading:
                kept = [reading.columns.index(column) for column in derivation.keep]
                for batch in reading.batches:
                    added = derivation.compute(batch)
                    rows = [(*(row[i] for i in kept), *more) for row, more in zip(batch, added, strict=True)]
                    self._insert(stage, len(columns), rows)
                    count += len(rows)
            self._put(plan, stage, columns)
        return count

    def fill(self, table: ResultTable, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """See `ResultTables.fill`."""
        with self._database.atomic():
            plan = table.plan(self, "sqlite", columns)
            stage = self._stage(columns)
            self._insert(stage, len(columns), rows)
            self._put(plan, stage, columns)

    def _stage(self, columns: Sequence[Column]) -> str:
        name = f"temp.sqlflow_{secrets.token_hex(8)}"
        self._database.execute(f"CREATE TABLE {name} ({_definitions(columns)})")
        return name

    def _insert(self, name: str, width: int, rows: Sequence[Row]) -> None:
        self._connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * width)})", rows)

    def _put(self, plan: Plan, stage: str, columns: Sequence[Column]) -> None:
        target = quote_name(plan.path, "sqlite")
        indexes: list[str] = []
        if plan.copy:
            copy = quote_name((*plan.path[:-1], plan.copy), "sqlite")
            self._database.execute(f"CREATE TABLE {copy} AS SELECT * FROM {target}")
        if plan.in_place:
            self._database.execute(f"DELETE FROM {target}")
        else:
            if plan.existing:
                indexes = self._indexes(plan.existing, columns)
                self._database.execute(f"DROP TABLE {target}")
            self._database.execute(f"CREATE TABLE {target} ({_definitions(columns)} /* {plan.mark} */)")
            for index in indexes:
                self._database.execute(index)
        names = ", ".join(quote(column.name, "sqlite") for column in columns)
        self._database.execute(f"INSERT INTO {target} ({names}) SELECT * FROM {stage} ORDER BY rowid")
        self._database.execute(f"DROP TABLE {stage}")

    def _indexes(self, existing: Existing, columns: Sequence[Column]) -> list[str]:
        """Statements that make the table's indexes again, where its columns stay."""
        if not alike(self, existing.columns, [(column.name, column.type) for column in columns]):
            return []
        schema = quote(existing.path[0], "sqlite")
        sql = f"SELECT sql FROM {schema}.sqlite_master WHERE tbl_name = ? AND type = 'index' AND sql IS NOT NULL"
        made = self._names(sql, existing.path[-1:])
        return [re.sub(r"^(CREATE (?:UNIQUE )?INDEX )", lambda match: f"{match[1]}{schema}.", text) for text in made]

    def _names(self, sql: str, parameters: Sequence[Any]) -> tuple[str, ...]:
        return tuple(str(name) for (name,) in self._database.execute(sql, parameters))


def _definitions(columns: Sequence[Column]) -> str:
    return ", ".join(f"{quote(column.name, 'sqlite')} {column.type}" for column in columns)
