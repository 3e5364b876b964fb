"""`TO PREDICT`: the selected columns but the label, and the predictions as the last column, in a new table."""

from __future__ import annotations

from sqlflow_codegen.language.ir import PredictStatement, Statement
from sqlflow_codegen.language.names import stored

from sqlflow_runtime.databases.base import Column, Derivation, Result, Row
from sqlflow_runtime.failures import RunError
from sqlflow_runtime.hints import explained
from sqlflow_runtime.ml.attributes import ignore_attributes
from sqlflow_runtime.ml.columns import check_distinct, find_column
from sqlflow_runtime.ml.dataset import Encoder
from sqlflow_runtime.ml.model import Model, load
from sqlflow_runtime.session import Session


def run(session: Session, statement: Statement) -> Result:
    """Predict; returns the number of rows written."""
    assert isinstance(statement, PredictStatement)
    database = session.database
    ignore_attributes(statement.attributes, (), session.recorder.log)
    model, version = load(database, statement.using.text, statement.using.span.start)
    session.recorder.log("info", f"using version {version} of {statement.using} ({model.estimator})")
    try:
        derivation = _derivation(session, statement, model, database.describe(statement.select))
        with session.effect(statement):
            table = tuple(stored(part, database.dialect) for part in statement.result_path)
            count = database.derive_table(statement.select, table, derivation)
    except RunError as failure:
        raise explained(database, failure) from failure
    return Result(affected=count)


def _derivation(session: Session, statement: PredictStatement, model: Model, columns: tuple[Column, ...]) -> Derivation:
    check_distinct(columns)
    label = find_column(columns, model.label.name) if model.label is not None else None
    keep = tuple(column for column in columns if column != label)
    name = stored(statement.into.path[-1], session.database.dialect)
    if find_column(keep, name) is not None:
        raise RunError(
            "data",
            f"the SELECT returns a column {name} too, which is to be the predictions' name",
            f"Choose another name: TO PREDICT {statement.result_table}.predicted.",
            place=statement.into.span.start,
        )
    added = Column(name, session.database.type_for(model.result_kind), model.result_kind)
    encoder = Encoder(columns, model.features, model.fitted.dtype)

    def compute(rows: list[Row]) -> list[Row]:
        session.check_stopped()
        return [(value,) for value in model.result(encoder.encode(rows))]

    return Derivation(keep, (added,), compute)
