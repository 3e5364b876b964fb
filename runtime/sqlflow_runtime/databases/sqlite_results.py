"""Result tables in SQLite: filled aside in a temporary table, then put in place, in one transaction."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlflow_codegen.language.names import quote

from sqlflow_runtime.databases.arrow_rows import record_batch
from sqlflow_runtime.databases.result_tables import Existing, Plan, ResultTable, designed, same_columns
from sqlflow_runtime.databases.result_writers import StreamedResultTables
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


class SqliteResults(StreamedResultTables):
    """Result tables of SQLite."""

    database: Sqlite

    def find(self, path: TablePath) -> Existing | None:
        schema = path[-2] if len(path) > 1 else ""
        rows = self.database.execute(_FIND, (path[-1], schema, schema))
        if not rows:
            return None
        schema, name, kind = map(str, rows[0])
        master = f"{quote(schema, 'sqlite')}.sqlite_master"
        columns = self.database.execute(_COLUMNS, (name, schema))
        made = self.database.execute(f"SELECT sql FROM {master} WHERE name = ? AND type = 'table'", (name,))
        attached = self.names(
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
            bare=bare and not self.database.execute(keys, (name, schema)),
            references=self._references(schema, name, master),
            attached=attached,
        )

    def _references(self, schema: str, name: str, master: str) -> tuple[str, ...]:
        """Tables whose foreign keys refer to it, where SQLite enforces these at all."""
        if not self.database.execute("PRAGMA foreign_keys")[0][0]:
            return ()
        return self.names(
            f"SELECT DISTINCT 'a key of ' || m.name FROM {master} m, pragma_foreign_key_list(m.name, ?) k "
            "WHERE m.type = 'table' AND m.name <> ? AND k.\"table\" = ? COLLATE NOCASE",
            (schema, name, name),
        )

    def path(self, path: TablePath) -> TablePath:
        return path[-2:] if len(path) > 1 else ("main", *path)

    def is_schema(self, name: str) -> bool:
        sql = "SELECT 1 FROM pragma_database_list WHERE name = ? COLLATE NOCASE"
        return bool(self.database.execute(sql, (name,)))

    def reads(self, select: str) -> frozenset[TablePath]:
        """See `ResultTables.reads`. SQLite asks leave for each column that it is going to read."""
        found: set[tuple[str | None, str]] = set()

        def allow(action: int, table: str | None, _column: Any, schema: str | None, _source: Any) -> int:
            if action == sqlite3.SQLITE_READ and table:
                found.add((schema, table))
            return sqlite3.SQLITE_OK

        self.database.explain(select, allow)
        existing = [self.find((schema, table) if schema else (table,)) for schema, table in found]
        return frozenset(one.path for one in existing if one)

    def normal_type(self, name: str) -> str:
        """See `ResultTables.normal_type`. SQLite knows five affinities, by words in the name."""
        upper = name.upper()
        if upper.endswith(" GENERATED"):
            return upper
        return next((kind for words, kind in _AFFINITIES if any(word in upper for word in words)), upper)

    def derive(self, select: str, table: ResultTable, derivation: Derivation) -> int:
        """See `ResultTables.derive`. Kept values stay as they are: in SQLite each has a type of its own."""
        columns = [*derivation.keep, *derivation.added]
        count = 0
        with self.replacing(table, columns) as plan:
            name = self.open(plan, columns)
            with self.database.read(select) as stream:
                names, kinds = [one.name for one in stream.columns], [one.kind for one in stream.columns]
                kept = [stream.columns.index(column) for column in derivation.keep]
                for rows in stream.batches:
                    arrays = derivation.compute(record_batch(names, kinds, rows))
                    added = zip(*(array.to_pylist() for array in arrays), strict=True)
                    both = zip(rows, added, strict=True)
                    self.add(name, columns, [(*(row[at] for at in kept), *more) for row, more in both])
                    count += len(rows)
            self.finish(plan, name, columns, table)
        return count

    def open(self, plan: Plan, columns: Sequence[Column]) -> str:
        """See `StreamedResultTables.open`. A temporary table: the select may read the old one to its end."""
        name = f"temp.sqlflow_{secrets.token_hex(8)}"
        self.database.execute(f"CREATE TABLE {name} ({self.definitions(columns)})")
        return name

    def add(self, name: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        self.database.execute_many(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)

    def finish(self, plan: Plan, name: str, columns: Sequence[Column], table: ResultTable) -> None:
        target = self.quoted(*plan.path)
        indexes: list[str] = []
        self.keep_copy(plan)
        if plan.in_place:
            self.database.execute(f"DELETE FROM {target}")
        else:
            if plan.existing:
                indexes = self._indexes(plan.existing, columns)
                self.database.execute(f"DROP TABLE {target}")
            self.database.execute(f"CREATE TABLE {target} ({self.definitions(columns)} /* {plan.mark} */)")
            for index in indexes:
                self.database.execute(index)
        self.insert(target, columns, f"SELECT * FROM {name} ORDER BY rowid")
        self.database.execute(f"DROP TABLE {name}")

    def _indexes(self, existing: Existing, columns: Sequence[Column]) -> list[str]:
        """Statements that make the table's indexes again, where its columns stay."""
        if not same_columns(self, existing.columns, [(column.name, column.type) for column in columns]):
            return []
        schema = quote(existing.path[0], "sqlite")
        sql = f"SELECT sql FROM {schema}.sqlite_master WHERE tbl_name = ? AND type = 'index' AND sql IS NOT NULL"
        made = self.names(sql, existing.path[-1:])
        return [re.sub(r"^(CREATE (?:UNIQUE )?INDEX )", lambda match: f"{match[1]}{schema}.", text) for text in made]
