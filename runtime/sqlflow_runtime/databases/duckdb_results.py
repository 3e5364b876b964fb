"""Result tables in DuckDB: the select's rows stay inside it, in a temporary table, and all is one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import duckdb
from sqlflow_codegen.language.names import parse_name, quote, quote_name

from sqlflow_runtime.databases.result_tables import Existing, Plan, ResultTable, designed, with_mark, words_of
from sqlflow_runtime.databases.rows import Column, Derivation, Row, TablePath
from sqlflow_runtime.databases.rowwise import compute_in_pages

if TYPE_CHECKING:
    from sqlflow_runtime.databases.duckdb import DuckDB

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


class DuckDBResults:
    """See `ResultTables`."""

    def __init__(self, database: DuckDB, connection: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self._connection = connection

    def find(self, path: TablePath) -> Existing | None:
        """See `ResultTables.find`."""
        places = [self.path(path)] if len(path) > 1 else [(*_TEMPORARY, *path), self.path(path)]
        rows = next((rows for place in places if (rows := self._database.execute(_FIND, (*place, *place)))), [])
        if not rows:
            return None
        what, *full, comment = rows[0]
        columns = self._database.execute(_COLUMNS, full)
        constraints, indexes = self._names(_CONSTRAINTS, full), self._names(_INDEXES, full)
        attached = (*indexes, *constraints)
        return Existing(
            what=what,
            path=tuple(full),
            columns=tuple((name, kind) for name, kind, _, _ in columns),
            comments=(comment or "", *(text or "" for _, _, text, _ in columns)),
            bare=not designed(attached) and not any(default for *_, default in columns),
            references=self._names(_REFERENCES, full),
            attached=attached,
        )

    def path(self, path: TablePath) -> TablePath:
        """See `ResultTables.path`: catalogue, schema and name."""
        if len(path) > 2:
            return path[-3:]
        catalog, schema = self._database.execute("SELECT current_database(), current_schema()")[0]
        if len(path) == 1:
            return (catalog, schema, *path)
        in_catalog = "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND lower(schema_name) = lower(?)"
        if not self._database.execute(in_catalog, (catalog, path[0])) and self._is_catalog(path[0]):
            return (path[0], "main", path[1])
        return (catalog, *path)

    def is_schema(self, name: str) -> bool:
        """See `ResultTables.is_schema`; a catalogue, too, may stand before a table's name."""
        sql = "SELECT 1 FROM duckdb_schemas() WHERE lower(schema_name) = lower(?)"
        return bool(self._database.execute(sql, (name,))) or self._is_catalog(name)

    def _is_catalog(self, name: str) -> bool:
        sql = "SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower(?)"
        return bool(self._database.execute(sql, (name,)))

    def reads(self, select: str) -> frozenset[TablePath]:
        """See `ResultTables.reads`."""
        names = [quote(word, "duckdb") for word in words_of(select)]
        with suppress(duckdb.Error):  # it cannot look into PIVOT, which is several statements to it
            names = list(self._connection.get_table_names(select, qualified=True))
        existing = [self.find(tuple(part.text for part in parse_name(name, "duckdb"))) for name in names]
        return frozenset(one.path for one in existing if one)

    def normal_type(self, name: str) -> str:
        """See `ResultTables.normal_type`."""
        return name

    def too_long(self, _names: Sequence[str]) -> str:
        """See `ResultTables.too_long`. DuckDB has no limit that a program reaches."""
        return ""

    def derive(self, select: str, table: ResultTable, derivation: Derivation) -> int:
        """See `ResultTables.derive`. The kept columns never pass through Python, so every type of theirs survives."""
        columns = [*derivation.keep, *derivation.added]
        tag = secrets.token_hex(4)
        stage, more, row = f"temp.sqlflow_stage_{tag}", f"temp.sqlflow_added_{tag}", f"sqlflow_{tag}"
        names = [f"t.{row}.{quote(column.name, 'duckdb')}" for column in derivation.keep]
        names += [f"a.c{number}" for number in range(len(derivation.added))]
        types = ", ".join(f"c{number} {column.type}" for number, column in enumerate(derivation.added))
        with self._database.atomic(), self._database.failing():
            plan = table.plan(self, "duckdb", columns)
            numbered = f"CREATE TEMP TABLE {stage} AS SELECT row_number() OVER () - 1 AS n, {row} FROM ("
            with self._database.failing(select, len(numbered)):
                self._connection.execute(f"{numbered}{select}\n) {row}")
            self._connection.execute(f"CREATE TEMP TABLE {more} (n BIGINT, {types})")
            count = compute_in_pages(
                lambda after, size: self._page(stage, row, after, size), lambda rows: self._add(more, rows), derivation
            )
            joined = f"FROM {stage} t JOIN {more} a ON t.n = a.n ORDER BY a.n"
            self._put(plan, columns, f"SELECT {', '.join(names)} {joined}")
            self._connection.execute(f"DROP TABLE {stage}")
            self._connection.execute(f"DROP TABLE {more}")
        return count

    def fill(self, table: ResultTable, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """See `ResultTables.fill`; for few rows."""
        stage = f"temp.sqlflow_stage_{secrets.token_hex(4)}"
        with self._database.atomic(), self._database.failing():
            plan = table.plan(self, "duckdb", columns)
            self._connection.execute(f"CREATE TEMP TABLE {stage} ({_definitions(columns)})")
            self._add(stage, list(rows))
            self._put(plan, columns, f"SELECT * FROM {stage}")
            self._connection.execute(f"DROP TABLE {stage}")

    def _page(self, stage: str, row: str, after: int, size: int) -> list[Row]:
        return self._connection.execute(
            f"SELECT n, {row}.* FROM {stage} WHERE n > {after} ORDER BY n LIMIT {size}"
        ).fetchall()

    def _add(self, name: str, rows: list[Row]) -> None:
        """One statement for many rows: DuckDB is slow at one row each."""
        for start in range(0, len(rows), 1000):
            part = rows[start : start + 1000]
            marks = ", ".join([f"({', '.join('?' * len(part[0]))})"] * len(part))
            self._connection.execute(f"INSERT INTO {name} VALUES {marks}", [value for row in part for value in row])

    def _put(self, plan: Plan, columns: Sequence[Column], rows: str) -> None:
        """Put the rows of a select into the table."""
        target = quote_name(plan.path, "duckdb")
        if plan.copy:
            copy = quote_name((*plan.path[:-1], plan.copy), "duckdb")
            self._connection.execute(f"CREATE TABLE {copy} AS SELECT * FROM {target}")
        if plan.in_place:
            self._connection.execute(f"DELETE FROM {target}")
        else:
            self._connection.execute(f"CREATE OR REPLACE TABLE {target} ({_definitions(columns)})")
        names = ", ".join(quote(column.name, "duckdb") for column in columns)
        self._connection.execute(f"INSERT INTO {target} ({names}) {rows}")
        if plan.mark:
            comment = with_mark(plan.existing.comments[0] if plan.existing and plan.in_place else "", plan.mark)
            column = f"{target}.{quote(columns[-1].name, 'duckdb')}"
            self._connection.execute(f"COMMENT ON TABLE {target} IS {literal(comment)}")
            self._connection.execute(f"COMMENT ON COLUMN {column} IS {literal(plan.mark)}")

    def _names(self, sql: str, parameters: Sequence[Any]) -> tuple[str, ...]:
        return tuple(str(name) for (name,) in self._database.execute(sql, parameters))


def _definitions(columns: Sequence[Column]) -> str:
    return ", ".join(f"{quote(column.name, 'duckdb')} {column.type}" for column in columns)


def literal(text: str) -> str:
    """A text as DuckDB's SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
