"""The registry of backends. Light to import: a backend's modules are imported on first use."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlflow_operator.workflow.backends.definition import BackendDefinition


class Backend(StrEnum):
    """The backends, in the order in which the operator prefers those that the cluster serves.

    The module of that name in `sqlflow_operator.workflow.backends` has the backend's `DEFINITION`.
    """

    ARGO = "argo"
    TEKTON = "tekton"
    JOB = "job"


def definition(backend: Backend) -> BackendDefinition:
    """The definition of a backend."""
    module = import_module(f"sqlflow_operator.workflow.backends.{backend.value}")
    found: BackendDefinition = module.DEFINITION
    return found
