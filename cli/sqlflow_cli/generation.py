"""From a file to what the operator would create for it, by the operator's own functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from sqlflow_codegen.backend import Codegen, RunOptions
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.language import DEFAULT_DIALECT, normalize_dialect, runnable_program
from sqlflow_codegen.language.ir import Program

from sqlflow_cli.manifest import Job, ManifestError, read_jobs


@dataclass(frozen=True, slots=True)
class Run:
    """What one run is generated from."""

    codegen: Codegen
    program: Program
    options: RunOptions

    def code(self) -> str:
        """The Python program in the backend's DSL."""
        return self.codegen.gen_code(self.program, self.options)

    def yaml(self) -> str:
        """The YAML that the program prints."""
        return self.codegen.gen_yaml(self.code())


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestOptions:
    """What a manifest does not say.

    Attributes:
        backend: instead of spec.backend; "" for that.
        namespace: where a job is created whose metadata do not say; "" for `default`.
        uid: of the job in the API server; "" for metadata.uid.
        image, pull_policy: the operator's image of steps, for jobs that name none.
        requests: what steps request where a job neither requests nor limits it, such as `cpu=100m,memory=256Mi`.
    """

    backend: str = ""
    namespace: str = ""
    uid: str = ""
    image: str
    pull_policy: str | None = None
    requests: str = ""


def _argo() -> Codegen:
    from sqlflow_codegen.couler import CoulerCodegen

    return CoulerCodegen()


def _tekton() -> Codegen:
    from sqlflow_codegen.fluid import FluidCodegen

    return FluidCodegen()


def _job() -> Codegen:
    from sqlflow_codegen.job import JobCodegen

    return JobCodegen()


# Imported when asked for, as in the operator.
CODEGENS: Mapping[str, Callable[[], Codegen]] = MappingProxyType({"job": _job, "argo": _argo, "tekton": _tekton})
"""The code generator of every backend."""


def run_of_program(text: str, dialect: str, backend: str, options: RunOptions) -> Run:
    """The run of a SQL program.

    Raises:
        ProgramError: the program has errors.
        SQLFlowError: no such dialect.
    """
    canonical = normalize_dialect(dialect) if dialect else DEFAULT_DIALECT
    return Run(CODEGENS[backend](), runnable_program(text, canonical), options)


def runs_of_manifest(file: Path, text: str, options: ManifestOptions) -> list[Run]:
    """The runs of all SQLFlowJobs of a manifest, in its order.

    Raises:
        ProgramError: a program has errors.
        SQLFlowError: the manifest cannot be read, or lacks something; the message says where.
    """
    jobs = read_jobs(text)
    if not jobs:
        raise SQLFlowError(f"{file} holds no SQLFlowJob")
    if options.uid and len(jobs) > 1:
        raise SQLFlowError(f"{file} holds {len(jobs)} SQLFlowJobs, which cannot all have the UID {options.uid}")
    return [_run_of_job(job, options) for job in jobs]


def _run_of_job(job: Job, options: ManifestOptions) -> Run:
    from sqlflow_operator.run_name import run_name
    from sqlflow_operator.run_options import Defaults, parse_requests, run_options

    if options.namespace and job.namespace not in ("", options.namespace):
        message = f"metadata.namespace is {job.namespace}, not {options.namespace} as --namespace says"
        raise ManifestError(message, *job.place(("metadata", "namespace")))
    uid = options.uid or job.uid
    typed = job.typed(options.namespace or "default", uid)
    backend = options.backend or typed.spec.backend or job.taken_backend
    if backend not in CODEGENS:
        raise SQLFlowError(f"job {job.name} leaves the choice of its backend to the operator: give --backend")
    program = runnable_program(typed.spec.program, typed.spec.dialect, job=True, written=job.written)
    try:
        requests = parse_requests(options.requests)
    except ValueError as error:
        raise SQLFlowError(f"--step-requests: {error}") from error
    run = run_options(typed, run_name(typed), Defaults(options.image, options.pull_policy, requests))
    if not uid:  # the API server refuses an owner without UID
        run = replace(run, owner=None)
    return Run(CODEGENS[backend](), program, run)
