"""Generates the objects that the operator would create for a file, by the operator's own functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlflow_codegen.backend import Codegen, RunOptions
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.language import DEFAULT_DIALECT, runnable_program
from sqlflow_codegen.language.ir import Program
from sqlflow_operator.backend_registry import Backend, definition

from sqlflow_cli.input_file import InputFile, ManifestError
from sqlflow_cli.manifest import Job, jobs_of

if TYPE_CHECKING:
    from sqlflow_operator.run_options import Defaults


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


def codegen_of(backend: Backend) -> Codegen:
    """The code generator of a backend."""
    return definition(backend).codegen()


def run_of_program(text: str, dialect: str, backend: Backend, options: RunOptions) -> Run:
    """The run of a SQL program; raises as `runnable_program`."""
    return Run(codegen_of(backend), runnable_program(text, dialect or DEFAULT_DIALECT), options)


def runs_of_manifest(
    file: InputFile, options: RunOptions, *, backend: Backend | None, uid: str, requests: str
) -> list[Run]:
    """The runs of all SQLFlowJobs of a manifest, in its order.

    Args:
        file: the manifest.
        options: the namespace, step image and pull policy of jobs that name none.
        backend: instead of spec.backend; None for that of the manifest.
        uid: of the job in the API server; "" for metadata.uid.
        requests: of steps whose job neither requests nor limits it, such as `cpu=100m,memory=256Mi`.

    Raises:
        ProgramError: a program has errors.
        SQLFlowError: the manifest cannot be read, or lacks something.
    """
    from sqlflow_operator.run_options import Defaults, parse_requests

    jobs = jobs_of(file)
    if uid and len(jobs) > 1:
        raise SQLFlowError(f"{file.path} holds {len(jobs)} SQLFlowJobs, which cannot all have the UID {uid}")
    try:
        defaults = Defaults(options.image, options.image_pull_policy, parse_requests(requests))
    except ValueError as error:
        raise SQLFlowError(f"--step-requests: {error}") from error
    return [_run_of_job(job, options.namespace or "", backend, uid, defaults) for job in jobs]


def _run_of_job(job: Job, wanted: str, backend: Backend | None, uid: str, defaults: Defaults) -> Run:
    from sqlflow_operator.run_name import run_name
    from sqlflow_operator.run_options import run_options

    namespace, uid = job.identity("namespace"), uid or job.identity("uid")
    if wanted and namespace not in ("", wanted):
        message = f"metadata.namespace is {namespace}, not {wanted} as --namespace says"
        raise ManifestError(message, *job.place(("metadata", "namespace")))
    typed = job.typed(wanted or "default", uid)
    chosen = backend or typed.spec.backend or job.taken_backend
    if chosen not in tuple(Backend):
        raise SQLFlowError(f"job {job.name} leaves the choice of its backend to the operator: give --backend")
    program = runnable_program(typed.spec.program, typed.spec.dialect, job=True, written=job.written)
    run = run_options(typed, run_name(typed), defaults)
    if not uid:  # the API server refuses an owner without UID
        run = replace(run, owner=None)
    return Run(codegen_of(Backend(chosen)), program, run)
