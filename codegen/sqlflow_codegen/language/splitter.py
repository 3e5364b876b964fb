"""Cuts a program at the `;` that end statements, and finds where a statement's `TO TRAIN` and the like begin.

One pass over the text by the dialect's scanner; nothing is parsed here, and plain SQL is only looked at as far as
its quotes and comments demand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from sqlflow_codegen.language.blocks import RULES, BlockTracker
from sqlflow_codegen.language.client_commands import after_data, backslash_command, command_at, copy_problem
from sqlflow_codegen.language.grammar import ACTIONS
from sqlflow_codegen.language.lexical_modes import lexical_modes
from sqlflow_codegen.language.raw import RawStatement, open_block, unterminated
from sqlflow_codegen.language.scanner import Scanner
from sqlflow_codegen.language.source import Problem

QUERIES = frozenset({"SELECT", "WITH", "VALUES", "FROM", "TABLE"})
"""First words of a query, behind any opening parentheses."""

_UNTERMINATED_LIMIT = 16
"""Unterminated quotes and comments looked behind for further errors: each costs a scan to the end of the text."""

_NOT_BEFORE_TO = re.compile(r"(?:[.,(@:]|\b(?:SELECT|AS|FROM|BY|BETWEEN|AND|OR|NOT))\Z", re.IGNORECASE)
_PART_OF_SQL = re.compile(
    r"\bCYCLE\b[^;()]*\bSET\s+(?:\w+|\"[^\"]+\")\s*\Z|\bSYSTEM_TIME\s+FROM\b(?:(?!\bTO\b).)*\Z",
    re.IGNORECASE | re.DOTALL,
)
"""The text before a TO that belongs to the query: `CYCLE a SET mark TO value`, `FOR SYSTEM_TIME FROM x TO y`."""
_UNITS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"})
"""Words after the TO of an interval: `DAY TO SECOND`."""
_LOOK_BEHIND = 400
_LINE = re.compile(r"[^\r\n]*")

_Watch = Callable[[re.Match[str], int, int], tuple[re.Pattern[str], int]]
"""Takes an event of a statement, the offset behind it and where the text before it ends.

It returns the pattern to go on with, and where."""


class Splitter:
    """Iterates over the statements of a program in that canonical dialect."""

    def __init__(self, text: str, dialect: str) -> None:
        self._text = text
        self._dialect = dialect
        self._modes = lexical_modes(dialect)
        self._scanner = Scanner(text, dialect)
        self._unterminated = 0

    def __iter__(self) -> Iterator[RawStatement]:
        position = self._scanner.skip_empty(0)
        while position < len(self._text):
            raw, position = self._statement(position)
            raw.variant = self._scanner.variant
            if raw.verb == "COPY" and self._dialect == "postgres":
                position = self._copy_data(raw, position)
            self._modes.follow(raw.verb, self._text[raw.start : raw.end])
            raw.doubt = self._modes.doubt
            yield raw
            if self._modes.variant != self._scanner.variant:
                self._scanner = Scanner(self._text, self._modes.variant)
            position = self._scanner.skip_empty(position)

    def _statement(self, start: int) -> tuple[RawStatement, int]:
        raw = RawStatement(start)
        scanner = self._scanner
        if scanner.at_comment(start):  # it never closes, or it would have been skipped
            return self._broken(raw, "/*", start)
        raw.verb = self._first_word(start)
        if command := command_at(self._text, start, raw.verb, self._dialect):
            return self._command(raw, start, command)
        if raw.verb in QUERIES:
            return self._query(raw)
        rules = RULES[self._dialect]
        if raw.verb in ("CREATE", "ALTER") or raw.verb in rules.scripts or rules.scripts & {f"{raw.verb} NOT"}:
            return self._routine(raw, BlockTracker(rules))
        return self._scan(raw, scanner.patterns.plain)

    def _first_word(self, position: int) -> str:
        while self._text.startswith("(", position):
            position = self._scanner.skip(position + 1)
        return self._scanner.word_at(position)

    def _scan(
        self,
        raw: RawStatement,
        pattern: re.Pattern[str],
        watch: _Watch | None = None,
        tracker: BlockTracker | None = None,
    ) -> tuple[RawStatement, int]:
        """The statement up to the `;` that no quote, comment or block hides, and the offset behind it."""
        scanner = self._scanner
        position = content = raw.start
        while match := pattern.match(self._text, position):
            event = match.lastgroup
            if event == "end" and not (tracker and tracker.opened):
                return self._finish(raw, content, match.end())
            if event == "shell":
                problem = backslash_command(match.group(), match.start(), self._dialect)
                return self._command(raw, match.start() if content == raw.start else content, problem)
            position = scanner.after(match)
            if position < 0:
                return self._broken(raw, match.group(), match.start())
            if scanner.is_blank(match):
                continue
            if watch is not None:
                pattern, position = watch(match, position, content)
            content = position
        if tracker and tracker.opened:
            raw.problems.append(open_block(*tracker.opened))
            content = position = len(self._text)
        return self._finish(raw, content, position)

    def _query(self, raw: RawStatement) -> tuple[RawStatement, int]:
        """A query, with the clauses behind its TO if it has one."""
        query, clause = self._scanner.patterns.query, self._scanner.patterns.clause
        parens: list[int] = []

        def watch(match: re.Match[str], position: int, content: int) -> tuple[re.Pattern[str], int]:
            if match.lastgroup == "paren":
                if match.group() == "(":
                    parens.append(match.start())
                elif parens:
                    parens.pop()
                raw.open_paren = parens[0] if parens else -1
            elif match.lastgroup == "to" and raw.to < 0 and self._to(raw, match.start(), position, bool(parens)):
                raw.query_end = content
            return (query if raw.to < 0 else clause), position

        return self._scan(raw, query, watch)

    def _to(self, raw: RawStatement, start: int, end: int, inside: bool) -> bool:
        """True if the TO at [start, end) begins a model clause; remembers those that nearly do."""
        before = self._text[max(raw.start, start - 40) : start].rstrip()
        if _NOT_BEFORE_TO.search(before):
            return False
        action = self._scanner.word_after(end)[0]
        is_action = action in ACTIONS
        if not is_action and (inside or not action or raw.other_to >= 0):
            return False
        if action in _UNITS or self._is_part_of_sql(raw.start, start):
            return False
        if is_action and not inside:
            raw.to = start
            return True
        if is_action:
            raw.hidden_to = start if raw.hidden_to < 0 else raw.hidden_to
        else:
            raw.other_to = start
        return False

    def _is_part_of_sql(self, first: int, to: int) -> bool:
        """True if the TO there belongs to a query's CYCLE or SYSTEM_TIME."""
        before = self._text[max(first, to - _LOOK_BEHIND) : to]
        upper = before.upper()
        return ("CYCLE" in upper or "SYSTEM_TIME" in upper) and _PART_OF_SQL.search(before) is not None

    def _routine(self, raw: RawStatement, tracker: BlockTracker) -> tuple[RawStatement, int]:
        """A statement that may hold the body of a routine, trigger or script."""
        scanner = self._scanner
        words, plain = scanner.patterns.words, scanner.patterns.plain

        def following(position: int) -> tuple[str, str]:
            first, start = scanner.word_after(position)
            return first, scanner.word_after(start + len(first))[0] if first else ""

        def watch(match: re.Match[str], position: int, _content: int) -> tuple[re.Pattern[str], int]:
            if tracker.done:
                return plain, position
            if match.lastgroup != "word":
                tracker.mark(match.group()[-1], match.start())
            elif tracker.word(match.group().upper(), match.start(), partial(following, position)):
                word, start = scanner.word_after(position)
                position = start + len(word)
            return (plain if tracker.done else words), position

        return self._scan(raw, words, watch, tracker)

    def _finish(self, raw: RawStatement, content: int, position: int) -> tuple[RawStatement, int]:
        raw.end = self._trimmed(raw.start, content)
        if raw.to >= 0:
            raw.query_end = self._trimmed(raw.start, raw.query_end)
        return raw, position

    def _trimmed(self, start: int, end: int) -> int:
        return start + len(self._text[start:end].rstrip())

    # -- errors

    def _command(self, raw: RawStatement, content: int, problem: Problem) -> tuple[RawStatement, int]:
        """A command of a shell goes to the end of its line, and the statement before it ends there."""
        raw.problems.append(problem)
        line = _LINE.match(self._text, problem.offset)
        assert line is not None
        return self._finish(raw, content if content > raw.start else line.end(), line.end())

    def _copy_data(self, raw: RawStatement, position: int) -> int:
        """Refuse COPY from or to the client, and return the offset behind its data."""
        problem = copy_problem(self._scanner.bare(raw.start, raw.end), raw.start)
        if problem is None:
            return position
        raw.problems = [problem]
        return after_data(self._text, position)

    def _broken(self, raw: RawStatement, opener: str, offset: int) -> tuple[RawStatement, int]:
        """A quote or comment never closes: report it, and go on after the next `;`."""
        quote = opener not in ("/*", "[") and opener[0] != "$"
        raw.problems.append(unterminated(opener, offset, self._scanner.long_text(raw.start, offset) if quote else -1))
        self._unterminated += 1
        end = self._text.find(";", offset + len(opener)) if self._unterminated < _UNTERMINATED_LIMIT else -1
        return self._finish(raw, end, end + 1) if end >= 0 else self._finish(raw, len(self._text), len(self._text))
