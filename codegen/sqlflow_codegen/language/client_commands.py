"""Commands of the databases' own shells (psql, mysql, sqlite3, duckdb, ..), in programs pasted from scripts for them.

No database understands them, so a program that holds one cannot run; each message has the alternative.
"""

from __future__ import annotations

import re
from itertools import islice
from types import MappingProxyType

from sqlflow_codegen.language.source import Problem

_INCLUDE = "Put the statements of that file into the program."
_END = "End the statement with `;`."
_CONNECT = "Remove it: the database URL says which database a program runs on."
_REMOVE = "Remove it."
_LEAVE = "Remove it: a program ends after its last statement."
_DATA = "Use INSERT, or COPY from a file of the server."
_DUMP = "Remove it: pg_dump writes it for psql."
_CATALOGUE = "Ask the database's catalogue, such as information_schema.tables, or remove it."

_HINTS = MappingProxyType(
    {
        **dict.fromkeys(("source", ".", "i", "ir", "include", "include_relative", "read", "start"), _INCLUDE),
        **dict.fromkeys(("g", "G", "gx", "gset", "gexec", "gdesc", "go", "ego", "crosstabview", "watch", "p"), _END),
        **dict.fromkeys(("connect", "c", "open", "r", "u"), _CONNECT),
        **dict.fromkeys(("exit", "quit", "q"), _LEAVE),
        **dict.fromkeys(("copy", "import"), _DATA),
        **dict.fromkeys(("restrict", "unrestrict"), _DUMP),
        **dict.fromkeys(("d", "dt", "dv", "dn", "df", "du", "di", "l", "tables", "schema", "databases"), _CATALOGUE),
        "delimiter": "Remove it, and end the routine with `;`: its body is one statement without it.",
        "set": "Write the value where it is used, or use a variable of the database.",
    }
)
"""Name of a command -> the hint."""

_EVERYWHERE = frozenset({"EXIT", "QUIT", "SOURCE", "GO"})
"""Words that begin no statement in any dialect."""
_WORDS = MappingProxyType(
    {
        "mysql": _EVERYWHERE
        | {"CHARSET", "CLEAR", "CONNECT", "DELIMITER", "EDIT", "EGO", "NOPAGER", "NOTEE", "NOWARNING", "PAGER"}
        | {"PRINT", "PROMPT", "REHASH", "RESETCONNECTION", "STATUS", "SYSTEM", "TEE", "WARNINGS"},
        "trino": _EVERYWHERE | {"CLEAR", "HISTORY"},
        "hive": _EVERYWHERE | {"DFS"},
        "spark": _EVERYWHERE | {"DFS"},
    }
)
_SHELLS = MappingProxyType({"mysql": "the mysql client", "postgres": "psql"})

_MARKED = re.compile(r"[\\.!](?P<name>[^\W\d]\w*|[.?!;])")
_SEPARATOR = re.compile(r"^[ \t]*(?P<word>GO(?:[ \t]+\d+)?|/)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_GOES_ON = re.compile(r"(?:\b(?:AS|FROM|JOIN|SELECT|BY|TO|SET|INTO|AND|OR)|[,.(=<>+*/-])\s*\Z", re.IGNORECASE)
_NEAR, _CANDIDATES = 80, 200
"""Characters looked at before such a line, and lines of one statement that are looked at."""
_STATEMENT = re.compile(
    r"\s*(?:\Z|(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH|EXEC|EXECUTE|USE|SET|IF|DECLARE|PRINT|BEGIN|GRANT"
    r"|TRUNCATE|MERGE|COMMIT|GO|/\*|--)(?!\w))",
    re.IGNORECASE,
)


def command_at(text: str, start: int, verb: str, dialect: str) -> Problem | None:
    """The problem of a statement at `start` that begins with a command of a shell; None if it does not.

    `verb` is its first word, in upper case; "" if it begins with none.
    """
    if verb in _WORDS.get(dialect, _EVERYWHERE):
        return _problem(text[start : start + len(verb)], verb.lower(), start, dialect)
    marked = _MARKED.match(text, start)
    return _problem(marked.group(), marked["name"], start, dialect) if marked and not verb else None


def backslash_command(shown: str, offset: int, dialect: str) -> Problem:
    """The problem of a backslash outside of quotes, with the text behind it up to a blank."""
    name = re.match(r"\\(\w*|.)", shown)
    return _problem(shown[:20], name[1] if name else "", offset, dialect)


def separator_in(statement: str) -> tuple[str, int] | None:
    """The first line of a statement that only says `GO` or `/`, as scripts for other shells do, and its offset.

    A line within a quoted text counts too: the caller knows where those are.
    """
    for found in islice(_SEPARATOR.finditer(statement), _CANDIDATES):
        near = max(found.start() - _NEAR, 0)
        behind = statement[near : found.start()].strip() and not _GOES_ON.search(statement, near, found.start())
        if behind and _STATEMENT.match(statement, found.end()):
            return found["word"], found.start("word")
    return None


def separator_problem(word: str, offset: int) -> Problem:
    """The problem of such a line."""
    message = f"`{word}` alone in its line ends no statement: it is a command of another database's shell"
    return Problem("client-command", message, offset, _END)


def _problem(shown: str, name: str, offset: int, dialect: str) -> Problem:
    hint = _HINTS.get(name) or _HINTS.get(name.lower(), _REMOVE)
    shell = _SHELLS.get(dialect, "a database's shell")
    return Problem("client-command", f"`{shown}` is a command of {shell}, none of SQL", offset, hint)


_COPY_STREAM = re.compile(r"\b(?P<way>FROM|TO)\s+(?:STDIN|STDOUT)\b", re.IGNORECASE)
_END_OF_DATA = re.compile(r"^\\\.[ \t]*\r?$", re.MULTILINE)


def copy_problem(bare: str, start: int) -> Problem | None:
    """The problem of a COPY at `start` whose data come from the client or go to it; None if they do not.

    `bare` is the statement with blanks in place of quotes, comments and parentheses.
    """
    found = _COPY_STREAM.search(bare)
    if found is None:
        return None
    to = found["way"].upper() == "TO"
    hint = "Write a SELECT: its rows are shown." if to else f"{_DATA} pg_dump writes INSERTs with --inserts."
    return Problem("client-data", "COPY from or to the client cannot run in a program", start, hint)


def after_data(text: str, position: int) -> int:
    r"""The offset after the data that follow COPY .. FROM STDIN: after the line `\.`; the same where there is none."""
    end = _END_OF_DATA.search(text, position)
    return end.end() if end else position
