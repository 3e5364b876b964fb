"""The statements of a SQL program, as immutable values.

Text that a database will execute (`Statement.text` of plain SQL, `select` of model statements) is always a
slice of the program as the user wrote it: it is never printed back from a syntax tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the program: character offsets [start, end) and the place of its first character.

    `line` and `column` count from 1; a column counts Unicode characters. CRLF counts as one line end.
    """

    start: int
    end: int
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier as written, possibly dotted (`iris.train`, `hub:5000/img:1.0/Cls`), and where it stands."""

    text: str
    span: Span

    def __str__(self) -> str:
        return self.text


Scalar = bool | int | float | str
Value = Scalar | tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One `name = value` of a WITH clause. A list is a tuple; a bare word is a str."""

    name: str
    value: Value
    span: Span
    value_span: Span


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A bare column, a quoted column or regular expression, in a COLUMN clause."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class ColumnStar:
    """`*` in a COLUMN clause: every selected column but the label."""

    span: Span


@dataclass(frozen=True, slots=True)
class ColumnCall:
    """A column function: `BUCKET(petal_length, [1, 2, 3])`. `name` is upper case."""

    name: str
    args: tuple[ColumnExpr | Value, ...]
    span: Span


ColumnExpr = ColumnName | ColumnStar | ColumnCall


@dataclass(frozen=True, slots=True)
class ColumnClause:
    """One COLUMN clause; `target` is what FOR names, else "feature_columns"."""

    target: str
    columns: tuple[ColumnExpr, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What all statements share.

    Attributes:
        number: position in the program, from 1.
        text: the statement exactly as written, from its first token to its last, without the `;`.
        span: where `text` stands in the program.
    """

    kind: ClassVar[str]
    number: int
    text: str
    span: Span

    @property
    def title(self) -> str:
        """How messages name this statement's main clause, such as `TO TRAIN xgboost.gbtree`."""
        return self.kind.upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlStatement(Statement):
    """Plain SQL of the program's dialect, handed to the database byte for byte.

    `verb` is its first keyword in upper case (`SELECT`, `INSERT`, `WITH`, ...), "" if it has none.
    """

    kind: ClassVar[str] = "sql"
    verb: str

    @property
    def title(self) -> str:
        return self.verb or "SQL"


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
        return f"TO TRAIN {self.estimator}"


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
        return f"TO PREDICT {self.into}"

    @property
    def result_table(self) -> str:
        """The result table, as written, without the result column."""
        return self.into.text.rpartition(".")[0]

    @property
    def result_column(self) -> str:
        """The column that receives the predictions."""
        return self.into.text.rpartition(".")[2]


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
        return f"TO EVALUATE {self.model}"


@dataclass(frozen=True, slots=True)
class Program:
    """A parsed program: its exact text, its dialect (a sqlglot dialect name) and its statements in order."""

    text: str
    dialect: str
    statements: tuple[Statement, ...]

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
