"""Build the project's images with whatever builder this machine has."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from devcluster import debian
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.machine import Engine, Platform, works
from devcluster.pipconf import Mount, pip_mounts, pip_settings
from devcluster.store import locked

UPSTREAM_BASE = "python:3.12-slim"
"""Base image where a registry is reached; the Dockerfile's own default."""

LABEL = "sqlflow-devcluster=image"
"""On every image built here, so that `down --cache` finds them."""


@dataclass(frozen=True, slots=True)
class Build:
    """One image to build.

    Attributes:
        name: reference of the image.
        context: folder with the build context.
        file: the Dockerfile.
        target: stage to build; "" for the last.
        args: build arguments.
    """

    name: str
    context: Path
    file: Path
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)


def base_image(context: Context, platform: Platform) -> str:
    """The reference of a base image with Python for the project's images; makes it where none can be pulled."""
    return UPSTREAM_BASE if platform.registry else debian.ensure_base(context, platform.engine)


def builder(context: Context, platform: Platform) -> Engine:
    """The engine of the cluster, else buildah.

    Raises:
        DevClusterError: there is neither.
    """
    if platform.engine.program == "docker" or works(context.runner, platform.engine.program):
        return platform.engine
    if context.runner.which("buildah"):
        return Engine("buildah")
    todo = "Install one of them, such as with `apt-get install podman`"
    raise DevClusterError("No image can be built: neither docker, podman nor buildah works here", todo=todo)


def build_image(context: Context, platform: Platform, build: Build) -> str:
    """Build an image; quick if nothing changed, since layers are cached. Returns the image's id.

    One build at a time on a machine: a second one would only wait for the same layers and packages.

    Raises:
        DevClusterError: the Dockerfile is missing or the build failed.
    """
    if not build.file.is_file():
        raise DevClusterError(f"Cannot build {build.name}", f"there is no {build.file}", "Name it with --file")
    args = dict(build.args)
    if "BASE" not in args:
        args["BASE"] = base_image(context, platform)
    engine = builder(context, platform)
    with locked(context.layout.locks / "image.lock", "an image", context.reporter):
        with _workplace(context, engine, args["BASE"]) as temporary, context.store.scratch("image") as folder:
            argv = build_argv(engine, build, args, pip_mounts(pip_settings(context.runner), folder))
            env = {**engine.env, "TMPDIR": str(temporary), "DOCKER_BUILDKIT": "1"}
            log = f"image-{build.name.rpartition('/')[2].replace(':', '-')}"
            context.long(f"Build image {build.name}", argv, log=log, env=env)
        prune = [engine.program, "image", "prune", "--force", "--filter", f"label={LABEL}", "--filter", "until=24h"]
        if engine.program != "buildah":
            context.runner.run(prune, env=engine.env, timeout=60)
    return engine.image_id(context.runner, build.name)


@contextmanager
def _workplace(context: Context, engine: Engine, base: str) -> Iterator[Path]:
    """The folder for a build's temporary files, cleared of what a killed build left.

    Cache mounts (RUN --mount=type=cache) lie in there too and stay, so that wheels are fetched once.
    """
    folder = context.layout.cache / "builder"
    unfinished = context.layout.cache / "unfinished-build"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_dir() and path.name != "buildah-cache":
            shutil.rmtree(path, ignore_errors=True)
    if unfinished.exists():
        remove_working_containers(context, engine, base)
    unfinished.touch()
    yield folder
    unfinished.unlink()


def remove_working_containers(context: Context, engine: Engine, base: str) -> None:
    """Remove the containers in which a killed build of ours worked: those that stand on our layers or on the base."""
    if engine.program == "docker":  # its daemon clears up by itself
        return
    listing = [engine.program, "images", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}"]
    images = context.runner.run(listing, env=engine.env, timeout=60).out.split()
    ours = {image.removeprefix("sha256:") for image in [*images, engine.image_id(context.runner, base)]}
    containers = [
        engine.program,
        "ps",
        "--all",
        "--external",
        "--no-trunc",
        "--format",
        "{{.ID}} {{.ImageID}} {{.Status}}",
    ]
    if engine.program == "buildah":
        containers = ["buildah", "containers", "--notruncate", "--format", "{{.ContainerID}} {{.ImageID}} Storage"]
    for line in context.runner.run(containers, env=engine.env, timeout=60).out.splitlines():
        container, image, *status = line.split()
        if image in ours and status == ["Storage"]:
            context.runner.run([engine.program, "rm", container], env=engine.env, timeout=60)


def build_argv(engine: Engine, build: Build, args: Mapping[str, str], mounts: Sequence[Mount]) -> list[str]:
    """The command that builds an image.

    podman and buildah mount files into every RUN; docker knows only secrets, which the Dockerfile asks for by id
    (`RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf`).
    """
    argv = [engine.program, "build", "--file", str(build.file), "--tag", build.name, "--label", LABEL]
    if build.target:
        argv += ["--target", build.target]
    for name, value in sorted(args.items()):
        argv += ["--build-arg", f"{name}={value}"]
    if engine.program == "docker":
        argv += ["--progress", "plain"]
        for mount in mounts:
            if mount.source.is_file():
                argv += ["--secret", f"id={mount.id},src={mount.source}"]
    else:
        argv += ["--layers", "--isolation", "chroot", "--network", "host"]
        for mount in mounts:
            argv += ["--volume", f"{mount.source}:{mount.target}:ro"]
    return [*argv, str(build.context)]
