"""The FILE that a command is given: a SQL program, or a manifest with SQLFlowJobs."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from sqlflow_codegen.errors import SQLFlowError

_SUFFIXES = (".yaml", ".yml", ".json")
_OBJECT = (re.compile(r'^\s*"?apiVersion"?:', re.MULTILINE), re.compile(r'^\s*"?kind"?:', re.MULTILINE))


class ManifestError(SQLFlowError):
    """The file is no YAML, or an object in it is no SQLFlowJob.

    Attributes:
        line, column: place in the file, from 1.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that has been read: its path, `-` for standard input, and its text, no line end translated."""

    path: Path
    text: str

    @property
    def is_manifest(self) -> bool:
        """True for a manifest: by its suffix; on standard input by its keys."""
        if str(self.path) == "-":
            return all(pattern.search(self.text) for pattern in _OBJECT)
        return self.path.suffix.lower() in _SUFFIXES


def read_input(path: Path) -> InputFile:
    """Read a file; `-` is standard input.

    Raises:
        SQLFlowError: it cannot be read, or is not UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return InputFile(path, data.decode())
    except (OSError, UnicodeDecodeError) as error:
        raise SQLFlowError(f"cannot read {path}: {error}") from error
