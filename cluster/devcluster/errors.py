"""The one error this program shows a person: what failed, why, and what to do about it."""

from __future__ import annotations

from pathlib import Path

TAIL_LINES = 20
"""Lines of a log that are shown with an error."""


class DevClusterError(Exception):
    """A fault that a person can fix; never a bug of ours.

    Attributes:
        what: what could not be done, without a full stop.
        why: the reason, in the failing program's own words where there are any.
        todo: what to do about it.
        log: file with the whole output, if there is one.
    """

    def __init__(self, what: str, why: str = "", todo: str = "", log: Path | None = None) -> None:
        self.what, self.why, self.todo, self.log = what, why, todo, log
        super().__init__(self.line())

    def line(self) -> str:
        """The whole story on one line."""
        text = self.what + (f": {' '.join(self.why.split())}" if self.why else "")
        text = text.rstrip(".") + "."
        if self.todo:
            text += f" {self.todo.rstrip('.')}."
        if self.log is not None:
            text += f" Full log: {self.log}"
        return text

    def tail(self) -> str:
        """The last lines of the log; "" where there is no log or it cannot be read."""
        return "\n".join(log_lines(self.log)[-TAIL_LINES:]) if self.log is not None else ""


def log_lines(log: Path) -> list[str]:
    """The lines of a log that say something; a missing file has none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()]
