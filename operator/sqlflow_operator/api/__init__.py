"""The SQLFlowJob API as typed models: the one source of the CRD, its reference page and the operator's own types."""

from sqlflow_operator.api.api_model import GROUP, KIND, PLURAL, VERSION
from sqlflow_operator.api.spec import (
    PROGRAM_LIMIT,
    DataSource,
    Dialect,
    Fusion,
    SecretReference,
    SQLFlowJobSpec,
)
from sqlflow_operator.api.sqlflowjob import SQLFlowJob
from sqlflow_operator.api.status import (
    ChildReference,
    Condition,
    ConditionType,
    DiagnosticStatus,
    HistoryEntry,
    MetricStatus,
    ModelStatus,
    Phase,
    RunStatus,
    SQLFlowJobStatus,
    StepPhase,
    StepStatus,
)
from sqlflow_operator.backend_registry import Backend

__all__ = [
    "GROUP",
    "KIND",
    "PLURAL",
    "PROGRAM_LIMIT",
    "VERSION",
    "Backend",
    "ChildReference",
    "Condition",
    "ConditionType",
    "DataSource",
    "DiagnosticStatus",
    "Dialect",
    "Fusion",
    "HistoryEntry",
    "MetricStatus",
    "ModelStatus",
    "Phase",
    "RunStatus",
    "SQLFlowJob",
    "SQLFlowJobSpec",
    "SQLFlowJobStatus",
    "SecretReference",
    "StepPhase",
    "StepStatus",
]
