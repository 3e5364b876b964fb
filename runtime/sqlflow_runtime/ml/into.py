"""The result table that a statement with a model names."""

from __future__ import annotations

from sqlflow_codegen.catalogue import RESULT_REPLACE
from sqlflow_codegen.language.ir import EvaluateStatement, ExplainStatement, OptimizeStatement, PredictStatement
from sqlflow_codegen.language.names import stored

from sqlflow_runtime.databases.result_tables import ResultTable
from sqlflow_runtime.step_context import StepContext


def result_table(
    context: StepContext,
    statement: PredictStatement | EvaluateStatement | ExplainStatement | OptimizeStatement,
    legacy_type: str = "",
) -> ResultTable | None:
    """The result table of a statement; None where it names none. `legacy_type`: see `ResultTable`."""
    into = statement.into
    if into is None:
        return None
    predicts = isinstance(statement, PredictStatement)
    path = into.path[:-1] if predicts else into.path
    return ResultTable(
        path=tuple(stored(part, context.database.dialect) for part in path),
        shown=".".join(f'"{text}"' if quoted else text for text, quoted in path),
        title=statement.title,
        column=into.path[-1].text if predicts else "",
        select=statement.select,
        place=into.span.start,
        replace=any(one.name == RESULT_REPLACE and one.value is True for one in statement.attributes),
        legacy_type=legacy_type,
        log=context.recorder.log,
    )
