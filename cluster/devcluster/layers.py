"""The images that were built, and the layers that they still use.

podman keeps every layer of every build for ever. The notes kept here say which layers the last build of
each image used; what no note names is removed, so that the disk holds one generation and every build finds its cache.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from devcluster import workplace
from devcluster.context import Context
from devcluster.layout import digest
from devcluster.machine import ContainerEngine
from devcluster.store import write_atomically

LABEL = f"{workplace.LABEL}=image"
"""On every image and layer that `image` built."""

FORGET_SECONDS = 7 * 24 * 3600
"""A note that nobody asked for in this time belongs to a checkout that is gone or asleep."""

USED = re.compile(r"^--> (?:Using cache )?([0-9a-f]{11,64})\s*$", re.MULTILINE)
"""The lines with which a builder reports a layer that a step made or reused."""


@dataclass(frozen=True, slots=True)
class Note:
    """The last build of one image by one checkout.

    Attributes:
        inputs: digest of what the image was made of.
        id: of the image.
        layers: ids, or beginnings of them, of every layer that the build used, of all stages.
    """

    inputs: str
    id: str
    layers: tuple[str, ...] = ()


def _path(context: Context, name: str) -> Path:
    return context.layout.cache / "builds" / f"{context.layout.name}-{digest(name)}.json"


def _parse(text: str) -> Note | None:
    try:
        raw = json.loads(text)
        return Note(raw["inputs"], raw["id"], tuple(raw["layers"]))
    except (ValueError, TypeError, KeyError):
        return None


def read_note(context: Context, name: str) -> Note | None:
    """This checkout's note on an image; None if there is none."""
    path = _path(context, name)
    if not path.is_file():
        return None
    path.touch()
    return _parse(path.read_text())


def write_note(context: Context, name: str, note: Note) -> None:
    """Keep this checkout's note on an image."""
    write_atomically(_path(context, name), json.dumps(asdict(note)))


def used_layers(log: Path) -> tuple[str, ...]:
    """The layers that a build used, by its log."""
    return tuple(dict.fromkeys(USED.findall(log.read_text(encoding="utf-8", errors="replace"))))


def remove_unused(context: Context, engine: ContainerEngine) -> None:
    """Remove the nameless layers of our builds that no note names. The caller holds the image lock."""
    if engine.program == "docker":  # keeps its layers in a cache of its own, which it cleans by itself
        argv = ["docker", "image", "prune", "--force", "--filter", f"label={LABEL}"]
        context.runner.run(argv, timeout=60)
        return
    if engine.program != "podman":
        return
    keep = tuple(layer for note in _all_notes(context) for layer in (note.id.removeprefix("sha256:"), *note.layers))
    listing = [
        "podman",
        "images",
        "--all",
        "--no-trunc",
        "--filter",
        f"label={LABEL}",
        "--format",
        "{{.ID}} {{.Repository}}",
    ]
    images = context.runner.run(listing, env=engine.env, timeout=60)
    rows = [line.removeprefix("sha256:").split(maxsplit=1) for line in images.out.splitlines()] if images.ok else []
    # Newest first, as they are listed: no layer goes before those that stand on it.
    unused = [row[0] for row in rows if row[1:] == ["<none>"] and not row[0].startswith(keep)]
    if unused:
        with context.reporter.step("Remove the layers of earlier builds"):
            context.runner.run(["podman", "rmi", "--no-prune", *unused], env=engine.env, timeout=300)


def _all_notes(context: Context) -> list[Note]:
    notes = []
    for path in sorted((context.layout.cache / "builds").glob("*.json")):
        if time.time() - path.stat().st_mtime > FORGET_SECONDS:
            path.unlink()
            continue
        note = _parse(path.read_text())
        if note is not None:
            notes.append(note)
    return notes
