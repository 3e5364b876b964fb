"""Result tables in MySQL and MariaDB: old rows go in the transaction that brings new ones, from a temporary table.

Tables that have to be made are made under another name, which `RENAME TABLE` changes in one step for every reader.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlflow_codegen.language.names import MYSQL_NAME_CHARACTERS

from sqlflow_runtime.databases.result_tables import (
    Existing,
    Plan,
    ResultTable,
    designed,
    same_columns,
    with_mark,
    words_of,
)
from sqlflow_runtime.databases.result_writers import StagedResultTables
from sqlflow_runtime.databases.rows import Column, Row, TablePath
from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    from sqlflow_runtime.databases.mysql import MySQL

_KINDS = {"BASE TABLE": "table", "SYSTEM VERSIONED": "table", "VIEW": "view", "SEQUENCE": "sequence"}
_ELSEWHERE = ("FEDERATED", "CONNECT", "SPIDER", "MRG_MYISAM", "MRG_MyISAM", "BLACKHOLE", "S3", "SPHINX")
"""Engines whose tables show rows that lie elsewhere."""
_FIND = """
SELECT t.table_schema, t.table_name, t.table_type, t.engine, t.table_comment, e.transactions = 'YES', t.create_options
  FROM information_schema.tables t LEFT JOIN information_schema.engines e ON e.engine = t.engine
 WHERE t.table_schema = ? AND t.table_name = ?"""
_ATTACHED = """
SELECT DISTINCT CONCAT(IF(non_unique, 'index ', 'unique index '), index_name) FROM information_schema.statistics
 WHERE table_schema = ? AND table_name = ?
UNION SELECT CONCAT('trigger ', trigger_name) FROM information_schema.triggers
 WHERE event_object_schema = ? AND event_object_table = ?"""
_REFERENCES = """
SELECT DISTINCT CONCAT(constraint_name, ' of ', table_name) FROM information_schema.key_column_usage
 WHERE referenced_table_schema = ? AND referenced_table_name = ? AND (table_schema <> ? OR table_name <> ?)"""
_WIDTH = re.compile(r"^((?:tiny|small|medium|big)?int)\(\d+\)")
_ALL_ROWS = "LIMIT 18446744073709551615"
"""Makes DELETE of all rows acceptable where sql_safe_updates is set."""


class MySQLResults(StagedResultTables):
    """Result tables of MySQL and MariaDB."""

    database: MySQL
    key = "BIGINT NOT NULL PRIMARY KEY"

    def find(self, path: TablePath) -> Existing | None:
        database = self.database
        if self._is_temporary(path):
            return Existing("temporary table", path)
        ignore_case = bool(database.execute("SELECT @@lower_case_table_names")[0][0])
        wanted = self.path(path)
        folded = [part.lower() for part in wanted] if ignore_case else None
        found = database.execute(_FIND, wanted)
        rows = [row for row in found if row[:2] == wanted or folded == [part.lower() for part in row[:2]]]
        if not rows:
            return None
        schema, name, kind, engine, comment, transactional, options = rows[0]
        what = _KINDS.get(kind, kind.lower())
        if what == "table" and engine in _ELSEWHERE:
            what = f"table of the engine {engine}"
        if what != "table":
            return Existing(what, (schema, name))
        here = (schema, name)
        columns = database.columns_of(self.quoted(*here))
        attached = self.names(_ATTACHED, (*here, *here))
        return Existing(
            what=what,
            path=here,
            columns=tuple((column.name, column.type) for column, _ in columns),
            comments=(comment, *(text for _, text in columns)),
            bare=not designed(attached) and kind == "BASE TABLE",
            references=self.names(_REFERENCES, (*here, *here)),
            attached=(*attached, *(["its partitions"] if "partitioned" in str(options) else [])),
            in_place=bool(transactional),
        )

    def _is_temporary(self, path: TablePath) -> bool:
        try:
            made = self.database.execute(f"SHOW CREATE TABLE {self.quoted(*path)}")
        except RunError:  # there is none, or it is out of reach: what uses it says so
            return False
        return str(made[0][1]).startswith("CREATE TEMPORARY")

    def path(self, path: TablePath) -> TablePath:
        """See `ResultTables.path`: database and table."""
        if len(path) > 1:
            return path[-2:]
        return (self.database.current(), *path)

    def is_schema(self, name: str) -> bool:
        sql = "SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?"
        return (name,) in self.database.execute(sql, (name,))

    def reads(self, select: str) -> frozenset[TablePath]:
        """See `ResultTables.reads`. Names come from the text of the select, and of the views that it reads."""
        from sqlflow_codegen.graph.queries import tables_read

        found: set[TablePath] = set()
        pending = [(self.database.current(), select)]
        while pending:
            schema, text = pending.pop()
            names = tables_read(text, "mysql")
            for name in [(word,) for word in words_of(text)] if names is None else names:
                existing = self.find(name if len(name) > 1 else (schema, *name))
                if existing is None or existing.path in found:
                    continue
                found.add(existing.path)
                if existing.what == "view":
                    pending.append((existing.path[0], self._definition(existing.path)))
        return frozenset(found)

    def _definition(self, view: TablePath) -> str:
        sql = "SELECT view_definition FROM information_schema.views WHERE table_schema = ? AND table_name = ?"
        return str(self.database.execute(sql, view)[0][0] or "SELECT 1")

    def normal_type(self, name: str) -> str:
        """See `ResultTables.normal_type`. MariaDB shows widths that integers do not have."""
        name = name if "'" in name else name.lower()
        return _WIDTH.sub(r"\1", name).removesuffix(" character set utf8mb4")

    def too_long(self, names: Sequence[str]) -> str:
        """See `ResultTables.too_long`. The server counts characters."""
        long = next((part for part in names if len(part) > MYSQL_NAME_CHARACTERS), "")
        return f"the name {long} has {len(long)} characters; MySQL takes {MYSQL_NAME_CHARACTERS}" if long else ""

    @contextmanager
    def replacing(self, table: ResultTable, columns: Sequence[Column]) -> Iterator[Plan]:
        """See `ResultTables.replacing`. Under the table's lock; the transaction begins later: DDL would end it."""
        with self.database.locks.held():
            self.database.lock("result/" + "/".join(self.path(table.path)).lower())
            yield table.plan(self, columns)

    def stage(self, select: str, name: str, number: str) -> None:
        key = f"({number} BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY)"
        self.database.execute_around(f"CREATE TEMPORARY TABLE {name} {key} AS SELECT q.* FROM (", select, "\n) q")

    def add(self, name: str, rows: Sequence[Row]) -> None:
        if rows:
            values = ", ".join(["%s"] * len(rows[0]))
            self.database.execute_many(f"INSERT INTO {name} VALUES ({values})", rows)

    def drop(self, *names: str) -> None:
        self.database.drop_temporary(*names)

    def put(self, plan: Plan, columns: Sequence[Column], select: str, table: ResultTable) -> None:
        self.keep_copy(plan)
        if not plan.in_place:
            self._make(plan, columns, select)
            return
        target = self.quoted(*plan.path)
        if plan.mark:
            self._mark(plan, target, table)
        with self.database.atomic():
            self.database.execute(f"DELETE FROM {target} {_ALL_ROWS}")
            self.insert(target, columns, select)

    def _make(self, plan: Plan, columns: Sequence[Column], select: str) -> None:
        """Make the table beside the old one, then give it the name. What a killed run left there goes first."""
        new, old = (self.quoted(*plan.path[:-1], name) for name in _names_beside(plan.path))
        target, database, existing = self.quoted(*plan.path), self.database, plan.existing
        mark = database.literal(plan.mark)
        database.execute(f"DROP TABLE IF EXISTS {new}, {old}")
        wanted = [(column.name, column.type) for column in columns]
        if existing is not None and not existing.in_place and same_columns(self, existing.columns, wanted):
            # An engine without transactions: keys, indexes and comments come along.
            database.execute(f"CREATE TABLE {new} LIKE {target}")
            self.insert(new, columns, select)
            comment = with_mark(existing.comments[0], plan.mark)
            database.execute(f"ALTER TABLE {new} COMMENT = {database.literal(comment)}")
        else:
            last = f"{self.definitions(columns[-1:])} COMMENT {mark}"
            database.execute(f"CREATE TABLE {new} ({last}) COMMENT = {mark} AS {select}")
        if existing is None:
            database.execute(f"RENAME TABLE {new} TO {target}")
            return
        database.execute(f"RENAME TABLE {target} TO {old}, {new} TO {target}")
        database.execute(f"DROP TABLE {old}")

    def _mark(self, plan: Plan, target: str, table: ResultTable) -> None:
        comment = with_mark(plan.existing.comments[0] if plan.existing else "", plan.mark)
        database = self.database
        try:
            database.execute(f"ALTER TABLE {target} COMMENT = {database.literal(comment)}")
        except RunError as failure:
            table.log("warning", f"{table.shown} gets no mark; the next run needs the same leave: {failure.message}")


def _names_beside(path: TablePath) -> Iterator[str]:
    """Names for the new and the old table while they change places: no two targets share them."""
    digest = hashlib.sha256("\0".join(path).encode()).hexdigest()[:24]
    return iter((f"sqlflow_new_{digest}", f"sqlflow_old_{digest}"))
