"""`sqlflow version`: what is installed."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

import typer

_LIBRARIES = ("xgboost-cpu", "scikit-learn", "psycopg", "duckdb")


def version() -> None:
    """Show the versions of sqlflow and of the libraries that it uses here."""
    typer.echo(f"sqlflow {installed('sqlflow-operator')}")
    typer.echo(f"python {platform.python_version()}")
    for library in _LIBRARIES:
        try:
            typer.echo(f"{library} {installed(library)}")
        except PackageNotFoundError:
            typer.echo(f"{library} is not installed")
