"""Known estimators, their attributes, and metrics: pure data, for checks before a run and for the run itself."""

from sqlflow_codegen.catalogue.estimator import Estimator
from sqlflow_codegen.catalogue.estimators import (
    VALIDATION_SELECT,
    composed,
    estimator_names,
    find_estimator,
    refusal,
    split_image,
)
from sqlflow_codegen.catalogue.rules import allows, described, fault, to_python, words
from sqlflow_codegen.catalogue.solvers import OTHER_SOLVERS, SOLVER, SOLVER_OPTIONS
from sqlflow_codegen.catalogue.statement_attributes import (
    EXTRA_OUTPUTS,
    PREDICTION_OUTPUTS,
    RESULT_ATTRIBUTES,
    RESULT_REPLACE,
    STATEMENT_ATTRIBUTES,
    VALIDATION_METRICS,
)

__all__ = [
    "EXTRA_OUTPUTS",
    "OTHER_SOLVERS",
    "PREDICTION_OUTPUTS",
    "RESULT_ATTRIBUTES",
    "RESULT_REPLACE",
    "SOLVER",
    "SOLVER_OPTIONS",
    "STATEMENT_ATTRIBUTES",
    "VALIDATION_METRICS",
    "VALIDATION_SELECT",
    "Estimator",
    "allows",
    "composed",
    "described",
    "estimator_names",
    "fault",
    "find_estimator",
    "refusal",
    "split_image",
    "to_python",
    "words",
]
