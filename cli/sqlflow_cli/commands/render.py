"""`sqlflow render`: the objects that the operator would create, as YAML or as the program that prints it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.contract import STEP_IMAGE_ENV, STEP_IMAGE_PULL_POLICY_ENV, STEP_REQUESTS, STEP_REQUESTS_ENV
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.graph import Ordering
from sqlflow_operator import backend_registry

from sqlflow_cli.errors import opened
from sqlflow_cli.options import JobsFile

if TYPE_CHECKING:
    from sqlflow_cli.generation import Run

_DEFAULTS = RunOptions()
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""Names of runs and namespaces: DNS labels."""

_IN_SPEC = {
    "dialect": "dialect",
    "secret": "dataSource.secretRef.name",
    "secret_key": "dataSource.secretRef.key",
    "service_account": "serviceAccountName",
    "retries": "retries",
    "deadline": "activeDeadlineSeconds",
    "preview_rows": "previewRows",
    "ordering": "ordering",
    "fusion": "fusion",
}
"""Options for a program -> the field of a manifest that has the same."""
_FOR_PROGRAMS = (*_IN_SPEC, "name")
_FOR_MANIFESTS = ("uid",)

_PROGRAM = "Options for a SQL program"
_MANIFEST = "Options for a manifest"


def render(
    context: typer.Context,
    file: JobsFile,
    backend: Annotated[
        backend_registry.Backend | None,
        typer.Option(help="What executes the steps; a manifest may name it itself."),
    ] = None,
    code: Annotated[bool, typer.Option("--code", help="Print the Python program that prints the YAML.")] = False,
    namespace: Annotated[str, typer.Option(help="Namespace, where a manifest names none.")] = "",
    image: Annotated[
        str,
        typer.Option(envvar=STEP_IMAGE_ENV, help="Image of the steps, where a manifest names none."),
    ] = _DEFAULTS.image,
    image_pull_policy: Annotated[
        Literal["Always", "IfNotPresent", "Never"] | None,
        typer.Option(envvar=STEP_IMAGE_PULL_POLICY_ENV, help="When that image is pulled."),
    ] = None,
    step_requests: Annotated[
        str,
        typer.Option(
            envvar=STEP_REQUESTS_ENV,
            rich_help_panel=_MANIFEST,
            help="What steps request where a manifest neither requests nor limits it.",
        ),
    ] = STEP_REQUESTS,
    uid: Annotated[
        str,
        typer.Option(rich_help_panel=_MANIFEST, help="UID of the job in the API server, if metadata.uid is missing."),
    ] = "",
    dialect: Annotated[str, typer.Option(rich_help_panel=_PROGRAM, help="SQL dialect.  \\[default: postgres]")] = "",
    name: Annotated[str, typer.Option(rich_help_panel=_PROGRAM, help="Name of the run.")] = _DEFAULTS.name,
    secret: Annotated[
        str, typer.Option(rich_help_panel=_PROGRAM, help="Secret with the database's URL.")
    ] = _DEFAULTS.secret_name,
    secret_key: Annotated[
        str, typer.Option(rich_help_panel=_PROGRAM, help="Key of the URL in the Secret.")
    ] = _DEFAULTS.secret_key,
    service_account: Annotated[str, typer.Option(rich_help_panel=_PROGRAM, help="Service account of the pods.")] = "",
    retries: Annotated[
        int, typer.Option(min=0, max=10, rich_help_panel=_PROGRAM, help="How often a failed run is tried again.")
    ] = _DEFAULTS.retries,
    deadline: Annotated[
        int | None, typer.Option(min=1, rich_help_panel=_PROGRAM, help="Seconds that a run may take.")
    ] = None,
    preview_rows: Annotated[
        int, typer.Option(min=0, max=10_000, rich_help_panel=_PROGRAM, help="Rows shown of each result.")
    ] = _DEFAULTS.preview_rows,
    ordering: Annotated[
        Ordering,
        typer.Option(case_sensitive=False, rich_help_panel=_PROGRAM, help="What waits for what (argo, tekton)."),
    ] = _DEFAULTS.ordering,
    fusion: Annotated[
        bool, typer.Option(rich_help_panel=_PROGRAM, help="SQL statements may share a step.")
    ] = _DEFAULTS.fusion,
) -> None:
    """Print what the operator would create for a program or a manifest; no cluster is needed."""
    from sqlflow_cli.generation import run_of_program, runs_of_manifest

    options = RunOptions(
        name=name,
        namespace=namespace or None,
        secret_name=secret,
        secret_key=secret_key,
        image=image,
        image_pull_policy=image_pull_policy,
        service_account_name=service_account or None,
        retries=retries,
        active_deadline_seconds=deadline,
        preview_rows=preview_rows,
        ordering=ordering,
        fusion=fusion,
    )
    with opened(file, dialect) as source:
        _check_options(context, source.is_manifest, options)
        if source.is_manifest:
            runs = runs_of_manifest(source, options, backend=backend, uid=uid, requests=step_requests)
        elif backend:
            runs = [run_of_program(source.text, dialect, backend, options)]
        else:
            known = " or ".join(backend_registry.Backend)
            raise SQLFlowError(f"a SQL program names no backend: give --backend {known}")
        shown = _output(runs, code)
    typer.echo(shown.encode(), nl=False)


def _check_options(context: typer.Context, manifest: bool, options: RunOptions) -> None:
    """Refuse options that would have no effect, and names that no API server accepts."""
    for parameter in _FOR_PROGRAMS if manifest else _FOR_MANIFESTS:
        source = context.get_parameter_source(parameter)
        if source is not None and source.name == "COMMANDLINE":
            option = "--" + parameter.replace("_", "-")
            field = _IN_SPEC.get(parameter)
            instead = f": it says spec.{field} itself" if field else ""
            what = f"a manifest{instead}" if manifest else "a SQL program"
            raise SQLFlowError(f"{option} has no meaning for {what}")
    for option, value in (("--name", options.name), ("--namespace", options.namespace)):
        if value and not _NAME.fullmatch(value):
            rule = "at most 63 lower-case letters, digits and '-', the first and last no '-'"
            raise SQLFlowError(f"{option} {value!r} is no Kubernetes name: {rule}")


def _output(runs: list[Run], code: bool) -> str:
    if not code:
        return "---\n".join(run.yaml() for run in runs)
    if len(runs) > 1:
        raise SQLFlowError(f"--code prints one program, and the manifest has {len(runs)} jobs: give it one job")
    return runs[0].code()
