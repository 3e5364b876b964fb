"""The parser of model statements: `SELECT .. TO TRAIN ..` and the like, and those about the model store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlflow_codegen.language.about_models import ABOUT_MODELS
from sqlflow_codegen.language.clauses import ClauseParser
from sqlflow_codegen.language.expressions import read_objective
from sqlflow_codegen.language.grammar import GRAMMARS, Grammar
from sqlflow_codegen.language.ir import QUERY_STATEMENTS, Expression, Name, Statement
from sqlflow_codegen.language.lexer import Lexer
from sqlflow_codegen.language.lexical_rules import other_quotes
from sqlflow_codegen.language.raw import RawStatement
from sqlflow_codegen.language.scanner import Scanner
from sqlflow_codegen.language.source import Problem, ProblemError, Source

_NAMED = ("INTO", "USING", "LABEL")


class ModelStatementParser:
    """One statement that is no plain SQL, cut but not understood yet."""

    def __init__(self, source: Source, dialect: str, raw: RawStatement, number: int) -> None:
        self._source = source
        self._scanner = Scanner(source.text, raw.variant)
        self._dialect = dialect
        self._raw = raw
        self._number = number

    def parse(self) -> tuple[Statement | None, list[Problem]]:
        """The statement, and its problems. With problems, it may still serve to check its attributes."""
        if self._raw.to >= 0:
            return self._model_statement()
        try:
            return self._about_models(), []
        except ProblemError as error:
            return None, [error.problem]

    def _slice(self, start: int, end: int) -> str:
        return self._source.text[start:end]

    def _lexer_at(self, start: int) -> Lexer:
        return Lexer(self._source, self._raw.variant, start, self._raw.end)

    def _about_models(self) -> Statement:
        raw = self._raw
        word, start = self._scanner.word_after(raw.start + len(raw.verb))
        span = self._source.span(raw.start, raw.end)
        fields = {"number": self._number, "text": self._slice(raw.start, raw.end), "span": span}
        return ABOUT_MODELS[f"{raw.verb} {word}"](self._lexer_at(start + len(word)), fields)

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
        return QUERY_STATEMENTS[grammar.kind](
            number=self._number,
            text=self._slice(raw.start, raw.end),
            span=self._source.span(raw.start, raw.end),
            select=select,
            select_span=self._source.span(raw.start, raw.query_end),
            other_quotes=other_quotes(select, self._dialect, raw.variant),
            **fields,
        )
