"""Attributes of model statements apart from the estimators' own, and the metrics that EVALUATE may name."""

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

_CLASSIFICATION = """
    accuracy_score average_precision_score balanced_accuracy_score brier_score_loss cohen_kappa_score f1_score
    fbeta_score hamming_loss hinge_loss jaccard_score log_loss matthews_corrcoef precision_score recall_score
    roc_auc_score zero_one_loss"""
_REGRESSION = """
    explained_variance_score max_error mean_absolute_error mean_absolute_percentage_error mean_squared_error
    mean_squared_log_error median_absolute_error r2_score root_mean_squared_error root_mean_squared_log_error"""

CLASSIFICATION_METRICS = tuple(_CLASSIFICATION.split())
REGRESSION_METRICS = tuple(_REGRESSION.split())
METRICS = (*CLASSIFICATION_METRICS, *REGRESSION_METRICS)
"""scikit-learn's functions of labels and predictions."""

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
