"""The arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlflow_codegen.graph import Ordering

_FILE = "A SQL program, or a manifest (.yaml) with {}; - reads standard input."

JobsFile = Annotated[Path, typer.Argument(help=_FILE.format("SQLFlowJobs"))]
JobFile = Annotated[Path, typer.Argument(help=_FILE.format("one SQLFlowJob"))]
Dialect = Annotated[str, typer.Option(help="SQL dialect of the program.  \\[default: postgres]")]
OrderingOption = Annotated[
    Ordering | None,
    typer.Option(
        "--ordering",
        case_sensitive=False,
        help="Which statements wait for which.  \\[default: the manifest's, or Conservative]",
    ),
]
