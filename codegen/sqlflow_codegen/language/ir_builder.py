"""Puts the IR statement together from its target and clauses, once they are known to be right."""

from __future__ import annotations

from typing import TypedDict

from sqlflow_codegen.language.clauses import Clauses
from sqlflow_codegen.language.ir import (
    EvaluateStatement,
    ExplainStatement,
    Expression,
    Name,
    OptimizeStatement,
    PredictStatement,
    RunStatement,
    Span,
    Statement,
    TrainStatement,
)


class Common(TypedDict):
    """The fields that all model statements share."""

    number: int
    text: str
    span: Span
    select: str
    select_span: Span
    other_quotes: bool


def build(action: str, common: Common, target: Name | Expression, clauses: Clauses) -> Statement:
    """The statement of that action. Its required clauses must have been checked.

    Raises:
        ValueError: a required clause is missing.
    """
    if action in ("MAXIMIZE", "MINIMIZE"):
        return OptimizeStatement(
            **common,
            direction=action.lower(),
            objective=target,
            constraints=clauses.constraints,
            attributes=clauses.attributes,
            solver=clauses.using,
            into=clauses.into[0],
        )
    if not isinstance(target, Name):
        raise ValueError(f"TO {action} without a name")
    into = clauses.into[0] if clauses.into else None
    match action, clauses.using, clauses.label, into:
        case "TRAIN", using, label, Name() as model:
            return TrainStatement(
                **common,
                estimator=target,
                attributes=clauses.attributes,
                columns=tuple(clauses.columns),
                label=label,
                using=using,
                into=model,
            )
        case "PREDICT", Name() as model, _, _:
            return PredictStatement(**common, into=target, attributes=clauses.attributes, using=model)
        case "EVALUATE", _, Name() as label, table:
            return EvaluateStatement(**common, model=target, attributes=clauses.attributes, label=label, into=table)
        case "EXPLAIN", explainer, _, table:
            return ExplainStatement(
                **common, model=target, attributes=clauses.attributes, explainer=explainer, into=table
            )
        case "RUN", _, _, _:
            return RunStatement(**common, image=target, command=clauses.command, into=tuple(clauses.into))
    raise ValueError(f"TO {action} without a clause that it needs")
