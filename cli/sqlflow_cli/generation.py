"""From a file to what the operator would create for it, by the operator's own functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sqlflow_codegen.backend import Codegen, RunOptions
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.language import DEFAULT_DIALECT, normalize_dialect, runnable_program
from sqlflow_codegen.language.ir import Program
from sqlflow_operator.backend_registry import Backend, definition

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
        backend: instead of spec.backend; None for that.
        namespace: where a job is created whose metadata do not say; "" for `default`.
        uid: of the job in the API server; "" for metadata.uid.
        image, pull_policy: the operator's image of steps, for jobs that name none.
        requests: what steps request where a job neither requests nor limits it, such as `cpu=100m,memory=256Mi`.
    """

    backend: Backend | None = None
    namespace: str = ""
    uid: str = ""
    image: str
    pull_policy: str | None = None
    requests: str = ""


def codegen_of(backend: Backend) -> Codegen:
    """The code generator of a backend."""
    return definition(backend).codegen()


def run_of_program(text: str, dialect: str, backend: Backend, options: RunOptions) -> Run:
    """The run of a SQL program.

    Raises:
        ProgramError: the program has errors.
        SQLFlowError: no such dialect.
    """
    canonical = normalize_dialect(dialect) if dialect else DEFAULT_DIALECT
    return Run(codegen_of(backend), runnable_program(text, canonical), options)


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
    if backend not in tuple(Backend):
        raise SQLFlowError(f"job {job.name} leaves the choice of its backend to the operator: give --backend")
    program = runnable_program(typed.spec.program, typed.spec.dialect, job=True, written=job.written)
    try:
        requests = parse_requests(options.requests)
    except ValueError as error:
        raise SQLFlowError(f"--step-requests: {error}") from error
    run = run_options(typed, run_name(typed), Defaults(options.image, options.pull_policy, requests))
    if not uid:  # the API server refuses an owner without UID
        run = replace(run, owner=None)
    return Run(codegen_of(Backend(backend)), program, run)
