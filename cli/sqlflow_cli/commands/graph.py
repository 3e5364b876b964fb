"""`sqlflow graph`: what waits for what in a program, as a picture or as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.graph import Ordering
from sqlflow_codegen.language import DEFAULT_DIALECT, normalize_dialect

from sqlflow_cli.errors import report_error
from sqlflow_cli.input_file import is_manifest, read_text

if TYPE_CHECKING:
    from sqlflow_codegen.language.ir import Program

Format = Literal["mermaid", "dot", "svg", "json"]


def graph(
    file: Annotated[
        Path, typer.Argument(help="A SQL program, or a manifest (.yaml) with one SQLFlowJob; - reads standard input.")
    ],
    dialect: Annotated[str, typer.Option(help="SQL dialect of the program.  \\[default: postgres]")] = "",
    ordering: Annotated[
        Ordering | None,
        typer.Option(
            case_sensitive=False, help="Which statements wait for which.  \\[default: the manifest's, or Conservative]"
        ),
    ] = None,
    fusion: Annotated[
        bool | None,
        typer.Option(
            "--fusion/--no-fusion", help="May SQL statements share a step?  \\[default: the manifest's, or yes]"
        ),
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="mermaid and dot: text of a picture; svg needs Graphviz; json: data.")
    ] = "mermaid",
) -> None:
    """Show which statements wait for which, and why, and which share a step."""
    text = ""
    try:
        text = read_text(file)
        program, default_ordering, default_fusion = _program(file, text, dialect)
        fused = default_fusion if fusion is None else fusion
        shown = _drawn(program, ordering or default_ordering, fused, output)
    except SQLFlowError as error:
        raise typer.Exit(report_error(error, file, text, dialect)) from error
    typer.echo(shown.encode(), nl=False)


def _program(file: Path, text: str, dialect: str) -> tuple[Program, Ordering, bool]:
    """The program, and the ordering and fusion that a manifest asks for."""
    from sqlflow_codegen.language import parse_program

    if not is_manifest(file, text):
        program = parse_program(text, normalize_dialect(dialect) if dialect else DEFAULT_DIALECT)
        return program, Ordering.CONSERVATIVE, True

    from sqlflow_operator.api import Fusion

    from sqlflow_cli.manifest import MANIFEST_DIALECT, only_job

    if dialect:
        raise SQLFlowError(MANIFEST_DIALECT)
    spec = only_job(file, text).typed("default", "").spec
    return parse_program(spec.program, spec.dialect), spec.ordering, spec.fusion is Fusion.AUTO


def _drawn(program: Program, ordering: Ordering, fusion: bool, output: Format) -> str:
    from sqlflow_codegen.graph import explain, pictures, plan

    planned = plan(program, ordering, fusion=fusion)
    notes = explain.notes(planned, ordering)
    match output:
        case "mermaid":
            return pictures.to_mermaid(planned, notes)
        case "dot":
            return pictures.to_dot(planned, notes)
        case "svg":
            return pictures.to_svg(planned)
        case "json":
            return json.dumps(pictures.to_json(planned, notes), indent=2, ensure_ascii=False) + "\n"
