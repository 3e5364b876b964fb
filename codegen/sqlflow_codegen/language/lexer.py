"""The lexer of the clauses behind `TO TRAIN` and the like.

Here a name may hold `/`, `:`, `-`, `.` and `@` between letters and digits (`hub:5000/u/img:1.0/Cls`,
`reg:squarederror`); in expressions (`wide=False`) those are operators. Both kinds of quotes make strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlflow_codegen.language.ir import Name, Part, Span
from sqlflow_codegen.language.quoting import skip_dollar, skip_quoted, unquote
from sqlflow_codegen.language.scanner import Scanner
from sqlflow_codegen.language.source import ProblemError, Source

_WIDE = re.compile(r"[^\W\d](?:[\w$]|[/:.\-@](?=\w))*")
_NARROW = re.compile(r"[^\W\d][\w$]*+(?:\.[^\W\d][\w$]*+)*")
_NUMBER = re.compile(r"(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?")
_JUNK = re.compile(r"[\w$.]++")
CURLY = frozenset("“”‘’„‚«»‹›")
"""Quotes of word processors, which no dialect has."""
BARE = re.compile(r"[^\W\d][\w$]*")
"""An identifier that needs no quotes."""
_NAMES = ("word", "string", "quoted")
_PUNCTUATION = re.compile(r"<=|>=|!=|<>|==|(?s:.)")


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `kind` is word, number, string, quoted (a name), punctuation or end.

    `text` is the source; `value` the content of a string or quoted name, else the same.
    """

    kind: str
    text: str
    value: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The word in upper case; "" for all that is no word."""
        return self.text.upper() if self.kind == "word" else ""

    def shown(self) -> str:
        """The token in messages."""
        if self.kind == "end":
            return "the end of the statement"
        if len(self.text) == 1 and not self.text.isprintable():
            return f"the invisible character U+{ord(self.text):04X}"
        return f"`{self.text}`" if len(self.text) <= 40 else f"`{self.text[:39]}…`"


class Lexer:
    """Reads the tokens of one statement's clauses, [start, end) of the program, one at a time."""

    def __init__(self, source: Source, variant: str, start: int, end: int) -> None:
        self.source = source
        self.wide = True
        self._text = source.text
        self._variant = variant
        self._scanner = Scanner(source.text, variant)
        self._rules = self._scanner.rules
        self._dollar = self._scanner.patterns.dollar
        self._end = end
        self._position = start
        self._peeked: Token | None = None
        self.last_end = start
        """The end of the last consumed token."""

    def peek(self) -> Token:
        """The next token, left in place."""
        if self._peeked is None:
            self._peeked = self._read(self._scanner.skip(self._position))
        return self._peeked

    def next(self) -> Token:
        """The next token, consumed."""
        token = self.peek()
        self._peeked = None
        self._position = self.last_end = token.end
        return token

    def skip_bad(self) -> None:
        """Get behind characters that make no token, after `peek` raised for them."""
        start = self._scanner.skip(self._position)
        junk = _JUNK.match(self._text, start, self._end)
        end = junk.end() if junk else start
        if end < self._end and self._text[end] in self._rules.quotes:  # an escape in it was wrong
            end = skip_quoted(self._text, end, self._variant)
        self._position = end if start < end <= self._end else self._end
        self._peeked = None

    def second(self) -> Token:
        """The token after the next one, both left in place."""
        return self._read(self._scanner.skip(self.peek().end))

    def narrow(self, narrow: bool) -> None:
        """Read on with `/`, `:` and `-` as operators, or as parts of names again."""
        self.wide = not narrow
        self._peeked = None

    def take(self, *texts: str) -> Token | None:
        """The next token, consumed, if it is that punctuation or keyword; else None."""
        token = self.peek()
        if token.keyword in texts or (token.kind == "punctuation" and token.text in texts):
            return self.next()
        return None

    def expect(self, text: str, where: str, hint: str = "") -> Token:
        """Consume that punctuation or keyword.

        Raises:
            ProblemError: something else stands there.
        """
        token = self.peek()
        taken = self.take(text)
        if taken is None:
            raise ProblemError("syntax-error", f"expected `{text}` {where}, found {token.shown()}", token.start, hint)
        return taken

    def span(self, start: int) -> Span:
        """From `start` to the end of the last consumed token."""
        return self.source.span(start, self.last_end)

    def _read(self, start: int) -> Token:
        text = self._text
        if start >= self._end:
            return Token("end", "", "", self._end, self._end)
        word = (_WIDE if self.wide else _NARROW).match(text, start, self._end)
        if word:
            quote_at = word.end()
            prefixed = text[quote_at : quote_at + 1] in ("'", '"') and word.group().lower() in self._rules.prefixes
            return self._quoted(start, quote_at) if prefixed else self._token("word", start, word.end())
        if text[start] in self._rules.quotes or text[start] == "`":
            return self._quoted(start, start)
        if self._dollar and (dollar := self._dollar.match(text, start, self._end)):
            end = skip_dollar(text, start, dollar.end())
            if not dollar.end() < end <= self._end:
                raise ProblemError("unterminated-dollar-quote", "dollar quote is never closed", start, "Close it.")
            size = dollar.end() - start
            return Token("string", text[start:end], text[start + size : end - size], start, end)
        if number := _NUMBER.match(text, start, self._end):
            return self._number(start, number.end())
        mark = _PUNCTUATION.match(text, start, self._end)
        return self._token("punctuation", start, mark.end() if mark else start + 1)

    def _token(self, kind: str, start: int, end: int) -> Token:
        return Token(kind, self._text[start:end], self._text[start:end], start, end)

    def _number(self, start: int, end: int) -> Token:
        if junk := _JUNK.match(self._text, end, self._end):
            shown = self._text[start : min(junk.end(), start + 40)]
            raise ProblemError(
                "malformed-number", f"`{shown}` is no number", start, "Put it in quotes if it is a name or a text."
            )
        return self._token("number", start, end)

    def _quoted(self, start: int, quote_at: int) -> Token:
        if self._text[quote_at] not in self._rules.quotes:
            end = self._text.find("`", quote_at + 1, self._end) + 1
            value = self._text[quote_at + 1 : end - 1]
        else:
            end = skip_quoted(self._text, quote_at, self._variant)
            value = unquote(self._text, quote_at, end, self._variant) if end > 0 else ""
        if end <= 0 or end > self._end:
            quote = self._text[quote_at]
            raise ProblemError(
                "unterminated-quote", f"quote {quote} is never closed", quote_at, f"Close it with {quote}."
            )
        kind = "quoted" if self._text[quote_at] == "`" else "string"
        return Token(kind, self._text[start:end], value, start, end)

    def name(self, what: str, hint: str = "", *, written: bool = False) -> Name:
        """A name, possibly of several parts, each bare or quoted: `db."My Table".c`.

        Args:
            what: the kind of object that it names, for the message.
            hint: of the error if there is none.
            written: keep the quotes in `Name.text`, as the database needs them.

        Raises:
            ProblemError: no name stands there.
        """
        token = self._name_token()
        if token.kind not in _NAMES:
            raise ProblemError("syntax-error", f"expected {what}, found {token.shown()}", token.start, hint)
        path = self._take_parts(token)
        while self._text.startswith(".", self.last_end) and self.last_end < self._end:
            self._position = self.last_end + 1
            part = self._name_token()
            if part.kind not in _NAMES or part.start != self._position:
                raise ProblemError("syntax-error", f"expected the rest of {what} after `.`", self._position, hint)
            path += self._take_parts(part)
        span = self.span(token.start)
        text = self._text[span.start : span.end] if written else ".".join(part.text for part in path)
        if not text or (written and not all(part.text for part in path)):
            raise ProblemError("syntax-error", f"{what} is empty", token.start, hint)
        return Name(text, span, tuple(path))

    def _name_token(self) -> Token:
        """The next token, left in place; SQLite's `[name]` is one here, while elsewhere `[` opens a list."""
        token = self.peek()
        if self._rules.brackets and token.text == "[":
            end = skip_quoted(self._text, token.start, self._variant)
            if end <= 0 or end > self._end:
                raise ProblemError("unterminated-bracket", "`[` is never closed", token.start, "Close it with ].")
            value = unquote(self._text, token.start, end, self._variant)
            self._peeked = Token("quoted", self._text[token.start : end], value, token.start, end)
        return self.peek()

    def _take_parts(self, token: Token) -> list[Part]:
        self.next()
        if token.kind != "word":
            return [Part(token.value, True)]
        return [Part(text, not BARE.fullmatch(text)) for text in token.value.split(".")]
