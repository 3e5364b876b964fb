"""The nodes of statements: names, values, columns, expressions, as immutable values.

`ir` exports them too, with the statements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlflow_codegen.language.span import Span as Span


class Part(NamedTuple):
    """One identifier of a name: its text without quotes, and whether only quotes make it an identifier as it stands.

    A bare word that no database takes for an identifier (`my-table`) counts as quoted.
    """

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier, possibly dotted (`iris.train`, `hub:5000/img:1.0/Cls`), and where it stands.

    Names of tables (`INTO`, `TO PREDICT`) keep the quotes that they are written with; names of models,
    estimators, explainers, images and labels have theirs taken off. `path` is what stands between the dots, as the
    dialect reads it (see `language.names`): a table's name is always taken from there, never from `text`.
    """

    text: str
    span: Span
    path: tuple[Part, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return self.text

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts between the dots, quotes taken off: `db."My.T".c` is `("db", "My.T", "c")`."""
        return tuple(part.text for part in self.path)


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
    """A column function. `name` is upper case; `args` are those given, in the order of `language.columns.FUNCTIONS`.

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


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number in an objective or constraint."""

    value: int | float
    span: Span


@dataclass(frozen=True, slots=True)
class StringLiteral:
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


Expression = NumberLiteral | StringLiteral | Name | Call | Unary | Binary


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint: a comparison, which holds for every value of the column `group_by` where that is given."""

    expression: Expression
    group_by: Name | None
    span: Span
