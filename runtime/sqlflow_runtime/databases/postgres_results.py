"""Result tables in PostgreSQL: everything in one transaction, so that readers see the old rows or the new ones."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from sqlflow_codegen.language.names import quote

from sqlflow_runtime.databases.postgres_rewrite import Rewriting, is_plain
from sqlflow_runtime.databases.result_tables import Existing, Plan, ResultTable, designed
from sqlflow_runtime.databases.result_writers import StreamedResultTables
from sqlflow_runtime.databases.rows import Column, Derivation, Row, TablePath
from sqlflow_runtime.disk import temporary_file
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

_NO_FUNCTION = "42883"


class PostgresResults(StreamedResultTables):
    """Result tables of PostgreSQL. Names that are too long are cut, as PostgreSQL cuts them everywhere."""

    database: Postgres

    def find(self, path: TablePath) -> Existing | None:
        rows = self.database.execute(_RELATION, (self.quoted(*path),))
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
        columns = self.database.execute(_COLUMNS, (oid,))
        attached = self.names(_ATTACHED, (oid, oid, oid))
        return Existing(
            what=what,
            path=(schema, name),
            columns=tuple((column, kind) for column, kind, _, _ in columns),
            comments=(comment, *(text for _, _, text, _ in columns)),
            bare=not designed(attached) and not any(special for *_, special in columns),
            references=self.names(_REFERENCES, (oid,)),
            dependents=self.names(_DEPENDENTS, (oid, oid, oid)),
            attached=(*attached, *(["its grants"] if granted else [])),
        )

    def path(self, path: TablePath) -> TablePath:
        if len(path) > 1:
            return path[-2:]
        return (str(self.database.execute("SELECT current_schema()")[0][0] or "public"), *path)

    def is_schema(self, name: str) -> bool:
        return bool(self.database.execute("SELECT 1 FROM pg_namespace WHERE nspname = ?", (name,)))

    def reads(self, select: str) -> frozenset[TablePath]:
        """See `ResultTables.reads`. To plan a select, PostgreSQL locks what it reads, through views too."""
        database, explain = self.database, "EXPLAIN (VERBOSE, FORMAT JSON) "
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

    @contextmanager
    def replacing(self, table: ResultTable, columns: Sequence[Column]) -> Iterator[Plan]:
        """See `ResultTables.replacing`. Under the table's lock, for which another run that writes it waits."""
        with self.database.atomic(), self.database.quietly():
            found = self.find(table.path)
            self.database.lock(f"result/{self.quoted(*(found.path if found else self.path(table.path)))}")
            yield table.plan(self, columns)

    def derive(self, select: str, table: ResultTable, derivation: Derivation) -> int:
        """See `ResultTables.derive`. The rows wait on local disk until all are computed: one connection does both."""
        columns = [*derivation.keep, *derivation.added]
        with self.replacing(table, columns) as plan, temporary_file() as file:
            rewriting, count = self._rewritten(select, derivation, file)
            file.seek(0)
            name = self.open(plan, columns)
            if rewriting.as_text:
                self._copy_cast(name, columns, rewriting.types, file)
            else:
                self.database.copy_binary(name, self.listed(columns), file)
            self.finish(plan, name, columns, table)
        return count

    def _rewritten(self, select: str, derivation: Derivation, file: IO[bytes]) -> tuple[Rewriting, int]:
        """Write all rows to the file; returns their form and number."""
        database, read = self.database, self.database.describe(select)
        known = all(is_plain(column.type) or column.name in derivation.values for column in derivation.added)
        if known:
            try:
                with database.atomic():
                    values = {
                        column.name: database.binary_values(column.type, derivation.values[column.name])
                        for column in derivation.added
                        if not is_plain(column.type)
                    }
                    rewriting = Rewriting(select, read, derivation, values, as_text=False)
                    return rewriting, database.rewrite(rewriting, select, file)
            except RunError as failure:
                if failure.sqlstate != _NO_FUNCTION or "binary output" not in failure.message:
                    raise
                file.seek(0)
                file.truncate()
        rewriting = Rewriting(select, read, derivation, {}, as_text=True)
        return rewriting, database.rewrite(rewriting, select, file)

    def _copy_cast(self, name: str, columns: Sequence[Column], types: Sequence[str], file: IO[bytes]) -> None:
        """Add rows of which some values are text, by a temporary table of text."""
        stage = f"pg_temp.sqlflow_{secrets.token_hex(8)}"
        parts = [f"c{number}" for number in range(len(columns))]
        definitions = ", ".join(f"{part} {kind}" for part, kind in zip(parts, types, strict=True))
        self.database.execute(f"CREATE TABLE {stage} ({definitions})")
        self.database.copy_binary(stage, ", ".join(parts), file)
        cast = ", ".join(f"{part}::{column.type}" for part, column in zip(parts, columns, strict=True))
        self.insert(name, columns, f"SELECT {cast} FROM {stage}")
        self.database.execute(f"DROP TABLE {stage}")

    def open(self, plan: Plan, columns: Sequence[Column]) -> str:
        """See `StreamedResultTables.open`: the existing table, emptied, or a new one."""
        target = self.quoted(*plan.path)
        self.keep_copy(plan)
        if plan.in_place:
            self.database.execute(f"DELETE FROM ONLY {target}")
            return target
        # Its own name would be taken, by the old table; in this transaction nobody else sees it.
        name = self.quoted(*plan.path[:-1], f"sqlflow_{secrets.token_hex(8)}")
        self.database.execute(f"CREATE TABLE {name} ({self.definitions(columns)})")
        return name

    def add(self, name: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        self.database.copy(name, self.listed(columns), rows)

    def finish(self, plan: Plan, name: str, columns: Sequence[Column], table: ResultTable) -> None:
        if not plan.in_place:
            if plan.existing:
                self.database.execute(f"DROP TABLE {self.quoted(*plan.path)}")
            self.database.execute(f"ALTER TABLE {name} RENAME TO {quote(plan.path[-1], self.dialect)}")
        if not plan.mark:
            return
        try:
            with self.database.atomic():
                self.comment(plan, columns, _literal)
        except RunError as failure:
            if not plan.in_place:
                raise
            table.log("warning", f"the table gets no mark; the next run needs the same leave: {failure.message}")


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
