"""The statements of a SQL program, as immutable values.

Text that a database will execute (`Statement.text` of plain SQL, `select` of model statements) is always a
slice of the program as the user wrote it: it is never printed back from a syntax tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.language.nodes import (
    Attribute,
    Binary,
    Call,
    ColumnArgument,
    ColumnCall,
    ColumnClause,
    ColumnExpr,
    ColumnName,
    ColumnStar,
    Constraint,
    Expression,
    Name,
    NumberLiteral,
    Part,
    Scalar,
    Span,
    StringLiteral,
    Unary,
    Value,
)
from sqlflow_codegen.language.titles import model_title

__all__ = [
    "Attribute",
    "Binary",
    "Call",
    "ColumnArgument",
    "ColumnCall",
    "ColumnClause",
    "ColumnExpr",
    "ColumnName",
    "ColumnStar",
    "Constraint",
    "EvaluateStatement",
    "ExplainStatement",
    "Expression",
    "Name",
    "NumberLiteral",
    "OptimizeStatement",
    "Part",
    "PredictStatement",
    "Program",
    "RunStatement",
    "Scalar",
    "ShowTrainStatement",
    "Span",
    "SqlStatement",
    "Statement",
    "StringLiteral",
    "TrainStatement",
    "Unary",
    "Value",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What all statements share.

    Attributes:
        number: position in the program, from 1.
        text: the statement exactly as written, from its first token to its last, without the `;`.
        span: where `text` stands in the program.
        other_quotes: its SQL has quotes or backslashes that a setting of the session before it (`sql_mode`,
            `standard_conforming_strings`) makes mean something else than in its dialect.
    """

    kind: ClassVar[str]
    number: int
    text: str
    span: Span
    other_quotes: bool = False

    @property
    def title(self) -> str:
        """What people call this statement: its verb and its object, `TO TRAIN xgboost.gbtree INTO churn`.

        One short line without secrets (`sqlflow_codegen.language.titles`).
        """
        return self.kind.upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlStatement(Statement):
    """Plain SQL of the program's dialect, handed to the database byte for byte.

    `verb` is its first keyword in upper case (`SELECT`, `INSERT`, `WITH`, ...), "" if it has none; `heading` is its
    title (`sqlflow_codegen.language.titles`).
    """

    kind: ClassVar[str] = "sql"
    verb: str
    heading: str = ""

    @property
    def title(self) -> str:
        """How messages name this statement: `CREATE TABLE mart.features`."""
        return self.heading or self.verb or "SQL"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainStatement(Statement):
    """`SELECT ... TO TRAIN estimator [WITH ...] [COLUMN ...] [LABEL label] [USING model] INTO model`.

    No `label` means unsupervised. `using` is the model to start from.
    """

    kind: ClassVar[str] = "train"
    select: str
    select_span: Span
    estimator: Name
    attributes: tuple[Attribute, ...] = ()
    columns: tuple[ColumnClause, ...] = ()
    label: Name | None = None
    using: Name | None = None
    into: Name

    @property
    def title(self) -> str:
        """What people call this statement."""
        return model_title("TO TRAIN", self.estimator, into=self.into)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictStatement(Statement):
    """`SELECT ... TO PREDICT [db.]table.column [WITH ...] USING model`."""

    kind: ClassVar[str] = "predict"
    select: str
    select_span: Span
    into: Name
    attributes: tuple[Attribute, ...] = ()
    using: Name

    @property
    def title(self) -> str:
        """What people call this statement."""
        return model_title("TO PREDICT", self.into, using=self.using)

    @property
    def result_path(self) -> tuple[Part, ...]:
        """The parts of the result table's name, without the result column."""
        return self.into.path[:-1]

    @property
    def result_table(self) -> str:
        """The result table for people, without the result column: parts that were quoted are in double quotes."""
        return ".".join(f'"{text}"' if quoted else text for text, quoted in self.result_path)

    @property
    def result_column(self) -> str:
        """The column that receives the predictions."""
        return self.into.path[-1].text


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateStatement(Statement):
    """`SELECT ... TO EVALUATE model [WITH ...] LABEL label [INTO table]`."""

    kind: ClassVar[str] = "evaluate"
    select: str
    select_span: Span
    model: Name
    attributes: tuple[Attribute, ...] = ()
    label: Name
    into: Name | None = None

    @property
    def title(self) -> str:
        """What people call this statement."""
        return model_title("TO EVALUATE", self.model, into=self.into)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainStatement(Statement):
    """`SELECT ... TO EXPLAIN model [WITH ...] [USING explainer] [INTO table]`."""

    kind: ClassVar[str] = "explain"
    select: str
    select_span: Span
    model: Name
    attributes: tuple[Attribute, ...] = ()
    explainer: Name | None = None
    into: Name | None = None

    @property
    def title(self) -> str:
        """What people call this statement."""
        return model_title("TO EXPLAIN", self.model, into=self.into)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatement(Statement):
    """`SELECT ... TO RUN image [CMD 'program', 'argument', ... [INTO table, ...]]`."""

    kind: ClassVar[str] = "run"
    select: str
    select_span: Span
    image: Name
    command: tuple[str, ...] = ()
    into: tuple[Name, ...] = ()

    @property
    def title(self) -> str:
        """What people call this statement."""
        return model_title("TO RUN", self.image)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizeStatement(Statement):
    """`SELECT ... TO MAXIMIZE objective [CONSTRAINT ...] WITH ... [USING solver] INTO table`.

    `direction` is `maximize` or `minimize`.
    """

    kind: ClassVar[str] = "optimize"
    select: str
    select_span: Span
    direction: str
    objective: Expression
    constraints: tuple[Constraint, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    solver: Name | None = None
    into: Name

    @property
    def clause(self) -> str:
        """`TO MAXIMIZE` or `TO MINIMIZE`."""
        return f"TO {self.direction.upper()}"

    @property
    def title(self) -> str:
        """What people call this statement."""
        return model_title(self.clause, "…", into=self.into)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTrainStatement(Statement):
    """`SHOW TRAIN model`: the statement that trained the model."""

    kind: ClassVar[str] = "show"
    model: Name

    @property
    def title(self) -> str:
        """What people call this statement."""
        return model_title("SHOW TRAIN", self.model)


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
