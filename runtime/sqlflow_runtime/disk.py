"""Local disk on which rows are kept for a while."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from sqlflow_runtime.errors import RunError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_IN_MEMORY = 16 * 1024 * 1024


@contextmanager
def temporary_file() -> Iterator[IO[bytes]]:
    """A file for a while: in memory as long as it is small, then in the folder that TMPDIR names.

    Raises:
        RunError: kind `memory`; the disk is full, or cannot be written.
    """
    with disk(), tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="sqlflow-") as file:
        yield file


@contextmanager
def disk() -> Iterator[None]:
    """Raise a `RunError` where the disk fails."""
    try:
        yield
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else str(error)
        full = "is full" if error.errno in _FULL else f"fails ({words})"
        raise RunError(
            "memory",
            f"the disk of {tempfile.gettempdir()} {full} while the rows of the SELECT are kept there",
            "Select fewer rows or columns, give the step more ephemeral storage (spec.resources), or name a folder of "
            "another disk in the environment variable TMPDIR.",
        ) from error
