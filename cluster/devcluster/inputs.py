"""A digest over what an image is made of, so that nothing is built when nothing changed.

A builder with a warm layer cache still takes several seconds to find that out; this takes milliseconds. The digest
may see more files than the builder does, never fewer: then the builder is only asked in vain.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devcluster.layout import digest

PLAIN = re.compile(r"[\w./-]+")
"""A path of an ignore file without wildcards."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """What a `.dockerignore` says, as far as it is simple.

    Attributes:
        only: paths that alone are sent (a file that begins with `*` and then lists `!path`); None: everything.
        names: names of files and folders that are nowhere sent (`**/name`).
    """

    only: tuple[str, ...] | None = None
    names: frozenset[str] = frozenset()


def read_ignore(text: str) -> Ignore:
    """Understand the simple forms; a rule of another form is taken as if it were absent, and hides nothing."""
    lines = [line.strip() for line in text.splitlines()]
    rules = [line for line in lines if line and not line.startswith("#")]
    kept = [rule[1:].strip("/") for rule in rules if rule.startswith("!")]
    names = frozenset(rule[3:] for rule in rules if rule.startswith("**/") and "/" not in rule[3:])
    names = frozenset(name for name in names if PLAIN.fullmatch(name))
    whitelist = rules[:1] in (["*"], ["**"]) and all(PLAIN.fullmatch(path) for path in kept)
    # A later `!path` may bring a hidden name back: then names hide nothing.
    return Ignore(tuple(kept) if whitelist else None, names if whitelist or not kept else frozenset())


def context_digest(folder: Path, file: Path) -> str:
    """Digest over all files that a build in `folder` by the Dockerfile `file` can see: paths, modes, contents."""
    ignore_file = folder / ".dockerignore"
    text = ignore_file.read_text(encoding="utf-8") if ignore_file.is_file() else ""
    parts: list[str | bytes] = [file.read_bytes(), text]
    for path in _files(folder, read_ignore(text)):
        mode = f"{path.lstat().st_mode:o}"
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes()
        parts += [str(path.relative_to(folder)), mode, content]
    return digest(*parts)


def _files(folder: Path, ignore: Ignore) -> Iterator[Path]:
    roots = [folder] if ignore.only is None else [folder / path for path in sorted(ignore.only)]
    for root in roots:
        if root.is_symlink() or root.is_file():
            yield root
        for parent, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if name not in ignore.names)
            links = [name for name in folders if (Path(parent) / name).is_symlink()]
            for name in sorted([*names, *links]):
                path = Path(parent) / name
                if name not in ignore.names and (path.is_symlink() or path.is_file()):
                    yield path
