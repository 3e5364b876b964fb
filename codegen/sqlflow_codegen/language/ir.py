"""The statements of a SQL program, as immutable values; `program` has those of plain SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from sqlflow_codegen.language.nodes import *  # noqa: F403  (statements and their nodes in one place)
from sqlflow_codegen.language.nodes import Attribute, ColumnClause, Constraint, Expression, Name, Part, Span
from sqlflow_codegen.language.program import Program as Program
from sqlflow_codegen.language.program import SqlStatement as SqlStatement
from sqlflow_codegen.language.program import Statement as Statement


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowModelsStatement(Statement):
    """`SHOW MODELS`: the newest version of each stored model."""

    kind: ClassVar[str] = "models"

    @property
    def clause(self) -> str:
        """`SHOW MODELS`."""
        return "SHOW MODELS"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropModelStatement(Statement):
    """`DROP MODEL [IF EXISTS] model`, with all its versions, or one version of it: `model:3`."""

    kind: ClassVar[str] = "drop_model"
    titled: ClassVar[tuple[tuple[str, str], ...]] = (("", "model"),)
    model: Name
    if_exists: bool = False

    @property
    def clause(self) -> str:
        """`DROP MODEL`."""
        return "DROP MODEL"


QUERY_STATEMENTS: Mapping[str, type[QueryStatement]] = MappingProxyType(
    {
        one.kind: one
        for one in (
            TrainStatement,
            PredictStatement,
            EvaluateStatement,
            ExplainStatement,
            RunStatement,
            OptimizeStatement,
        )
    }
)
"""The classes of the statements that begin with a query, by their kind."""
