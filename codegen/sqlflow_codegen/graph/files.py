"""Files as resources: exact where the program spells a name out, else all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlflow_codegen.graph.data_objects import ANY_FILE, FILES, DataObject

_VAGUE = re.compile(r"[*?\[\]{}$%~]|(?:^|/)\.\.(?:/|$)")
"""Patterns, variables and ways up: such a name may stand for any file."""
_DRIVE = re.compile(r"[a-z]:/")
_SPLIT = frozenset(
    ["PARTITION_BY", "PARTITION", "PER_THREAD_OUTPUT", "FILE_SIZE_BYTES", "FILENAME_PATTERN", "HEADERS", "SINGLE"]
)
"""Options of COPY and EXPORT by which several files are written below a name."""


def file_resource(path: str, *, folder: bool = False) -> DataObject:
    """The file of that name; `ANY_FILE` if the name may stand for others.

    Its `schema` is the folder: absolute, or with a leading `./` where it depends on the working directory. Two names
    of one file through a link are taken for two files.

    Args:
        path: as written; "" if the program computes it.
        folder: the name is that of a folder, with no extension to show for it.
    """
    text = path.strip().replace("\\", "/").casefold()
    text = re.sub(r"^file:(//)?", "", text)
    scheme, sign, rest = text.rpartition("://")
    rest = re.sub(r"/(\./)+", "/", re.sub(r"/{2,}", "/", rest)).removeprefix("./")
    rest = rest.rstrip("/") if folder else rest
    directory, _, name = rest.rpartition("/")
    if not name or _VAGUE.search(rest) or not (folder or "." in name.strip(".")):
        return ANY_FILE
    absolute = sign or rest.startswith("/") or _DRIVE.match(rest)
    return DataObject(FILES, f"{scheme}{sign}{directory or '/'}" if absolute else f"./{directory}", name, path)


def file_resources(paths: Iterable[str]) -> set[DataObject]:
    """The files of those names."""
    return {file_resource(path) for path in paths}


def writes_many(words: Iterable[str]) -> bool:
    """True if the words of a COPY statement make it write more than the file that it names."""
    return not _SPLIT.isdisjoint(words)


def distinct_files(files: Iterable[DataObject]) -> dict[DataObject, DataObject]:
    """For each file the one that stands for all those that may be the same: a relative name may be an absolute one."""
    found = list(files)
    relative = {each.name for each in found if each.schema.startswith("./")}
    absolute = {each.name for each in found if not each.schema.startswith("./")}
    unclear = relative & absolute
    first: dict[tuple[str, str], DataObject] = {}
    return {each: first.setdefault(("" if each.name in unclear else each.schema, each.name), each) for each in found}
