"""A cache that survives being killed at any moment.

An entry is made in a temporary folder and renamed into place, so it is whole or absent. A lock that the kernel
drops with its owner keeps two processes from making the same entry at once.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devcluster.progress import Reporter

WAIT_SECONDS = 0.2
"""Seconds between two tries to take a lock; a wait in flock itself could not be interrupted."""


@contextmanager
def locked(path: Path, what: str, reporter: Reporter) -> Iterator[None]:
    """Hold an exclusive lock on `path` for the block; waits, and says for what.

    The lock is the kernel's: it ends with this process, however that ends. The file stays, empty of meaning;
    removing it would let two processes hold "the" lock on two different files.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        if not _try_lock(file.fileno()):
            file.seek(0)
            with reporter.step(f"Waiting for process {file.read().strip() or '?'}, which is busy with {what}"):
                while not _try_lock(file.fileno()):
                    time.sleep(WAIT_SECONDS)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that a reader sees the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


@dataclass(frozen=True, slots=True)
class Store:
    """The cache folder.

    Attributes:
        root: the folder; entries lie in `root/<name>/<key>`.
        reporter: hears what is waited for.
    """

    root: Path
    reporter: Reporter

    def path(self, name: str, key: str) -> Path:
        """The path of an entry, existing or not."""
        return self.root / name / key

    def ensure(self, name: str, key: str, make: Callable[[Path], None]) -> Path:
        """The folder of an entry; `make` fills an empty folder if it does not exist yet."""
        final = self.path(name, key)
        if final.is_dir():
            return final
        with locked(self.root / "locks" / f"{name}-{key}.lock", name, self.reporter):
            if not final.is_dir():
                with self.scratch(f"{name}-{key}") as folder:
                    make(folder)
                    final.parent.mkdir(parents=True, exist_ok=True)
                    folder.rename(final)
        return final

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """An empty folder on the cache's disk, removed after the block if it is still there.

        The caller holds the lock that belongs to `name`: a folder of that name is then left from a killed process.
        """
        folder = self.root / "tmp" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def size(self) -> int:
        """Bytes of all files in the cache."""
        return sum(path.lstat().st_size for path in self.root.rglob("*") if path.is_symlink() or not path.is_dir())
