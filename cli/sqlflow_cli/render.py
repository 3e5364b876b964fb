"""Shows the records of a run to a person: each statement as it runs, results as tables, errors as a compiler does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text
from sqlflow_codegen.errors import Diagnostic
from sqlflow_codegen.language import format_diagnostics
from sqlflow_codegen.language.ir import Program
from sqlflow_runtime.cells import show_cell

from sqlflow_cli.screen import visible

_NUMERIC = ("int", "float", "double", "real", "numeric", "decimal", "serial", "bigint")


class Renderer:
    """Writes to a stream; on a terminal the running statement shows its time and a library's latest words."""

    def __init__(self, stream: TextIO, program: Program, numbers: Sequence[int], *, verbose: bool) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
        self._program = program
        self._position = {number: position for position, number in enumerate(numbers, 1)}
        self._count = len(numbers)
        self._verbose = verbose
        self._status: Status | None = None
        self._title = ""
        self._columns: list[str] = []
        self._types: list[str] = []
        self._rows: list[list[Any]] = []
        self._latest = ""
        self._started = time.monotonic()
        self._failed = False

    def show(self, record: dict[str, Any]) -> None:
        """Show one record."""
        handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "statement_started": self._on_started,
            "columns": self._on_columns,
            "row": lambda r: self._rows.append(r["values"]),
            "log": self._on_log,
            "metrics": self._on_metrics,
            "model": self._on_model,
            "statement_finished": self._on_finished,
            "error": self._on_error,
        }
        handler = handlers.get(record["type"])
        if handler is not None:
            handler(record)

    def close(self) -> None:
        """Say how the run went."""
        self._stop_status()
        if not self._failed:
            seconds = time.monotonic() - self._started
            self._print(
                f"{self._count} statement{'s' if self._count != 1 else ''} done in {seconds:.2f} s", "bold green"
            )

    def _on_started(self, record: dict[str, Any]) -> None:
        self._columns, self._types, self._rows, self._latest = [], [], [], ""
        place = f"line {record['line']}"
        self._title = f"[{self._position[record['statement']]}/{self._count}] {record['title']}  ({place})"
        if self._console.is_terminal:
            self._status = self._console.status(Text(self._title), spinner="dots")
            self._status.start()

    def _on_columns(self, record: dict[str, Any]) -> None:
        self._columns, self._types = record["names"], record["types"]

    def _on_log(self, record: dict[str, Any]) -> None:
        words = record["message"]
        if record["level"] == "info" and not self._verbose:
            self._latest = words
            if self._status is not None:
                self._status.update(Text(f"{self._title}  {words}"[: self._console.width - 4]))
            return
        self._print(f"  {words}", "yellow" if record["level"] == "warning" else "dim")

    def _on_metrics(self, record: dict[str, Any]) -> None:
        values = "  ".join(f"{name} {value:.4g}" for name, value in record["values"].items())
        self._latest = f"{record['model']}: {values}"

    def _on_model(self, record: dict[str, Any]) -> None:
        measured = f"  {self._latest}" if self._latest else ""
        self._latest = f"{record['name']}, version {record['version']}{measured}"

    def _on_finished(self, record: dict[str, Any]) -> None:
        self._stop_status()
        self._print(self._title, "bold")
        if self._columns:
            self._console.print(self._table())
        rows, kind = record["rows"], self._program.statement(record["statement"]).kind
        parts = []
        if record.get("truncated"):
            parts.append(f"first {len(self._rows)} rows")
        elif rows >= 0:
            parts.append(f"{rows} row{'s' if rows != 1 else ''}")
        if self._latest and kind in ("train", "evaluate"):
            parts.insert(0, self._latest)
        parts.append(f"{record['seconds']:.2f} s")
        self._print("  " + "  ·  ".join(parts), "dim")

    def _on_error(self, record: dict[str, Any]) -> None:
        self._stop_status()
        self._failed = True
        if record["statement"] == 0:
            self._print(f"error: {record['message']}", "bold red")
            return
        self._print(self._title, "bold")
        place = (record["statement"], record["line"], record["column"])
        diagnostic = Diagnostic(record["kind"], record["message"], *place, hint=record["hint"])
        self._print(format_diagnostics(self._program.text, [diagnostic]), "red")

    def _table(self) -> Table:
        table = Table(show_edge=False, pad_edge=False, header_style="bold")
        for name, kind in zip(self._columns, self._types, strict=True):
            right = kind.lower().startswith(_NUMERIC)
            table.add_column(Text(visible(name)), justify="right" if right else "left", overflow="fold")
        for row in self._rows:
            table.add_row(
                *(Text("NULL", style="dim") if cell is None else Text(visible(show_cell(cell))) for cell in row)
            )
        return table

    def _stop_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _print(self, words: str, style: str = "") -> None:
        # Text, not markup: the user's words may hold square brackets.
        self._console.print(Text(visible(words), style=style))
