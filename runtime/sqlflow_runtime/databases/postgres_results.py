"""Result tables in PostgreSQL: everything in one transaction, so that readers see the old rows or the new ones."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlflow_codegen.language.names import quote, quote_name

from sqlflow_runtime.databases.result_tables import Existing, Plan, ResultTable, designed, with_mark
from sqlflow_runtime.databases.rows import Column, Derivation, Row, TablePath
from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    from sqlflow_runtime.databases.postgres import Postgres

_KINDS = {
    "v": "view", "m": "materialized view", "f": "foreign table", "p": "partitioned table", "S": "sequence",
    "i": "index", "I": "index", "c": "composite type",
}  # fmt: skip

_RELATION = """
SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.relispartition,
       EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent)),
       coalesce(obj_description(c.oid, 'pg_class'), ''), c.relacl IS NOT NULL,
       c.relkind = 'r' AND row_security_active(c.oid)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(?)"""
_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) || CASE WHEN attgenerated <> '' THEN ' GENERATED' ELSE '' END,
       coalesce(col_description(attrelid, attnum), ''), attnotnull OR atthasdef
  FROM pg_attribute WHERE attrelid = ? AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_REFERENCES = """
SELECT conname || ' of ' || conrelid::regclass FROM pg_constraint
 WHERE confrelid = ? AND conrelid <> confrelid AND contype = 'f' ORDER BY 1"""
_DEPENDENTS = """
SELECT DISTINCT CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, 0)
                     WHEN v.relkind = 'm' THEN 'materialized view ' || r.ev_class::regclass
                     ELSE 'view ' || r.ev_class::regclass END
  FROM pg_depend d LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  LEFT JOIN pg_class v ON v.oid = r.ev_class
 WHERE d.deptype = 'n' AND r.ev_class IS DISTINCT FROM ?
   AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = ?
     OR d.refclassid = 'pg_type'::regclass AND d.refobjid = (SELECT reltype FROM pg_class WHERE oid = ?))
   AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_class'::regclass) ORDER BY 1"""
_ATTACHED = """
SELECT CASE WHEN indisunique THEN 'unique index ' ELSE 'index ' END || indexrelid::regclass
  FROM pg_index WHERE indrelid = ?
UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE conrelid = ? AND contype NOT IN ('p', 'u')
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgrelid = ? AND NOT tgisinternal"""
_LOCKED = "SELECT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted"


class PostgresResults:
    """See `ResultTables`."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def find(self, path: TablePath) -> Existing | None:
        """See `ResultTables.find`."""
        rows = self._database.execute(_RELATION, (self._quoted(path),))
        if not rows:
            return None
        oid, schema, name, kind, partition, inherits, comment, granted, row_security = rows[0]
        what = _KINDS.get(kind, "table" if kind == "r" else "relation that is no table")
        if kind == "r" and (partition or inherits or row_security):
            what = (
                "partition"
                if partition
                else "table with row-level security"
                if row_security
                else "table of an inheritance"
            )
        columns = self._database.execute(_COLUMNS, (oid,))
        attached = self._names(_ATTACHED, (oid, oid, oid))
        return Existing(
            what=what,
            path=(schema, name),
            columns=tuple((column, kind) for column, kind, _, _ in columns),
            comments=(comment, *(text for _, _, text, _ in columns)),
            bare=not designed(attached) and not any(special for *_, special in columns),
            references=self._names(_REFERENCES, (oid,)),
            dependents=self._names(_DEPENDENTS, (oid, oid, oid)),
            attached=(*attached, *(["its grants"] if granted else [])),
        )

    def path(self, path: TablePath) -> TablePath:
        """See `ResultTables.path`."""
        if len(path) > 1:
            return path[-2:]
        return (str(self._database.execute("SELECT current_schema()")[0][0] or "public"), *path)

    def is_schema(self, name: str) -> bool:
        """See `ResultTables.is_schema`."""
        return bool(self._database.execute("SELECT 1 FROM pg_namespace WHERE nspname = ?", (name,)))

    def reads(self, select: str) -> frozenset[TablePath]:
        """See `ResultTables.reads`. To plan a select, PostgreSQL locks what it reads, through views too."""
        database, explain = self._database, "EXPLAIN (VERBOSE, FORMAT JSON) "
        found: list[Any] = []
        named: set[TablePath] = set()
        with suppress(_UndoError), database.atomic():
            before = {oid for (oid,) in database.execute(_LOCKED)}
            named = set(_scanned(database.explained(explain, select)))
            found = [oid for (oid,) in database.execute(_LOCKED) if oid not in before]
            raise _UndoError
        names = (
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.oid = ANY (?::oid[])"
        )
        locked = database.execute(names, (found,))
        # What the program's own transaction had locked before shows in the plan only.
        return frozenset({*((str(schema), str(name)) for schema, name in locked), *named})

    def normal_type(self, name: str) -> str:
        """See `ResultTables.normal_type`."""
        return name

    def too_long(self, _names: Sequence[str]) -> str:
        """See `ResultTables.too_long`. Longer names are cut, as PostgreSQL cuts them everywhere."""
        return ""

    def derive(self, select: str, table: ResultTable, derivation: Derivation) -> int:
        """See `ResultTables.derive`. Rows come by a server-side cursor and go by COPY.

        The cursor is opened before old rows are deleted: it goes on seeing them.
        """
        columns = [*derivation.keep, *derivation.added]
        count = 0
        with self._database.atomic(), self._database.quietly():
            plan = self._begin(table, columns)
            with self._database.cursor_over(select) as (described, batches):
                kept = [described.index(column) for column in derivation.keep]
                name = self._open(plan, columns)
                for batch in batches:
                    added = derivation.compute(batch)
                    rows = [(*(row[i] for i in kept), *more) for row, more in zip(batch, added, strict=True)]
                    self._database.copy(name, columns, rows)
                    count += len(batch)
            self._finish(plan, name, columns, table.log)
        return count

    def fill(self, table: ResultTable, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """See `ResultTables.fill`."""
        with self._database.atomic(), self._database.quietly():
            plan = self._begin(table, columns)
            name = self._open(plan, columns)
            self._database.copy(name, columns, rows)
            self._finish(plan, name, columns, table.log)

    def _begin(self, table: ResultTable, columns: Sequence[Column]) -> Plan:
        """Plan under the table's lock, which two runs that write it take one after the other."""
        found = self.find(table.path)
        self._database.lock(f"result/{self._quoted(found.path if found else self.path(table.path))}")
        return table.plan(self, self._database.dialect, columns)

    def _open(self, plan: Plan, columns: Sequence[Column]) -> str:
        """The table to fill: the existing one, emptied, or a new one."""
        target = self._quoted(plan.path)
        if plan.copy:
            copy = self._quoted((*plan.path[:-1], plan.copy))
            self._database.execute(f"CREATE TABLE {copy} AS TABLE {target}")
        if plan.in_place:
            self._database.execute(f"DELETE FROM ONLY {target}")
            return target
        # Its own name would be taken, by the old table; in this transaction nobody else sees it.
        name = self._quoted((*plan.path[:-1], f"sqlflow_{secrets.token_hex(8)}"))
        definitions = ", ".join(f"{quote(column.name, 'postgres')} {column.type}" for column in columns)
        self._database.execute(f"CREATE TABLE {name} ({definitions})")
        return name

    def _finish(self, plan: Plan, name: str, columns: Sequence[Column], log: Callable[[str, str], None]) -> None:
        target = self._quoted(plan.path)
        if not plan.in_place:
            if plan.existing:
                self._database.execute(f"DROP TABLE {target}")
            self._database.execute(f"ALTER TABLE {name} RENAME TO {quote(plan.path[-1], 'postgres')}")
        if plan.mark:
            self._mark(plan, target, columns, log)

    def _mark(self, plan: Plan, target: str, columns: Sequence[Column], log: Callable[[str, str], None]) -> None:
        """On the table, where people see it, and on the last column, where people leave it alone."""
        comment = with_mark(plan.existing.comments[0] if plan.existing and plan.in_place else "", plan.mark)
        column = f"{target}.{quote(columns[-1].name, 'postgres')}"
        try:
            with self._database.atomic():
                self._database.execute(f"COMMENT ON TABLE {target} IS {_literal(comment)}")
                self._database.execute(f"COMMENT ON COLUMN {column} IS {_literal(plan.mark)}")
        except RunError as failure:
            if not plan.in_place:
                raise
            log("warning", f"the table gets no mark; the next run needs the same leave: {failure.message}")

    def _names(self, sql: str, parameters: Sequence[Any]) -> tuple[str, ...]:
        return tuple(str(name) for (name,) in self._database.execute(sql, parameters))

    def _quoted(self, path: TablePath) -> str:
        return quote_name(path, "postgres")


class _UndoError(Exception):
    """Ends a transaction that was only to look."""


def _scanned(plan: Any) -> Iterator[TablePath]:
    """Schema and name of the relations in a plan as EXPLAIN gives it."""
    pending = [json.loads(plan) if isinstance(plan, str) else plan]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if "Relation Name" in node and "Schema" in node:
                yield node["Schema"], node["Relation Name"]
            pending += node.values()
        elif isinstance(node, list):
            pending += node


def _literal(text: str) -> str:
    return " E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
