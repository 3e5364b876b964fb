"""Checks of result tables before a run: those that the program reads or fills itself, or that name a schema.

A step asks the database, and sees more (`sqlflow_runtime.databases.result_tables`). Here only what is certain is an
error.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlflow_codegen.catalogue import RESULT_REPLACE
from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.graph.catalog import Catalog
from sqlflow_codegen.graph.data_objects import TABLE, DataObject, Effects
from sqlflow_codegen.graph.naming import Reference, Relation, Unknown
from sqlflow_codegen.graph.sql_parser import NotUnderstoodError, SqlParser, name_after, words
from sqlflow_codegen.language import ir

_FILLING = frozenset({"INSERT", "REPLACE", "COPY", "LOAD", "MERGE", "SELECT", "WITH"})
"""First words of statements that fill the table that they write."""
_RELATIONS = frozenset({"TABLE", "VIEW"})
_MODIFIERS = frozenset(
    ["OR", "REPLACE", "TEMP", "TEMPORARY", "UNLOGGED", "EXTERNAL", "FOREIGN", "MATERIALIZED", "RECURSIVE", "VIRTUAL"]
)
_EXISTS = ("IF", "NOT", "EXISTS")

_Key = tuple[str, str | Unknown]
"""A relation as people see it, and, where it has no schema, the current one."""

ResultStatement = ir.PredictStatement | ir.EvaluateStatement | ir.ExplainStatement | ir.OptimizeStatement


class ResultChecks:
    """Follows the statements of a program, in order, and collects `errors`."""

    def __init__(self, program: ir.Program) -> None:
        self.errors: list[Diagnostic] = []
        self._reader = SqlParser(program.dialect)
        targets = [path for statement in program if (path := _target(statement))]
        self._names = {path[-1][0].casefold() for path in targets}
        self._filled: dict[_Key, int] = {}
        """Tables that plain SQL created or filled, and no result statement since: by which statement."""
        self._schemas: dict[str, int] = {}

    def note(self, statement: ir.Statement, effects: Effects, catalog: Catalog) -> None:
        """Look at the next statement; `catalog` is as it leaves it."""
        if not self._names:
            return
        for resource in (*effects.reads, *effects.writes):
            if resource.kind == TABLE and (schema := _qualifier(resource)):
                self._schemas.setdefault(catalog.names.key(schema), statement.number)
        for schema in catalog.schemas:
            self._schemas.setdefault(schema, statement.number)
        if isinstance(statement, ir.SqlStatement):
            self._note_sql(statement, effects, catalog)
        elif isinstance(statement, ResultStatement) and (path := _target(statement)):
            self._check(statement, path, effects, catalog)

    def _note_sql(self, statement: ir.SqlStatement, effects: Effects, catalog: Catalog) -> None:
        text = statement.text.casefold()
        if not any(name in text for name in self._names):
            return
        if statement.verb == "DROP":
            for key in _keys(effects.writes, catalog):
                self._filled.pop(key, None)
        elif statement.verb in _FILLING:
            self._filled.update(dict.fromkeys(_keys(effects.writes, catalog), statement.number))
        elif statement.verb == "CREATE" and (created := self._created(statement.text)):
            self._filled[_key_of(catalog.relation(created), catalog)] = statement.number

    def _created(self, text: str) -> Reference:
        """The table or view that a CREATE makes; `()` if it makes something else, or something temporary."""
        try:
            tokens = self._reader.tokens(text)
        except NotUnderstoodError:
            return ()
        every = words(tokens, len(tokens))
        at = next((n for n, word in enumerate(every[1:], 1) if word not in _MODIFIERS), len(every))
        if at >= len(every) or every[at] not in _RELATIONS or {"TEMP", "TEMPORARY"} & set(every[:at]):
            return ()
        at += 4 if every[at + 1 : at + 4] == _EXISTS else 1
        return name_after(tokens, at)[0]

    def _check(self, statement: ResultStatement, path: Reference, effects: Effects, catalog: Catalog) -> None:
        key = _key_of(catalog.relation(path[-3:]), catalog)
        filled = self._filled.pop(key, 0)
        if isinstance(statement, ir.PredictStatement) and len(path) == 1:
            self._check_schema(statement, path, catalog)
        if any(each.name == RESULT_REPLACE and each.value is True for each in statement.attributes):
            return
        shown = ".".join(text for text, _ in path)
        hint = f"Write to another table, or allow it: WITH {RESULT_REPLACE}=true."
        if key in _keys(effects.reads, catalog):
            self._error(statement, "replaces-input", f"the statement reads {shown}, and would replace its rows", hint)
        elif filled:
            message = (
                f"statement {filled} creates or fills {shown} by plain SQL; {statement.title} would replace its rows"
            )
            self._error(statement, "replaces-table", message, hint)

    def _check_schema(self, statement: ir.PredictStatement, path: Reference, catalog: Catalog) -> None:
        name, column = path[0][0], statement.result_column
        shown_by = self._schemas.get(catalog.names.key(catalog.names.fold(path[0])))
        if shown_by is None:
            return
        message = f"{name} is a schema (see statement {shown_by}): {name}.{column} names no table in it"
        hint = f"Write TO PREDICT {name}.{column}.COLUMN; a table {name} needs its schema: SCHEMA.{name}.{column}."
        self._error(statement, "invalid-target", message, hint)

    def _error(self, statement: ResultStatement, code: str, message: str, hint: str) -> None:
        span = statement.into.span if statement.into else statement.span
        self.errors.append(Diagnostic(code, message, statement.number, span.line, span.column, hint))


def _target(statement: ir.Statement) -> Reference:
    """The name of the table that a statement writes its result to; `()` if it writes none."""
    match statement:
        case ir.PredictStatement():
            return statement.result_path
        case ir.EvaluateStatement(into=ir.Name() as into) | ir.ExplainStatement(into=ir.Name() as into):
            return into.path
        case ir.OptimizeStatement():
            return statement.into.path
    return ()


def _qualifier(relation: DataObject | Relation) -> str:
    """The schema before the name, or the name of an attached file; "" if there is none."""
    return relation.shown[: -len(relation.name) - 1]


def _keys(resources: Iterable[DataObject], catalog: Catalog) -> set[_Key]:
    return {_key_of(each, catalog) for each in resources if each.kind == TABLE}


def _key_of(relation: DataObject | Relation, catalog: Catalog) -> _Key:
    return relation.shown, "" if _qualifier(relation) else catalog.place.identity
