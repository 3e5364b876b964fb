"""The parser: splits a program into statements, and parses the clauses of those that are no plain SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlflow_codegen.errors import Diagnostic, ProgramError
from sqlflow_codegen.language.checks import check_statements
from sqlflow_codegen.language.checks.plain_sql import PlainSqlCheck
from sqlflow_codegen.language.clauses import ClauseParser
from sqlflow_codegen.language.dialects import DEFAULT_DIALECT, normalize_dialect
from sqlflow_codegen.language.expressions import read_objective
from sqlflow_codegen.language.grammar import GRAMMARS, Grammar
from sqlflow_codegen.language.ir import Expression, Name, Program, ShowTrainStatement, SqlStatement, Statement
from sqlflow_codegen.language.lexer import Lexer
from sqlflow_codegen.language.lexical_rules import ANSI_QUOTES, BACKSLASH
from sqlflow_codegen.language.raw import RawStatement
from sqlflow_codegen.language.scanner import Scanner
from sqlflow_codegen.language.source import Problem, ProblemError, Source
from sqlflow_codegen.language.splitter import Splitter
from sqlflow_codegen.language.titles import sql_title

_NAMED = ("INTO", "USING", "LABEL")
_INVALID = re.compile("[\x00\ud800-\udfff]")


Check = Callable[[Statement], Iterable[Problem]]
"""Finds problems of one statement."""


def parse_program(text: str, dialect: str = DEFAULT_DIALECT, *, further: Check | None = None) -> Program:
    """Parse a program. For one that is to run, call `runnable_program`.

    Args:
        text: the program, statements separated by `;` (optional after the last).
        dialect: name of the SQL dialect of its database, or an alias of it.
        further: another check of each statement.

    Returns:
        The program, with its warnings.

    Raises:
        SQLFlowError: no such dialect.
        ProgramError: the program has errors; all of them, in program order, among its warnings.
    """
    canonical = normalize_dialect(dialect)
    source = Source(text)
    statements: list[Statement] = []
    diagnostics: list[Diagnostic] = []
    for number, raw in enumerate(Splitter(text, canonical), 1):
        statement, problems = _StatementParser(source, canonical, raw, number).parse()
        if statement is not None:
            statements.append(statement)
        diagnostics += [source.diagnostic(problem, number) for problem in problems]
    if not diagnostics and (problem := _invalid_character(text, 0, len(text))):  # in a comment between statements
        diagnostics.append(source.diagnostic(problem, 0))
    checked = [source.diagnostic(problem, number) for number, problem in check_statements(statements)]
    if further is not None:
        more = [source.diagnostic(problem, one.number) for one in statements for problem in further(one)]
        replaced = {(one.code, one.line, one.column) for one in more}
        checked = [one for one in checked if (one.code, one.line, one.column) not in replaced] + more
    diagnostics = sorted([*diagnostics, *checked], key=lambda one: (one.statement, one.line, one.column))
    if any(one.severity == "error" for one in diagnostics):
        raise ProgramError(tuple(diagnostics))
    return Program(text, canonical, tuple(statements), tuple(diagnostics))


def _invalid_character(text: str, start: int, end: int) -> Problem | None:
    """The first character of [start, end) that no program may hold."""
    found = _INVALID.search(text, start, end)
    if found is None:
        return None
    what = "a NUL character" if found.group() == "\x00" else "half of a surrogate pair"
    hint = "No database takes it; remove it, or write it as an escape of the dialect."
    return Problem("invalid-character", f"the program holds {what}", found.start(), hint)


class _StatementParser:
    """One statement, cut but not understood yet."""

    def __init__(self, source: Source, dialect: str, raw: RawStatement, number: int) -> None:
        self._source = source
        self._scanner = Scanner(source.text, raw.variant)
        self._dialect = dialect
        self._raw = raw
        self._number = number

    def parse(self) -> tuple[Statement | None, list[Problem]]:
        """The statement, or None and its problems."""
        raw = self._raw
        problems = list(raw.problems)
        if invalid := _invalid_character(self._source.text, raw.start, raw.end):
            problems.append(invalid)
        if problems:
            return None, problems
        if raw.to >= 0:
            return self._model_statement()
        try:
            if raw.verb == "SHOW" and self._is_show_train():
                return self._show_train(), []
            PlainSqlCheck(self._source, self._dialect, raw).check()
        except ProblemError as error:
            return None, [error.problem]
        span, text = self._source.span(raw.start, raw.end), self._slice(raw.start, raw.end)
        heading, other = sql_title(text, raw.variant, raw.verb), self._other_quotes(text)
        statement = SqlStatement(
            number=self._number, text=text, span=span, verb=raw.verb, heading=heading, other_quotes=other
        )
        return statement, self._doubts()

    def _other_quotes(self, text: str) -> bool:
        variant = self._raw.variant
        if variant == self._dialect:
            return False
        return ('"' in text and ANSI_QUOTES in variant) or ("\\" in text and BACKSLASH in variant)

    def _doubts(self) -> list[Problem]:
        if not self._raw.doubt:
            return []
        message = f"quotes and backslashes are read as before this statement: {self._raw.doubt}"
        hint = "Write sql_mode as a text, or as CONCAT or REPLACE of @@sql_mode and texts."
        return [Problem("unknown-mode", message, self._raw.start, hint, "warning")]

    def _slice(self, start: int, end: int) -> str:
        return self._source.text[start:end]

    def _lexer_at(self, start: int) -> Lexer:
        return Lexer(self._source, self._raw.variant, start, self._raw.end)

    # -- model statements

    def _is_show_train(self) -> bool:
        word, start = self._scanner.word_after(self._raw.start + len("SHOW"))
        return word == "TRAIN" and self._scanner.skip(start + len(word)) < self._raw.end

    def _show_train(self) -> ShowTrainStatement:
        word, start = self._scanner.word_after(self._raw.start + len("SHOW"))
        lexer = self._lexer_at(start + len(word))
        model = lexer.name("a model after SHOW TRAIN")
        extra = lexer.peek()
        if extra.kind != "end":
            hint = "Write SHOW TRAIN model."
            raise ProblemError("syntax-error", f"unexpected {extra.shown()} after the model", extra.start, hint)
        span = self._source.span(self._raw.start, self._raw.end)
        return ShowTrainStatement(number=self._number, text=self._slice(span.start, span.end), span=span, model=model)

    def _model_statement(self) -> tuple[Statement | None, list[Problem]]:
        action, start = self._scanner.word_after(self._raw.to + len("TO"))
        lexer = self._lexer_at(start + len(action))
        parser = ClauseParser(lexer, action)
        target: Name | Expression | None = None
        try:
            target = self._target(lexer, parser, action)
        except ProblemError as error:
            parser.problems.append(error.problem)
            parser.recover()
        parser.parse(target is not None)
        problems = parser.problems or self._check(action, target, parser.fields)
        optimizes = action in ("MAXIMIZE", "MINIMIZE")
        if target is None or (problems and optimizes):
            return None, problems
        grammar, fields = parser.grammar, parser.fields
        if optimizes:
            fields["direction"] = action.lower()
        if problems:  # the statement only serves to check its attributes: what it lacks is made up
            unknown = Name("?", self._source.span(self._raw.end, self._raw.end))
            for clause in (*grammar.required, *parser.seen):
                if clause in _NAMED:
                    fields.setdefault(grammar.clauses[clause], unknown)
        return self._build(grammar, fields | {grammar.target: target}), problems

    def _target(self, lexer: Lexer, parser: ClauseParser, action: str) -> Name | Expression:
        if action in ("MAXIMIZE", "MINIMIZE"):
            return read_objective(lexer)
        what = {"TRAIN": "an estimator", "PREDICT": "table.column", "RUN": "an image"}.get(action, "a model")
        hint = f"Write {parser.grammar.example}."
        return parser.name(f"{what} after TO {action}", hint, written=action == "PREDICT")

    def _check(self, action: str, target: Name | Expression | None, fields: Mapping[str, Any]) -> list[Problem]:
        if action == "PREDICT" and isinstance(target, Name) and len(target.parts) < 2:
            message = f"`{target}` names no column for the predictions"
            hint = "Write TO PREDICT table.column or TO PREDICT database.table.column."
            return [Problem("invalid-target", message, target.span.start, hint)]
        if action == "RUN" and "into" in fields and "command" not in fields:
            hint = f"Write {GRAMMARS[action].example}."
            return [Problem("missing-clause", "INTO needs a CMD before it", fields["into"][0].span.start, hint)]
        return []

    def _build(self, grammar: Grammar, fields: Mapping[str, Any]) -> Statement:
        raw = self._raw
        select = self._slice(raw.start, raw.query_end)
        return grammar.statement(
            number=self._number,
            text=self._slice(raw.start, raw.end),
            span=self._source.span(raw.start, raw.end),
            select=select,
            select_span=self._source.span(raw.start, raw.query_end),
            other_quotes=self._other_quotes(select),
            **fields,
        )
