"""Live progress on stderr: a moving line on a terminal, plain lines elsewhere, nothing for what is over at once.

stdout stays for the one thing a script wants to read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from devcluster.forecast import Forecast, Work, about

QUIET_SECONDS = 1.0
"""A step that ends sooner is not worth a line."""

HEARTBEAT_SECONDS = 20.0
"""Without a terminal, seconds between two lines that show that a step still runs."""


@dataclass(slots=True)
class ProgressStep:
    """One thing under way."""

    title: str
    started: float = field(default_factory=time.monotonic)
    detail: str = ""

    def update(self, detail: str) -> None:
        """Say what the step does right now; control characters and long lines are cut."""
        self.detail = "".join(char for char in detail if char.isprintable())[:100]

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.started


class Reporter:
    """Shows steps. May be used by several threads at once."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self._live: Progress | None = None
        self._running = 0
        self._lock = threading.Lock()
        self._forecast = Forecast(())

    def plan(self, works: Sequence[Work]) -> None:
        """Number the steps to come and forecast their end; a plan that was made before stays."""
        if works and not self._forecast.works:
            self._forecast = Forecast(works)
            steps = f"{len(works)} steps" if len(works) > 1 else "1 step"
            self.say(f"{steps}, {about(self._forecast.seconds_left())} in all")

    def say(self, text: str) -> None:
        """One plain line."""
        self.console.print(escape(text), soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[ProgressStep]:
        """Show `title` as under way for as long as the block runs, then how long it took."""
        number = self._forecast.number(title)
        step = ProgressStep(f"{number} {title}".lstrip())
        with self._moving_line(step) if self.console.is_terminal else self._plain_lines(step):
            yield step
        self._forecast.end(title, step.seconds)
        if step.seconds >= QUIET_SECONDS:
            left = self._forecast.seconds_left() if number else 0
            took = f"({step.seconds:.0f} s{f'; {about(left)} left' if left else ''})"
            self.console.print(f"[green]✓[/green] {escape(step.title)} [dim]{took}[/dim]", soft_wrap=True)

    @contextmanager
    def _moving_line(self, step: ProgressStep) -> Iterator[None]:
        with self._lock:
            if self._live is None:
                detail = TextColumn("[dim]{task.fields[detail]}")
                columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), detail)
                self._live = Progress(*columns, console=self.console, transient=True)
                self._live.start()
            live = self._live
            self._running += 1
            task = live.add_task(escape(step.title), total=None, detail="")
        try:
            with _ticking(lambda: live.update(task, detail=escape(step.detail[:60])), first=0.2, every=0.2):
                yield
        finally:
            with self._lock:
                live.remove_task(task)
                self._running -= 1
                if self._running == 0:
                    live.stop()
                    self._live = None

    @contextmanager
    def _plain_lines(self, step: ProgressStep) -> Iterator[None]:
        def line() -> None:
            late = f": {step.seconds:.0f} s" + (f", {step.detail}" if step.detail else "")
            self.say(f"… {step.title}" + (late if step.seconds >= HEARTBEAT_SECONDS else ""))

        with _ticking(line, first=QUIET_SECONDS, every=HEARTBEAT_SECONDS):
            yield


@contextmanager
def _ticking(tick: Callable[[], None], *, first: float, every: float) -> Iterator[None]:
    """Call `tick` after `first` seconds and then every `every` seconds, for as long as the block runs."""
    stop = threading.Event()

    def run() -> None:
        delay = first
        while not stop.wait(delay):
            tick()
            delay = every

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
