"""Generates the objects that the operator would create for a file, by the operator's own functions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlflow_codegen.backend import Codegen, RunOptions
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.language import DEFAULT_DIALECT, runnable_program
from sqlflow_codegen.language.ir import Program
from sqlflow_operator.backend_registry import Backend, definition

from sqlflow_cli.input_file import InputFile
from sqlflow_cli.manifest import Job, ManifestError, jobs_of


@dataclass(frozen=True, slots=True)
class Run:
    """The input of one run's generation."""

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
    """Options for the fields that a manifest may lack.

    Attributes:
        backend: instead of spec.backend; None for that of the manifest.
        namespace: of jobs whose metadata name none; "" for `default`.
        uid: of the job in the API server; "" for metadata.uid.
        image, pull_policy: the operator's image of steps, for jobs that name none.
        requests: of steps whose job neither requests nor limits it, such as `cpu=100m,memory=256Mi`.
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
    return Run(codegen_of(backend), runnable_program(text, dialect or DEFAULT_DIALECT), options)


def runs_of_manifest(file: InputFile, options: ManifestOptions) -> list[Run]:
    """The runs of all SQLFlowJobs of a manifest, in its order.

    Raises:
        ProgramError: a program has errors.
        SQLFlowError: the manifest cannot be read, or lacks something.
    """
    jobs = jobs_of(file)
    if options.uid and len(jobs) > 1:
        raise SQLFlowError(f"{file.path} holds {len(jobs)} SQLFlowJobs, which cannot all have the UID {options.uid}")
    return [_run_of_job(job, options) for job in jobs]


def _run_of_job(job: Job, options: ManifestOptions) -> Run:
    from sqlflow_operator.run_name import run_name
    from sqlflow_operator.run_options import Defaults, parse_requests, run_options

    namespace = job.identity("namespace")
    if options.namespace and namespace not in ("", options.namespace):
        message = f"metadata.namespace is {namespace}, not {options.namespace} as --namespace says"
        raise ManifestError(message, *job.place(("metadata", "namespace")))
    uid = options.uid or job.identity("uid")
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
