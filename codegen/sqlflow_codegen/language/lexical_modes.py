"""Settings of a session that change where a quoted text ends, followed through a program as the server follows them.

MySQL and MariaDB: `sql_mode` with NO_BACKSLASH_ESCAPES or ANSI_QUOTES. PostgreSQL: `standard_conforming_strings`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlflow_codegen.language.lexical_rules import ANSI_QUOTES, BACKSLASHES, NO_BACKSLASH, variant_of
from sqlflow_codegen.language.quoting import skip_quoted, unquote

_COMBINED = frozenset({"ANSI", "ORACLE", "MSSQL", "DB2", "POSTGRESQL", "MAXDB"})
"""Values of sql_mode that bring ANSI_QUOTES with others."""
_BITS = {4: ANSI_QUOTES, 1 << 20: NO_BACKSLASH}
_LEXICAL = frozenset({ANSI_QUOTES, NO_BACKSLASH})
_SESSION = frozenset({"", "SESSION", "LOCAL"})

_UNKNOWN = "its value of sql_mode is only known to the server"
_LONGEST = 10_000
"""Characters of a SET that is followed."""
_DEEPEST = 16
"""Functions and parentheses within each other that are followed."""

_ATOM = re.compile(r"\s+|@@?[\w$.]+|[^\W\d][\w$.]*|\d+|:=|(?s:.)")
_VERSIONED = re.compile(r"/\*M?!\d*(?P<code>.*?)\*/\s*\Z", re.DOTALL)

_STANDARD = "standard_conforming_strings"
_OFF = frozenset({"OFF", "FALSE", "NO", "0", "F", "N", "OF", "FALS", "FAL", "FA"})
_PG_SET = re.compile(
    rf"SET\s+(?:(?P<scope>SESSION|LOCAL)\s+)?\"?{_STANDARD}\"?\s*(?:=|\bTO\b)\s*'?(?P<value>\w+)'?\s*\Z", re.IGNORECASE
)
_PG_RESET = re.compile(rf"(?:RESET\s+(?:{_STANDARD}|ALL)|DISCARD\s+ALL)\s*\Z", re.IGNORECASE)
_PG_CONFIG = re.compile(
    rf"\bset_config\s*\(\s*'{_STANDARD}'\s*,\s*'(?P<value>\w+)'\s*,\s*'?(?P<local>\w+)'?\s*\)", re.IGNORECASE
)


def lexical_modes(dialect: str) -> LexicalModes:
    """The tracker of a program's settings in that dialect."""
    return {"mysql": _MySQL, "postgres": _Postgres}.get(dialect, LexicalModes)(dialect)


class LexicalModes:
    """Follows the statements of a program; other dialects have no such settings."""

    def __init__(self, dialect: str) -> None:
        self.variant = dialect
        """The key of `LEXICAL_RULES` by which the next statement is to be read."""
        self.doubt = ""
        """The reason why the lexical rules of the next statements are not known; "" if they are."""

    def follow(self, verb: str, text: str) -> None:
        """Note a statement that has been read."""


_Mode = frozenset[str]


class _MySQL(LexicalModes):
    def __init__(self, dialect: str) -> None:
        super().__init__(dialect)
        self.mode: _Mode = frozenset()
        self._variables: dict[str, _Mode | None] = {}

    def follow(self, verb: str, text: str) -> None:
        self.doubt = ""
        if verb not in ("SET", "") or "=" not in text:
            return
        if len(text) > _LONGEST:
            self.doubt = _UNKNOWN if "sql_mode" in text.lower() else ""
            return
        if versioned := _VERSIONED.match(text):
            text = versioned["code"].strip()
        for name, tokens in _assignments(text, self.variant):
            if name.startswith("@") and not name.startswith("@@"):
                self._variables[name.lower()] = self._value(tokens)
            elif _is_sql_mode(name):
                self._set(self._value(tokens))

    def _set(self, value: _Mode | None) -> None:
        if value is None:
            self.doubt = _UNKNOWN
            return
        self.mode = value
        self.variant = variant_of("mysql", value)

    def _value(self, tokens: list[str], depth: int = 0) -> _Mode | None:
        """The part of sql_mode that matters here, as an expression gives it; None if only the server knows it."""
        if depth > _DEEPEST:
            return None
        if len(tokens) > 2 and tokens[0] == "(" and tokens[-1] == ")":
            return self._value(tokens[1:-1], depth + 1)
        if tokens[:1] and tokens[0].upper() == "SELECT":
            return self._value(tokens[1:], depth + 1)
        if len(tokens) == 1:
            return self._atom(tokens[0])
        match [token.upper() for token in tokens[:2]]:
            case [("CONCAT" | "CONCAT_WS") as function, "("]:
                parts = _arguments(tokens[2:-1])[1 if function == "CONCAT_WS" else 0 :]
                found = [self._value(part, depth + 1) for part in parts]
                known = [one for one in found if one is not None]
                return frozenset().union(*known) if len(known) == len(found) else None
            case ["REPLACE", "("]:
                parts = _arguments(tokens[2:-1])
                values = [self._value(part, depth + 1) for part in parts]
                if len(values) == 3 and values[0] is not None and values[1] is not None and values[2] is not None:
                    return (values[0] - values[1]) | values[2]
        return None

    def _atom(self, token: str) -> _Mode | None:
        lowered = token.lower()
        if lowered.isdecimal():
            return frozenset(name for bit, name in _BITS.items() if int(lowered) & bit)
        if lowered.startswith("@@"):
            return self.mode if _is_sql_mode(token) else frozenset() if lowered == "@@global.sql_mode" else None
        if lowered.startswith("@"):
            return self._variables.get(lowered)
        if lowered == "default":
            return frozenset()
        return _flags(token[1:] if token[:1] in "'\"" else token)


def _is_sql_mode(name: str) -> bool:
    scope, _, last = name.lower().lstrip("@").rpartition(".")
    return last == "sql_mode" and scope.upper() in _SESSION


def _flags(text: str) -> _Mode:
    """The modes that matter here among those that a text lists."""
    words = {word.strip().upper() for word in text.split(",")}
    return frozenset(words & _LEXICAL) | ({ANSI_QUOTES} if words & _COMBINED else frozenset())


def _assignments(text: str, variant: str) -> Iterator[tuple[str, list[str]]]:
    """Each variable that a SET assigns, with the tokens of its value; a string's token is its text after a quote."""
    tokens = list(_tokens(text, variant))
    if not tokens or tokens[0].upper() != "SET":
        return
    for part in _arguments(tokens[1:]):
        scope = part[0].upper() if part else ""
        if len(part) > 2 and part[1] not in ("=", ":="):
            part = part[1:] if scope in _SESSION else [f"{scope}.{part[1]}", *part[2:]]
        if len(part) > 2 and part[1] in ("=", ":="):
            yield part[0], part[2:]


def _arguments(tokens: list[str]) -> list[list[str]]:
    """Tokens divided at the commas outside of parentheses."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _tokens(text: str, variant: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        if text[position] in "'\"`":
            end = skip_quoted(text, position, variant)
            if end < 0:
                return
            name = text[position] == "`"
            yield ("" if name else text[position]) + unquote(text, position, end, variant)
            position = end
            continue
        atom = _ATOM.match(text, position)
        assert atom is not None
        position = atom.end()
        if not atom.group().isspace():
            yield atom.group()


@dataclass(slots=True)
class _TransactionModes:
    """An open transaction of PostgreSQL: the value before it and at its savepoints, for a rollback."""

    before: bool
    after: bool
    savepoints: dict[str, bool] = field(default_factory=dict)


class _Postgres(LexicalModes):
    def __init__(self, dialect: str) -> None:
        super().__init__(dialect)
        self._open: _TransactionModes | None = None
        self._standard = True

    def follow(self, verb: str, text: str) -> None:
        match verb:
            case "SET":
                if found := _PG_SET.match(text):
                    self._set(found["value"], local=(found["scope"] or "").upper() == "LOCAL")
            case "RESET" | "DISCARD":
                if _PG_RESET.match(text):
                    self._set("on", local=False)
            case "SELECT":
                if found := _PG_CONFIG.search(text):
                    self._set(found["value"], local=found["local"].upper() in ("TRUE", "T"))
            case _:
                self._transaction(verb, text)
        self.variant = variant_of("postgres", frozenset() if self._standard else frozenset({BACKSLASHES}))

    def _set(self, value: str, *, local: bool) -> None:
        standard = value.upper() not in _OFF
        if local and self._open is None:
            return  # without a transaction it has no effect
        self._standard = standard
        if self._open is not None and not local:
            self._open.after = standard

    def _transaction(self, verb: str, text: str) -> None:
        words = text[:_LONGEST].upper().split()
        if verb in ("BEGIN", "START") and self._open is None:
            self._open = _TransactionModes(self._standard, self._standard)
        elif self._open is None:
            return
        elif verb == "SAVEPOINT" and len(words) > 1:
            self._open.savepoints[words[1]] = self._standard
        elif verb == "ROLLBACK" and "TO" in words:
            self._standard = self._open.savepoints.get(words[-1], self._standard)
        elif verb in ("ROLLBACK", "ABORT"):
            self._standard, self._open = self._open.before, None
        elif verb in ("COMMIT", "END"):
            self._standard, self._open = self._open.after, None
