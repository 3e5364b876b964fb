"""The clauses of each statement behind `TO`, in their order, and how messages name them: the one table of them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Grammar:
    """One statement: its words in messages, its clauses in their order, those that it must have."""

    title: str
    clauses: tuple[str, ...]
    required: tuple[str, ...]
    example: str


GRAMMARS = MappingProxyType(
    {
        "TRAIN": Grammar(
            "TO TRAIN",
            ("WITH", "COLUMN", "LABEL", "USING", "INTO"),
            ("INTO",),
            "TO TRAIN estimator [WITH name = value, ...] [COLUMN ...] [LABEL column] [USING model] INTO model",
        ),
        "PREDICT": Grammar(
            "TO PREDICT",
            ("WITH", "USING"),
            ("USING",),
            "TO PREDICT table.column [WITH name = value, ...] USING model",
        ),
        "EVALUATE": Grammar(
            "TO EVALUATE",
            ("WITH", "LABEL", "INTO"),
            ("LABEL",),
            "TO EVALUATE model [WITH name = value, ...] LABEL column [INTO table]",
        ),
        "EXPLAIN": Grammar(
            "TO EXPLAIN",
            ("WITH", "USING", "INTO"),
            (),
            "TO EXPLAIN model [WITH name = value, ...] [USING explainer] [INTO table]",
        ),
        "RUN": Grammar(
            "TO RUN",
            ("CMD", "INTO"),
            (),
            "TO RUN image [CMD 'program', 'argument', ... [INTO table, ...]]",
        ),
        "MAXIMIZE": Grammar(
            "TO MAXIMIZE",
            ("CONSTRAINT", "WITH", "USING", "INTO"),
            ("WITH", "INTO"),
            "TO MAXIMIZE expression [CONSTRAINT ...] WITH variables = '..', var_type = '..' [USING solver] INTO table",
        ),
        "MINIMIZE": Grammar(
            "TO MINIMIZE",
            ("CONSTRAINT", "WITH", "USING", "INTO"),
            ("WITH", "INTO"),
            "TO MINIMIZE expression [CONSTRAINT ...] WITH variables = '..', var_type = '..' [USING solver] INTO table",
        ),
    }
)

CLAUSES = frozenset(clause for grammar in GRAMMARS.values() for clause in grammar.clauses) | {"FOR"}
"""All words that begin a clause."""
