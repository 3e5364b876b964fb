"""Cuts a program at the `;` that end statements, and finds where a statement's `TO TRAIN` and the like begin.

One pass over the text by the dialect's scanners; nothing is parsed here and plain SQL is only looked at as far as
its quotes and comments demand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from sqlflow_codegen.language.blocks import RULES, BlockTracker
from sqlflow_codegen.language.lexis import LEXIS, SPACE, WORD, patterns
from sqlflow_codegen.language.quoting import VERSIONED, skip_block_comment, skip_dollar, skip_quoted, skip_versioned
from sqlflow_codegen.language.source import Problem

ACTIONS = ("TRAIN", "PREDICT", "EXPLAIN", "EVALUATE", "MAXIMIZE", "MINIMIZE", "RUN")
"""The words that make a statement a model statement when they follow TO in a query."""

QUERIES = frozenset({"SELECT", "WITH", "VALUES", "FROM", "TABLE"})
"""First words of a query, behind any opening parentheses."""

_UNTERMINATED_LIMIT = 16
"""Unterminated quotes and comments looked behind for further errors: each costs a scan to the end of the text."""

_SPACES = re.compile(f"{SPACE}++")
_EMPTY = re.compile("[\\s;\ufeff]++")
_WORD = re.compile(WORD)
_NOT_BEFORE_TO = re.compile(r"(?:[.,(@:]|\b(?:SELECT|AS|FROM|BY|BETWEEN|AND|OR|NOT))\Z", re.IGNORECASE)


@dataclass(slots=True)
class RawStatement:
    """One statement as cut: its text is [start, end).

    Attributes:
        verb: its first word in upper case, behind opening parentheses; "" if it has none.
        to: offset of the TO before one of `ACTIONS`, at parenthesis depth 0 of a query; -1 if none.
        query_end: end of the last token before that TO.
        other_to: offset of the first other TO at depth 0 of a query, which may be a misspelled one; -1 if none.
        hidden_to: offset of the first TO before one of `ACTIONS` inside parentheses; -1 if none.
        open_paren: offset of the parenthesis of a query that is never closed; -1 if none.
        problems: what keeps it from being cut right.
    """

    start: int
    end: int = -1
    verb: str = ""
    to: int = -1
    query_end: int = -1
    other_to: int = -1
    hidden_to: int = -1
    open_paren: int = -1
    problems: list[Problem] = field(default_factory=list)


class Splitter:
    """Iterates over the statements of a program in that canonical dialect."""

    def __init__(self, text: str, dialect: str) -> None:
        self._text = text
        self._dialect = dialect
        self._lexis = LEXIS[dialect]
        self._patterns = patterns(dialect)
        self._unterminated = 0

    def __iter__(self) -> Iterator[RawStatement]:
        position = self._skip_empty(0)
        while position < len(self._text):
            raw, position = self._statement(position)
            yield raw
            position = self._skip_empty(position)

    def _statement(self, start: int) -> tuple[RawStatement, int]:
        raw = RawStatement(start)
        opened = self._unclosed_comment(start)
        if opened:
            return self._broken(raw, opened, start)
        raw.verb = self._first_word(start)
        if raw.verb in QUERIES:
            return self._query(raw)
        rules = RULES[self._dialect]
        if raw.verb in ("CREATE", "ALTER") or raw.verb in rules.scripts or rules.scripts & {f"{raw.verb} NOT"}:
            return self._routine(raw, BlockTracker(rules))
        return self._rest(raw, start, start, self._patterns.plain)

    # -- white space and words

    def skip(self, position: int) -> int:
        """The offset of the next token at or after `position`: behind white space and comments."""
        text = self._text
        while True:
            if space := _SPACES.match(text, position):
                position = space.end()
            if comment := self._patterns.line_comment.match(text, position):
                position = comment.end()
            elif text.startswith("/*", position) and not self._versioned(position):
                end = skip_block_comment(text, position, self._lexis.nested_comments)
                if end < 0:
                    return position
                position = end
            else:
                return position

    def word_at(self, position: int) -> str:
        """The word that begins at that offset, upper case; "" if none does."""
        word = _WORD.match(self._text, position)
        return word.group().upper() if word else ""

    def _skip_empty(self, position: int) -> int:
        while True:
            position = self.skip(position)
            empty = _EMPTY.match(self._text, position)
            if empty is None:
                return position
            position = empty.end()

    def _first_word(self, position: int) -> str:
        while self._text.startswith("(", position):
            position = self.skip(position + 1)
        return self.word_at(position)

    def _following(self, position: int) -> tuple[str, str]:
        first_at = self.skip(position)
        first = self.word_at(first_at)
        return first, self.word_at(self.skip(first_at + len(first))) if first else ""

    def _versioned(self, position: int) -> bool:
        return self._lexis.versioned_comments and self._text.startswith(VERSIONED, position)

    def _unclosed_comment(self, position: int) -> str:
        return "/*" if self._text.startswith("/*", position) and not self._versioned(position) else ""

    # -- statements

    def _query(self, raw: RawStatement) -> tuple[RawStatement, int]:
        position = content = raw.start
        scan = self._patterns.query.match
        text = self._text
        parens: list[int] = []
        while match := scan(text, position):
            event = match.lastgroup
            position = match.end()
            if event == "end":
                return self._finish(raw, content, position)
            if event == "paren":
                if match.group() == "(":
                    parens.append(match.start())
                elif parens:
                    parens.pop()
                raw.open_paren = parens[0] if parens else -1
            elif event == "to":
                if self._to(raw, match.start(), position, bool(parens)):
                    raw.query_end = content
                    return self._rest(raw, position, position, self._patterns.clause)
            elif event not in ("run", "space"):
                position = self._hidden(match)
                if position < 0:
                    return self._broken(raw, match.group(), match.start())
            if event not in ("space", "comment") and not (event == "block" and not self._versioned(match.start())):
                content = position
        return self._finish(raw, content, position)

    def _to(self, raw: RawStatement, start: int, end: int, inside: bool) -> bool:
        """Whether the TO at [start, end) begins a model clause; remembers those that nearly do."""
        before = self._text[max(raw.start, start - 40) : start].rstrip()
        if _NOT_BEFORE_TO.search(before):
            return False
        action = self.word_at(self.skip(end))
        if action in ACTIONS:
            if not inside:
                raw.to = start
                return True
            raw.hidden_to = start if raw.hidden_to < 0 else raw.hidden_to
        elif action and not inside and raw.other_to < 0:
            raw.other_to = start
        return False

    def _routine(self, raw: RawStatement, tracker: BlockTracker) -> tuple[RawStatement, int]:
        position = content = raw.start
        scan = self._patterns.words.match
        text = self._text
        while not tracker.done and (match := scan(text, position)):
            event = match.lastgroup
            position = match.end()
            if event == "word":
                following = partial(self._following, position)
                if tracker.word(match.group().upper(), match.start(), following):
                    position = self.skip(position)
                    position += len(self.word_at(position))
            elif event == "end" and not tracker.opened:
                return self._finish(raw, content, position)
            elif event not in ("run", "space", "end", "other"):
                position = self._hidden(match)
                if position < 0:
                    return self._broken(raw, match.group(), match.start())
            if event in ("space", "comment") or (event == "block" and not self._versioned(match.start())):
                continue
            if event != "word":
                tracker.mark(match.group()[-1], match.start())
            content = position
        if tracker.opened:
            return self._open_block(raw, *tracker.opened)
        return self._rest(raw, position, content, self._patterns.plain)

    def _rest(
        self, raw: RawStatement, position: int, content: int, pattern: re.Pattern[str]
    ) -> tuple[RawStatement, int]:
        """The statement's text from `position` on, where only quotes and comments can hide a `;`."""
        scan = pattern.match
        text = self._text
        while match := scan(text, position):
            event = match.lastgroup
            position = match.end()
            if event == "end":
                return self._finish(raw, content, position)
            if event not in ("run", "space"):
                position = self._hidden(match)
                if position < 0:
                    return self._broken(raw, match.group(), match.start())
            if event not in ("space", "comment") and not (event == "block" and not self._versioned(match.start())):
                content = position
        return self._finish(raw, content, position)

    def _hidden(self, match: re.Match[str]) -> int:
        """The offset after what the event opens (quote, dollar quote, block comment); -1 if it never closes."""
        event = match.lastgroup
        if event == "quote":
            return skip_quoted(self._text, match.start(), self._dialect)
        if event == "dollar":
            return skip_dollar(self._text, match.start(), match.end())
        if event != "block":
            return match.end()
        if self._versioned(match.start()):
            return skip_versioned(self._text, match.start(), self._dialect)
        return skip_block_comment(self._text, match.start(), self._lexis.nested_comments)

    def _finish(self, raw: RawStatement, content: int, position: int) -> tuple[RawStatement, int]:
        raw.end = self._trimmed(raw.start, content)
        if raw.to >= 0:
            raw.query_end = self._trimmed(raw.start, raw.query_end)
        return raw, position

    def _trimmed(self, start: int, end: int) -> int:
        return start + len(self._text[start:end].rstrip())

    # -- errors

    def _broken(self, raw: RawStatement, opener: str, offset: int) -> tuple[RawStatement, int]:
        """A quote or comment never closes: say so, and go on after the next `;`."""
        what = {"/*": "comment", "[": "bracket"}.get(opener, "dollar quote" if opener[0] == "$" else "quote")
        closer = {"/*": "*/", "[": "]"}.get(opener, opener)
        hint, suspect = f"Close it with {closer}.", -1
        if what == "quote" and (suspect := self._long_text(raw.start, offset)) >= 0:
            hint = "The text opened at {related} goes over a line end: is its closing quote missing?"
        code = "unterminated-" + what.replace(" ", "-")
        raw.problems.append(Problem(code, f"{what} {opener} is never closed", offset, hint, related=suspect))
        self._unterminated += 1
        if self._unterminated >= _UNTERMINATED_LIMIT:
            return self._finish(raw, len(self._text), len(self._text))
        position = self._text.find(";", offset + len(opener))
        end, after = (position, position + 1) if position >= 0 else (len(self._text), len(self._text))
        return self._finish(raw, end, after)

    def _long_text(self, start: int, end: int) -> int:
        """The offset of the first quoted text before `end` that holds a line end; -1 if none does."""
        scan = self._patterns.plain.match
        position = start
        while position < end and (match := scan(self._text, position)):
            position = match.end() if match.lastgroup == "end" else self._hidden(match)
            if position < 0:
                break  # a name in brackets, which a clause reads as a list
            if match.lastgroup == "quote" and "\n" in self._text[match.start() : position]:
                return match.start()
        return -1

    def _open_block(self, raw: RawStatement, word: str, offset: int) -> tuple[RawStatement, int]:
        closer = ")" if word == "(" else "END"
        raw.problems.append(
            Problem("unterminated-block", f"{word} has no {closer}", offset, f"Close the body with {closer} and a `;`.")
        )
        return self._finish(raw, len(self._text), len(self._text))
