"""The relations that a query names, for a step that cannot ask its database."""

from __future__ import annotations

from sqlflow_codegen.graph.naming import Names
from sqlflow_codegen.graph.sql_parser import NotUnderstoodError, SqlParser
from sqlflow_codegen.graph.walker import Walker


def tables_read(text: str, dialect: str) -> list[tuple[str, ...]] | None:
    """The parts of each name of a relation that the query reads; None where it is not understood."""
    reader = SqlParser(dialect)
    try:
        found = Walker(Names(dialect)).collect([reader.parse(reader.tokens(text), text)])
    except NotUnderstoodError:
        return None
    return [tuple(part for part, _ in reference) for reference in found.reads]
