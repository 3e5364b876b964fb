"""`python -m fluid program.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fluid.__main__ import main

PROGRAM = """\
import fluid

print("hello")
with fluid.Task("t") as t:
    fluid.step(image="i")
fluid.TaskRun(t, name="r")
if __name__ == "__main__":
    print("never")
"""


def test_prints_what_the_program_built(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "fluid", str(program)], capture_output=True, text=True, check=True
    )
    assert [document["kind"] for document in yaml.safe_load_all(done.stdout)] == ["TaskRun"]
    assert done.stderr == "hello\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import fluid\n\nfluid.Task('Bad').spec()\n", ":3: error: task 'Bad' has no step."),
        ("x = 1\n", ":1: error: the program builds no task, pipeline or run."),
        ("import fluid\nfluid.step('s')\n", ":2: error: Step 's' belongs inside"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(text)
    assert main([str(program)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1


def test_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["does-not-exist.py"]) == 1
    assert capsys.readouterr().err == "does-not-exist.py: error: No such file or directory\n"


def test_usage() -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
