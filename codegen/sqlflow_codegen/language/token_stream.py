"""The words, names and marks at the beginning of one statement of plain SQL.

It knows the dialect's quotes and comments and no grammar. Text within quotes that make strings is never handed out.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from functools import cache
from typing import NamedTuple

from sqlflow_codegen.language.lexical_rules import ANSI_QUOTES, LEXICAL_RULES, dialect_of
from sqlflow_codegen.language.scanner import Scanner

WINDOW = 64 * 1024
"""Characters of a statement that are looked at."""

_DOUBLE_QUOTES_STRINGS = frozenset({"mysql", "hive", "spark", "bigquery"})
_VERSION = re.compile(r"/\*M?!\d*")
_NOT_NAMES = frozenset(
    {"ON", "AS", "SELECT", "VALUES", "WITH", "IDENTIFIED", "SET", "FROM", "TO", "WHERE", "USING", "FOR", "BY"}
)

WORD, NAME, STRING, MARK, END = "word", "name", "string", "mark", "end"

_NAMES = frozenset({WORD, NAME})
_ACCOUNTS = _NAMES | {STRING}


class SqlToken(NamedTuple):
    """One token. `key` is for comparisons: the word in upper case, the mark, `"` of a name, `'` of a string."""

    kind: str
    key: str
    text: str
    start: int
    end: int


_NOTHING = SqlToken(END, "", "", -1, -1)


class TokenStream:
    """Reads a statement of that dialect (or dialect under settings), token by token, as far as it is asked to."""

    def __init__(self, text: str, dialect: str) -> None:
        self._dialect = dialect
        self._scanner = Scanner(text[:WINDOW], dialect)
        self._tokens = _tokens(self._scanner, 0)
        self._ahead: list[SqlToken] = []
        self._last = _NOTHING

    def _look(self, n: int) -> SqlToken:
        while len(self._ahead) <= n:
            self._ahead.append(next(self._tokens, _NOTHING))
        return self._ahead[n]

    def peek(self, n: int = 0) -> str:
        """The key of the token `n` places ahead, left in place; "" at the end."""
        return self._look(n).key

    def next(self) -> str:
        """The key of the next token, consumed; "" at the end."""
        self._last = self._look(0)
        del self._ahead[0]
        return self._last.key

    def word(self) -> str:
        """The next word in upper case, consumed; "" where none stands there."""
        return self.next() if self._look(0).kind == WORD else ""

    def words(self, count: int) -> list[str]:
        """Up to `count` words and dotted names as they are written, consumed."""
        found: list[str] = []
        while len(found) < count and self._look(0).kind in _NAMES:
            found.append(self._name())
        return found

    def take(self, key: str) -> bool:
        """Consume the next token if that is its key."""
        if self.peek() != key:
            return False
        self.next()
        return True

    def skip(self, keys: Container[str]) -> bool:
        """Consume tokens as long as their keys are among these; True if there was one."""
        found = False
        while self._look(0).kind == WORD and self.peek() in keys:
            self.next()
            found = True
        return found

    def seek(self, *keys: str) -> bool:
        """Consume all up to and with these keys in a row, outside parentheses; True if they are there."""
        while self.peek():
            if all(self.peek(n) == key for n, key in enumerate(keys)):
                for _ in keys:
                    self.next()
                return True
            if self.next() == "(":
                self.rest_of_parens()
        return False

    def skip_parens(self) -> None:
        """Consume what stands in parentheses, if they open here."""
        if self.take("("):
            self.rest_of_parens()

    def rest_of_parens(self) -> None:
        """Consume the rest of parentheses whose opening one was consumed."""
        self._jump(_skip_to(self._scanner, self._last.end, (), depth=1)[1])

    def find(self, *words: str) -> str:
        """Consume all up to and with the first of these words outside parentheses; "" where there is none."""
        ahead = self._look(0)
        if ahead.kind == END:
            return ""
        word, end = _skip_to(self._scanner, ahead.start, words, depth=0)
        self._jump(end)
        return word

    def _jump(self, offset: int) -> None:
        """Read on at that offset."""
        self._ahead.clear()
        self._tokens = _tokens(self._scanner, offset)

    def adjacent(self) -> bool:
        """True if the next token follows the last consumed one without a space."""
        return self._look(0).start == self._last.end

    def is_call(self) -> bool:
        """True if a function's name and its opening parenthesis come next."""
        n = 0
        while self._look(n).kind in _NAMES and self.peek(n + 1) == ".":
            n += 2
        first, second = self._look(n), self._look(n + 1)
        return first.kind in _NAMES and second.key == "(" and second.start == first.end

    def name(self) -> str:
        """The dotted name that comes next as it is written, consumed; "" where none does."""
        token = self._look(0)
        return self._name() if token.kind == NAME or (token.kind == WORD and token.key not in _NOT_NAMES) else ""

    def account(self) -> str:
        """The name of a role or user, which some databases write as a string: `'ann'@'%'`."""
        name = self._name(_ACCOUNTS) if self._look(0).kind == STRING else self.name()
        if name and self.peek() == "@" and self.adjacent():
            self.next()
            name += "@" + (self._name(_ACCOUNTS) if self._look(0).kind in _ACCOUNTS else "")
        return name

    def variable(self) -> str:
        """The name of a setting or variable, such as `search_path`, `@n` or `@@session.sql_mode`."""
        marks = ""
        while self.peek() == "@":
            marks += self.next()
        return marks + self.name()

    def _name(self, kinds: Container[str] = _NAMES) -> str:
        """The parts of a dotted name, each of one of these kinds; the last may be a `*`."""
        parts: list[str] = []
        while self._look(0).kind in kinds:
            parts.append(self._take())
            if self.peek() == "." or (self.peek() == "-" and self._dialect == "bigquery" and self.adjacent()):
                parts.append(self._take())
            else:
                break
        if parts and parts[-1] == "." and self.peek() == "*":
            parts.append(self._take())
        return "".join(parts)

    def _take(self) -> str:
        self.next()
        return self._last.text


@cache
def _finder(dialect: str, words: tuple[str, ...]) -> re.Pattern[str]:
    """Scans over all but parentheses, these words, and quotes and comments."""
    rules = LEXICAL_RULES[dialect]
    special = "".join(map(re.escape, {"-", "/", "(", ")", *rules.quotes, *("$" if rules.dollar else "")}))
    special += "".join(re.escape(opener[0]) for opener in rules.line_comments)
    special += re.escape("[") if rules.brackets else ""
    first = "".join(f"{word[0].lower()}{word[0]}" for word in words)
    any_of = "|".join(f"{_any_case(word)}(?![\\w$])" for word in words)
    run = f"[^{special}{first}]++" + (f"|(?<=[\\w$])[{first}]|(?!{any_of})[{first}]" if words else "")
    return re.compile(f"(?P<run>(?:{run})+)" + (f"|(?P<word>{any_of})" if words else "") + "|(?P<paren>[()])")


def _any_case(word: str) -> str:
    return "".join(f"[{letter.lower()}{letter}]" for letter in word)


def _skip_to(scanner: Scanner, position: int, words: tuple[str, ...], *, depth: int) -> tuple[str, int]:
    """The first of these words at depth 0, in upper case, and the offset behind it.

    Without words, "" and the offset behind the parenthesis that brings the depth to 0. At the end, "" and its offset.
    """
    text, other = scanner.text, scanner.patterns.words.match
    scan = _finder(scanner.variant, words).match
    while position < len(text):
        match = scan(text, position)
        if match is None:
            token = other(text, position)
            position = _behind(token, scanner) if token else -1
            if position < 0:
                break
            continue
        position = match.end()
        if match.lastgroup == "paren":
            depth += 1 if match.group() == "(" else -1
            if depth == 0 and not words:
                return "", position
        elif match.lastgroup == "word" and depth <= 0:
            return match.group().upper(), position
    return "", len(text)


def _behind(match: re.Match[str], scanner: Scanner) -> int:
    """The offset behind what the event opens; -1 where it never closes."""
    if match.lastgroup == "block" and not scanner.at_comment(match.start()):
        version = _VERSION.match(scanner.text, match.start())
        return version.end() if version else match.end()  # the inside of `/*! .. */` is code
    return scanner.after(match)


def _tokens(scanner: Scanner, position: int) -> Iterator[SqlToken]:
    text, scan = scanner.text, scanner.patterns.words.match
    while match := scan(text, position):
        event, start, position = match.lastgroup, match.start(), match.end()
        found = match.group()
        if event == "word":
            yield SqlToken(WORD, found.upper(), found, start, position)
        elif event in ("run", "other", "end"):
            for offset, mark in enumerate(found):
                yield SqlToken(MARK, mark, mark, start + offset, start + offset + 1)
        elif event in ("block", "dollar", "quote"):
            position = _behind(match, scanner)
            if event == "dollar":
                yield SqlToken(STRING, "'", "", start, position)
            elif event == "quote":
                yield _quoted(found, text[start:position], start, position, scanner.variant)
        if position < 0:
            return


def _are_strings(variant: str) -> bool:
    """True if double quotes make strings."""
    return dialect_of(variant) in _DOUBLE_QUOTES_STRINGS and ANSI_QUOTES not in variant


def _quoted(quote: str, text: str, start: int, end: int, dialect: str) -> SqlToken:
    if quote == "'" or (quote == '"' and _are_strings(dialect)):
        return SqlToken(STRING, "'", text, start, end)
    return SqlToken(NAME, '"', text, start, end)
