"""Moves over a program by the lexical rules of a dialect: over white space, comments, quotes and parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlflow_codegen.language.lexical_rules import LEXICAL_RULES, SPACE, WORD, patterns
from sqlflow_codegen.language.quoting import VERSIONED, skip_block_comment, skip_dollar, skip_quoted, skip_versioned

_SPACES = re.compile(f"{SPACE}++")
_EMPTY = re.compile("[\\s;\ufeff]++")
_WORD = re.compile(WORD)


class Scanner:
    """Scans a text by one dialect, or dialect under settings (`variant`, a key of `LEXICAL_RULES`)."""

    def __init__(self, text: str, variant: str) -> None:
        self.text = text
        self.variant = variant
        self.rules = LEXICAL_RULES[variant]
        self.patterns = patterns(variant)

    def skip(self, position: int) -> int:
        """The offset of the next token at or after `position`: behind white space and comments."""
        text = self.text
        while True:
            if space := _SPACES.match(text, position):
                position = space.end()
            if comment := self.patterns.line_comment.match(text, position):
                position = comment.end()
            elif self.at_comment(position):
                end = skip_block_comment(text, position, self.rules.nested_comments)
                if end < 0:
                    return position
                position = end
            else:
                return position

    def skip_empty(self, position: int) -> int:
        """The offset behind white space, comments and `;`."""
        while True:
            position = self.skip(position)
            empty = _EMPTY.match(self.text, position)
            if empty is None:
                return position
            position = empty.end()

    def word_at(self, position: int) -> str:
        """The word that begins at that offset, upper case; "" if none does."""
        word = _WORD.match(self.text, position)
        return word.group().upper() if word else ""

    def word_after(self, position: int) -> tuple[str, int]:
        """The word behind white space and comments, as `word_at` returns it, and its offset."""
        start = self.skip(position)
        return self.word_at(start), start

    def at_comment(self, position: int) -> bool:
        """True if a block comment opens there; code for some versions (`/*! .. */`) is none."""
        return self.text.startswith("/*", position) and not self._versioned(position)

    def _versioned(self, position: int) -> bool:
        return self.rules.versioned_comments and self.text.startswith(VERSIONED, position)

    def is_blank(self, match: re.Match[str]) -> bool:
        """True for white space and comments."""
        event = match.lastgroup
        return event in ("space", "comment") or (event == "block" and not self._versioned(match.start()))

    def after(self, match: re.Match[str]) -> int:
        """The offset behind the event and what it opens (quote, dollar quote, comment); -1 if that never closes."""
        event, start = match.lastgroup, match.start()
        if event == "quote":
            return skip_quoted(self.text, start, self.variant)
        if event == "dollar":
            return skip_dollar(self.text, start, match.end())
        if event != "block":
            return match.end()
        if self._versioned(start):
            return skip_versioned(self.text, start, self.variant)
        return skip_block_comment(self.text, start, self.rules.nested_comments)

    def events(
        self, pattern: re.Pattern[str], start: int = 0, end: int | None = None
    ) -> Iterator[tuple[re.Match[str], int]]:
        """The events of a pattern from `start` on and the offset behind each, up to one that never closes."""
        position, end = start, len(self.text) if end is None else end
        while position < end and (match := pattern.match(self.text, position)):
            position = self.after(match)
            if position < 0:
                return
            yield match, position

    def line_comments(self) -> Iterator[tuple[int, int]]:
        """Start and end of each comment to the end of a line, up to a quote or comment that never closes."""
        return (match.span() for match, _ in self.events(self.patterns.plain) if match.lastgroup == "comment")

    def bare(self, start: int, end: int) -> str:
        """The text [start, end) with blanks for comments, the inside of quotes and the inside of parentheses."""
        pieces: list[str] = []
        depth = 0
        position = start
        for match, behind in self.events(self.patterns.query, start, end):
            event, after = match.lastgroup, min(behind, end)
            depth += {"(": 1, ")": -1}.get(match.group(), 0) if event == "paren" else 0
            size = after - position
            if depth > 0 or event in ("comment", "block"):
                pieces.append(" " * size)
            elif event in ("quote", "dollar"):
                pieces.append('"' + " " * (size - 2) + '"')
            else:
                pieces.append(self.text[position:after])
            position = after
        return "".join(pieces).ljust(end - start)

    def long_text(self, start: int, end: int) -> int:
        """The offset of the first quoted text before `end` that holds a line end; -1 if none does."""
        for match, behind in self.events(self.patterns.plain, start, end):
            if match.lastgroup == "quote" and "\n" in self.text[match.start() : behind]:
                return match.start()
        return -1
