"""Finds the body of a routine, trigger or script: a `;` inside it ends no statement.

Dialects differ in the statements that may hold such a body (`RULES`). `BlockTracker` takes a statement's words one by
one and knows whether a `;` is inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from sqlflow_codegen.language.keywords import keywords


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRules:
    """The openers of a block in one dialect.

    Attributes:
        created: kinds of objects whose CREATE may hold a body.
        scripts: first words that open a block without CREATE; `BEGIN NOT` needs both words (MariaDB).
        transactions: BEGIN may also start a transaction: alone, or before TRANSACTION and the like.
        atomic: only BEGIN ATOMIC opens a body (PostgreSQL).
        bodies: a body may be a compound statement other than BEGIN (`IF .. END IF`).
        parentheses: a kind of object whose CREATE holds statements in parentheses (PostgreSQL's RULE).
    """

    created: frozenset[str] = frozenset()
    scripts: frozenset[str] = frozenset()
    transactions: bool = False
    atomic: bool = False
    bodies: bool = False
    parentheses: str = ""


_LOOPS = frozenset({"IF", "LOOP", "WHILE", "REPEAT", "FOR"})

RULES: MappingProxyType[str, BlockRules] = MappingProxyType(
    {
        "postgres": BlockRules(created=keywords("FUNCTION PROCEDURE"), atomic=True, parentheses="RULE"),
        "sqlite": BlockRules(created=keywords("TRIGGER")),
        "mysql": BlockRules(
            created=keywords("PROCEDURE FUNCTION TRIGGER EVENT"), scripts=frozenset({"BEGIN NOT"}), bodies=True
        ),
        "trino": BlockRules(created=keywords("FUNCTION"), bodies=True),
        "spark": BlockRules(created=keywords("FUNCTION PROCEDURE"), scripts=keywords("BEGIN"), transactions=True),
        "bigquery": BlockRules(
            created=keywords("PROCEDURE"), scripts=keywords("BEGIN CASE") | _LOOPS, transactions=True, bodies=True
        ),
        "snowflake": BlockRules(
            created=keywords("PROCEDURE FUNCTION TASK"), scripts=keywords("BEGIN DECLARE"), transactions=True
        ),
        "duckdb": BlockRules(),
        "hive": BlockRules(),
    }
)

_MODIFIERS = 12
"""Words between CREATE and the kind of the object that are looked at (OR REPLACE, DEFINER = ..., TEMP)."""

_NO_BODY = frozenset({"TABLE", "VIEW", "INDEX", "DATABASE", "SCHEMA", "TYPE", "SEQUENCE", "ROLE", "USER", "AS"})
_TRANSACTION = frozenset({"TRANSACTION", "WORK", "NAME", "TRAN", ""})
_SINGLE = keywords("""RETURN SET SELECT INSERT UPDATE DELETE CALL REPLACE WITH TRUNCATE CREATE DROP ALTER SIGNAL""")
_NOT_SINGLE_AFTER = frozenset({"RETURNS", "ON", "OR", "SQL"})
_INTRODUCED = MappingProxyType({"TRIGGER": "ROW", "EVENT": "DO"})
"""The word before the body of the kinds whose header may hold verbs (MySQL)."""
_POSITIONS = frozenset({";", ":", "BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT"})


Following = Callable[[], tuple[str, str]]
"""Returns the next two words, upper case; "" where a word does not follow directly."""


class BlockTracker:
    """Follows one statement. `done` once nothing in the rest of it can hide a `;`."""

    def __init__(self, rules: BlockRules) -> None:
        self.done = False
        self._rules = rules
        self._seen = 0
        self._before = ""
        self._kind = ""
        self._stack: list[tuple[str, int]] = []
        self._state: Callable[[str, int, Following], bool] = self._first

    @property
    def opened(self) -> tuple[str, int] | None:
        """The outermost open block, as word and offset, or None."""
        return self._stack[0] if self._stack else None

    def mark(self, character: str, offset: int) -> None:
        """Note a character that is part of no word."""
        if self._kind and self._kind == self._rules.parentheses:
            if character == "(":
                self._stack.append(("(", offset))
            elif character == ")" and self._stack:
                self._stack.pop()
        self._before = character

    def word(self, word: str, offset: int, following: Following) -> bool:
        """Note a word, in upper case.

        Returns:
            True if the next word belongs to this one (`END IF`) and is to be left out.
        """
        paired = self._before != "." and self._state(word, offset, following)
        self._before = word
        return paired

    def _open(self, word: str, offset: int) -> None:
        self._stack.append((word, offset))
        self._state = self._body

    def _first(self, word: str, offset: int, following: Following) -> bool:
        rules = self._rules
        if word == "CREATE" or (word == "ALTER" and "EVENT" in rules.created):
            self._state = self._modifiers
        elif f"{word} {following()[0]}" in rules.scripts or (
            word in rules.scripts and not (word == "BEGIN" and following()[0] in _TRANSACTION)
        ):
            self._open(word, offset)
        else:
            self.done = True
        return False

    def _modifiers(self, word: str, _offset: int, _following: Following) -> bool:
        self._seen += 1
        if word in self._rules.created or word == self._rules.parentheses:
            self._kind = word
            self._state = self._header
        elif word in _NO_BODY or self._seen > _MODIFIERS:
            self.done = True
        return False

    def _header(self, word: str, offset: int, following: Following) -> bool:
        """Between the kind of the object and its body."""
        if self._kind == self._rules.parentheses:
            return False
        if self._rules.bodies and self._kind in _INTRODUCED:
            if word == _INTRODUCED[self._kind]:
                self._state = self._before_body
            return False
        return self._before_body(word, offset, following)

    def _before_body(self, word: str, offset: int, following: Following) -> bool:
        rules = self._rules
        if word == "BEGIN":
            opens = not rules.atomic or following()[0] == "ATOMIC"
        elif word == "DECLARE":
            opens = word in rules.scripts
        else:
            compound = word == "CASE" or word in _LOOPS
            opens = rules.bodies and compound and following()[0] not in ("NOT", "EACH")
            self.done = rules.bodies and word in _SINGLE and self._before not in _NOT_SINGLE_AFTER
        if opens:
            self._open(word, offset)
        return False

    def _body(self, word: str, offset: int, following: Following) -> bool:
        if word == "END":
            return self._end(*following())
        if word == "BEGIN":
            self._begin(offset, following()[0])
        elif (
            word == "CASE"
            or (word == "DECLARE" and word in self._rules.scripts and self._before == ";")
            or (word in _LOOPS and self._stack[0][0] != "BEGIN" and self._before in _POSITIONS)
        ):
            self._open(word, offset)
        return False

    def _begin(self, offset: int, following: str) -> None:
        if self._stack[-1][0] == "DECLARE":
            self._stack[-1] = ("BEGIN", self._stack[-1][1])
        elif not (self._rules.transactions and following in _TRANSACTION):
            self._open("BEGIN", offset)

    def _end(self, following: str, second: str) -> bool:
        """END closes the innermost block. `END IF` and the like close their kind, which BEGIN bodies do not count."""
        paired = following == "CASE" or (following in _LOOPS and second not in ("UPDATE", "SHARE", "NO", "KEY"))
        if not paired or self._stack[-1][0] == following:
            self._stack.pop()
        self.done = not self._stack
        return paired
