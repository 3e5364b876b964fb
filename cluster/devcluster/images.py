"""Build the project's images with whatever builder this machine has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devcluster import debian
from devcluster.build_context import context_digest
from devcluster.context import Context
from devcluster.errors import DevClusterError
from devcluster.layers import LABEL, Note, read_note, remove_unused, used_layers, write_note
from devcluster.layout import digest
from devcluster.machine import ContainerEngine, Platform, works
from devcluster.pipconf import BindMount, pip_mounts, pip_settings
from devcluster.store import locked
from devcluster.workplace import workplace

UPSTREAM_BASE = "python:3.12-slim"
"""Base image where a registry is reached; the Dockerfile's own default."""


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


def title(build: Build) -> str:
    """The title of the step that builds an image."""
    return f"Build image {build.name}"


def base_image(context: Context, platform: Platform) -> str:
    """The reference of a base image with Python for the project's images; makes it where none can be pulled."""
    return UPSTREAM_BASE if platform.registry else debian.ensure_base(context, platform.engine)


def builder(context: Context, platform: Platform) -> ContainerEngine:
    """The engine of the cluster, else buildah.

    Raises:
        DevClusterError: there is neither.
    """
    if platform.engine.program == "docker" or works(context.runner, platform.engine.program):
        return platform.engine
    if context.runner.which("buildah"):
        return ContainerEngine("buildah")
    todo = "Install one of them, such as with `apt-get install podman`"
    raise DevClusterError("No image can be built: neither docker, podman nor buildah works here", todo=todo)


def build_image(context: Context, platform: Platform, build: Build) -> str:
    """Build an image; at once if nothing changed since this checkout built it last. Returns the image's id.

    One build at a time on a machine: a second one would only wait for the same layers and packages.

    Raises:
        DevClusterError: the Dockerfile is missing or the build failed.
    """
    if not build.file.is_file():
        raise DevClusterError(f"Cannot build {build.name}", f"there is no {build.file}", "Name it with --file")
    args = {"BASE": "", **build.args}
    args["BASE"] = args["BASE"] or base_image(context, platform)
    engine = builder(context, platform)
    with locked(context.layout.locks / "image.lock", "an image", context.reporter):
        inputs, note = _inputs(context, engine, build, args), read_note(context, build.name)
        if note is None or note.inputs != inputs or not engine.has_image(context.runner, note.id):
            log = _build(context, engine, build, args)
            note = Note(inputs, engine.image_id(context.runner, build.name), used_layers(log))
            write_note(context, build.name, note)
            remove_unused(context, engine)
        claim(context, engine, build.name)
    return note.id


def claim(context: Context, engine: ContainerEngine, name: str) -> str:
    """Let `name` mean the image that this checkout built, should another checkout have built its own since.

    An image that a person made by hand under that name is left alone. The caller holds the image lock.

    Returns:
        The id of the image of that name; "" if there is none.
    """
    current = engine.image_id(context.runner, name)
    note = read_note(context, name)
    ours = note.id if note else ""
    if current == ours or not ours or not engine.has_image(context.runner, ours):
        return current
    if current and not engine.has_label(context.runner, current, LABEL):
        return current
    context.short(f"Name image {name}", [engine.program, "tag", ours, name], env=engine.env)
    return ours


def _inputs(context: Context, engine: ContainerEngine, build: Build, args: Mapping[str, str]) -> str:
    """Changes with everything that the image is made of here; what the network gives is the base's and pip's matter."""
    arguments = [f"{name}={value}" for name, value in sorted(args.items())]
    base = engine.image_id(context.runner, args["BASE"])
    return digest(engine.program, build.target, base, *arguments, context_digest(build.context, build.file))


def _build(context: Context, engine: ContainerEngine, build: Build, args: Mapping[str, str]) -> Path:
    """Build; returns the log."""
    purpose = "image"
    with workplace(context, engine, purpose, args["BASE"]) as temporary, context.store.scratch(purpose) as folder:
        argv = build_argv(engine, build, args, pip_mounts(pip_settings(context.runner), folder))
        env = {**engine.env, "TMPDIR": str(temporary), "DOCKER_BUILDKIT": "1"}
        log = f"image-{build.name.rpartition('/')[2].replace(':', '-')}"
        return context.long(title(build), argv, log=log, env=env)


def build_argv(
    engine: ContainerEngine, build: Build, args: Mapping[str, str], mounts: Sequence[BindMount]
) -> list[str]:
    """The command that builds an image.

    A Dockerfile asks for pip's settings by the id of a secret (`RUN --mount=type=secret,id=pip.conf,target=…`). For
    one that does not, podman and buildah mount them into every RUN, at the price of empty files where they were.
    """
    secrets = engine.program == "docker" or "id=pip.conf" in build.file.read_text(encoding="utf-8")
    argv = [engine.program, "build", "--file", str(build.file), "--tag", build.name, "--label", LABEL]
    if build.target:
        argv += ["--target", build.target]
    for name, value in sorted(args.items()):
        argv += ["--build-arg", f"{name}={value}"]
    if engine.program == "docker":
        argv += ["--progress", "plain"]
    else:
        argv += ["--layers", "--isolation", "chroot", "--network", "host"]
    for mount in mounts:
        if not secrets or (mount.source.is_dir() and engine.program != "docker"):
            argv += ["--volume", f"{mount.source}:{mount.target}:ro"]
        elif mount.source.is_file():
            argv += ["--secret", f"id={mount.id},src={mount.source}"]
    return [*argv, str(build.context)]
