"""The real runner, on programs that every system has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from devcluster.process import NOT_FOUND, TIMED_OUT, Completed, Runner

from tests.support.waiting import wait_for


@pytest.fixture
def system() -> Runner:
    return Runner()


def test_output_and_exit_code_are_captured(system: Runner) -> None:
    result = system.run(["sh", "-c", "echo $GREETING; cat; echo bad >&2; exit 3"], env={"GREETING": "hi"}, stdin="in")
    assert result == Completed(3, "hi\nin", "bad\n")
    assert not result.ok
    assert result.reason == "bad"


def test_a_missing_program_and_a_hanging_one_are_results_not_exceptions(system: Runner) -> None:
    assert system.run(["no-such-program-here"]).code == NOT_FOUND
    assert system.run(["sleep", "60"], timeout=0.1) == Completed(TIMED_OUT, err="sleep: no answer within 0.1 s")


def test_a_silent_failure_still_has_a_reason() -> None:
    assert Completed(9).reason == "exit code 9"


def test_a_long_program_writes_its_log_and_its_lines_are_heard(system: Runner, tmp_path: Path) -> None:
    heard: list[str] = []
    log = tmp_path / "logs" / "x.log"
    code = system.stream(["sh", "-c", "cat; echo err >&2; exit 4"], log=log, on_line=heard.append, stdin="a\n\nb\n")
    assert code == 4
    assert heard == ["a", "b", "err"]
    assert log.read_text() == "$ sh -c cat; echo err >&2; exit 4\na\n\nb\nerr\n"


def test_a_long_program_that_is_missing_fails_and_says_so_in_the_log(
    system: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "x.log"
    assert system.stream(["no-such-program-here"], log=log, on_line=lambda _: None) == NOT_FOUND
    assert "No such file" in log.read_text()
    monkeypatch.setattr(Runner, "which", lambda *_: None)
    assert system.stream(["no-such-program-here"], log=log, on_line=lambda _: None) == NOT_FOUND
    assert "No such file" in log.read_text()


def test_a_program_that_does_not_read_its_input_is_no_error(system: Runner, tmp_path: Path) -> None:
    assert system.stream(["true"], log=tmp_path / "x", on_line=lambda _: None, stdin="x" * 1_000_000) == 0


def test_a_daemon_that_keeps_the_output_open_does_not_hold_us_up(system: Runner, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = system.stream(["sh", "-c", f"sleep 600 & echo $! > {pid_file}"], log=tmp_path / "x", on_line=lambda _: None)
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    assert code == 0


@pytest.mark.skipif(Runner().which("setpriv") is None, reason="needs setpriv (util-linux)")
def test_killing_us_ends_the_program_that_we_run(tmp_path: Path) -> None:
    pid_file, log = tmp_path / "pid", tmp_path / "log"
    script = (
        "import pathlib, devcluster.process as p;"
        f"shell = 'echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 60';"
        f"p.Runner().stream(['sh', '-c', shell], log=pathlib.Path({str(log)!r}), on_line=print)"
    )
    ours = subprocess.Popen([sys.executable, "-c", script])
    wait_for(pid_file.exists, "the program has started")
    child = int(pid_file.read_text())
    ours.kill()
    ours.wait()
    wait_for(lambda: not _is_running(child), "the program has ended")


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
