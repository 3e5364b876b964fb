"""The grammar of model statements: one row for each statement behind `TO`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Grammar:
    """One statement.

    Attributes:
        kind: of the statement: the `kind` of its class in `ir.QUERY_STATEMENTS`.
        target: the field of that class for what follows the action: an estimator, a model, a table, an objective.
        clauses: its clauses in their order, and the field that each fills.
        required: the clauses that it must have.
        example: the whole statement for messages, from its action on.
    """

    kind: str
    target: str
    clauses: Mapping[str, str]
    required: tuple[str, ...]
    example: str


_WITH = {"WITH": "attributes"}


def _optimize(action: str) -> Grammar:
    clauses = {"CONSTRAINT": "constraints", **_WITH, "USING": "solver", "INTO": "into"}
    variables = "variables = '..', var_type = '..'"
    example = f"TO {action} expression [CONSTRAINT ...] WITH {variables} [USING solver] INTO table"
    return Grammar("optimize", "objective", clauses, ("WITH", "INTO"), example)


GRAMMARS: Mapping[str, Grammar] = MappingProxyType(
    {
        "TRAIN": Grammar(
            "train",
            "estimator",
            {**_WITH, "COLUMN": "columns", "LABEL": "label", "USING": "using", "INTO": "into"},
            ("INTO",),
            "TO TRAIN estimator [WITH name = value, ...] [COLUMN ...] [LABEL column] [USING model] INTO model",
        ),
        "PREDICT": Grammar(
            "predict",
            "into",
            {**_WITH, "USING": "using"},
            ("USING",),
            "TO PREDICT table.column [WITH name = value, ...] USING model",
        ),
        "EXPLAIN": Grammar(
            "explain",
            "model",
            {**_WITH, "USING": "explainer", "INTO": "into"},
            (),
            "TO EXPLAIN model [WITH name = value, ...] [USING explainer] [INTO table]",
        ),
        "EVALUATE": Grammar(
            "evaluate",
            "model",
            {**_WITH, "LABEL": "label", "INTO": "into"},
            ("LABEL",),
            "TO EVALUATE model [WITH name = value, ...] LABEL column [INTO table]",
        ),
        "MAXIMIZE": _optimize("MAXIMIZE"),
        "MINIMIZE": _optimize("MINIMIZE"),
        "RUN": Grammar(
            "run",
            "image",
            {"CMD": "command", "INTO": "into"},
            (),
            "TO RUN image [CMD 'program', 'argument', ... [INTO table, ...]]",
        ),
    }
)

ACTIONS = tuple(GRAMMARS)
"""The words that make a query a model statement when they follow TO."""

CLAUSES = frozenset(clause for grammar in GRAMMARS.values() for clause in grammar.clauses) | {"FOR"}
"""All words that begin a clause."""
