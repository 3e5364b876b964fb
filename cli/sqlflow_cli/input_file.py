"""The FILE that a command is given: a SQL program, or a manifest with SQLFlowJobs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sqlflow_codegen.errors import SQLFlowError

_SUFFIXES = (".yaml", ".yml", ".json")
_OBJECT = (re.compile(r'^\s*"?apiVersion"?:', re.MULTILINE), re.compile(r'^\s*"?kind"?:', re.MULTILINE))


def read_text(file: Path) -> str:
    """The file, byte for byte: no line end is translated. `-` is standard input.

    Raises:
        SQLFlowError: it cannot be read, or is not UTF-8.
    """
    try:
        return (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SQLFlowError(f"cannot read {file}: {error}") from error


def is_manifest(file: Path, text: str) -> bool:
    """Whether the file is a manifest: by its suffix, standard input by what it says."""
    if str(file) == "-":
        return all(pattern.search(text) for pattern in _OBJECT)
    return file.suffix.lower() in _SUFFIXES
