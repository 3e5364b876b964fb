"""Copies the step program with its Python into a folder, from which it runs in a container of any image.

`TO RUN` executes a command of the user's own image, which has no `sqlflow-step` and need not have a Python. An init
container of the step image fills a volume with this copy, as Argo's and Tekton's own init containers do with theirs,
and the user's container starts from it. The copy uses nothing of the image: it brings the C library and the loader too.
It has what plain SQL needs, and no library for models.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata, util
from pathlib import Path

from sqlflow_codegen.portable import LIBRARIES, LOADER, MAIN, PACKAGES, PYTHON

from sqlflow_runtime.errors import RunError

_OWN = ("sqlflow_codegen", "sqlflow_runtime")
_DISTRIBUTIONS = ("psycopg", "psycopg-binary", "pymysql", "tenacity", "typing-extensions")
"""The packages beside our own that a step of plain SQL may import."""
_LEFT_OUT = shutil.ignore_patterns(
    "test", "tests", "idlelib", "tkinter", "turtledemo", "turtle*", "ensurepip", "lib2to3", "pydoc_data",
    "site-packages", "dist-packages", "config-*", "_tkinter*", "_curses*", "readline*", "_gdbm*", "_dbm*", "_test*",
    "*.a",
)  # fmt: skip
"""The parts of Python's library that no step imports; some need libraries that few images have."""

_FOUND = re.compile(r"=> (/\S+)")
_MAIN = f"""\
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("{PACKAGES}")))
from sqlflow_runtime.step import main

main()
"""


def copy_to(folder: Path) -> None:
    """Fill the folder, which may exist, with a copy that needs nothing outside of it.

    Raises:
        RunError: kind `usage`; this Python cannot be copied.
        OSError: the folder cannot be written.
    """
    loader = _loader()
    library = folder / "lib" / Path(sysconfig.get_path("stdlib")).name
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=_LEFT_OUT, dirs_exist_ok=True)
    _put(Path(os.path.realpath(sys.executable)), folder / PYTHON)
    _put(loader, folder / LOADER)
    for name in _OWN:
        spec = util.find_spec(name)
        for place in spec.submodule_search_locations or () if spec else ():
            shutil.copytree(place, folder / PACKAGES / name, dirs_exist_ok=True)
    for source, target in _files(_DISTRIBUTIONS):
        _put(source, folder / PACKAGES / target)
    for needed in _needed(loader, [folder / PYTHON, *folder.rglob("*.so*")]):
        _put(needed, folder / LIBRARIES / needed.name)
    (folder / MAIN).write_text(_MAIN, encoding="utf-8")


def _loader() -> Path:
    """The program that loads this process's libraries."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    mapped = (Path(line.split(maxsplit=5)[5]) for line in lines if line.count("/"))
    found = next((path for path in mapped if path.name.startswith(("ld-linux", "ld-2", "ld64"))), None)
    if found is None:
        raise RunError("usage", "this Python has no loader of the GNU C library", "Base the step image on Debian.")
    return found


def _files(distributions: Iterable[str]) -> Iterator[tuple[Path, Path]]:
    """The files of installed packages, and their places among the packages."""
    for name in distributions:
        for file in metadata.files(name) or ():
            source = Path(str(file.locate()))
            if ".." not in file.parts and source.is_file():
                yield source, Path(file)


def _needed(loader: Path, programs: Iterable[Path]) -> set[Path]:
    """The shared libraries of the system that programs need, by their loader."""
    found: set[Path] = set()
    for program in programs:
        ran = subprocess.run([loader, "--list", program], capture_output=True, text=True, check=False)
        found |= {Path(path) for path in _FOUND.findall(ran.stdout)}
    return {path for path in found if not any(path.is_relative_to(program.parent) for program in programs)}


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
