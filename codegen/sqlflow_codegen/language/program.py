"""A program and its statements of plain SQL, as immutable values: all that a step of plain SQL needs.

`ir` exports them too, with the model statements. Text that a database will execute (`Statement.text` of plain SQL,
`select` of model statements) is always a slice of the program as the user wrote it: it is never printed back from a
syntax tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.language.span import Span
from sqlflow_codegen.language.titles import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The fields of all statements.

    Attributes:
        number: position in the program, from 1.
        text: the statement exactly as written, from its first token to its last, without the `;`.
        span: where `text` stands in the program.
        other_quotes: its SQL has quotes or backslashes that a setting of the session before it (`sql_mode`,
            `standard_conforming_strings`) makes mean something else than in its dialect.
    """

    kind: ClassVar[str]
    titled: ClassVar[tuple[tuple[str, str], ...]] = ()
    """The fields that its title shows behind the clause, each with the keyword before it."""
    number: int
    text: str
    span: Span
    other_quotes: bool = False

    @property
    def clause(self) -> str:
        """The words that begin its clauses, such as `TO TRAIN`."""
        return f"TO {self.kind.upper()}"

    @property
    def title(self) -> str:
        """The statement's verb and its object, `TO TRAIN xgboost.gbtree INTO churn`.

        One short line without secrets (`sqlflow_codegen.language.titles`).
        """
        shown = [(keyword, getattr(self, field)) for keyword, field in self.titled]
        return clean(" ".join([self.clause, *(f"{keyword} {value}" for keyword, value in shown if value)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlStatement(Statement):
    """Plain SQL of the program's dialect, handed to the database byte for byte.

    `verb` is its first keyword in upper case (`SELECT`, `INSERT`, `WITH`, ...), "" if it has none; `heading` is its
    title.
    """

    kind: ClassVar[str] = "sql"
    verb: str
    heading: str = ""

    @property
    def title(self) -> str:
        """The verb and the object of the statement: `CREATE TABLE mart.features`."""
        return self.heading or self.verb or "SQL"


@dataclass(frozen=True, slots=True)
class Program:
    """A parsed program: its exact text, its dialect (a sqlglot dialect name) and its statements in order.

    `warnings` are findings that do not keep it from running.
    """

    text: str
    dialect: str
    statements: tuple[Statement, ...]
    warnings: tuple[Diagnostic, ...] = ()

    def __iter__(self) -> Iterator[Statement]:
        return iter(self.statements)

    def __len__(self) -> int:
        return len(self.statements)

    def statement(self, number: int) -> Statement:
        """Return the statement with that number, from 1.

        Raises:
            IndexError: the program has no such statement.
        """
        if not 1 <= number <= len(self.statements):
            raise IndexError(f"statement {number} of {len(self.statements)}")
        return self.statements[number - 1]
