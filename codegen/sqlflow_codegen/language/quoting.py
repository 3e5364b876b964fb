"""The end of a quoted text, dollar-quoted text or block comment, and the content of a quoted text."""

from __future__ import annotations

import re

from sqlflow_codegen.language.lexical_rules import (
    BOTH,
    DOUBLED,
    ESCAPED,
    LEXICAL_RULES,
    LexicalRules,
    dialect_of,
    patterns,
    quoted_pattern,
)
from sqlflow_codegen.language.source import ProblemError

_BLOCK = re.compile(r"/\*|\*/")
_PREFIX = re.compile(r"[A-Za-z]{1,2}\Z")
_CONTINUED = re.compile(r"[ \t\f\v]*+[\r\n]\s*+(?=')")


def skip_quoted(text: str, start: int, dialect: str) -> int:
    """The offset after the quoted text that opens at `start`; -1 where it never closes."""
    quote = text[start]
    if quote == "[":
        return text.find("]", start) + 1 or -1
    rules = LEXICAL_RULES[dialect]
    escapes = _prefix(text, start, rules)[1]
    match = quoted_pattern(_opener(text, start, rules), escapes, not rules.triple).match(text, start)
    if match is None:
        return -1
    end = match.end()
    if dialect_of(dialect) == "postgres" and escapes != rules.quotes[quote]:
        # E'a', a line end and 'b' are one string here, and its second part has escapes too.
        pattern = quoted_pattern("'", escapes)
        while (gap := _CONTINUED.match(text, end)) and (part := pattern.match(text, gap.end())):
            end = part.end()
    return end


def _opener(text: str, start: int, rules: LexicalRules) -> str:
    quote = text[start]
    return quote * 3 if rules.triple and quote != "`" and text.startswith(quote * 3, start) else quote


def _prefix(text: str, start: int, rules: LexicalRules) -> tuple[str, str]:
    """The prefix letters before the quote at `start` ("" if none counts), and the escapes that hold in it."""
    quote = text[start]
    if rules.prefixes and (quote == "'" or (quote == '"' and rules.quotes[quote] != DOUBLED)):
        match = _PREFIX.search(text, max(start - 3, 0), start)
        if match and not re.match(r"[\w$]", text[match.start() - 1 : match.start()]):
            return match.group(), rules.prefixes.get(match.group().lower(), rules.quotes[quote])
    return "", rules.quotes[quote]


def skip_block_comment(text: str, start: int, nested: bool) -> int:
    """The offset after the block comment that opens at `start`; -1 where it never closes."""
    if not nested:
        end = text.find("*/", start + 2)
        return end + 2 if end >= 0 else -1
    depth = 1
    position = start + 2
    while depth:
        mark = _BLOCK.search(text, position)
        if mark is None:
            return -1
        depth += 1 if mark.group() == "/*" else -1
        position = mark.end()
    return position


VERSIONED = ("/*!", "/*M!")
"""The openers of code for only some versions of MySQL or MariaDB."""


def skip_versioned(text: str, start: int, dialect: str) -> int:
    """The offset after `/*! .. */`, whose inside is code; -1 where it never closes.

    A `*/` in its quotes and comments does not close it; another `/*!` in it opens nothing.
    """
    scan = patterns(dialect).plain.match
    position = start + 3
    while match := scan(text, position):
        position = match.end()
        if match.lastgroup == "quote":
            position = skip_quoted(text, match.start(), dialect)
        elif match.lastgroup == "block" and not text.startswith(VERSIONED, match.start()):
            position = skip_block_comment(text, match.start(), nested=False)
        elif match.lastgroup != "comment":
            # A run of other characters stops before the slash, so `*/` may begin at its last character.
            closing = text.find("*/", match.start(), position + 1)
            if closing >= 0:
                return closing + 2
        if position < 0:
            return -1
    return -1


def skip_dollar(text: str, start: int, end: int) -> int:
    """The offset after the text whose opening tag, `$tag$`, is [start, end); -1 where it never closes."""
    close = text.find(text[start:end], end)
    return close + end - start if close >= 0 else -1


_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "a": "\a"}
_KNOWN = {
    "postgres": "bfnrt",
    "duckdb": "bfnrt",
    "mysql": "bnrt",
    "hive": "bnrt",
    "spark": "bnrt",
    "bigquery": "abfnrtv",
    "snowflake": "bfnrt",
}
_NUMERIC = {
    "o": r"(?P<o>[0-7]{3}|[0-7]{1,2}(?![0-7]))",
    "x": r"x(?P<x>[0-9A-Fa-f]{1,2})",
    "u": r"u(?P<u>[0-9A-Fa-f]{4})",
    "U": r"U(?P<U>[0-9A-Fa-f]{8})",
}


def unquote(text: str, start: int, end: int, dialect: str) -> str:
    """The content of the quoted text [start, end), its quotes and the dialect's escapes undone.

    Raises:
        ProblemError: an escape names a character that does not exist.
    """
    quote = text[start]
    if quote == "[":
        return text[start + 1 : end - 1]
    rules = LEXICAL_RULES[dialect]
    opener = _opener(text, start, rules)
    escapes = _prefix(text, start, rules)[1]
    body = text[start + len(opener) : end - len(opener)]
    if escapes == DOUBLED:
        return body.replace(quote * 2, quote)
    if escapes not in (BOTH, ESCAPED):
        return body
    doubled = f"|{re.escape(quote * 2)}" if escapes == BOTH else ""
    numeric = "|".join(_NUMERIC[letter] for letter in rules.numeric_escapes)
    pattern = re.compile(f"(?s:\\\\(?:{numeric}{'|' if numeric else ''}(?P<one>.)){doubled})")
    canonical = dialect_of(dialect)
    return pattern.sub(lambda match: _decode(match, start, canonical), body)


def _decode(match: re.Match[str], start: int, dialect: str) -> str:
    one = match.groupdict().get("one")
    if match.lastgroup is None:
        return match.group()[0]
    if one is None:
        digits = match.group(match.lastgroup)
        code = int(digits, 8 if match.lastgroup == "o" else 16)
        if code == 0 or 0xD800 <= code < 0xE000 or code > 0x10FFFF:
            raise ProblemError("invalid-escape", f"`{match.group()}` is no character", start + 1 + match.start())
        return chr(code)
    if one in "%_" and dialect in ("mysql", "hive", "spark"):
        return match.group()  # these databases keep the backslash, for LIKE
    if one == "Z" and dialect in ("mysql", "hive", "spark"):
        return "\x1a"
    return _SIMPLE[one] if one in _SIMPLE and one in _KNOWN[dialect] else one
