"""Writing result tables: the base class of the databases' writers, and its two strategies."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlflow_codegen.language.names import quote, quote_name

from sqlflow_runtime.databases.driver import BATCH_ROWS, Database
from sqlflow_runtime.databases.result_tables import Existing, Plan, ResultTable, with_mark
from sqlflow_runtime.databases.rows import Column, Derivation, Row, TablePath
from sqlflow_runtime.errors import RunError

if TYPE_CHECKING:
    import pyarrow as pa


class ResultTables(ABC):
    """Result tables of one kind of database: looks them up and writes them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.dialect = database.dialect

    @abstractmethod
    def find(self, path: TablePath) -> Existing | None:
        """The relation that a name means now."""

    @abstractmethod
    def path(self, path: TablePath) -> TablePath:
        """The full name of the table that would be made under that name."""

    @abstractmethod
    def is_schema(self, name: str) -> bool:
        """True if tables may be qualified by that name: a schema, in MySQL a database, in SQLite an attached file."""

    @abstractmethod
    def reads(self, select: str) -> frozenset[TablePath]:
        """Schema and name of every relation that a select reads, through views too."""

    def normal_type(self, name: str) -> str:
        """A type's name in one spelling, to compare it with."""
        return name

    def too_long(self, names: Sequence[str]) -> str:
        """The fault in the length of identifiers; "" if there is none, as where names are cut or have no limit."""
        return ""

    @abstractmethod
    def derive(self, select: str, table: ResultTable, derivation: Derivation) -> int:
        """Put the select's rows with computed columns into the table; returns their number."""

    @abstractmethod
    def fill(self, table: ResultTable, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Put those rows, a few, into the table."""

    @contextmanager
    def replacing(self, table: ResultTable, columns: Sequence[Column]) -> Iterator[Plan]:
        """The plan of the table, in the transaction that writes it."""
        with self.database.atomic():
            yield table.plan(self, columns)

    def names(self, sql: str, parameters: Sequence[Any]) -> tuple[str, ...]:
        """The values of a query's one column, as text."""
        return tuple(str(name) for (name,) in self.database.execute(sql, parameters))

    def quoted(self, *path: str) -> str:
        """A name, quoted."""
        return quote_name(path, self.dialect)

    def listed(self, columns: Sequence[Column]) -> str:
        """The columns' names, quoted, with commas between them."""
        return ", ".join(quote(column.name, self.dialect) for column in columns)

    def definitions(self, columns: Sequence[Column]) -> str:
        """The columns' names and types, as CREATE TABLE takes them."""
        return ", ".join(f"{quote(column.name, self.dialect)} {column.type}" for column in columns)

    def keep_copy(self, plan: Plan) -> None:
        """Keep the rows that the table has, if the plan says so."""
        if plan.copy:
            copy = self.quoted(*plan.path[:-1], plan.copy)
            self.database.execute(f"CREATE TABLE {copy} AS SELECT * FROM {self.quoted(*plan.path)}")

    def insert(self, target: str, columns: Sequence[Column], select: str) -> None:
        """Add the rows of a select of ours."""
        self.database.execute(f"INSERT INTO {target} ({self.listed(columns)}) {select}")

    def comment(self, plan: Plan, columns: Sequence[Column], literal: Callable[[str], str]) -> None:
        """Mark the table where people see it, and its last column, where people leave the comment alone."""
        target = self.quoted(*plan.path)
        mark = with_mark(plan.existing.comments[0] if plan.existing and plan.in_place else "", plan.mark)
        self.database.execute(f"COMMENT ON TABLE {target} IS {literal(mark)}")
        self.database.execute(f"COMMENT ON COLUMN {target}.{self.listed(columns[-1:])} IS {literal(plan.mark)}")


class StreamedResultTables(ResultTables):
    """Rows come out of the database and go back into a table of the same transaction."""

    @abstractmethod
    def open(self, plan: Plan, columns: Sequence[Column]) -> str:
        """The quoted name of the table to add rows to."""

    @abstractmethod
    def add(self, name: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Add rows to that table."""

    @abstractmethod
    def finish(self, plan: Plan, name: str, columns: Sequence[Column], table: ResultTable) -> None:
        """Put the filled table in place."""

    def fill(self, table: ResultTable, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        with self.replacing(table, columns) as plan:
            name = self.open(plan, columns)
            self.add(name, columns, rows)
            self.finish(plan, name, columns, table)


class StagedResultTables(ResultTables):
    """Rows stay inside the database, in a temporary table; only what is computed for them passes through Python.

    So every type of the kept columns survives.
    """

    temporary = ""
    """The qualifier of temporary tables."""
    key = "BIGINT NOT NULL"
    """The type of the rows' numbers, from 1."""
    page = BATCH_ROWS
    """Rows that are computed from at a time."""

    @abstractmethod
    def stage(self, select: str, name: str, number: str) -> None:
        """Make a temporary table of a select's rows, with ascending numbers as its first column."""

    @abstractmethod
    def add(self, name: str, rows: Sequence[Row]) -> None:
        """Add rows to a temporary table."""

    def add_arrays(self, name: str, arrays: Sequence[pa.Array]) -> None:
        """Add rows to a temporary table, given its columns."""
        self.add(name, list(zip(*(array.to_pylist() for array in arrays), strict=True)))

    @abstractmethod
    def put(self, plan: Plan, columns: Sequence[Column], select: str, table: ResultTable) -> None:
        """Put the rows of a select into the result table."""

    @contextmanager
    def dropped(self, *names: str) -> Iterator[None]:
        """Drop temporary tables at the end; where the connection fails, or the transaction, they are gone already."""
        try:
            yield
        except BaseException:
            with suppress(RunError):
                self.drop(*names)
            raise
        self.drop(*names)

    def drop(self, *names: str) -> None:
        """Drop temporary tables."""
        for name in names:
            self.database.execute(f"DROP TABLE IF EXISTS {name}")

    def derive(self, select: str, table: ResultTable, derivation: Derivation) -> int:
        columns = [*derivation.keep, *derivation.added]
        tag = secrets.token_hex(6)
        stage, added = (f"{self.temporary}sqlflow_{name}_{tag}" for name in ("stage", "added"))
        number = f"sqlflow_{tag}"
        with self.replacing(table, columns) as plan, self.dropped(stage, added):
            self.stage(select, stage, number)
            computed = [Column(f"c{position}", column.type, "") for position, column in enumerate(derivation.added)]
            self.database.execute(f"CREATE TEMPORARY TABLE {added} ({number} {self.key}, {self.definitions(computed)})")
            count = self._compute(stage, added, number, derivation)
            names = [f"s.{quote(column.name, self.dialect)}" for column in derivation.keep]
            names += [
                f"a.{one.name} AS {quote(column.name, self.dialect)}"
                for one, column in zip(computed, derivation.added, strict=True)
            ]
            joined = f"FROM {stage} s JOIN {added} a ON s.{number} = a.{number} ORDER BY a.{number}"
            self.put(plan, columns, f"SELECT {', '.join(names)} {joined}", table)
        return count

    def fill(self, table: ResultTable, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        stage = f"{self.temporary}sqlflow_stage_{secrets.token_hex(6)}"
        with self.replacing(table, columns) as plan, self.dropped(stage):
            self.database.execute(f"CREATE TEMPORARY TABLE {stage} ({self.definitions(columns)})")
            self.add(stage, rows)
            self.put(plan, columns, f"SELECT * FROM {stage}", table)

    def _compute(self, stage: str, added: str, number: str, derivation: Derivation) -> int:
        """Compute the added columns page by page; returns the number of rows."""
        count, last = 0, 0
        while True:
            page = f"SELECT * FROM {stage} WHERE {number} > {last} ORDER BY {number} LIMIT {self.page}"
            found = 0
            with self.database.read_arrow(page) as stream:
                batches = list(stream.batches)
            for batch in batches:
                numbers, *columns = batch.columns
                values = derivation.compute(batch.from_arrays(columns, names=batch.schema.names[1:]))
                self.add_arrays(added, [numbers, *values])
                found, last = found + len(numbers), numbers[-1].as_py()
            count += found
            if found < self.page:
                return count
