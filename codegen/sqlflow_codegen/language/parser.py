"""The parser: splits a program into statements, reads those of plain SQL, and hands the others to `model_parser`.

Every step parses its program when it starts. So what only model statements need is imported for the first of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from sqlflow_codegen.errors import Diagnostic, ProgramError
from sqlflow_codegen.language.dialects import DEFAULT_DIALECT, MODELS_OF_THEIR_OWN, normalize_dialect
from sqlflow_codegen.language.lexical_rules import other_quotes
from sqlflow_codegen.language.plain_sql import PlainSqlCheck
from sqlflow_codegen.language.program import Program, SqlStatement, Statement
from sqlflow_codegen.language.raw import RawStatement
from sqlflow_codegen.language.scanner import Scanner
from sqlflow_codegen.language.source import Problem, ProblemError, Source
from sqlflow_codegen.language.splitter import Splitter
from sqlflow_codegen.language.titles import sql_title

_INVALID = re.compile("[\x00\ud800-\udfff]")


Check = Callable[[Statement], Iterable[Problem]]
"""Finds problems of one statement."""


def parse_program(text: str, dialect: str = DEFAULT_DIALECT, *, further: Check | None = None) -> Program:
    """Parse a program. For one that is to run, call `runnable_program`.

    Args:
        text: the program, statements separated by `;` (optional after the last).
        dialect: name of the SQL dialect of its database, or an alias of it.
        further: another check of each statement of a program that has model statements.

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
    if any(one.kind != "sql" for one in statements):
        diagnostics += _checked(source, statements, further)
    diagnostics = sorted(diagnostics, key=lambda one: (one.statement, one.line, one.column))
    if any(one.severity == "error" for one in diagnostics):
        raise ProgramError(tuple(diagnostics))
    return Program(text, canonical, tuple(statements), tuple(diagnostics))


def _checked(source: Source, statements: Sequence[Statement], further: Check | None) -> list[Diagnostic]:
    """The findings of the semantic checks, and of the further one: where both find the same, the latter's."""
    from sqlflow_codegen.language.checks import check_statements

    checked = [source.diagnostic(problem, number) for number, problem in check_statements(statements)]
    if further is None:
        return checked
    more = [source.diagnostic(problem, one.number) for one in statements for problem in further(one)]
    replaced = {(one.code, one.line, one.column) for one in more}
    return [one for one in checked if (one.code, one.line, one.column) not in replaced] + more


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
        if raw.to >= 0 or self._is_about_models():
            from sqlflow_codegen.language.model_parser import ModelStatementParser

            return ModelStatementParser(self._source, self._dialect, raw, self._number).parse()
        try:
            PlainSqlCheck(self._source, self._dialect, raw).check()
        except ProblemError as error:
            return None, [error.problem]
        text = self._source.text[raw.start : raw.end]
        statement = SqlStatement(
            number=self._number,
            text=text,
            span=self._source.span(raw.start, raw.end),
            verb=raw.verb,
            heading=sql_title(text, raw.variant, raw.verb),
            other_quotes=other_quotes(text, self._dialect, raw.variant),
        )
        return statement, self._doubts()

    def _is_about_models(self) -> bool:
        """True for `SHOW TRAIN model`, `SHOW MODELS` and `DROP MODEL model`; those that lack a model are none."""
        raw = self._raw
        if raw.verb not in ("SHOW", "DROP"):
            return False
        scanner = Scanner(self._source.text, raw.variant)
        word, start = scanner.word_after(raw.start + len(raw.verb))
        if (raw.verb, word) == ("SHOW", "MODELS"):
            return self._dialect not in MODELS_OF_THEIR_OWN
        named = scanner.skip(start + len(word)) < raw.end
        return named and (
            (raw.verb, word) == ("SHOW", "TRAIN")
            or ((raw.verb, word) == ("DROP", "MODEL") and self._dialect not in MODELS_OF_THEIR_OWN)
        )

    def _doubts(self) -> list[Problem]:
        if not self._raw.doubt:
            return []
        message = f"quotes and backslashes are read as before this statement: {self._raw.doubt}"
        hint = "Write sql_mode as a text, or as CONCAT or REPLACE of @@sql_mode and texts."
        return [Problem("unknown-mode", message, self._raw.start, hint, "warning")]
