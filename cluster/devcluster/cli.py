"""The commands. stdout carries only what a script reads; everything for people goes to stderr."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from devcluster import cache, current, images, load, tools
from devcluster.cluster import Cluster
from devcluster.cluster_record import Record
from devcluster.cluster_status import read_status
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.layout import Layout
from devcluster.process import Runner
from devcluster.progress import Reporter

app = typer.Typer(
    name="devcluster",
    help="A kind cluster for this checkout, with or without a container registry.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, which typer gives."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


@app.callback()
def common(
    ctx: typer.Context,
    checkout: Annotated[
        Path | None, typer.Option(help="The checkout whose cluster is meant.", show_default="this one")
    ] = None,
) -> None:
    """Gather what every command needs."""
    ctx.obj = Context(Runner(), Reporter(), Layout.default(checkout))


@app.command()
def up(ctx: typer.Context) -> None:
    """Make sure that the cluster runs, and print the path of its kubeconfig.

    With CLUSTER=current in the environment: use kubectl's current context, and create nothing.
    """
    context: Context = ctx.obj
    if current.is_asked_for():
        print(current.find(context).kubeconfig)
        return
    print(Cluster.open(context).up())


@app.command()
def down(
    ctx: typer.Context,
    with_cache: Annotated[
        bool, typer.Option("--cache", help="Remove the cache and every image made here, too.")
    ] = False,
) -> None:
    """Remove the cluster and all that `up` made, and nothing else."""
    context: Context = ctx.obj
    if current.is_asked_for():
        raise DevClusterError("CLUSTER=current is your own cluster", todo="Remove what you do not want with kubectl")
    cluster = Cluster.open(context)
    removed = cluster.down()
    context.reporter.say(f"Cluster {cluster.name} is removed" if removed else f"There was no cluster {cluster.name}")
    if with_cache:
        cache.remove(cluster)


@app.command()
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Show what there is."""
    found = read_status(Cluster.open(ctx.obj))
    if as_json:
        print(found.json())
        return
    print(f"cluster     {found.name}: {found.state}")
    for label, value in (
        ("kubernetes", found.kubernetes),
        ("engine", found.engine),
        ("node image", found.node_image),
        ("kubeconfig", found.kubeconfig),
        ("images", " ".join(found.images)),
        ("cache", f"{found.cache}, {found.cache_bytes / 1e6:.0f} MB"),
    ):
        if value:
            print(f"{label:<11} {value}")


@app.command()
def env(ctx: typer.Context) -> None:
    """Print the settings for a shell that speaks to this checkout's cluster: eval "$(python -m devcluster env)"."""
    context: Context = ctx.obj
    if current.is_asked_for():
        raise DevClusterError("CLUSTER=current is kubectl's own context", todo="Use kubectl as it is")
    if Record.read_complete(context.layout) is None:
        raise DevClusterError("This checkout has no cluster", todo="Run `make demo` or `make cluster-up`")
    folder = tools.tool(context, "kubectl").parent
    print(f"export KUBECONFIG={shlex.quote(str(context.layout.kubeconfig))}")
    print(f'export PATH={shlex.quote(str(folder))}:"$PATH"')


@app.command("load")
def load_command(
    ctx: typer.Context, image: Annotated[list[str], typer.Argument(help="References of local images.")]
) -> None:
    """Bring locally built images into the cluster's nodes."""
    context: Context = ctx.obj
    cluster = Cluster.open(context)
    if current.is_asked_for():
        load.load_into_current(context, cluster.engine, current.find(context), image)
        return
    load.load_images(cluster, image)


@app.command("base-image")
def base_image(ctx: typer.Context) -> None:
    """Make sure that there is a base image with Python, and print its reference."""
    context: Context = ctx.obj
    print(images.base_image(context, Cluster.open(context).platform))


@app.command("image")
def image_command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Reference of the image, such as localhost/sqlflow-step:dev.")],
    target: Annotated[str, typer.Option(help="Stage of the Dockerfile.", show_default="the last")] = "",
    file: Annotated[Path | None, typer.Option(help="The Dockerfile.", show_default="Dockerfile in FOLDER")] = None,
    build_arg: Annotated[list[str] | None, typer.Option(help="NAME=VALUE; BASE is given unless you do.")] = None,
    folder: Annotated[Path | None, typer.Option(help="The build context.", show_default="the checkout")] = None,
) -> None:
    """Build an image with docker, podman or buildah, and print its id."""
    context: Context = ctx.obj
    where = folder or context.layout.checkout
    build = images.Build(name, where, file or where / "Dockerfile", target, _pairs(build_arg or []))
    print(images.build_image(context, Cluster.open(context).platform, build))


@app.command("tools")
def tools_command(ctx: typer.Context, as_json: Json = False) -> None:
    """Make sure that kind, kubectl, etcd and kube-apiserver are there, and print their paths."""
    found = {name: str(path) for name, path in tools.all_tools(ctx.obj).items()}
    print(json.dumps(found, indent=2) if as_json else "\n".join(f"{name:<15} {path}" for name, path in found.items()))


def _pairs(arguments: list[str]) -> dict[str, str]:
    pairs = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or not name:
            raise DevClusterError(f"--build-arg {argument} is not understood", todo="Write it as NAME=VALUE")
        pairs[name] = value
    return pairs


def main() -> None:
    """Run the command line; a person's errors become one line, the log's tail and exit code 1."""
    reporter = Reporter()
    try:
        app()
    except DevClusterError as error:
        if tail := error.tail():
            reporter.say(tail)
        reporter.console.print("[bold red]Error[/bold red]", end=" ")
        reporter.say(error.line())
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            reporter.say("Interrupted. The same command goes on where this one stopped.")
        raise
