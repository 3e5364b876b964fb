"""The registry of backends.

`sqlflow_operator.api.Backend` has their names. The module of that name in this package has the backend's `DEFINITION`.
"""

from __future__ import annotations

from importlib import import_module

from sqlflow_operator.api import Backend
from sqlflow_operator.workflow.backends.definition import BackendDefinition


def definition(backend: Backend) -> BackendDefinition:
    """The definition of a backend; its module is imported on first use."""
    found: BackendDefinition = import_module(f"{__name__}.{backend.value}").DEFINITION
    return found
