"""Result tables in DuckDB: the select's rows stay inside it, in a temporary table, and all is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlflow_codegen.language.names import parse_name, quote

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.duckdb import literal
from sqlflow_runtime.databases.result_tables import Existing, Plan, ResultTable, designed, words_of
from sqlflow_runtime.databases.result_writers import StagedResultTables
from sqlflow_runtime.databases.rows import Column, Row, TablePath
from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    from sqlflow_runtime.databases.duckdb import DuckDB

_INSERTED_ROWS = 1000
"""Rows of one INSERT: DuckDB is slow at one row each."""
_SAME = "lower(database_name) = lower(?) AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?)"
_FIND = f"""
SELECT 'table', database_name, schema_name, table_name, comment FROM duckdb_tables() WHERE {_SAME}
UNION ALL
SELECT 'view', database_name, schema_name, view_name, NULL FROM duckdb_views()
 WHERE {_SAME.replace("table_name", "view_name")}"""
_COLUMNS = f"""
SELECT column_name, data_type, comment, column_default IS NOT NULL
  FROM duckdb_columns() WHERE {_SAME} ORDER BY column_index"""
_CONSTRAINTS = f"SELECT lower(constraint_type) || ' constraint' FROM duckdb_constraints() WHERE {_SAME}"
_INDEXES = f"""
SELECT CASE WHEN is_unique THEN 'unique index ' ELSE 'index ' END || index_name FROM duckdb_indexes() WHERE {_SAME}"""
_REFERENCES = """
SELECT DISTINCT 'a key of ' || table_name FROM duckdb_constraints()
 WHERE constraint_type = 'FOREIGN KEY' AND lower(database_name) = lower(?) AND lower(schema_name) = lower(?)
   AND lower(referenced_table) = lower(?) AND lower(table_name) <> lower(referenced_table)"""
_TEMPORARY = ("temp", "main")


class DuckDBResults(StagedResultTables):
    """Result tables of DuckDB."""

    database: DuckDB

    temporary = "temp."

    def find(self, path: TablePath) -> Existing | None:
        places = [self.path(path)] if len(path) > 1 else [(*_TEMPORARY, *path), self.path(path)]
        rows = next((rows for place in places if (rows := self.database.execute(_FIND, (*place, *place)))), [])
        if not rows:
            return None
        what, *full, comment = rows[0]
        columns = self.database.execute(_COLUMNS, full)
        constraints, indexes = self.names(_CONSTRAINTS, full), self.names(_INDEXES, full)
        attached = (*indexes, *constraints)
        return Existing(
            what=what,
            path=tuple(full),
            columns=tuple((name, kind) for name, kind, _, _ in columns),
            comments=(comment or "", *(text or "" for _, _, text, _ in columns)),
            bare=not designed(attached) and not any(default for *_, default in columns),
            references=self.names(_REFERENCES, full),
            attached=attached,
        )

    def path(self, path: TablePath) -> TablePath:
        """See `ResultTables.path`: catalogue, schema and name."""
        if len(path) > 2:
            return path[-3:]
        catalog, schema = self.database.execute("SELECT current_database(), current_schema()")[0]
        if len(path) == 1:
            return (catalog, schema, *path)
        in_catalog = "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND lower(schema_name) = lower(?)"
        if not self.database.execute(in_catalog, (catalog, path[0])) and self._is_catalog(path[0]):
            return (path[0], "main", path[1])
        return (catalog, *path)

    def is_schema(self, name: str) -> bool:
        """See `ResultTables.is_schema`; a catalogue, too, may stand before a table's name."""
        sql = "SELECT 1 FROM duckdb_schemas() WHERE lower(schema_name) = lower(?)"
        return bool(self.database.execute(sql, (name,))) or self._is_catalog(name)

    def _is_catalog(self, name: str) -> bool:
        sql = "SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower(?)"
        return bool(self.database.execute(sql, (name,)))

    def reads(self, select: str) -> frozenset[TablePath]:
        names = [quote(word, "duckdb") for word in words_of(select)]
        with suppress(RunError):  # it cannot look into PIVOT, which is several statements to it
            names = self.database.table_names(select)
        existing = [self.find(tuple(part.text for part in parse_name(name, "duckdb"))) for name in names]
        return frozenset(one.path for one in existing if one)

    def stage(self, select: str, name: str, number: str) -> None:
        before = f"CREATE TEMPORARY TABLE {name} AS SELECT row_number() OVER () AS {number}, q.* FROM ("
        self.database.execute_around(before, select, "\n) q")

    def add(self, name: str, rows: Sequence[Row]) -> None:
        for start in range(0, len(rows), _INSERTED_ROWS):
            part = rows[start : start + _INSERTED_ROWS]
            values = ", ".join([f"({', '.join('?' * len(part[0]))})"] * len(part))
            self.database.execute(f"INSERT INTO {name} VALUES {values}", [value for row in part for value in row])

    def add_arrays(self, name: str, arrays: Sequence[pa.Array]) -> None:
        parts = [f"c{number}" for number in range(len(arrays))]
        self.database.insert_table(name, pa.Table.from_arrays(arrays, names=parts))

    def put(self, plan: Plan, columns: Sequence[Column], select: str, table: ResultTable) -> None:
        target = self.quoted(*plan.path)
        self.keep_copy(plan)
        if plan.in_place:
            self.database.execute(f"DELETE FROM {target}")
        else:
            self.database.execute(f"CREATE OR REPLACE TABLE {target} ({self.definitions(columns)})")
        self.insert(target, columns, select)
        if plan.mark:
            self.comment(plan, columns, literal)
