"""The operator's way to the API server."""

from sqlflow_operator.kube.client import (
    CONFIG_MAPS,
    EVENTS,
    JOBS,
    PIPELINE_RUNS,
    PODS,
    SQLFLOWJOBS,
    TASK_RUNS,
    WORKFLOWS,
    Kube,
    KubeClient,
    Object,
    Resource,
    load_configuration,
)
from sqlflow_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)

__all__ = [
    "CONFIG_MAPS",
    "EVENTS",
    "JOBS",
    "PIPELINE_RUNS",
    "PODS",
    "SQLFLOWJOBS",
    "TASK_RUNS",
    "WORKFLOWS",
    "AlreadyExistsError",
    "ApiError",
    "ConflictError",
    "ForbiddenError",
    "InvalidError",
    "Kube",
    "KubeClient",
    "NotFoundError",
    "Object",
    "Resource",
    "UnavailableError",
    "load_configuration",
]
