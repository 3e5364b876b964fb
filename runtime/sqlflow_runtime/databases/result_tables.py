"""Result tables: the check before one is replaced, the plan of its rows, and the mark by which it is known.

A table that a result statement makes carries a mark in the database's own catalogue (comments; in SQLite the text of
its CREATE TABLE). The mark holds the table's name, so that a copy or a renamed table, which somebody keeps for a
reason, is not taken for a result. See docs/decisions/0022-result-tables.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlflow_codegen.catalogue import RESULT_REPLACE
from sqlflow_codegen.language.names import quote_name

from sqlflow_runtime.databases.rows import Column, TablePath
from sqlflow_runtime.errors import RunError, listed

if TYPE_CHECKING:
    from sqlflow_runtime.databases.result_writers import ResultTables

_WORD = re.compile(r"[^\W\d][\w$]*")
_MARK = re.compile(r"SQLFlow result table (?P<name>.+): each run replaces its rows")
_ALLOW = f"allow it: WITH {RESULT_REPLACE}=true"
_MAKE = "Create it first: CREATE SCHEMA …, or correct the name."
_SCHEMA_HINTS = {
    "sqlite": "SQLite has no schemas: ATTACH DATABASE 'FILE' AS NAME; gives another file that name.",
    "mysql": "Create it first: CREATE DATABASE …; or begin with USE, or name one at the end of the database URL.",
}
_COPY = "_before_sqlflow"
_COPY_BYTES = 40
"""Bytes of the table's name that its copy's name keeps, below the limit of every database."""


@dataclass(frozen=True, slots=True)
class Existing:
    """A relation that has the name of a result table.

    Attributes:
        what: `table` for one whose rows can be replaced, else what it is: `view`, `sequence`, ...
        path: its schema and name, as the database keeps them.
        columns: name and type of each, in order.
        comments: the comments of table and columns; in SQLite the text of its CREATE TABLE.
        bare: it has nothing that people design into a table: keys, defaults, triggers.
        references: foreign keys of other tables that refer to it.
        dependents: what a DROP of it would break, by kind and name: `view v`.
        attached: what goes when it is made again: indexes, grants, ...
        in_place: whether its rows can be replaced in one transaction.
    """

    what: str
    path: TablePath
    columns: tuple[tuple[str, str], ...] = ()
    comments: tuple[str, ...] = ()
    bare: bool = True
    references: tuple[str, ...] = ()
    dependents: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    in_place: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """The way in which a result table gets its rows.

    Attributes:
        path: the table: schema (where known) and name.
        existing: what is there; None to create the table.
        in_place: the table stays, its rows are replaced; else it is made again.
        mark: the text of its mark; "" if it carries one.
        copy: name of the table that keeps the old rows; "" if none does.
    """

    path: TablePath
    existing: Existing | None
    in_place: bool
    mark: str
    copy: str = ""


@dataclass(frozen=True, slots=True)
class ResultTable:
    """The table that a result statement writes.

    Attributes:
        path: its name, each part as the database keeps it.
        shown: the same, as the program writes it.
        title: the statement, for messages.
        column: how the program writes the predictions' column; "" where the statement names only a table.
        select: what the statement reads.
        place: where in the program the name stands.
        replace: whether the statement may replace a table that no result statement made.
        legacy_type: type that versions without marks gave to the last column; "" if they gave the present one.
        log: receives warnings.
    """

    path: TablePath
    shown: str
    title: str
    column: str
    select: str
    place: int
    replace: bool
    legacy_type: str
    log: Callable[[str, str], None]

    def plan(self, results: ResultTables, columns: Sequence[Column]) -> Plan:
        """Return the plan for rows with these columns. Reads no row and changes nothing.

        Raises:
            RunError: kind `usage`; it may not be replaced, or what depends on it forbids that.
        """
        self._check_name(results, [*self.path, *(column.name for column in columns)])
        dialect, existing = results.dialect, results.find(self.path)
        wanted = tuple((column.name, column.type) for column in columns)
        path = existing.path if existing else results.path(self.path)
        mark = mark_of(path, dialect)
        if existing is None:
            if not results.is_schema(path[-2]):
                raise self._refused(
                    f"there is no schema {path[-2]} for {self.shown}", _SCHEMA_HINTS.get(dialect, _MAKE)
                )
            return Plan(path, None, in_place=False, mark=mark)
        copy = self._allowed(results, existing, wanted)
        marked = _marks(existing, mark)
        same = same_columns(results, existing.columns, wanted)
        # SQLite's mark is in the text of CREATE TABLE: a table is made again to get one, its indexes too.
        unmarkable = dialect == "sqlite" and not marked and existing.bare
        in_place = same and existing.in_place and not unmarkable
        self._check_dependents(existing, same=same)
        return Plan(path, existing, in_place, "" if marked and in_place else mark, copy)

    def _check_name(self, results: ResultTables, names: Sequence[str]) -> None:
        if problem := results.too_long(names):
            raise self._refused(problem, "Choose a shorter name.")
        if self.column and len(self.path) == 1 and results.is_schema(self.path[0]):
            raise self._refused(
                f"{self.shown} is a schema, so {self.shown}.{self.column} does not say which table is meant",
                f"Write {self.shown}.{self.column}.COLUMN for the table {self.column} in the schema {self.shown}; a "
                f"table of the schema's name has to be qualified: SCHEMA.{self.shown}.{self.column}.",
            )

    def _allowed(self, results: ResultTables, existing: Existing, wanted: tuple[tuple[str, str], ...]) -> str:
        """Refuse what the statement may not replace; the name of the copy to keep of a table of an older version."""
        if existing.what != "table":
            hint = f"{self.title} writes tables only: choose another name, or drop the {existing.what} first."
            raise self._refused(f"{self.shown} is a {existing.what}", hint)
        if self.replace:
            return ""
        if existing.path in results.reads(self.select):
            message = f"the statement reads {self.shown}, and would replace its rows"
            raise self._refused(message, f"Write to another table, or {_ALLOW}.")
        if _marks(existing, mark_of(existing.path, results.dialect)):
            return ""
        others = [match["name"] for comment in existing.comments if (match := _MARK.search(comment))]
        if others:
            message = (
                f"{self.shown} was made as {others[0]} and renamed or copied since: its rows may be kept on purpose"
            )
            raise self._refused(message, f"Choose another name, or {_ALLOW}.")
        copy = self._legacy_copy(results, existing, wanted)
        if not copy:
            message = f"the table {self.shown} was not made by a result statement; its rows would be lost"
            raise self._refused(message, f"Choose another name, or {_ALLOW}.")
        self.log(
            "warning",
            f"{self.shown} looks like a result of an older version, which left no mark: its rows are kept in {copy}; "
            "drop that table if you do not need it",
        )
        return copy

    def _legacy_copy(self, results: ResultTables, existing: Existing, wanted: tuple[tuple[str, str], ...]) -> str:
        """The copy's name for the rows of a table that an older version must have made; "" if it need not have."""
        legacy = (*wanted[:-1], (wanted[-1][0], self.legacy_type or wanted[-1][1]))
        # SQLite keeps the declared words, and CREATE TABLE AS declares INT and NUM, which no result statement wrote.
        same = (
            existing.columns == legacy
            if results.dialect == "sqlite"
            else same_columns(results, existing.columns, legacy)
        )
        if not existing.bare or existing.references or not same:
            return ""
        name = existing.path[-1].encode()[:_COPY_BYTES].decode("utf-8", "ignore") + _COPY
        return "" if results.find((*existing.path[:-1], name)) else name

    def _check_dependents(self, existing: Existing, *, same: bool) -> None:
        if existing.references:
            message = f"foreign keys refer to {self.shown}: {listed(list(existing.references), 5)}"
            hint = "Replacing its rows would break or delete theirs: drop these keys, or write to another table."
            raise self._refused(message, hint)
        if same:
            return
        if existing.dependents:
            names = listed(list(existing.dependents), 5)
            message = f"{self.shown} gets other columns than it has, so it is made again, but {names} depend on it"
            drop = f"DROP {existing.dependents[0]}"
            hint = f"Drop them before this statement ({drop}) and create them again after it, or keep the columns."
            raise self._refused(message, hint)
        if existing.attached:
            self.log(
                "warning", f"{self.shown} is made again with other columns: {listed(list(existing.attached), 5)} go"
            )

    def _refused(self, message: str, hint: str) -> RunError:
        return RunError("usage", message, hint, place=self.place)


def mark_of(path: TablePath, dialect: str) -> str:
    """The mark of a result table: readable by people, who find it as a comment, and exact."""
    name = quote_name(path[-1:] if dialect == "sqlite" else path[-2:], dialect)
    if dialect == "sqlite":
        name = name.replace("*/", "* /")  # there it stands inside a comment of SQL
    return f"SQLFlow result table {name}: each run replaces its rows"


def designed(attached: Sequence[str]) -> bool:
    """True if a table has more on it than indexes, which a program may have added to a result."""
    return any(not each.startswith("index ") for each in attached)


def words_of(select: str) -> list[str]:
    """The words of a select that may be names, where nobody can parse it."""
    return list(dict.fromkeys(_WORD.findall(select)))


def with_mark(comment: str, mark: str) -> str:
    """A table's comment with the mark added."""
    return f"{comment}\n{mark}" if comment and mark not in comment else mark


def _marks(existing: Existing, mark: str) -> bool:
    return any(mark in comment for comment in existing.comments)


def same_columns(results: ResultTables, one: Sequence[tuple[str, str]], other: Sequence[tuple[str, str]]) -> bool:
    """True if columns have the same names and types, in the same order."""
    normal = [[(name, results.normal_type(kind)) for name, kind in columns] for columns in (one, other)]
    return normal[0] == normal[1]
