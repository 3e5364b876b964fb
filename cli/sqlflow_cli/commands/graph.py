"""`sqlflow graph`: which statements of a program wait for which, as a picture or as data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from sqlflow_codegen.graph import Ordering
from sqlflow_codegen.language import DEFAULT_DIALECT, parse_program

from sqlflow_cli.errors import opened
from sqlflow_cli.options import Dialect, JobFile, OrderingOption

if TYPE_CHECKING:
    from sqlflow_codegen.language.ir import Program

    from sqlflow_cli.input_file import InputFile

Format = Literal["mermaid", "dot", "svg", "json"]


def graph(
    file: JobFile,
    dialect: Dialect = "",
    ordering: OrderingOption = None,
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
    with opened(file, dialect) as source:
        program, default_ordering, default_fusion = _program(source, dialect)
        fused = default_fusion if fusion is None else fusion
        shown = _drawn(program, ordering or default_ordering, fused, output)
    typer.echo(shown.encode(), nl=False)


def _program(file: InputFile, dialect: str) -> tuple[Program, Ordering, bool]:
    """The program, and the ordering and fusion that a manifest asks for."""
    if not file.is_manifest:
        return parse_program(file.text, dialect or DEFAULT_DIALECT), Ordering.CONSERVATIVE, True
    from sqlflow_operator.api import Fusion

    from sqlflow_cli.manifest import only_job

    spec = only_job(file, dialect).typed("default", "").spec
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
