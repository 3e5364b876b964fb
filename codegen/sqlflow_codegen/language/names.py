"""Names of tables: how each dialect reads, quotes and keeps them. The one place; graph and runtime come here too."""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlflow_codegen.language.source import ProblemError, Source

if TYPE_CHECKING:
    from sqlflow_codegen.language.ir import Part

POSTGRES_NAME_BYTES = 63
MYSQL_NAME_CHARACTERS = 64

_BACKTICKS = ("mysql", "hive", "spark", "bigquery")
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_ESCAPES = str.maketrans({"\\": "\\\\", "`": "\\`", "\n": "\\n", "\r": "\\r"})


def parse_name(text: str, dialect: str) -> tuple[Part, ...]:
    """The parts of a dotted name that stands alone, such as `db."My table"`.

    Raises:
        ValueError: it is no name in that dialect.
    """
    from sqlflow_codegen.language.lexer import Lexer

    lexer = Lexer(Source(text), dialect, 0, len(text))
    try:
        name = lexer.name("a name", written=True)
        end = lexer.peek()
    except ProblemError as error:
        raise ValueError(error.problem.message) from error
    if end.kind != "end":
        raise ValueError(f"unexpected {end.shown()} after the name")
    return name.path


def quote(text: str, dialect: str) -> str:
    """One identifier, quoted as the dialect quotes identifiers."""
    if dialect not in _BACKTICKS:
        return '"' + text.replace('"', '""') + '"'
    return "`" + (text.translate(_ESCAPES) if dialect == "bigquery" else text.replace("`", "``")) + "`"


def quote_name(parts: Iterable[str], dialect: str) -> str:
    """A dotted name, every part quoted."""
    return ".".join(quote(part, dialect) for part in parts)


def stored(part: Part | tuple[str, bool], dialect: str) -> str:
    """The identifier as the database keeps it: PostgreSQL folds the ASCII letters of bare ones, and cuts by bytes."""
    text, quoted = part
    if dialect != "postgres":
        return text
    if not quoted:
        text = text.translate(_ASCII_LOWER)
    if len(text) * 4 <= POSTGRES_NAME_BYTES:
        return text
    return text.encode("utf-8", "surrogatepass")[:POSTGRES_NAME_BYTES].decode("utf-8", "ignore")
