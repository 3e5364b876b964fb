"""A folder for the temporary files and working containers of image builds; a killed build leaves none for long."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.context import Context
from devcluster.machine import ContainerEngine

LABEL = "sqlflow-devcluster"
"""Label of every image and layer built here; its value says what for."""

CACHE_MOUNTS = "buildah-cache"
"""The folder in which podman and buildah keep the files of `RUN --mount=type=cache`, under TMPDIR."""


@contextmanager
def workplace(context: Context, engine: ContainerEngine, purpose: str, base: str) -> Iterator[Path]:
    """A folder for a build's temporary files, cleared of what a killed build left; its cache mounts stay.

    The caller holds the lock that belongs to `purpose`.

    Args:
        context: where and how.
        engine: the builder.
        purpose: value of `LABEL`.
        base: image that the build starts from.
    """
    folder = context.layout.cache / "builder" / purpose
    unfinished = folder / "unfinished"
    if unfinished.exists():
        _remove_working_containers(context, engine, purpose, base)
        for path in folder.iterdir():
            if path.name != CACHE_MOUNTS and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    yield folder
    unfinished.unlink()


def _remove_working_containers(context: Context, engine: ContainerEngine, purpose: str, base: str) -> None:
    """Remove the containers in which a killed build worked: those that stand on its layers or on its base."""
    if engine.program == "docker":  # its daemon clears up by itself
        return
    program, env, runner = engine.program, engine.env, context.runner
    listing = [program, "images", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}={purpose}"]
    images = runner.run(listing, env=env, timeout=60).out.split()
    ours = {image.removeprefix("sha256:") for image in [*images, engine.image_id(runner, base)]}
    containers = [program, "ps", "--all", "--external", "--no-trunc", "--format", "{{.ID}} {{.ImageID}} {{.Status}}"]
    if program == "buildah":
        containers = ["buildah", "containers", "--notruncate", "--format", "{{.ContainerID}} {{.ImageID}} Storage"]
    for line in runner.run(containers, env=env, timeout=60).out.splitlines():
        container, image, *status = line.split()
        if image in ours and status == ["Storage"]:
            # By force: the container is still mounted, and a killed build's last command may still run in it.
            force = ["--force"] if program == "podman" else []
            runner.run([program, "rm", *force, container], env=env, timeout=60)
