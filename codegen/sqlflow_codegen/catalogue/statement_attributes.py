"""Attributes of model statements apart from the estimators' own."""

from __future__ import annotations

from types import MappingProxyType

from sqlflow_codegen.catalogue.explainers import EXPLAIN_ATTRIBUTES

RESULT_REPLACE = "result.replace"
"""Lets a statement replace a table that no result statement made."""

RESULT_ATTRIBUTES = MappingProxyType({RESULT_REPLACE: "bool"})
"""Attributes of the statements that write a result table."""

EXTRA_OUTPUTS = "predict.extra_outputs"
"""Attribute of PREDICT with the names of what it writes besides the predictions, separated by commas."""

PREDICTION_OUTPUTS = ("probability", "score")
"""Names for `predict.extra_outputs`: probabilities of classes, and the raw scores that decide."""

VALIDATION_METRICS = "validation.metrics"
"""Attribute of EVALUATE with the metrics' names, separated by commas."""

STATEMENT_ATTRIBUTES = MappingProxyType(
    {
        "predict": {EXTRA_OUTPUTS: "str", "predict.num_workers": "int [1,inf)", **RESULT_ATTRIBUTES},
        "evaluate": {
            VALIDATION_METRICS: "str",
            "validation.steps": "int [1,inf) | none",
            "validation.batch_size": "int [1,inf)",
            "validation.verbose": "int [0,2]",
            **RESULT_ATTRIBUTES,
        },
        "explain": {**EXPLAIN_ATTRIBUTES, **RESULT_ATTRIBUTES},
    }
)
"""Kind of a statement -> its attributes, each with its rule."""
