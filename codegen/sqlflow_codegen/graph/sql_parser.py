"""Tokens and syntax trees of single statements, by sqlglot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

DEEP = 12
"""Nesting from which a statement is parsed in a thread of its own, so that its depth counts from zero."""

_OPENERS = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE, TokenType.NOT})
_CLOSERS = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_NESTED_COMMENT = re.compile(r"/\*(?:(?!\*/).)*/\*", re.DOTALL)
_UNICODE_NAME = re.compile(r'\bU&"', re.IGNORECASE)


class NotUnderstoodError(Exception):
    """The effects of a text are not known; the message says why."""


class SqlParser:
    """Tokenizes and parses statements of one dialect. Not for several threads at a time."""

    def __init__(self, dialect: str) -> None:
        self.name = dialect
        self._dialect = Dialect.get_or_raise(dialect)
        self._tokenizer = self._dialect.tokenizer()
        self._commands = self._dialect.tokenizer_class.COMMANDS
        self._parser = _bounded(self._dialect)
        self.other_quotes = False
        """A setting of the session gives quotes or backslashes another meaning than the dialect's."""

    def tokens(self, text: str) -> list[Token]:
        """The statement's tokens, without comments and the closing `;`.

        Raises:
            NotUnderstoodError: it cannot be cut into tokens, or a database may cut it differently.
        """
        self._check_same_tokens(text)
        try:
            tokens = list(self._tokenizer.tokenize(text))
            if len(tokens) == 2 and tokens[0].token_type in self._commands and tokens[1].token_type is TokenType.STRING:
                tokens[1:] = self._tokenizer.tokenize(tokens[1].text)
        except (SqlglotError, ValueError, LookupError) as error:
            raise NotUnderstoodError("its tokens are not understood") from error
        while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
            tokens.pop()
        return tokens

    def is_command(self, token: Token) -> bool:
        """True if sqlglot does not parse statements that begin with that token."""
        return token.token_type in self._commands

    def _check_same_tokens(self, text: str) -> None:
        """Refuse text that this tokenizer and a database may read differently."""
        if self.other_quotes:
            raise NotUnderstoodError("a setting changes how its quotes are read")
        if "/*" in text:
            if self.name == "mysql" and ("/*!" in text or "/*M!" in text):
                raise NotUnderstoodError("it holds a comment that the server executes")
            if _NESTED_COMMENT.search(text):
                raise NotUnderstoodError("it holds a comment within a comment")
        if self.name == "postgres" and "&" in text and _UNICODE_NAME.search(text):
            raise NotUnderstoodError("it holds a name written by code points")

    def parse(self, tokens: list[Token], text: str) -> exp.Expr:
        """The syntax tree of a statement's tokens.

        Raises:
            NotUnderstoodError: it has none, or none that can be made within a bounded effort.
        """
        if nesting(tokens) < DEEP:
            return self._parse(tokens, text)
        with ThreadPoolExecutor(1, "parse") as pool:
            return pool.submit(self._parse, tokens, text).result()

    def _parse(self, tokens: list[Token], text: str) -> exp.Expr:
        try:
            trees = self._parser.parse(tokens, text)
        except RecursionError as error:
            raise NotUnderstoodError("it is nested too deeply") from error
        except _TooMuchWorkError as error:
            raise NotUnderstoodError("it is ambiguous beyond measure") from error
        except (SqlglotError, ValueError, TypeError, AttributeError, LookupError, AssertionError) as error:
            raise NotUnderstoodError("sqlglot cannot parse it") from error
        finally:
            self._parser.reset()
        if len(trees) != 1 or trees[0] is None:
            raise NotUnderstoodError("it is no single statement")
        return trees[0]


class _TooMuchWorkError(Exception):
    """The parser went back too often: some texts cost it exponential time."""


def _bounded(dialect: Dialect) -> Parser:
    """The dialect's parser with a bound on how often it may go back and try another reading."""
    base: type[Parser] = dialect.parser_class

    class BoundedParser(base):  # type: ignore[misc, valid-type]
        def reset(self) -> None:
            super().reset()
            self._retreats = 0

        def _retreat(self, index: int) -> None:
            self._retreats += 1
            if self._retreats > 2000 + 50 * len(self._tokens):
                raise _TooMuchWorkError
            super()._retreat(index)

        def _warn_unsupported(self) -> None:
            """Say nothing: a statement that is not understood becomes a barrier, with a warning of ours."""

    parser: Parser = BoundedParser(dialect=dialect, error_level=ErrorLevel.IMMEDIATE)
    return parser


def nesting(tokens: Sequence[Token]) -> int:
    """The greatest depth of nested brackets, CASE and NOT."""
    depth = deepest = 0
    for token in tokens:
        if token.token_type in _OPENERS:
            depth += 1
            if depth > deepest:
                deepest = depth
        elif token.token_type in _CLOSERS and depth:
            depth -= 1
    return deepest


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def words(tokens: Sequence[Token], count: int = 4) -> tuple[str, ...]:
    """The first words in upper case; a quoted string or name counts as ""."""
    found: list[str] = []
    for token in tokens[:count]:
        found += word_of(token).split() or [""]  # one token may be two words, such as UNLOCK TABLES
    return tuple(found[:count])


def word_of(token: Token) -> str:
    """The token in upper case; a string or quoted name counts as ""."""
    return "" if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER) else token.text.upper()


def name_after(tokens: Sequence[Token], start: int) -> tuple[tuple[tuple[str, bool], ...], int]:
    """The dotted name that begins at token `start`, and the index of the token after it."""
    parts: list[tuple[str, bool]] = []
    index = start
    while index < len(tokens):
        token = tokens[index]
        parts.append((token.text, token.token_type in (TokenType.IDENTIFIER, TokenType.STRING)))
        index += 1
        if index >= len(tokens) or tokens[index].token_type is not TokenType.DOT:
            break
        index += 1
    return tuple(parts[-3:]), index
