"""Effects of the statements of a program, one after the other."""

from __future__ import annotations

import re

from sqlflow_codegen.graph.analysis import Analysis
from sqlflow_codegen.graph.catalog import Catalog
from sqlflow_codegen.graph.data_objects import EXISTING, MODEL, DataObject, Effects
from sqlflow_codegen.graph.effects_builder import CATALOG_READ
from sqlflow_codegen.graph.interpreter import Interpreter
from sqlflow_codegen.graph.naming import Reference
from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.graph.session_affinity import AffinityKind
from sqlflow_codegen.graph.session_state import SessionState
from sqlflow_codegen.language import ir

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"(?<=.):\d{1,9}\Z")
"""The version in a reference to a model."""
_CONFINED = (AffinityKind.TRANSACTION, AffinityKind.LOCKS)


class ProgramState:
    """The database, the session and the current schema, as the statements so far leave them."""

    def __init__(self, dialect: str, ordering: Ordering = Ordering.CONSERVATIVE) -> None:
        self.interpreter = Interpreter(dialect)
        # Program order does not say who has to share a session: only names that are trusted do.
        self.catalog = Catalog(self.interpreter.names, ordering is not Ordering.LINEAGE)
        self.session = SessionState(dialect)


def effects(statement: ir.Statement, state: ProgramState) -> Effects:
    """The effects of a statement, given those before it; `state` is then as the statement leaves it.

    Statements of a program have to be passed in its order, each once.
    """
    session, catalog = state.session, state.catalog
    shared = session.start(statement.number)
    analysis = Analysis(catalog, session)
    setting = False
    state.interpreter.read_quotes(other=statement.other_quotes)
    if isinstance(statement, ir.SqlStatement):
        setting = state.interpreter.interpret(statement.text, analysis)
        analysis.changes_session |= setting
    else:
        _model_statement(statement, analysis, state.interpreter)
    if isinstance(statement, ir.RunStatement):
        return _of_run(analysis, session, catalog)
    if not analysis.understood:
        catalog.forget_new()
        session.unclear_variables = True
        analysis.affinities |= set(session.memory.values())
    if _runs_hidden_code(analysis):
        analysis.affinities |= session.hidden()
    if catalog.schemas and not setting:
        for each in session.settings:
            if each.schema:
                analysis.use_schema(each.schema)
    analysis.affinities |= shared | session.affinities()
    return analysis.effects(setting=setting and not analysis.affinities)


def _of_run(analysis: Analysis, session: SessionState, catalog: Catalog) -> Effects:
    """The effects of TO RUN. Its program has a session of its own.

    What it would need of this one is noted all the same: the steps show then that it cannot have it.
    """
    if not analysis.understood:
        catalog.forget_new()
    analysis.affinities |= {each for each in session.affinities() if each.kind in _CONFINED}
    return analysis.effects(setting=False)


def _runs_hidden_code(analysis: Analysis) -> bool:
    """True if it uses triggers, functions or views whose bodies look up names in this session.

    DuckDB looks up the names in the definition of a view or a macro when it is used, the session's temporary tables
    first.
    """
    if analysis.catalog.names.dialect not in ("duckdb", "postgres", "mysql"):
        return False
    if not analysis.understood:
        return True
    if analysis.catalog.names.dialect == "duckdb":
        return analysis.uses_view or EXISTING in analysis.reads or EXISTING in analysis.writes
    return EXISTING in analysis.writes and analysis.catalog.conservative


def _model_statement(statement: ir.Statement, analysis: Analysis, interpreter: Interpreter) -> None:
    """Note the effects of a statement that is no plain SQL."""
    if not isinstance(statement, ir.QueryStatement):
        _about_models(statement, analysis)
        return
    interpreter.query(statement.select, analysis)
    match statement:
        case ir.TrainStatement():
            for name, value in ((each.name, each.value) for each in statement.attributes):
                if name == "validation.select" and isinstance(value, str) and value.strip():
                    interpreter.query(value, analysis)
            if statement.using is not None:
                analysis.reads.add(_model(statement.using))
            analysis.writes.add(_model(statement.into))
        case ir.PredictStatement():
            analysis.reads.add(_model(statement.using))
            _write_table(statement.result_path, analysis)
        case ir.EvaluateStatement() | ir.ExplainStatement():
            analysis.reads.add(_model(statement.model))
            if statement.into is not None:
                _write_table(statement.into.path, analysis)
        case ir.OptimizeStatement():
            _write_table(statement.into.path, analysis)
        case ir.RunStatement():
            _run(statement, analysis)
        case _:
            raise TypeError(f"no effects of {type(statement).__name__} are known")


def _about_models(statement: ir.Statement, analysis: Analysis) -> None:
    """Note the effects of a statement about the model store."""
    match statement:
        case ir.ShowTrainStatement():
            analysis.reads.add(_model(statement.model))
        case ir.ShowModelsStatement():
            analysis.run_alone(CATALOG_READ)
        case ir.DropModelStatement():
            analysis.writes.add(_model(statement.model))
        case _:
            raise TypeError(f"no effects of {type(statement).__name__} are known")


def _run(statement: ir.RunStatement, analysis: Analysis) -> None:
    """Note the effects of an image that is not known: it is trusted to write the tables after INTO and no others.

    It may read any table that existed before, where names are not trusted, and those that its command mentions.
    """
    for table in statement.into:
        _write_table(table.path, analysis)
    if not statement.into:
        analysis.give_up("TO RUN without INTO may write anything", "Name the tables that it writes after INTO.")
    elif analysis.catalog.conservative:
        analysis.use_existing(write=True)
    for relation in analysis.catalog.mentioned(_WORD.findall(" ".join(statement.command))):
        analysis.read_relation(relation)


def _model(name: ir.Name) -> DataObject:
    """A model with all its versions; the model stores of some databases ignore case, so that all do here."""
    text = _NUMBER.sub("", name.text)
    return DataObject(MODEL, "", text.casefold(), text)


def _write_table(name: Reference, analysis: Analysis) -> None:
    """The result table of a model statement: created, or replaced if it exists."""
    reference = name[-3:]
    if not reference or analysis.use_temporary(reference, analysis.writes):
        return
    relation = analysis.catalog.relation(reference)
    provenances = analysis.catalog.provenances
    if provenances.is_absent(relation):
        provenances.created(relation, plain=True)
    elif not provenances.is_own(relation):
        provenances.dropped(relation, surely=False)
    analysis.write_relation(relation)
