from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest
from devcluster import progress
from devcluster.context import Context
from devcluster.errors import TAIL_LINES, DevClusterError
from devcluster.process import Completed
from devcluster.progress import Reporter


def test_an_error_is_one_line_of_what_why_and_what_to_do() -> None:
    error = DevClusterError("Create the cluster", "port taken\nby  another", "Free it.", Path("/logs/kind.log"))
    assert error.line() == "Create the cluster: port taken by another. Free it. Full log: /logs/kind.log"
    assert str(error) == error.line()


def test_the_tail_of_a_log_is_its_last_lines_that_say_something(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n\n".join(f"line {number}" for number in range(50)))
    tail = DevClusterError("x", log=log).tail().splitlines()
    assert len(tail) == TAIL_LINES
    assert tail[-1] == "line 49"


def test_a_log_that_is_not_there_has_no_tail(tmp_path: Path) -> None:
    assert DevClusterError("x", log=tmp_path / "none").tail() == ""
    assert DevClusterError("x").tail() == ""


def test_a_failed_long_command_names_its_log_and_the_reason(context: Context, runner) -> None:
    runner.on("make it", Completed(2, err="the reason"))
    with pytest.raises(DevClusterError) as caught:
        context.long("Make it", ["make", "it"], log="make", todo="Look")
    assert caught.value.line() == f"Make it: failed: the reason. Look. Full log: {context.layout.logs / 'make.log'}"


def test_a_failed_short_command_tells_its_last_word(context: Context, runner) -> None:
    runner.on("ask", Completed(1, err="noise\nno such thing\n"))
    with pytest.raises(DevClusterError, match="Ask it: failed: no such thing"):
        context.short("Ask it", ["ask"])


def test_a_step_that_is_over_at_once_says_nothing(reporter: Reporter, screen: io.StringIO) -> None:
    with reporter.step("quick"):
        pass
    assert screen.getvalue() == ""


def test_a_long_step_shows_that_it_runs_what_it_does_and_that_it_ended(
    reporter: Reporter, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.01)
    seen = threading.Event()
    said = reporter.say

    def say(text: str) -> None:
        said(text)
        if "compiling" in text:
            seen.set()

    monkeypatch.setattr(reporter, "say", say)
    with reporter.step("Build [all]") as step:
        step.update("compiling\x1b[31m" + "x" * 500)
        assert seen.wait(10)
    text = screen.getvalue()
    assert "… Build [all]" in text
    assert "✓ Build [all]" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) < 200


def test_on_a_terminal_steps_move_and_leave_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    screen = io.StringIO()
    reporter = Reporter(Console(file=screen, width=120, force_terminal=True))
    with reporter.step("outer"), reporter.step("inner"):
        pass
    assert "inner" in screen.getvalue()
    assert "outer" in screen.getvalue()
