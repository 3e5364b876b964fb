"""Cuts a program at the `;` that end statements, and finds where a statement's `TO TRAIN` and the like begin.

One pass over the text by the dialect's scanners; nothing is parsed here and plain SQL is only looked at as far as
its quotes and comments demand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from sqlflow_codegen.language.blocks import RULES, BlockTracker
from sqlflow_codegen.language.client_commands import after_data, backslash_command, command_at, copy_problem
from sqlflow_codegen.language.grammar import ACTIONS
from sqlflow_codegen.language.lexical_modes import lexical_modes
from sqlflow_codegen.language.lexical_rules import LEXICAL_RULES, SPACE, WORD, patterns
from sqlflow_codegen.language.quoting import VERSIONED, skip_block_comment, skip_dollar, skip_quoted, skip_versioned
from sqlflow_codegen.language.raw import RawStatement, open_block, unterminated
from sqlflow_codegen.language.source import Problem

QUERIES = frozenset({"SELECT", "WITH", "VALUES", "FROM", "TABLE"})
"""First words of a query, behind any opening parentheses."""

_UNTERMINATED_LIMIT = 16
"""Unterminated quotes and comments looked behind for further errors: each costs a scan to the end of the text."""

_SPACES = re.compile(f"{SPACE}++")
_EMPTY = re.compile("[\\s;\ufeff]++")
_WORD = re.compile(WORD)
_NOT_BEFORE_TO = re.compile(r"(?:[.,(@:]|\b(?:SELECT|AS|FROM|BY|BETWEEN|AND|OR|NOT))\Z", re.IGNORECASE)
_PART_OF_SQL = re.compile(
    r"\bCYCLE\b[^;()]*\bSET\s+(?:\w+|\"[^\"]+\")\s*\Z|\bSYSTEM_TIME\s+FROM\b(?:(?!\bTO\b).)*\Z",
    re.IGNORECASE | re.DOTALL,
)
"""What stands before a TO of a query's own: `CYCLE a SET mark TO value`, `FOR SYSTEM_TIME FROM x TO y`."""
_UNITS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"})
"""Words after the TO of an interval: `DAY TO SECOND`."""
_LOOK_BEHIND = 400
_LINE = re.compile(r"[^\r\n]*")


class Splitter:
    """Iterates over the statements of a program in that canonical dialect."""

    def __init__(self, text: str, dialect: str) -> None:
        self._text = text
        self._dialect = dialect
        self._modes = lexical_modes(dialect)
        self._read_by(dialect)
        self._unterminated = 0

    def _read_by(self, variant: str) -> None:
        self._variant = variant
        self._lexis = LEXICAL_RULES[variant]
        self._patterns = patterns(variant)

    def __iter__(self) -> Iterator[RawStatement]:
        position = self._skip_empty(0)
        while position < len(self._text):
            raw, position = self._statement(position)
            raw.variant = self._variant
            if raw.verb == "COPY" and self._dialect == "postgres":
                position = self._copy_data(raw, position)
            self._modes.follow(raw.verb, self._text[raw.start : raw.end])
            raw.doubt = self._modes.doubt
            yield raw
            self._read_by(self._modes.variant)
            position = self._skip_empty(position)

    def _statement(self, start: int) -> tuple[RawStatement, int]:
        raw = RawStatement(start)
        opened = self._unclosed_comment(start)
        if opened:
            return self._broken(raw, opened, start)
        raw.verb = self._first_word(start)
        if command := command_at(self._text, start, raw.verb, self._dialect):
            return self._command(raw, start, command)
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
            elif event == "shell":
                return self._backslash(raw, content, match)
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
        ours = action in ACTIONS
        if not ours and (inside or not action or raw.other_to >= 0):
            return False
        if action in _UNITS or self._is_part_of_sql(raw.start, start):
            return False
        if ours and not inside:
            raw.to = start
            return True
        if ours:
            raw.hidden_to = start if raw.hidden_to < 0 else raw.hidden_to
        else:
            raw.other_to = start
        return False

    def _is_part_of_sql(self, first: int, to: int) -> bool:
        """Whether the TO there belongs to a query's CYCLE or SYSTEM_TIME."""
        before = self._text[max(first, to - _LOOK_BEHIND) : to]
        upper = before.upper()
        return ("CYCLE" in upper or "SYSTEM_TIME" in upper) and _PART_OF_SQL.search(before) is not None

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
            elif event == "shell":
                return self._backslash(raw, content, match)
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
            raw.problems.append(open_block(*tracker.opened))
            return self._finish(raw, len(self._text), len(self._text))
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
            if event == "shell":
                return self._backslash(raw, content, match)
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
            return skip_quoted(self._text, match.start(), self._variant)
        if event == "dollar":
            return skip_dollar(self._text, match.start(), match.end())
        if event != "block":
            return match.end()
        if self._versioned(match.start()):
            return skip_versioned(self._text, match.start(), self._variant)
        return skip_block_comment(self._text, match.start(), self._lexis.nested_comments)

    def _finish(self, raw: RawStatement, content: int, position: int) -> tuple[RawStatement, int]:
        raw.end = self._trimmed(raw.start, content)
        if raw.to >= 0:
            raw.query_end = self._trimmed(raw.start, raw.query_end)
        return raw, position

    def _trimmed(self, start: int, end: int) -> int:
        return start + len(self._text[start:end].rstrip())

    # -- what is none of SQL

    def _backslash(self, raw: RawStatement, content: int, match: re.Match[str]) -> tuple[RawStatement, int]:
        problem = backslash_command(match.group(), match.start(), self._dialect)
        return self._command(raw, match.start() if content == raw.start else content, problem)

    def _command(self, raw: RawStatement, content: int, problem: Problem) -> tuple[RawStatement, int]:
        """A command of a shell goes to the end of its line, and the statement before it ends there."""
        raw.problems.append(problem)
        line = _LINE.match(self._text, problem.offset)
        assert line is not None
        return self._finish(raw, content if content > raw.start else line.end(), line.end())

    def _copy_data(self, raw: RawStatement, position: int) -> int:
        """Refuse COPY from or to the client, and go behind its data."""
        problem = copy_problem(self.bare(raw.start, raw.end), raw.start)
        if problem is None:
            return position
        raw.problems = [problem]
        return after_data(self._text, position)

    def line_comments(self) -> Iterator[tuple[int, int]]:
        """Start and end of each comment to the end of a line, up to a quote or comment that never closes."""
        position = 0
        while match := self._patterns.plain.match(self._text, position):
            if match.lastgroup == "comment":
                yield match.span()
            position = self._hidden(match)
            if position < 0:
                return

    def bare(self, start: int, end: int) -> str:
        """The text [start, end) with blanks for comments, what quotes hold, and what parentheses hold."""
        scan = self._patterns.query.match
        pieces: list[str] = []
        position, depth = start, 0
        while position < end and (match := scan(self._text, position)):
            event, after = match.lastgroup, self._hidden(match)
            after = min(after, end) if after >= 0 else end
            depth += {"(": 1, ")": -1}.get(match.group(), 0) if event == "paren" else 0
            size = after - position
            if depth > 0 or event in ("comment", "block"):
                pieces.append(" " * size)
            elif event in ("quote", "dollar"):
                pieces.append('"' + " " * (size - 2) + '"')
            else:
                pieces.append(self._text[position:after])
            position = after
        return "".join(pieces)

    # -- errors

    def _broken(self, raw: RawStatement, opener: str, offset: int) -> tuple[RawStatement, int]:
        """A quote or comment never closes: say so, and go on after the next `;`."""
        quote = opener not in ("/*", "[") and opener[0] != "$"
        raw.problems.append(unterminated(opener, offset, self._long_text(raw.start, offset) if quote else -1))
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
