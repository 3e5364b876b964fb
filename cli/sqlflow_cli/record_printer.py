"""Shows the records of a run to a person: each statement as it runs, results as tables, errors as a compiler does."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.text import Text
from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.language.program import Program
from sqlflow_codegen.progress import StepProgress

from sqlflow_cli.pictures import Pictures, as_terminal
from sqlflow_cli.screen import PIPE_WIDTH, counted, visible

if TYPE_CHECKING:
    from rich.status import Status

    from sqlflow_cli.tables import Shown

_PROGRESS_SECONDS = 10.0
"""Seconds between two lines about a training's progress where no terminal shows it all the time."""


class _Running:
    """The line of the statement that runs: its title, its time and a library's latest message."""

    def __init__(self, title: str, begun: float) -> None:
        self._title = title
        self._begun = begun
        self.words = ""

    def __rich__(self) -> Text:
        now = time.monotonic()
        parts = [self._title, duration(now - self._begun), *([self.words] if self.words else [])]
        return Text(visible("  ".join(parts)), no_wrap=True, overflow="ellipsis")


class RecordPrinter:
    """Writes to a stream; on a terminal the running statement shows its time and a library's latest words."""

    def __init__(
        self, stream: TextIO, program: Program, numbers: Sequence[int], pictures: Pictures, *, verbose: bool
    ) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
        self._is_terminal = self._console.is_terminal
        self._width = self._console.width
        if not self._is_terminal and not os.environ.get("COLUMNS", "").isdecimal():
            self._width = PIPE_WIDTH
        self._program = program
        self._position = {number: position for position, number in enumerate(numbers, 1)}
        self._count = len(numbers)
        self._verbose = verbose
        self._status: Status | None = None
        self._title = ""
        self._running = _Running("", 0)
        self._results: list[Shown] = []
        self._pictures = pictures
        self._images: list[dict[str, Any]] = []
        self._latest = ""
        self._done = 0
        self._started = time.monotonic()
        self._failed = False
        self._shown_at = self._started

    def show(self, record: dict[str, Any]) -> None:
        """Show one record."""
        handler = getattr(self, f"_on_{record['type']}", None)
        if handler is not None:
            handler(record)

    def close(self) -> None:
        """Print the summary of the run."""
        self._stop_status()
        if not self._failed:
            self._print(f"{counted(self._count, 'statement')} done in {duration(self._elapsed())}", "bold green")

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _on_statement_started(self, record: dict[str, Any]) -> None:
        self._results, self._latest, self._images = [], "", []
        place = f"line {record['line']}"
        self._shown_at = time.monotonic()
        self._title = f"[{self._position[record['statement']]}/{self._count}] {record['title']}  ({place})"
        self._running = _Running(self._title, time.monotonic())
        if self._is_terminal:
            self._status = self._console.status(self._running, spinner="dots")
            self._status.start()
        else:  # whoever reads a log wants to see what it waits for
            self._print(self._title, "bold")
            self._console.file.flush()

    def _on_columns(self, record: dict[str, Any]) -> None:
        from sqlflow_cli.tables import Shown

        self._results.append(Shown(record["names"], record["types"]))

    def _on_row(self, record: dict[str, Any]) -> None:
        self._results[-1].rows.append(record["values"])
        self._results[-1].cut.append(tuple(record.get("truncated", ())))

    def _on_log(self, record: dict[str, Any]) -> None:
        words = record["message"]
        if record["level"] == "info" and not self._verbose:
            self._latest = self._running.words = words
            return
        self._print(f"  {words}", "yellow" if record["level"] == "warning" else "dim")

    def _on_progress(self, record: dict[str, Any]) -> None:
        words = StepProgress.read(record).words
        self._latest = self._running.words = words
        now = time.monotonic()
        if not self._is_terminal and now - self._shown_at >= _PROGRESS_SECONDS:
            self._shown_at = now
            self._print(f"  {words}", "dim")
            self._console.file.flush()

    def _on_metrics(self, record: dict[str, Any]) -> None:
        values = "  ".join(f"{name} {value:.4g}" for name, value in record["values"].items())
        self._latest = f"{record['model']}: {values}"

    def _on_model(self, record: dict[str, Any]) -> None:
        measured = f"  {self._latest}" if self._latest else ""
        self._latest = f"{record['name']}, version {record['version']}{measured}"

    def _on_image(self, record: dict[str, Any]) -> None:
        self._images.append(record)

    def _show_picture(self, record: dict[str, Any]) -> None:
        self._print(f"  {record['title']}")
        shown = self._pictures.renderable(record)
        if shown is not None:
            with as_terminal(self._console.file):
                self._console.print(shown)
        try:
            path = self._pictures.save(record)
        except OSError as error:
            self._print(f"  the picture cannot be written: {error}", "yellow")
        else:
            if path is not None:
                self._print(f"  picture: {path}", "dim")

    def _on_statement_finished(self, record: dict[str, Any]) -> None:
        self._stop_status()
        if self._is_terminal:
            self._print(self._title, "bold")
        for number, result in enumerate(self._results, 1):
            if len(self._results) > 1:
                self._print(f"  result {number} of {len(self._results)}", "dim")
            for shown in result.renderables(self._width):
                if isinstance(shown, Text):  # a terminal breaks a line that is too long, a log keeps it whole
                    self._console.print(shown, soft_wrap=True)
                else:
                    self._console.print(shown, width=self._width, soft_wrap=False, crop=False)
        for image in self._images:
            self._show_picture(image)
        self._print("  " + "  ·  ".join(self._outcome(record)), "dim")

    def _outcome(self, record: dict[str, Any]) -> list[str]:
        rows, kind = record["rows"], self._program.statement(record["statement"]).kind
        parts = []
        if record.get("truncated"):
            parts.append(f"first {sum(len(result.rows) for result in self._results)} rows")
        elif rows >= 0:
            parts.append(counted(rows, "row", zero="0"))
        if self._latest and kind in ("train", "evaluate"):
            parts.insert(0, self._latest)
        parts.append(duration(record["seconds"]))
        self._done += 1
        if self._count > 1:
            share = 100 * self._done // self._count
            parts.append(f"{self._done} of {self._count} done ({share} %) after {duration(self._elapsed())}")
        return parts

    def _on_error(self, record: dict[str, Any]) -> None:
        self._stop_status()
        self._failed = True
        if record["statement"] == 0:
            self._print(f"error: {record['message']}", "bold red")
            return
        if self._is_terminal:
            self._print(self._title, "bold")
        place = (record["statement"], record["line"], record["column"])
        from sqlflow_codegen.language.diagnostics import format_diagnostics

        diagnostic = Diagnostic(record["kind"], record["message"], *place, hint=record["hint"])
        self._print(format_diagnostics(self._program.text, [diagnostic]), "red")

    def _stop_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _print(self, words: str, style: str = "") -> None:
        if not self._is_terminal:  # no colours, no width: what rich would do takes longer than most statements
            self._console.file.write(f"{visible(words).expandtabs()}\n")
            return
        # Text, not markup: the user's words may hold square brackets.
        self._console.print(Text(visible(words), style=style))


def duration(seconds: float) -> str:
    """`0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
