"""Checks of plain SQL that is probably a mistake: a misspelled or missing TO, a command that the database lacks."""

from __future__ import annotations

import re
from itertools import islice
from types import MappingProxyType

from sqlflow_codegen.language.client_commands import separator_in, separator_problem
from sqlflow_codegen.language.dialects import MODELS_OF_THEIR_OWN
from sqlflow_codegen.language.grammar import ACTIONS, CLAUSES, GRAMMARS
from sqlflow_codegen.language.keywords import keywords
from sqlflow_codegen.language.raw import RawStatement
from sqlflow_codegen.language.scanner import Scanner
from sqlflow_codegen.language.source import Problem, ProblemError, Source
from sqlflow_codegen.language.splitter import QUERIES
from sqlflow_codegen.language.suggest import closest

_CANDIDATES, _NEAR = 200, 80
"""Limits of the search: action words in one statement, and characters before each."""
_LONG = 6
"""Letters from which a word that is nearly MAXIMIZE can be nothing else, whatever follows it."""
_ACTION = re.compile(rf"(?<![.\w@:$\"])(?:{'|'.join(ACTIONS)})\b(?![.(])", re.IGNORECASE)
_BEFORE = re.compile(r"(?:(?P<word>[^\W\d][\w$]*)|[\"'`\])]|\d)\s*\Z")
_NOT_BEFORE_ALIAS = keywords(
    """ALL AND ANY AS ASC BETWEEN BY CASE CROSS DELETE DESC DISTINCT ELSE END EXCEPT FROM FULL GROUP HAVING IN INNER
    INSERT INTERSECT INTO IS JOIN LATERAL LEFT LIKE LIMIT NATURAL NOT OFFSET ON ONLY OR ORDER OUTER OVER PARTITION
    RIGHT SELECT SET TABLE THEN TO UNION UPDATE USING VALUES WHEN WHERE WINDOW WITH"""
)
"""Words of SQL behind or before which no alias stands."""
_NOT_AFTER_ALIAS = _NOT_BEFORE_ALIAS | keywords(
    """CONNECT FETCH FOR FORCE IGNORE MATCH_RECOGNIZE PIVOT PROCEDURE QUALIFY RANGE ROWS START TABLESAMPLE UNPIVOT
    USE ANTI ASOF POSITIONAL SEMI STRAIGHT_JOIN SAMPLE CLUSTER DISTRIBUTE SORT WITHIN COLLATE AT NULLS"""
)
_MODEL_CLAUSES = CLAUSES - {"FOR"}

_LISTED = "SHOW MODELS lists what is stored; SHOW TRAIN model shows how it was trained."
_INCOMPLETE = MappingProxyType(
    {
        ("SHOW", "MODEL"): ("there is no SHOW MODEL", _LISTED),
        ("SHOW", "TRAIN"): ("SHOW TRAIN needs a model", _LISTED),
        ("DROP", "MODEL"): ("DROP MODEL needs a model", "Write DROP MODEL [IF EXISTS] model."),
    }
)
"""The first two words of a statement that is not complete -> message and hint."""
_LOCAL = re.compile(r"LOAD\s+(?:DATA|XML)\s+(?:LOW_PRIORITY\s+|CONCURRENT\s+)?LOCAL\b", re.IGNORECASE)


class PlainSqlCheck:
    """Checks one plain SQL statement."""

    def __init__(self, source: Source, dialect: str, raw: RawStatement) -> None:
        self._source = source
        self._scanner = Scanner(source.text, raw.variant)
        self._dialect = dialect
        self._raw = raw

    def check(self) -> None:
        """Find the first error.

        Raises:
            ProblemError: there is one.
        """
        raw = self._raw
        if raw.verb == "TO":
            self._no_select()
        if self._dialect not in MODELS_OF_THEIR_OWN:
            self._about_models()
        if raw.verb == "LOAD" and self._dialect == "mysql" and _LOCAL.match(self._source.text, raw.start):
            message = "LOAD DATA LOCAL reads a file of the client, which a program has none of"
            raise ProblemError("client-data", message, raw.start, "Use INSERT, or LOAD DATA with a file of the server.")
        if raw.hidden_to >= 0 and raw.open_paren >= 0:
            at = self._source.at(raw.hidden_to)
            message = "the parenthesis is never closed"
            raise ProblemError("unclosed-parenthesis", message, raw.open_paren, f"Close it before the TO at {at}.")
        if raw.other_to >= 0:
            self._misspelled(raw.other_to)
        elif raw.verb in QUERIES:
            self._missing_to()
        if problem := self._separator():
            raise ProblemError(problem.code, problem.message, problem.offset, problem.hint)

    def _no_select(self) -> None:
        action = self._scanner.word_after(self._raw.start + len("TO"))[0]
        if action in ACTIONS:
            hint = f"Write SELECT .. {GRAMMARS[action].example}."
            raise ProblemError("missing-select", f"TO {action} needs a SELECT before it", self._raw.start, hint)

    def _about_models(self) -> None:
        """SHOW MODEL and its like: no database has such a statement."""
        word, start = self._scanner.word_after(self._raw.start + len(self._raw.verb))
        if found := _INCOMPLETE.get((self._raw.verb, word)):
            raise ProblemError("syntax-error", found[0], start, found[1])

    def _misspelled(self, to: int) -> None:
        word, start = self._scanner.word_after(to + len("TO"))
        shown = self._source.text[start : start + len(word)]
        suggested = closest(word, ACTIONS)
        message = f"unexpected `{shown}` after TO"
        named, clause, ended = self._named(start + len(word))
        sure = len(word) >= _LONG and suggested in ("MAXIMIZE", "MINIMIZE")
        if suggested and (sure or (named and (clause or ended))):
            raise ProblemError("misspelled-keyword", message, start, f"Did you mean `TO {suggested}`?")
        if named and clause:
            known = ", ".join(ACTIONS[:-1])
            raise ProblemError("syntax-error", message, start, f"Statements are TO {known} and {ACTIONS[-1]}.")

    def _missing_to(self) -> None:
        """`SELECT * FROM t TRAIN xgboost.gbtree LABEL y INTO m`: an action where SQL can have no such word."""
        raw = self._raw
        if not _ACTION.search(self._source.text, raw.start, raw.end):
            return
        bare = self._scanner.bare(raw.start, raw.end)
        for found in islice(_ACTION.finditer(bare), _CANDIDATES):
            before = _BEFORE.search(bare, max(found.start() - _NEAR, 0), found.start())
            at = raw.start + found.start()
            if before is None or (before["word"] or "").upper() in _NOT_BEFORE_ALIAS:
                continue
            after = self._scanner.word_after(raw.start + found.end())[0]
            named, clause, ended = self._named(raw.start + found.end())
            if named and after not in _NOT_AFTER_ALIAS | _MODEL_CLAUSES and (clause or ended):
                word = found.group().upper()
                raise ProblemError("missing-to", f"{word} needs TO before it", at, f"Write {GRAMMARS[word].example}.")

    def _named(self, position: int) -> tuple[bool, bool, bool]:
        """True if a name stands there; if a clause of a model statement follows it; if the statement ends behind it."""
        from sqlflow_codegen.language.lexer import Lexer

        lexer = Lexer(self._source, self._raw.variant, position, self._raw.end)
        try:
            lexer.name("")
            following = lexer.peek()
        except ProblemError:
            return False, False, False  # not our syntax: the database may know it
        return True, following.keyword in _MODEL_CLAUSES, following.kind == "end"

    def _separator(self) -> Problem | None:
        raw = self._raw
        found = separator_in(self._source.text[raw.start : raw.end])
        if found is None:
            return None
        word, offset = found
        if self._scanner.bare(raw.start, raw.end)[offset : offset + len(word)].strip() != word:
            return None  # in a quoted text, a comment or parentheses
        return separator_problem(word, raw.start + offset)
