"""The `sqlflow` command: one module of `commands` per subcommand, imported when that one is called."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

COMMANDS = MappingProxyType(
    {
        "run": "Execute a program, or that of a manifest, on this computer, statement by statement, with no cluster.",
        "check": "Show all errors and warnings of a program; exit code 1 if there are errors.",
        "graph": "Show which statements wait for which, and why, and which share a step.",
        "render": "Print what the operator would create for a program or a manifest; no cluster is needed.",
        "models": "List, show, compare, copy and delete trained models.",
        "version": "Show the versions of sqlflow and of the libraries that it uses here.",
    }
)
"""Name of a subcommand, and of its module and function -> the first paragraph of its help."""


class Commands(TyperGroup):
    """The subcommands. Their help is known without them: `sqlflow --help` imports none."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, summary in COMMANDS.items():
            self.add_command(TyperCommand(name, help=summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The subcommand that the arguments name, imported, and the arguments after it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name else command, rest


def _load(name: str) -> Any:
    found = getattr(import_module(f"sqlflow_cli.commands.{name}"), name)
    if isinstance(found, typer.Typer):  # has subcommands of its own
        return get_command(found)
    alone = typer.Typer(rich_markup_mode="rich", add_completion=False)
    alone.command(name)(found)
    return get_command(alone)


app = typer.Typer(
    name="sqlflow",
    cls=Commands,
    help="Run SQL programs that train and use models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def _root() -> None:
    """Run SQL programs that train and use models."""
