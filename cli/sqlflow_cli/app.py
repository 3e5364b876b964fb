"""The `sqlflow` command: one module of `commands` per subcommand."""

from __future__ import annotations

import typer

from sqlflow_cli.commands.check import check
from sqlflow_cli.commands.graph import graph
from sqlflow_cli.commands.render import render
from sqlflow_cli.commands.run import run
from sqlflow_cli.commands.version import version

app = typer.Typer(
    name="sqlflow",
    help="Run SQL programs that train and use models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (run, check, graph, render, version):
    app.command()(command)


@app.callback()
def _root() -> None:
    """Run SQL programs that train and use models."""
