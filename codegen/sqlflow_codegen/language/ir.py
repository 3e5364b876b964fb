"""The statements of a SQL program, as immutable values.

Text that a database will execute (`Statement.text` of plain SQL, `select` of model statements) is always a
slice of the program as the user wrote it: it is never printed back from a syntax tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.language.nodes import *  # noqa: F403  (statements and their nodes in one place)
from sqlflow_codegen.language.nodes import Attribute, ColumnClause, Constraint, Expression, Name, Part, Span
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


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryStatement(Statement):
    """A model statement that begins with a query: `SELECT .. TO TRAIN ..` and the like."""

    select: str
    select_span: Span
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainStatement(QueryStatement):
    """`SELECT ... TO TRAIN estimator [WITH ...] [COLUMN ...] [LABEL label] [USING model] INTO model`.

    No `label` means unsupervised. `using` is the model to start from.
    """

    kind: ClassVar[str] = "train"
    titled: ClassVar[tuple[tuple[str, str], ...]] = (("", "estimator"), ("INTO", "into"))
    estimator: Name
    columns: tuple[ColumnClause, ...] = ()
    label: Name | None = None
    using: Name | None = None
    into: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictStatement(QueryStatement):
    """`SELECT ... TO PREDICT [db.]table.column [WITH ...] USING model`."""

    kind: ClassVar[str] = "predict"
    titled: ClassVar[tuple[tuple[str, str], ...]] = (("", "into"), ("USING", "using"))
    into: Name
    using: Name

    @property
    def result_path(self) -> tuple[Part, ...]:
        """The parts of the result table's name, without the result column."""
        return self.into.path[:-1]

    @property
    def result_table(self) -> str:
        """The result table in messages, without the result column: parts that were quoted are in double quotes."""
        return ".".join(f'"{text}"' if quoted else text for text, quoted in self.result_path)

    @property
    def result_column(self) -> str:
        """The column that receives the predictions."""
        return self.into.path[-1].text


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateStatement(QueryStatement):
    """`SELECT ... TO EVALUATE model [WITH ...] LABEL label [INTO table]`."""

    kind: ClassVar[str] = "evaluate"
    titled: ClassVar[tuple[tuple[str, str], ...]] = (("", "model"), ("INTO", "into"))
    model: Name
    label: Name
    into: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainStatement(QueryStatement):
    """`SELECT ... TO EXPLAIN model [WITH ...] [USING explainer] [INTO table]`."""

    kind: ClassVar[str] = "explain"
    titled: ClassVar[tuple[tuple[str, str], ...]] = (("", "model"), ("INTO", "into"))
    model: Name
    explainer: Name | None = None
    into: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatement(QueryStatement):
    """`SELECT ... TO RUN image [CMD 'program', 'argument', ... [INTO table, ...]]`."""

    kind: ClassVar[str] = "run"
    titled: ClassVar[tuple[tuple[str, str], ...]] = (("", "image"),)
    image: Name
    command: tuple[str, ...] = ()
    into: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizeStatement(QueryStatement):
    """`SELECT ... TO MAXIMIZE objective [CONSTRAINT ...] WITH ... [USING solver] INTO table`.

    `direction` is `maximize` or `minimize`.
    """

    kind: ClassVar[str] = "optimize"
    titled: ClassVar[tuple[tuple[str, str], ...]] = (("… INTO", "into"),)
    direction: str
    objective: Expression
    constraints: tuple[Constraint, ...] = ()
    solver: Name | None = None
    into: Name

    @property
    def clause(self) -> str:
        """`TO MAXIMIZE` or `TO MINIMIZE`."""
        return f"TO {self.direction.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTrainStatement(Statement):
    """`SHOW TRAIN model`: the statement that trained the model."""

    kind: ClassVar[str] = "show"
    titled: ClassVar[tuple[tuple[str, str], ...]] = (("", "model"),)
    model: Name

    @property
    def clause(self) -> str:
        """`SHOW TRAIN`."""
        return "SHOW TRAIN"


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
