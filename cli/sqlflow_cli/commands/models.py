"""`sqlflow models`: lists, shows, compares, copies and deletes the models of a store."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from sqlflow_codegen.contract import DATABASE_ENV, EXIT_USAGE, MODEL_STORE_ENV
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_runtime.databases import open_database, parse_url
from sqlflow_runtime.databases.url import scrubber
from sqlflow_runtime.errors import RunError, exit_code
from sqlflow_runtime.model_store import ModelStore, StoredModel, open_model_store
from sqlflow_runtime.model_store.archive import read_archive, write_archive
from sqlflow_runtime.show import newest

from sqlflow_cli.model_tables import differences, print_table, summary
from sqlflow_cli.screen import complain, counted, visible

_WHERE = f"--database (or the environment variable {DATABASE_ENV})"

Database = Annotated[
    str, typer.Option(envvar=DATABASE_ENV, show_envvar=True, help="URL of the database that has the models.")
]
Store = Annotated[
    str,
    typer.Option(
        envvar=MODEL_STORE_ENV,
        show_envvar=True,
        help="URL or folder of the models, such as s3://bucket/folder, where they are not in the database.",
    ),
]
Format = Annotated[Literal["text", "json"], typer.Option("--format", help="json: for scripts.")]
Model = Annotated[str, typer.Argument(help="A model, or one version of it: churn:3.", metavar="MODEL[:VERSION]")]

models = typer.Typer(
    help="List, show, compare, copy and delete trained models.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
)


@models.command("list")
def list_models(
    model: Annotated[str, typer.Argument(help="List all versions of this model.", metavar="[MODEL]")] = "",
    database: Database = "",
    store: Store = "",
    output: Format = "text",
) -> None:
    """List the newest version of each model, or all versions of one."""
    with _opened(database, store) as found:
        every = found.versions(model)
        if model and not every:
            found.describe(model)  # says what is there
        rows = every if model else list(newest(every))
        if output == "json":
            typer.echo(json.dumps([_as_json(one) for one in rows], indent=2))
        else:
            print_table(summary(rows))


@models.command()
def show(model: Model, database: Database = "", store: Store = "", output: Format = "text") -> None:
    """Show what is known of a model: its statement, columns, metrics, versions of libraries."""
    with _opened(database, store) as found:
        one = found.describe(model)
        if output == "json":
            typer.echo(json.dumps(_as_json(one), indent=2))
        else:
            print_table(differences([one], everything=True))


@models.command()
def compare(
    model: Annotated[list[str], typer.Argument(help="Two models or versions, or more.", metavar="MODEL[:VERSION]...")],
    database: Database = "",
    store: Store = "",
    every: Annotated[bool, typer.Option("--all", help="Show what is equal too.")] = False,
    output: Format = "text",
) -> None:
    """Compare models: what differs between them, and their metrics."""
    if len(model) < 2:
        complain("compare needs two models", "Write `sqlflow models compare churn:1 churn:2`.")
        raise typer.Exit(EXIT_USAGE)
    with _opened(database, store) as found:
        described = [found.describe(one) for one in model]
        if output == "json":
            typer.echo(json.dumps([_as_json(one) for one in described], indent=2))
        else:
            print_table(differences(described, everything=every))


@models.command()
def export(
    model: Model,
    file: Annotated[Path, typer.Argument(help="The zip archive to write.", dir_okay=False)],
    database: Database = "",
    store: Store = "",
) -> None:
    """Write a model to a file: its metadata, and the model in its library's own format."""
    with _opened(database, store) as found:
        one = found.load(model)
        write_archive(one, file)
    typer.echo(visible(f"{one.name}, version {one.version}: {file}"))


@models.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(help="An archive that export wrote.", dir_okay=False)],
    name: Annotated[str, typer.Option(help="The model's name here.  \\[default: as it was]")] = "",
    database: Database = "",
    store: Store = "",
) -> None:
    """Add a model from a file, as a new version, after the checks that every stored model passes."""
    with _opened(database, store) as found:
        one = read_archive(file)
        from sqlflow_runtime.ml.trained_model import restore

        try:
            restore(one.metadata, one.content)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise RunError("model", f"the model in {file} is damaged: {error}", "Export it again.") from error
        target = name or one.name
        version = found.save(target, one.metadata, one.content)
    typer.echo(visible(f"{target}, version {version}"))


@models.command()
def delete(
    model: Model,
    database: Database = "",
    store: Store = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a model with all its versions, or one version."""
    with _opened(database, store) as found:
        _confirm(found, model, yes)
        count = found.delete(model)
    typer.echo(f"{counted(count, 'version')} deleted")


def _confirm(store: ModelStore, model: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise RunError("usage", "nobody can be asked whether to delete it", "Add --yes.")
    count = len(store.versions(model)) or 1
    typer.confirm(visible(f"Delete {model} ({counted(count, 'version')})?"), abort=True)


def _as_json(model: StoredModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "created_at": model.created_at,
        "size": model.size,
        "metadata": model.metadata,
    }


@contextmanager
def _opened(database: str, store: str) -> Iterator[ModelStore]:
    """The store that the options name; an error ends the command with its message and exit code."""
    scrub: Callable[[str], str] = str
    try:
        if store:
            yield open_model_store(None, store)
            return
        if not database:
            hint = f"Give {_WHERE}, or --store (or {MODEL_STORE_ENV})."
            raise RunError("usage", "neither a database nor a model store is named", hint)
        url = parse_url(database)
        scrub = scrubber(url)
        with closing(open_database(url, _WHERE, lambda _level, _words: None, timeout=5)) as opened:
            yield open_model_store(opened)
    except RunError as failure:
        complain(scrub(failure.message), scrub(failure.hint))
        raise typer.Exit(exit_code(failure)) from failure
    except SQLFlowError as error:
        complain(scrub(str(error)))
        raise typer.Exit(EXIT_USAGE) from error
