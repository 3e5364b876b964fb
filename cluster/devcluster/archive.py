"""Container images of a few files, written as archives without any engine.

The control plane's images hold one program each. Written here they leave nothing in the engine's store, need no
registry host in their source, and a killed run leaves only a temporary file.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from devcluster.context import Context

SEARCH_PATH = "/usr/local/bin:/usr/sbin:/usr/bin"
"""An image from scratch has no PATH; containers are started by a bare program name."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def write_image(path: Path, reference: str, files: Mapping[str, Path], entrypoint: Sequence[str] = ()) -> None:
    """Write an image with one layer in the format of `docker save`.

    Args:
        path: the archive to write.
        reference: name and tag of the image.
        files: absolute path in the image -> file to put there; all become executable.
        entrypoint: of the image; empty for none.
    """
    layer = path.with_suffix(".layer")
    with tarfile.open(layer, "w", format=tarfile.GNU_FORMAT) as tar:
        for target, source in sorted(files.items()):
            member = tarfile.TarInfo(target.lstrip("/"))
            member.size, member.mode = source.stat().st_size, 0o755
            with source.open("rb") as content:
                tar.addfile(member, content)
    with layer.open("rb") as content:
        layer_id = hashlib.file_digest(content, "sha256").hexdigest()
    config = json.dumps(_config(layer_id, entrypoint), sort_keys=True).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [reference], "Layers": [f"{layer_id}/layer.tar"]}]
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        tar.add(layer, f"{layer_id}/layer.tar")
        _add(tar, config_name, config)
        _add(tar, "manifest.json", json.dumps(manifest).encode())
    layer.unlink()


def _config(layer_id: str, entrypoint: Sequence[str]) -> dict[str, object]:
    run: dict[str, object] = {"Env": [f"PATH={SEARCH_PATH}"]}
    if entrypoint:
        run["Entrypoint"] = list(entrypoint)
    machine = platform.machine()
    return {
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_id}"]},
    }


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    tar.addfile(member, io.BytesIO(content))


def with_libraries(context: Context, root: Path, programs: Sequence[str]) -> dict[str, Path]:
    """The files of dynamically linked programs of a root file system: themselves and every library they load.

    Args:
        context: runs ldd.
        root: folder of the root file system.
        programs: absolute paths in it.

    Returns:
        Absolute path in the image -> file.
    """
    files: dict[str, Path] = {}
    for program in programs:
        listing = context.short(f"List the libraries of {program}", ["chroot", str(root), "ldd", program])
        paths = [word for word in listing.split() if word.startswith("/")]
        for path in [program, *paths]:
            files[path] = inside(root, path)
    return files


def inside(root: Path, path: str) -> Path:
    """The file that `path` means within `root`, links followed as if `root` were `/`."""
    current = root
    pending = [part for part in path.split("/") if part]
    for _ in range(256):
        if not pending:
            return current
        following = current / pending.pop(0)
        if following.is_symlink():
            target = str(following.readlink())
            current = root if target.startswith("/") else current
            pending = [part for part in target.split("/") if part not in ("", ".")] + pending
        elif following.name == "..":
            current = current.parent if current != root else root
        else:
            current = following
    raise OSError(f"too many links: {path} in {root}")
