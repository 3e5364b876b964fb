"""A digest over the files that an image build can see, so that nothing is built when nothing changed.

A builder with a warm layer cache still takes several seconds to find that out; this takes milliseconds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from devcluster.layout import digest


def context_digest(folder: Path, file: Path) -> str:
    """Digest over all files that a build in `folder` by the Dockerfile `file` can see: paths, modes, contents."""
    ignore_file = folder / ".dockerignore"
    text = ignore_file.read_text(encoding="utf-8") if ignore_file.is_file() else ""
    parts: list[str | bytes] = [file.read_bytes(), text]
    for name in context_files(folder, text):
        path = folder / name
        mode = f"{path.lstat().st_mode:o}"
        parts += [name, mode, str(path.readlink()) if path.is_symlink() else path.read_bytes()]
    return digest(*parts)


def context_files(folder: Path, ignore: str) -> Iterator[str]:
    """Paths of the files below a folder that its `.dockerignore`, given as text, does not exclude, in a fixed order."""
    rules = [rule for line in ignore.splitlines() if (rule := line.strip()) and not rule.startswith("#")]
    # A pattern of .dockerignore starts at the root, one of .gitignore without a slash matches at any depth.
    spec = GitIgnoreSpec.from_lines([re.sub(r"^(!?)/?(?!\*\*)", r"\1/", rule) for rule in rules])
    kept = [rule[1:].strip("/") for rule in rules if rule.startswith("!")]

    def may_hold_files(path: str) -> bool:
        return not spec.match_file(f"{path}/") or any(rule.startswith(f"{path}/") or "*" in rule for rule in kept)

    for parent, folders, names in os.walk(folder):
        prefix = os.path.relpath(parent, folder) + "/" if parent != str(folder) else ""
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if may_hold_files(prefix + name))
        for name in sorted({*names, *links}):
            path = Path(parent) / name
            if not spec.match_file(prefix + name) and (path.is_symlink() or path.is_file()):
                yield prefix + name
