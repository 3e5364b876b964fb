"""The statements of a SQL program, as immutable values.

Text that a database will execute (`Statement.text` of plain SQL, `select` of model statements) is always a
slice of the program as the user wrote it: it is never printed back from a syntax tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sqlflow_codegen.errors import Diagnostic


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
    """An identifier, possibly dotted (`iris.train`, `hub:5000/img:1.0/Cls`), and where it stands.

    Names of tables (`INTO`, `TO PREDICT`) keep the quotes that they are written with; names of models,
    estimators, explainers, images and labels have theirs taken off.
    """

    text: str
    span: Span

    def __str__(self) -> str:
        return self.text

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts between the dots, quotes taken off: `db."My.T".c` is `("db", "My.T", "c")`."""
        return tuple(_unquoted(part) for part in _PART.findall(self.text))


_PART = re.compile(r"""(?:"(?:[^"]|"")*"|`(?:[^`]|``)*`|'(?:[^']|'')*'|[^.])+""")


def _unquoted(part: str) -> str:
    quoted = len(part) > 1 and part[0] == part[-1] and part[0] in "\"'`"
    return part[1:-1].replace(part[0] * 2, part[0]) if quoted else part


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
    """A column of the SELECT in a COLUMN clause, quotes taken off.

    Where no selected column has that name, it is a regular expression that selects all columns whose whole name
    matches, in any case.
    """

    text: str
    span: Span
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class ColumnStar:
    """`*` in a COLUMN clause: every selected column but the label."""

    span: Span


@dataclass(frozen=True, slots=True)
class ColumnCall:
    """A column function. `name` is upper case; `args` are those given, in the order of this table.

    | name | args |
    |---|---|
    | DENSE, SPARSE | column [, shape, delimiter, type, key-value delimiter, weight type] |
    | BUCKET | column or DENSE, boundaries |
    | CROSS | tuple of columns, hash bucket size |
    | CATEGORY_ID, CATEGORY_HASH, SEQ_CATEGORY_ID | column, DENSE or SPARSE, bucket size [, ignored] |
    | WEIGHTED_CATEGORY | CATEGORY_ID or CATEGORY_HASH |
    | EMBEDDING | column or function, dimension [, combiner, initializer] |
    | INDICATOR | column or function |

    A shape is an int, a tuple of ints or the word none; types are `float`, `int` and `string`; COMMA has become `,`.
    """

    name: str
    args: tuple[ColumnArgument, ...]
    span: Span


ColumnExpr = ColumnName | ColumnStar | ColumnCall
ColumnArgument = ColumnExpr | Value | tuple["ColumnExpr", ...]


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
        """How messages name this statement's main clause."""
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
        """How messages name this statement's main clause."""
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
        """How messages name this statement's main clause."""
        return f"TO PREDICT {self.into}"

    @property
    def result_table(self) -> str:
        """The result table, as written, without the result column."""
        return self.into.text[: -len(_PART.findall(self.into.text)[-1]) - 1]

    @property
    def result_column(self) -> str:
        """The column that receives the predictions."""
        return self.into.parts[-1]


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
        """How messages name this statement's main clause."""
        return f"TO EVALUATE {self.model}"


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
        """How messages name this statement's main clause."""
        return f"TO EXPLAIN {self.model}"


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
        """How messages name this statement's main clause."""
        return f"TO RUN {self.image}"


@dataclass(frozen=True, slots=True)
class Number:
    """A number in an objective or constraint."""

    value: int | float
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string in an objective or constraint: there, a column whose name needs quotes."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A function of an objective or constraint, such as `SUM(price * product)`."""

    name: str
    args: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `+x` or `NOT x`; `operator` is upper case."""

    operator: str
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`: + - * / % = != < > <= >= AND OR. `<>` is `!=` here."""

    operator: str
    left: Expression
    right: Expression
    span: Span


Expression = Number | Text | Name | Call | Unary | Binary


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint: a comparison, which holds for every value of the column `group_by` where that is given."""

    expression: Expression
    group_by: Name | None
    span: Span


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
    def title(self) -> str:
        """How messages name this statement's main clause."""
        return f"TO {self.direction.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTrainStatement(Statement):
    """`SHOW TRAIN model`: the statement that trained the model."""

    kind: ClassVar[str] = "show"
    model: Name

    @property
    def title(self) -> str:
        """How messages name this statement's main clause."""
        return f"SHOW TRAIN {self.model}"


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
