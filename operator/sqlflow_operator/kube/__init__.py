"""The operator's way to the API server: kinds, calls and errors. `kube.client` has the client itself."""

from sqlflow_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)
from sqlflow_operator.kube.interface import (
    CONFIG_MAPS,
    EVENTS,
    JOBS,
    LOCAL_ACCESS_REVIEWS,
    PIPELINE_RUNS,
    PODS,
    SQLFLOWJOBS,
    TASK_RUNS,
    WORKFLOWS,
    Kube,
    Object,
    Resource,
    owner_uids,
)

__all__ = [
    "CONFIG_MAPS",
    "EVENTS",
    "JOBS",
    "LOCAL_ACCESS_REVIEWS",
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
    "NotFoundError",
    "Object",
    "Resource",
    "UnavailableError",
    "owner_uids",
]
