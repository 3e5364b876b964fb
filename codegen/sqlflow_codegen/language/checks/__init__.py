"""Semantic checks: unknown attributes, values out of range, clauses that contradict each other.

Unknown estimators and attributes only cause warnings: an image of the user's own may know them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlflow_codegen.catalogue import STATEMENT_ATTRIBUTES, Estimator, composed, find_estimator
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.checks.attributes import check_attributes
from sqlflow_codegen.language.checks.explain import check_explain
from sqlflow_codegen.language.checks.model_statements import check_train
from sqlflow_codegen.language.checks.optimize import check_optimize
from sqlflow_codegen.language.checks.use_of_models import check_evaluate, check_predict
from sqlflow_codegen.language.source import Problem


def check_statements(statements: Iterable[ir.Statement]) -> Iterator[tuple[int, Problem]]:
    """Each problem with the number of its statement."""
    listed = tuple(statements)
    if all(statement.kind == "sql" for statement in listed):
        return
    last_trained = {one.into.text: one.number for one in listed if isinstance(one, ir.TrainStatement)}
    trained: dict[str, Estimator | None] = {}
    for statement in listed:
        for problem in (*_check(statement, trained), *_order(statement, trained, last_trained)):
            yield statement.number, problem
        if isinstance(statement, ir.TrainStatement):
            estimator = find_estimator(statement.estimator.text)
            trained[statement.into.text] = estimator and composed(estimator, statement.attributes).estimator


def _check(statement: ir.Statement, trained: dict[str, Estimator | None]) -> Iterator[Problem]:
    checked_apart = isinstance(statement, ir.EvaluateStatement)
    if isinstance(statement, ir.QueryStatement) and statement.kind in STATEMENT_ATTRIBUTES and not checked_apart:
        rules = STATEMENT_ATTRIBUTES[statement.kind]
        severity = "error" if statement.kind == "explain" else "warning"
        yield from check_attributes(statement.attributes, rules, statement.clause, severity=severity)
    match statement:
        case ir.TrainStatement():
            yield from check_train(statement)
        case ir.PredictStatement():
            yield from check_predict(statement, trained)
        case ir.EvaluateStatement():
            yield from check_evaluate(statement, trained)
        case ir.ExplainStatement():
            yield from check_explain(statement, trained)
        case ir.OptimizeStatement():
            yield from check_optimize(statement)


def _order(
    statement: ir.Statement, trained: dict[str, Estimator | None], last_trained: dict[str, int]
) -> Iterator[Problem]:
    """A model used first and trained later is most probably a mistake, but may exist from an earlier run."""
    match statement:
        case ir.PredictStatement(using=model) | ir.EvaluateStatement(model=model) | ir.ExplainStatement(model=model):
            if model.text not in trained and model.text in last_trained:
                later = last_trained[model.text]
                message = f"model `{model}` is trained only later, by statement {later}"
                hint = "Move this statement behind it, unless a model of that name exists already."
                yield Problem("model-order", message, model.span.start, hint, "warning")
