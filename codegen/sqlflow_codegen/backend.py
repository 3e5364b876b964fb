"""The uniform interface that every backend's code generator has, and the options of a run that it may use."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.language.ir import Program

LABEL_LENGTH = 63
"""Characters that the value of a label may have."""

_LABEL = re.compile(r"[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?")


def job_label(name: str) -> str:
    """A job's name as the value of a label: the name itself, or, where it does not fit, its beginning and a hash."""
    if len(name) <= LABEL_LENGTH and _LABEL.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    beginning = re.sub(r"[^-_.A-Za-z0-9]", "-", name)[: LABEL_LENGTH - len(digest) - 1].strip("-_.")
    return f"{beginning}-{digest}" if beginning else digest


def runs_one_at_a_time(backend: str) -> bool:
    """True if the backend runs one step after the other."""
    return backend == "job"


def effective_ordering(backend: str, ordering: Ordering) -> Ordering:
    """The ordering by which a backend's steps are planned, given the one that was asked for.

    Where steps run one at a time, the program's own order keeps every promise of the others with fewer steps.
    """
    return Ordering.SEQUENTIAL if runs_one_at_a_time(backend) else ordering


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """All that shapes a run besides its statements. Pod-related values are plain Kubernetes JSON.

    `name` is the run's name: the child, its ConfigMap and, as label, its pods carry it.
    `owner` is the ownerReference of child and ConfigMap, absent outside the operator.
    `ordering` says what waits for what in the DAG of the backends that run one (argo, tekton);
    `fusion` whether SQL statements may share a step.
    `image_pull_policy` is that of the step image, `own_image_pull_policy` that of images that the program names.
    `ttl_seconds_after_finished` lets Argo itself delete the child; the operator leaves it unset, it deletes children.
    """

    name: str = "sqlflow-run"
    namespace: str | None = None
    owner: Mapping[str, Any] | None = None
    job_name: str | None = None
    secret_name: str = "sqlflow-database"
    secret_key: str = "url"
    image: str = "sqlflow-step:latest"
    image_pull_policy: str | None = None
    own_image_pull_policy: str | None = None
    image_pull_secrets: Sequence[Mapping[str, Any]] = ()
    service_account_name: str | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    env: Sequence[Mapping[str, Any]] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
    affinity: Mapping[str, Any] = field(default_factory=dict)
    retries: int = 0
    active_deadline_seconds: int | None = None
    ttl_seconds_after_finished: int | None = None
    preview_rows: int = 100
    suspend: bool = False
    ordering: Ordering = Ordering.CONSERVATIVE
    fusion: bool = True


class Codegen(Protocol):
    """From statements to a Python program to YAML. Pure; safe to call from many threads."""

    backend: str

    def gen_code(self, statements: Program, options: RunOptions = ...) -> str:
        """A readable, standalone Python program in the backend's DSL; `python program.py` prints the YAML.

        User text appears in it only as literals made by `repr`.
        """

    def gen_yaml(self, code: str) -> str:
        """Execute that program, isolated and limited, and return the YAML documents that it printed.

        Raises:
            CodegenError: it failed, exceeded its CPU, memory or time limit, or printed no YAML.
        """
