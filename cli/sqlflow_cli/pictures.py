"""The pictures of a run: shown in a terminal that can, else written to files."""

from __future__ import annotations

import base64
import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rich.console import RenderableType

DEFAULT_FOLDER = "sqlflow-pictures"
"""Folder for pictures that nothing else shows, below the current one."""

_SUFFIXES = {"image/png": ".png"}


class Pictures:
    """Shows or keeps pictures.

    Make it before standard output is redirected: it asks the terminal what it can show.

    Attributes:
        folder: where files go; None if the terminal shows the pictures instead.
    """

    def __init__(self, name: str, folder: Path | None, *, expected: bool) -> None:
        """Ask the terminal.

        Args:
            name: of the program, with which names of files begin.
            folder: the folder that the user names; None for none.
            expected: the run will draw pictures; else the terminal is not asked.
        """
        self._name = name
        self._renderable: Any = _graphics() if expected else None
        self.folder = folder or (None if self._renderable is not None else Path(DEFAULT_FOLDER))
        self._counts: dict[int, int] = {}

    def save(self, record: Mapping[str, Any]) -> Path | None:
        """Write the picture of a record to a file, whose path it returns; None if there is no folder.

        Raises:
            OSError: it cannot be written.
        """
        if self.folder is None:
            return None
        statement = record["statement"]
        self._counts[statement] = number = self._counts.get(statement, 0) + 1
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self._name}-{statement}-{number}{_SUFFIXES.get(record['media_type'], '.bin')}"
        path.write_bytes(base64.b64decode(record["data"]))
        return path

    def renderable(self, record: Mapping[str, Any]) -> RenderableType | None:
        """The picture for a console of rich; None if the terminal cannot show it."""
        if self._renderable is None or record["media_type"] not in _SUFFIXES:
            return None
        shown: RenderableType = self._renderable(io.BytesIO(base64.b64decode(record["data"])))
        return shown


def _graphics() -> Any:
    """The class that shows pictures by the terminal's own protocol: Sixel or kitty's; None if it has none."""
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        return None
    if 0 in os.get_terminal_size(sys.stdout.fileno()):  # nobody looks: a terminal without a size
        return None
    from textual_image.renderable import Image, SixelImage, TGPImage

    return Image if Image in (SixelImage, TGPImage) else None


@contextmanager
def as_terminal(stream: IO[str]) -> Iterator[None]:
    """While entered, `sys.__stdout__` is that stream: kitty's pictures are written to it, past the console."""
    before = sys.__stdout__
    setattr(sys, "__stdout__", stream)  # noqa: B010  (a constant to type checkers)
    try:
        yield
    finally:
        setattr(sys, "__stdout__", before)  # noqa: B010
